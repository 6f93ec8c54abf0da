"""An answer as CSV: a row an opinion, for an analyst's spreadsheet."""

from datetime import datetime

from bot.answers import Entry, verdict
from bot.chat import Lookup
from bot.export_formats import csv_line, stamp
from bot.findings import Finding, Report
from bot.layout import clean
from bot.service_lines import why
from bot.sharing import Shown

COLUMNS = (
    *("label", "kind", "value", "overall", "conflict", "well_known"),  # the same in all rows of an indicator
    *("source", "outcome", "verdict", "score", "family", "first_seen", "last_seen"),
    *("fetched_at", "stale", "again_at", "reason", "link"),
)
CLAIM = "claim"  # the outcome of an organisation's claim from the store
NOTHING = "nothing to show"


def as_csv(reply: Lookup) -> str:
    """The label in the first row, then a header; every cell is quoted and none is a formula.

    A row for each claim and each service; `label` is how far that row may travel. Values are not defanged,
    as in an export. Times are ISO 8601 UTC.
    """
    rows = [row for entry in reply.entries for row in _rows(entry)]
    lines = [csv_line([str(reply.cleared.label)]), csv_line(COLUMNS), *map(csv_line, rows)]
    return b"".join(lines).decode()


def _rows(entry: Entry) -> list[list[str]]:
    told = [*map(_claim, entry.assertions), *map(_finding, entry.findings)]
    nothing = [str(entry.label), *("", NOTHING), *[""] * 10]
    asked = [
        *(entry.indicator.kind.value, entry.indicator.value, entry.verdict.value),
        *(_flag(entry.is_conflict), "|".join(entry.well_known)),
    ]
    # Nothing hidden that others wrote: a spreadsheet would hide it, too.
    return [[label, *map(clean, (*asked, *rest))] for label, *rest in told or [nothing]]


def _claim(shown: Shown) -> list[str]:
    confidence = "" if shown.confidence is None else f"confidence {shown.confidence}"
    return [
        *(str(shown.label), shown.source_name, CLAIM, verdict([shown]).value, confidence),
        *(shown.family or "", _time(shown.first_seen), _time(shown.last_seen)),
        *("", "", "", "", ""),
    ]


def _finding(finding: Finding) -> list[str]:
    report = finding.report or Report()
    return [
        *(str(finding.label), finding.title, finding.outcome.value, finding.verdict.value),
        *(report.score or "", report.family or "", _time(report.first_seen), _time(report.last_seen)),
        *(_time(finding.fetched_at), _flag(finding.is_stale), _time(finding.again_at)),
        *(why(finding), report.link or ""),
    ]


def _flag(value: bool) -> str:
    return "true" if value else "false"


def _time(time: datetime | None) -> str:
    return "" if time is None else stamp(time)
