"""Answers about indicators as parts of a message: the full card of one, the table of many, the newest."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from bot.answers import Entry
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
from bot.sharing import Shown
from bot.verdicts import Verdict

_NOTHING = "nothing to show"
NO_VERDICT = "“Nothing to show” is no verdict: what nobody reported here may still be harmful."
# Severity by emoji and by word, the worst first.
_SEVERITY = {
    Verdict.MALICIOUS: "🔴 malicious",
    Verdict.SUSPICIOUS: "🟠 suspicious",
    Verdict.UNWANTED: "🟡 unwanted",
    Verdict.BENIGN: "🟢 known good",
    Verdict.UNKNOWN: "⚪ no verdict",
}
_BRIEF_CLAIMS = 5
_BRIEF_HASHES = 6
_BRIEF_QUOTE = 300  # characters
_MAX_QUOTE = 2_000
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


def severity(entry: Entry) -> str:
    """Emoji and word; claims that are context only or withdrawn come to no verdict."""
    return _SEVERITY[entry.verdict] if entry.assertions else f"⚪ {_NOTHING}"


def counts(entries: Sequence[Entry]) -> str:
    """How many of each severity, the worst first."""
    found = Counter(map(severity, entries))
    order = [*_SEVERITY.values(), f"⚪ {_NOTHING}"]
    return ", ".join(f"{each[:1]} {found[each]} {each[2:]}" for each in order if found[each])


def card(entry: Entry, *, brief: bool) -> list[Part]:
    """Everything about one indicator; `brief` keeps to what fits on a screen."""
    if not entry.assertions:
        nothing = [Words("Nothing to show for "), _value(entry.indicator)]
        return [Paragraph((tuple(nothing),)), Footnote(Words(NO_VERDICT))]
    claims = entry.assertions[:_BRIEF_CLAIMS] if brief else entry.assertions
    return [
        Paragraph(((_value(entry.indicator),), _overview(entry))),
        *(part for shown in claims for part in _claim(shown, brief=brief)),
        *_rest(len(entry.assertions) - len(claims), "claims"),
        *_same_file(entry, brief=brief),
    ]


def is_brief(entry: Entry) -> bool:
    """Whether the brief card leaves nothing out."""
    return (
        len(entry.assertions) <= _BRIEF_CLAIMS
        and len(_hashes(entry)) <= _BRIEF_HASHES
        and all(_said(shown, _BRIEF_QUOTE) == _said(shown, _MAX_QUOTE) for shown in entry.assertions)
    )


def titled(entry: Entry) -> list[Part]:
    """The full card below its severity, for a list of cards."""
    first, *rest = card(entry, brief=False)
    head = (Words(f"{severity(entry)} · {entry.label}", "bold"),)
    return [Paragraph((head, *first.lines)) if isinstance(first, Paragraph) else first, *rest]


def summary(entries: Sequence[Entry]) -> Table:
    """A row an indicator, the worst first, else in the order asked."""
    ranks = list(_SEVERITY)
    ordered = sorted(entries, key=lambda entry: (ranks.index(entry.verdict), not entry.assertions))
    head = ("Verdict", "Indicator", "Label", "Family", "Sources", "Last seen")
    return Table(tuple(map(Words, head)), tuple(map(_row, ordered)))


def newest(shown: Iterable[Shown]) -> Table:
    """A row a claim, the latest first."""
    ordered = sorted(shown, key=lambda each: each.last_seen or each.first_seen or _LONG_AGO, reverse=True)
    head = ("Last seen", "Kind", "Indicator", "Family", "Source", "Label")
    return Table(tuple(map(Words, head)), tuple(map(_news, ordered)))


def _row(entry: Entry) -> tuple[Line, ...]:
    families = dict.fromkeys(shown.family for shown in entry.assertions if shown.family)
    return (
        (Words(severity(entry)),),
        (_value(entry.indicator, at_most=150),),
        (Words(str(entry.label) if entry.assertions else "–"),),
        (words(", ".join(families), at_most=60),),
        (words(", ".join(_sources(entry)), at_most=80),),
        (_last_seen(entry.assertions),),
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


def _overview(entry: Entry) -> Line:
    sources = _sources(entry)
    many = f"{len(sources)} sources" if len(sources) > 1 else ""
    seen = _seen(entry.assertions) if len(entry.assertions) > 1 else ()  # else its claim says so
    return joined([(Words(entry.indicator.kind.value),), (Words(many),) if many else (), seen])


def _claim(shown: Shown, *, brief: bool) -> list[Part]:
    lines = [_who(shown), _what(shown), _seen([shown])]
    return [Paragraph(tuple(filter(None, lines))), *_said(shown, _BRIEF_QUOTE if brief else _MAX_QUOTE)]


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
