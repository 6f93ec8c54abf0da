"""What external services said, in words: lines of a card, a cell of the table, sums over many."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from bot.findings import Finding, Outcome
from bot.layout import Bullets, Footnote, Line, Paragraph, Part, Words, joined, link, when, words
from bot.tlp import Label, strictest
from bot.verdicts import Verdict

# Severity by emoji and by word, the worst first.
SEVERITY = {
    Verdict.MALICIOUS: "🔴 malicious",
    Verdict.SUSPICIOUS: "🟠 suspicious",
    Verdict.UNWANTED: "🟡 unwanted",
    Verdict.BENIGN: "🟢 known good",
    Verdict.UNKNOWN: "⚪ no verdict",
}
_RANKS = list(SEVERITY)
_PROBLEMS = {
    Outcome.QUOTA: "quota exhausted",
    Outcome.AUTH: "does not take our key: the operator must look",  # nobody but the host reads this outcome
    Outcome.TIMEOUT: "no answer in time",
    Outcome.BAD_ANSWER: "its answer could not be read",
    Outcome.UNAVAILABLE: "unavailable",
}
# How the release policy words its reasons, by their beginnings, and what they mean to an analyst.
_REASONS = (
    ("TLP above", "{label} is above what may be asked there"),
    ("PAP:RED", "its PAP forbids to ask others"),
    ("PAP:AMBER", "its PAP forbids questions that others can see"),
    ("excluded by the source", "excluded by its source"),
    ("orgs not entitled", "the marking does not reach whoever runs it"),
    ("outside validity", "a claim about it is not in force"),
    ("its organisation did not agree", "the asking organisation did not agree to it"),
)
_JUST_NOW = timedelta(minutes=2)
_MAX_TITLE = 60
_MAX_CELL = 160
_MAX_SUMS = 250


def speaks(finding: Finding) -> bool:
    """Whether it says something about the indicator, now or from an earlier time."""
    return finding.report is not None or finding.outcome is Outcome.NOT_FOUND


def why(finding: Finding) -> str:
    """Why it was not asked, in an analyst's words; a reason without such words as it is."""
    reason = finding.reason
    told = next((plain for start, plain in _REASONS if reason.startswith(start)), reason)
    # That it was refused is told under AMBER+STRICT even if the question was RED.
    label = "its marking" if finding.label >= Label.AMBER_STRICT else str(finding.label)
    return told.replace("{label}", label)


def services(findings: Sequence[Finding], at: datetime | None, *, brief: bool) -> list[Part]:
    """The part of a card: a line a service, the worst first; facts only if not `brief`.

    `at` is when it was asked, to tell ages; without it answers bear their date.
    """
    answered = sorted((each for each in findings if not _is_out(each)), key=_place)
    return [
        *_headed(answered, at),
        *([] if brief else [part for each in answered for part in _details(each)]),
        *_pending(findings),
        *_not_asked(findings),
    ]


def is_brief(findings: Iterable[Finding]) -> bool:
    """Whether the brief part leaves nothing out."""
    return not any(map(_details, findings))


def cell(findings: Iterable[Finding]) -> Line:
    """What they came to in a few words, for the table."""
    ordered = sorted(findings, key=_place)
    said = [_in_short(each) for each in ordered if each.report is not None]
    silent, failed, out = (
        sum(each.outcome is Outcome.NOT_FOUND for each in ordered),
        sum(each.outcome.is_error and each.report is None for each in ordered),
        sum(each.outcome is Outcome.PENDING for each in ordered),
    )
    said += [f"unknown to {silent}"] if silent and not said else []
    said += [f"⚠️ {failed} without answer"] if failed else []
    said += [f"⏳ {out} to come"] if out else []
    return (words(" · ".join(said) or ("not asked" if ordered else ""), at_most=_MAX_CELL),)


def progress(findings: Sequence[Sequence[Finding]]) -> list[Part]:
    """How many indicators are answered, as long as some are not; `findings` by indicator."""
    asked = [each for each in findings if each]
    waiting = [each for each in asked if any(one.outcome is Outcome.PENDING for one in each)]
    if not waiting:
        return []
    done = Words(f"⏳ {len(asked) - len(waiting)} of {len(asked)} answered · ")
    return [Paragraph(((done, *_waiting_for(one for each in waiting for one in each)),))]


def sums(findings: Iterable[Finding], at: datetime | None) -> list[Part]:
    """How many were found, not asked, not answered: a line a service."""
    by_title: dict[str, list[Finding]] = {}
    for each in findings:
        by_title.setdefault(each.title, []).append(each)
    lines = [_sum(title, by_title[title], at) for title in sorted(by_title)]
    return [Bullets(tuple(lines))] if lines else []


def _is_out(finding: Finding) -> bool:
    return finding.outcome in (Outcome.PENDING, Outcome.BLOCKED)


def _place(finding: Finding) -> tuple[int, bool, bool, str]:
    silent = finding.outcome is Outcome.NOT_FOUND
    return (_RANKS.index(finding.verdict), finding.report is None, not silent, finding.title)


def _headed(answered: Sequence[Finding], at: datetime | None) -> list[Part]:
    if not answered:
        return []
    label = strictest(each.label for each in answered)
    head = (Words("External services", "bold"), Words(f" · {label}"))
    return [Paragraph((head,)), Bullets(tuple(_line(each, at) for each in answered))]


def _line(finding: Finding, at: datetime | None) -> Line:
    report = finding.report
    if report is None:
        is_silent = finding.outcome is Outcome.NOT_FOUND
        name = words(finding.title, "bold", at_most=_MAX_TITLE)
        said = "knows nothing of it" if is_silent else _problem(finding, at)
        age = _age(finding, at) if is_silent else ()
        return joined([(Words("⚪ " if is_silent else "⚠️ "), name, Words(f" {said}")), age])
    emoji, word = SEVERITY[report.verdict].split(" ", 1)
    first = report.first_seen
    return joined(
        [
            (Words(f"{emoji} "), link(finding.title, report.link), Words(f" {word}")),
            (words(report.score, at_most=60),) if report.score else (),
            (words(report.family, at_most=100),) if report.family else (),
            (Words(f"first seen {first.astimezone(UTC).date().isoformat()}"),) if first else (),
            _age(finding, at),
        ]
    )


def _age(finding: Finding, at: datetime | None) -> Line:
    """How old the answer is, and why there is no newer one."""
    fetched = finding.fetched_at
    problem = _problem(finding, at) if finding.outcome.is_error else ""
    if fetched is None:
        return (Words(problem),) if problem else ()
    if at is None:
        return (Words("answered "), when(fetched), *([Words(f", {problem}")] if problem else []))
    if problem:
        return (Words(f"{_span(at - fetched)} old, {problem}"),)
    return (Words("just now" if at - fetched < _JUST_NOW else f"{_span(at - fetched)} ago"),)


def _span(age: timedelta) -> str:
    minutes = max(1, int(age.total_seconds()) // 60)
    if minutes < 60:
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < 48 * 60 else f"{minutes // (24 * 60)} days"


def _problem(finding: Finding, at: datetime | None) -> str:
    problem, again = _PROBLEMS[finding.outcome], finding.again_at
    if again is None or finding.outcome is Outcome.AUTH or (at is not None and again <= at):
        return problem
    is_soon = at is not None and again - at < timedelta(days=1)
    day = "" if is_soon else f"{again.astimezone(UTC).date().isoformat()} "
    return f"{problem}: asked again at {day}{again.astimezone(UTC):%H:%M} UTC"


def _details(finding: Finding) -> list[Part]:
    report = finding.report
    if report is None:
        return []
    lines: list[Line] = [
        (words(name, at_most=60), Words(": "), words(value, at_most=500)) for name, value in report.facts
    ]
    if report.last_seen is not None:
        lines = [(Words("last seen: "), when(report.last_seen)), *lines]
    head = (words(finding.title, "bold", at_most=_MAX_TITLE), Words(" tells"))
    return [Paragraph((head,)), Bullets(tuple(lines))] if lines else []


def _pending(findings: Iterable[Finding]) -> list[Part]:
    waiting = _waiting_for(findings)
    return [Paragraph(((Words("⏳ "), *waiting),))] if waiting else []


def _waiting_for(findings: Iterable[Finding]) -> Line:
    titles = sorted({each.title for each in findings if each.outcome is Outcome.PENDING})
    return (words(f"asking {', '.join(titles)}…", at_most=500),) if titles else ()


def _not_asked(findings: Iterable[Finding]) -> list[Part]:
    """One line for all of them; only the host reads reasons."""
    by_reason: dict[str, list[str]] = {}
    for each in sorted(findings, key=lambda one: one.title):
        if each.outcome is Outcome.BLOCKED:
            by_reason.setdefault(why(each), []).append(each.title)
    told = [", ".join(titles) + (f" ({why})" if why else "") for why, titles in by_reason.items()]
    return [Footnote(words(f"Not asked: {'; '.join(told)}", at_most=1_500))] if told else []


def _in_short(finding: Finding) -> str:
    report = finding.report
    score = report.score if report is not None else None
    return f"{finding.title} {score or _word(finding.verdict)}{' (old)' if finding.is_stale else ''}"


def _word(verdict: Verdict) -> str:
    return SEVERITY[verdict].split(" ", 1)[1]


def _sum(title: str, findings: Sequence[Finding], at: datetime | None) -> Line:
    number = Counter(each.outcome for each in findings)
    told = [
        f"{number[outcome]} {word}"
        for outcome, word in (
            (Outcome.FOUND, "found"),
            (Outcome.NOT_FOUND, "unknown to it"),
            (Outcome.PENDING, "to come"),
        )
        if number[outcome]
    ]
    problems = Counter(_problem(each, at) for each in findings if each.outcome.is_error)
    told += [f"{many} failed ({problem})" for problem, many in sorted(problems.items())]
    blocked = Counter(why(each) for each in findings if each.outcome is Outcome.BLOCKED)
    told += [f"{many} not asked{f' ({why})' if why else ''}" for why, many in sorted(blocked.items())]
    name = words(title, "bold", at_most=_MAX_TITLE)
    return (name, Words("  "), words(" · ".join(told), at_most=_MAX_SUMS))
