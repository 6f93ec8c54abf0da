"""Verdicts: what the crash matrix found, case by case and in a row of its table."""

from dataclasses import dataclass, field


@dataclass
class Verdict:
    """What stands in the end, beside what was due."""

    due: int = 0
    lost: int = 0
    doubled: int = 0
    complaints: list[str] = field(default_factory=list)


@dataclass
class Row:
    """What came of the kills at one step."""

    kills: int = 0
    due: int = 0
    lost: int = 0
    doubled: int = 0
    complaints: list[str] = field(default_factory=list)

    def add(self, kills: int, verdict: Verdict) -> None:
        self.kills += kills
        self.due += verdict.due
        self.lost += verdict.lost
        self.doubled += verdict.doubled
        self.complaints += verdict.complaints
