"""Answers: what each asked indicator comes to, for the card, the table, the CLI and JSON alike."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot import well_known
from bot.findings import Finding, Report
from bot.indicators import Indicator
from bot.sharing import Cleared, Shown
from bot.tlp import Label, strictest
from bot.verdicts import Verdict, overall

CONFIDENT = 50  # STIX confidence from which a claim counts as malicious rather than suspicious


@dataclass(frozen=True)
class Entry:
    """One asked indicator and what this audience may know of it."""

    indicator: Indicator
    label: Label
    verdict: Verdict  # the worst of claims and findings
    assertions: tuple[Shown, ...]
    same_file: tuple[Shown, ...]  # other hashes of the same file
    findings: tuple[Finding, ...] = ()  # what external services said
    is_conflict: bool = False  # somebody vouches for what another condemns
    well_known: tuple[str, ...] = ()  # what everybody meets, such as "private network"


def entries(asked: Iterable[Indicator], cleared: Cleared) -> list[Entry]:
    """One entry for each asked indicator, in the order asked; unknown ones are empty."""
    by_indicator: dict[Indicator, list[Shown]] = {}
    by_file: dict[int, list[Shown]] = {}
    for shown in cleared.shown:
        by_indicator.setdefault(shown.indicator, []).append(shown)
        if shown.file is not None:
            by_file.setdefault(shown.file, []).append(shown)
    by_service: dict[Indicator, list[Finding]] = {}
    for finding in cleared.findings:
        by_service.setdefault(finding.indicator, []).append(finding)
    return [_entry(each, by_indicator.get(each, []), by_file, by_service.get(each, [])) for each in asked]


def is_answered(entry: Entry) -> bool:
    """Whether anybody told something about it: a claim, or a service that knows it."""
    told = (finding.report is not None for finding in entry.findings)
    return bool(entry.assertions or entry.same_file) or any(told)


def verdict(assertions: Iterable[Shown]) -> Verdict:
    """The strongest claim that stands: context (to_ids false) and revoked claims condemn nobody."""
    standing = [shown for shown in assertions if shown.to_ids and not shown.revoked]
    if any(shown.confidence is None or shown.confidence >= CONFIDENT for shown in standing):
        return Verdict.MALICIOUS
    return Verdict.SUSPICIOUS if standing else Verdict.UNKNOWN


def as_json(answer: Sequence[Entry]) -> list[dict[str, object]]:
    """The entries as plain JSON values; times are ISO 8601 UTC or null.

    `verdict` is the worst of all opinions, `conflict` tells that one vouches for what another condemns,
    `well_known` what everybody meets. Each of `findings` is one service's answer: `outcome` how asking it
    ended, `stale` that its report is of an earlier time, `fetched_at` of which, `again_at` when it can be
    asked again, `label` how far it may travel, `reason` (for the host, if any) why it was not asked.
    """
    return [
        {
            "kind": entry.indicator.kind.value,
            "value": entry.indicator.value,
            "label": str(entry.label),
            "verdict": entry.verdict.value,
            "conflict": entry.is_conflict,
            "well_known": list(entry.well_known),
            "assertions": [_claim(shown) for shown in entry.assertions],
            "same_file": [
                {"kind": s.indicator.kind.value, "value": s.indicator.value, **_claim(s)}
                for s in entry.same_file
            ],
            "findings": [_finding(finding) for finding in entry.findings],
        }
        for entry in answer
    ]


def _entry(
    indicator: Indicator,
    direct: list[Shown],
    by_file: dict[int, list[Shown]],
    findings: Sequence[Finding],
) -> Entry:
    files = dict.fromkeys(shown.file for shown in direct if shown.file is not None)
    same_file = [shown for file in files for shown in by_file[file] if shown.indicator != indicator]
    told = [shown.label for shown in (*direct, *same_file)] + [finding.label for finding in findings]
    opinion = overall([verdict(direct), *(finding.verdict for finding in findings)])
    return Entry(
        indicator=indicator,
        label=strictest(told),
        verdict=opinion.verdict,
        assertions=tuple(direct),
        same_file=tuple(same_file),
        findings=tuple(findings),
        is_conflict=opinion.is_conflict,
        well_known=well_known.labels(indicator),
    )


def _claim(shown: Shown) -> dict[str, object]:
    return {
        "source": shown.source,
        "label": str(shown.label),
        "first_seen": _iso(shown.first_seen),
        "last_seen": _iso(shown.last_seen),
        "family": shown.family,
        "confidence": shown.confidence,
        "context": shown.context,
        "tags": list(shown.tags),
        "to_ids": shown.to_ids,
        "revoked": shown.revoked,
    }


def _finding(finding: Finding) -> dict[str, object]:
    report = finding.report or Report()
    told: dict[str, object] = {
        "provider": finding.provider,
        "outcome": finding.outcome.value,
        "label": str(finding.label),
        "verdict": finding.verdict.value,
        "score": report.score,
        "family": report.family,
        "first_seen": _iso(report.first_seen),
        "last_seen": _iso(report.last_seen),
        "link": report.link,
        "facts": [{"name": name, "value": value} for name, value in report.facts],
        "fetched_at": _iso(finding.fetched_at),
        "again_at": _iso(finding.again_at),
        "stale": finding.is_stale,
    }
    return {**told, "reason": finding.reason} if finding.reason else told


def _iso(time: datetime | None) -> str | None:
    return None if time is None else time.strftime("%Y-%m-%dT%H:%M:%SZ")
