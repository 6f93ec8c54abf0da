"""Verdicts: what somebody makes of an indicator, and what several opinions come to."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """The worst first. Absence is UNKNOWN, never BENIGN."""

    MALICIOUS = "malicious"
    SUSPICIOUS = "suspicious"
    UNWANTED = "unwanted"  # adware and the like
    BENIGN = "benign"  # somebody vouches for it
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Overall:
    """The worst of several opinions; nothing is averaged."""

    verdict: Verdict
    is_conflict: bool  # one vouches for what another condemns


def overall(verdicts: Iterable[Verdict]) -> Overall:
    """What they come to together; UNKNOWN for none."""
    said = set(verdicts)
    worst = next((verdict for verdict in Verdict if verdict in said), Verdict.UNKNOWN)
    return Overall(worst, {Verdict.BENIGN, Verdict.MALICIOUS} <= said)
