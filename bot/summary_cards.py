"""Summaries as parts of a message: the figures of a day, the trend, and what concerns the reader."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from bot.digest_cards import counted, kinds
from bot.layout import Bullets, Footnote, Line, Paragraph, Part, Table, Words, when, words
from bot.services import Standing
from bot.summaries import DAYS, METHOD, MOST_SOURCES, Dealings, Ending, Freshness, Summary

_WHAT_COUNTS = (
    "A report is one source's claim about one indicator. "
    "Only what those who read this channel may see is counted."
)
CHART_TITLE = "new reports a day"
_ABOUT_YOU = (Words("About your organisation", "bold"),)
_MAX_NAME = 40
_WIDEST = 12  # characters of a bar
_MOST_BUDGETS = 12
_MOST_ENDING = 10


def title(summary: Summary) -> str:
    """The figure of the day beside the usual one."""
    return f"summary: {counted(summary.reports, 'new report')}, usually {_rate(summary.usual)} a day"


def body(summary: Summary) -> list[Part]:
    """Everything; it fits into one message."""
    return [
        Paragraph((_period(summary),)),
        Bullets(tuple(_figures(summary))),
        Paragraph(((Words("New reports a day", "bold"),),)),
        _trend(summary),
        *_emerging(summary),
        *_dealings(summary.dealings),
        Footnote(Words(_WHAT_COUNTS)),
        *([Footnote(Words(METHOD))] if summary.is_comparable else []),
    ]


def day_names(summary: Summary) -> list[str]:
    """The days as they are called: by the date on which each of them ends."""
    return [_day(end) for end in summary.bounds[1:]]


def _day(end: datetime) -> str:
    return f"{end - timedelta(microseconds=1):%a %d %b}"


def _period(summary: Summary) -> Line:
    return (Words("From "), when(summary.bounds[-2]), Words(" to "), when(summary.bounds[-1]))


def _figures(summary: Summary) -> Iterable[Line]:
    yield _figure("By source", _listed(summary.sources, MOST_SOURCES))
    yield _figure("By kind", kinds(summary.kinds))
    unnamed = f"no family {summary.unnamed:,}" if summary.unnamed else ""
    families = _listed(summary.families, len(summary.families))
    yield _figure("By family", ", ".join(filter(None, (families, unnamed))))
    if summary.feeds:
        yield _figure("Last heard of", _freshness(summary.feeds))


def _figure(name: str, told: str) -> Line:
    return (Words(name, "bold"), Words(": "), words(told or "nothing", at_most=900))


def _listed(numbers: Sequence[tuple[str, int]], most: int) -> str:
    told = [f"{words(name, at_most=_MAX_NAME).text} {number:,}" for name, number in numbers[:most]]
    more = len(numbers) - most
    return ", ".join([*told, *([f"{more:,} more"] if more > 0 else [])])


def _freshness(feeds: Sequence[Freshness]) -> str:
    """Sources by age, so that a silent one is not lost among the others."""
    ages: dict[int | None, list[str]] = {}
    for each in feeds[:MOST_SOURCES]:
        ages.setdefault(each.days, []).append(words(each.source, at_most=_MAX_NAME).text)
    told = [f"{_age(days)} {', '.join(names)}" for days, names in ages.items()]
    more = len(feeds) - MOST_SOURCES
    return "; ".join([*told, *([f"{more:,} more"] if more > 0 else [])])


def _age(days: int | None) -> str:
    if days is None:
        return f"⚠️ not in {DAYS} days:"
    return {0: "today:", 1: "1 day ago:"}.get(days, f"{days} days ago:")


def _trend(summary: Summary) -> Table:
    most = max(summary.days) or 1
    rows = [
        ((Words(name),), (Words(f"{number:,}"),), (Words("█" * round(_WIDEST * number / most) or "·"),))
        for name, number in zip(day_names(summary), summary.days, strict=True)
    ]
    return Table((Words("Day"), Words("Reports"), Words("Trend")), tuple(rows))


def _emerging(summary: Summary) -> list[Part]:
    if not summary.is_comparable:
        return [Paragraph(((Words("Emerging families", "bold"), Words(": too few days before to tell")),))]
    if not summary.emerging:
        return [Paragraph(((Words("Emerging families", "bold"), Words(": none")),))]
    lines = [
        (
            words(each.family, "bold", at_most=_MAX_NAME),
            Words(f" {counted(each.reports, 'report')}, {_before(each.usual)}"),
        )
        for each in summary.emerging
    ]
    return [Paragraph(((Words("Emerging families", "bold"),),)), Bullets(tuple(lines))]


def _before(usual: float) -> str:
    return f"usually {_rate(usual)} a day" if usual else "none in the 7 days before"


def _rate(rate: float) -> str:
    return f"{rate:,.0f}" if rate >= 10 or rate == int(rate) else f"{rate:.1f}"


def _dealings(dealings: Dealings | None) -> list[Part]:
    if dealings is None:
        return []
    lines: list[Line] = []
    if dealings.asked is not None:
        asked, answered = dealings.asked.asked, dealings.asked.answered
        lines.append(_figure("Looked up", f"{counted(asked, 'indicator')}, {answered:,} of them known"))
    if dealings.budgets:
        lines.append(_figure("Questions to services", _budgets(dealings.budgets)))
    if dealings.agreements:
        lines.append(_figure("Agreements that end soon", _agreements(dealings.agreements)))
    return [Paragraph((_ABOUT_YOU,)), Bullets(tuple(lines))] if lines else []


def _budgets(standings: Sequence[Standing]) -> str:
    return "; ".join(map(_budget, standings[:_MOST_BUDGETS]))


def _budget(standing: Standing) -> str:
    name = words(standing.title, at_most=_MAX_NAME).text
    if not standing.is_on:
        return f"{name} off"
    if standing.used is None or standing.most is None:
        return f"{name} no limit"
    return f"{name} {standing.used:,} of {standing.most:,} used"


def _agreements(agreements: Sequence[Ending]) -> str:
    told = [
        f"{words(each.name, at_most=_MAX_NAME).text} on {each.until:%d %b %Y}, {_in(each.days)}"
        for each in agreements[:_MOST_ENDING]
    ]
    more = len(agreements) - _MOST_ENDING
    return "; ".join([*told, *([f"{more} more"] if more > 0 else [])])


def _in(days: int) -> str:
    return "today" if days == 0 else f"in {counted(days, 'day')}"
