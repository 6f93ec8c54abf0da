"""Answers about indicators as parts of a message: the full card of one, the table of many, the newest."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from bot import service_lines
from bot.answers import Entry, verdict
from bot.findings import Outcome
from bot.indicators import Indicator
from bot.layout import (
    Bullets,
    Footnote,
    Line,
    Paragraph,
    Part,
    Piece,
    Quote,
    Table,
    Words,
    joined,
    when,
    words,
)
from bot.service_lines import SEVERITY
from bot.sharing import Shown
from bot.verdicts import Verdict

_NOTHING = "nothing to show"
NO_VERDICT = "“Nothing to show” is no verdict: what nobody reported here may still be harmful."
_SILENCE = "No verdict is not “harmless”: what nobody knows may still do harm."
_YET = "⚪ no verdict yet"
_BRIEF_CLAIMS = 5
_BRIEF_HASHES = 6
_BRIEF_QUOTE = 300  # characters
_MAX_QUOTE = 2_000
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


def dated(as_of: datetime | None) -> list[Part]:
    """That an answer is not of now, if it is not."""
    return [] if as_of is None else [Footnote(Words(f"⚠️ {age(as_of)}"))]


def age(as_of: datetime) -> str:
    """The same in plain words."""
    return f"The store's primary does not answer: this is as of {as_of.astimezone(UTC):%H:%M} UTC."


def is_empty(entry: Entry) -> bool:
    """Whether there is nothing to show: no claim, and no service was asked."""
    return not entry.assertions and all(each.outcome is Outcome.BLOCKED for each in entry.findings)


def severity(entry: Entry) -> str:
    """Emoji and word; claims that are context only or withdrawn come to no verdict."""
    if is_empty(entry):
        return f"⚪ {_NOTHING}"
    is_open = any(each.outcome is Outcome.PENDING for each in entry.findings)
    return _YET if is_open and entry.verdict is Verdict.UNKNOWN else SEVERITY[entry.verdict]


def headline(entry: Entry) -> str:
    """The severity, and whether sources disagree about it."""
    return f"⚠️ sources disagree · {severity(entry)}" if entry.is_conflict else severity(entry)


def counts(entries: Sequence[Entry]) -> str:
    """How many of each severity, the worst first."""
    found = Counter(map(severity, entries))
    order = [*SEVERITY.values(), _YET, f"⚪ {_NOTHING}"]
    told = [f"{each[:1]} {found[each]} {each[2:]}" for each in order if found[each]]
    disputed = sum(entry.is_conflict for entry in entries)
    return ", ".join([*told, *([f"⚠️ {disputed} disputed"] if disputed else [])])


def card(entry: Entry, *, brief: bool, at: datetime | None = None) -> list[Part]:
    """Everything about one indicator; `brief` keeps to what fits on a screen.

    `at` is when it was asked, to tell how old answers of services are.
    """
    return _card(entry, (), brief=brief, at=at)


def is_brief(entry: Entry) -> bool:
    """Whether the brief card leaves nothing out."""
    return (
        len(entry.assertions) <= _BRIEF_CLAIMS
        and len(_hashes(entry)) <= _BRIEF_HASHES
        and all(_said(shown, _BRIEF_QUOTE) == _said(shown, _MAX_QUOTE) for shown in entry.assertions)
        and service_lines.is_brief(entry.findings)
    )


def titled(entry: Entry, *, at: datetime | None = None) -> list[Part]:
    """The full card below its severity, for a list of cards."""
    return _card(entry, (Words(f"{headline(entry)} · {entry.label}", "bold"),), brief=False, at=at)


def summary(entries: Sequence[Entry]) -> Table:
    """A row an indicator, the worst first, else in the order asked.

    It tells what services said if any was asked; what claims say is left out if only services did.
    """
    ranks = list(SEVERITY)
    ordered = sorted(entries, key=lambda entry: (ranks.index(entry.verdict), is_empty(entry)))
    are_asked = any(entry.findings for entry in entries)
    are_claimed = any(entry.assertions for entry in entries) or not are_asked
    services = ("Services",) if are_asked else ()
    claims = ("Sources", "Last seen") if are_claimed else ()
    head = ("Verdict", "Indicator", *services, "Label", "Family", *claims)
    rows = (_row(entry, are_asked=are_asked, are_claimed=are_claimed) for entry in ordered)
    return Table(tuple(map(Words, head)), tuple(rows))


def newest(shown: Iterable[Shown]) -> Table:
    """A row a claim, the latest first."""
    ordered = sorted(shown, key=lambda each: each.last_seen or each.first_seen or _LONG_AGO, reverse=True)
    head = ("Last seen", "Kind", "Indicator", "Family", "Source", "Label")
    return Table(tuple(map(Words, head)), tuple(map(_news, ordered)))


def _row(entry: Entry, *, are_asked: bool, are_claimed: bool) -> tuple[Line, ...]:
    claimed = [shown.family for shown in entry.assertions]
    found = [finding.report.family for finding in entry.findings if finding.report is not None]
    families = dict.fromkeys(family for family in (*claimed, *found) if family)
    value = _value(entry.indicator, at_most=150)
    note = (Words(" ℹ️ "), words(", ".join(entry.well_known), at_most=60)) if entry.well_known else ()
    return (
        (Words(f"{severity(entry)}{', ⚠️ disputed' if entry.is_conflict else ''}"),),
        (value, *note),
        *((service_lines.cell(entry.findings),) if are_asked else ()),
        (Words("–" if is_empty(entry) else str(entry.label)),),
        (words(", ".join(families), at_most=60),),
        *(
            ((words(", ".join(_sources(entry)), at_most=80),), (_last_seen(entry.assertions),))
            if are_claimed
            else ()
        ),
    )


def _news(shown: Shown) -> tuple[Line, ...]:
    return (
        (_last_seen([shown]),),
        (Words(shown.indicator.kind.value),),
        (_value(shown.indicator, at_most=150),),
        (words(shown.family or "", at_most=60),),
        (words(shown.source_name, at_most=80),),
        (Words(str(shown.label)),),
    )


def _card(entry: Entry, head: Line, *, brief: bool, at: datetime | None) -> list[Part]:
    top = [head, _known(entry)]
    services = service_lines.services(entry.findings, at, brief=brief)
    if is_empty(entry):
        top.append((Words("Nothing to show for "), _value(entry.indicator)))
        return [_lines(*top), Footnote(Words(NO_VERDICT)), *services]
    claims = entry.assertions[:_BRIEF_CLAIMS] if brief else entry.assertions
    return [
        _lines(*top, (_value(entry.indicator),), _overview(entry), _disagreement(entry)),
        *(part for shown in claims for part in _claim(shown, brief=brief)),
        *_rest(len(entry.assertions) - len(claims), "claims"),
        *services,
        *_silence(entry),
        *_same_file(entry, brief=brief),
    ]


def _lines(*lines: Line) -> Paragraph:
    return Paragraph(tuple(filter(None, lines)))


def _known(entry: Entry) -> Line:
    """What everybody meets, told before anybody takes it for a trace of an attack."""
    return (words(f"ℹ️ {', '.join(entry.well_known)}"),) if entry.well_known else ()


def _disagreement(entry: Entry) -> Line:
    if not entry.is_conflict:
        return ()
    by_verdict: dict[Verdict, list[str]] = {}
    for shown in entry.assertions:
        by_verdict.setdefault(verdict([shown]), []).append(shown.source_name)
    for finding in entry.findings:
        by_verdict.setdefault(finding.verdict, []).append(finding.title)
    bad, good = (
        ", ".join(dict.fromkeys(by_verdict.get(each, []))) for each in (Verdict.MALICIOUS, Verdict.BENIGN)
    )
    told = words(f"Malicious to {bad}; known good to {good}.", at_most=500)
    return (Words("⚠️ Sources disagree.", "bold"), Words(" "), told)


def _silence(entry: Entry) -> list[Part]:
    """So that nobody takes a file that no service knows for a good one."""
    is_silent = severity(entry) == SEVERITY[Verdict.UNKNOWN] and not entry.assertions
    return [Footnote(Words(_SILENCE))] if is_silent else []


def _overview(entry: Entry) -> Line:
    sources = _sources(entry)
    many = f"{len(sources)} sources" if len(sources) > 1 else ""
    seen = _seen(entry.assertions) if len(entry.assertions) > 1 else ()  # else its claim says so
    if not sources:
        many = "nothing to show from partners"
    return joined([(Words(entry.indicator.kind.value),), (Words(many),) if many else (), seen])


def _claim(shown: Shown, *, brief: bool) -> list[Part]:
    lines = [_who(shown), _what(shown), _seen([shown])]
    return [_lines(*lines), *_said(shown, _BRIEF_QUOTE if brief else _MAX_QUOTE)]


def _said(shown: Shown, at_most: int) -> list[Part]:
    return [Quote(words(shown.context, at_most=at_most))] if shown.context else []


def _who(shown: Shown) -> Line:
    notes = [
        f"confidence {shown.confidence} of 100" if shown.confidence is not None else "",
        "" if shown.to_ids else "context only, not for detection",
        "withdrawn by its source" if shown.revoked else "",
    ]
    source = (words(shown.source_name, "bold", at_most=80),)
    return joined([source, (Words(str(shown.label)),), *((Words(note),) for note in notes if note)])


def _what(shown: Shown) -> Line:
    family = (Words("Family "), words(shown.family, "bold", at_most=100)) if shown.family else ()
    tags = (words(f"Tags {', '.join(shown.tags)}", at_most=400),) if shown.tags else ()
    return joined([family, tags])


def _seen(claims: Sequence[Shown]) -> Line:
    first = min((shown.first_seen for shown in claims if shown.first_seen), default=None)
    last = max((shown.last_seen for shown in claims if shown.last_seen), default=None)
    ending = (Words("last seen " if first else "Last seen "), when(last)) if last else ()
    return joined([(Words("First seen "), when(first)) if first else (), ending])


def _last_seen(claims: Sequence[Shown]) -> Piece:
    last = max((shown.last_seen for shown in claims if shown.last_seen), default=None)
    return when(last) if last else Words("–")


def _same_file(entry: Entry, *, brief: bool) -> list[Part]:
    hashes = _hashes(entry)
    if not hashes:
        return []
    kept = hashes[:_BRIEF_HASHES] if brief else hashes
    lines = [(Words(f"{each.kind.value} "), _value(each)) for each in kept]
    return [
        Paragraph(((Words("Hashes of the same file"),),)),
        Bullets(tuple(lines)),
        *_rest(len(hashes) - len(kept), "hashes"),
    ]


def _hashes(entry: Entry) -> list[Indicator]:
    return list(dict.fromkeys(shown.indicator for shown in entry.same_file))


def _rest(number: int, what: str) -> list[Part]:
    return [Footnote(Words(f"{number} more {what} in the details"))] if number else []


def _sources(entry: Entry) -> list[str]:
    """Names as this audience reads them; two who are both "a partner" are told as one."""
    return list(dict.fromkeys(shown.source_name for shown in entry.assertions))


def _value(indicator: Indicator, *, at_most: int = 1_500) -> Words:
    return words(indicator.value, "code", at_most=at_most)
