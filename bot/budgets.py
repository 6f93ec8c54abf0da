"""Budgets: how often a service may be asked, on whose account, and in which periods. Pure."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum


class Calendar(Enum):
    """Periods of UTC, as services count them."""

    DAY = "day"
    MONTH = "month"

    def start(self, at: datetime) -> datetime:
        """When the period began that holds this moment."""
        day = at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        return day if self is Calendar.DAY else day.replace(day=1)

    def end(self, at: datetime) -> datetime:
        """When the next one begins."""
        length = timedelta(days=1 if self is Calendar.DAY else 32)
        return self.start(self.start(at) + length)


@dataclass(frozen=True)
class Allowance:
    """At most so many in a period, counted under `key` in the store.

    A period is a calendar one, or any stretch of that length: then no such stretch ever holds more.
    """

    key: str  # for example "virustotal/kaspersky/day"
    most: int
    period: Calendar | timedelta
