"""What spending makes of the stored counts, worked out in memory before anything is written. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from bot.budgets import Allowance, Calendar

KEPT_PERIODS = 8  # of one calendar budget; the older ones matter only to a clock that went back that far
KEPT_MOMENTS = 10_000  # of one rolling budget, beside those that still count

CalendarKey = tuple[str, Calendar]


class Count:
    """A calendar budget: how many were taken in each period that was seen, by its start.

    After the clock went back later periods still count, and what is taken counts in the latest one.
    """

    def __init__(self, period: Calendar, used: Mapping[datetime, int]) -> None:
        self._period = period
        self.used = dict(used)

    def taken(self, at: datetime) -> int:
        """How many count at that time."""
        start = self._period.start(at)
        return sum(used for begun, used in self.used.items() if begun >= start)

    def again(self, most: int, at: datetime) -> datetime | None:
        """None if there is one to be taken, else the first time when there will be."""
        start = self._period.start(at)
        counting = {begun: used for begun, used in sorted(self.used.items()) if begun >= start}
        left = sum(counting.values())
        if left < most:
            return None
        for begun, used in counting.items():
            left -= used
            if left < most:
                return self._period.end(begun)
        return self._period.end(start)  # nothing is allowed at all

    def take(self, at: datetime) -> datetime:
        """Take one; the start of the period it counts in."""
        start = max([self._period.start(at), *self.used])
        self.used[start] = self.used.get(start, 0) + 1
        return start

    def forget(self) -> Sequence[datetime]:
        """The periods that need not be kept."""
        return sorted(self.used)[:-KEPT_PERIODS]


class Log:
    """A rolling budget: when each was taken, numbered from 1 in order of time.

    One may be taken if the `most`-th last one is out of sight. After the clock went back the moments ahead
    still count, and what is taken counts as if it came after them. So no stretch of time holds too many.
    """

    def __init__(self, head: int, moments: Mapping[int, datetime]) -> None:
        self.head = head  # the last number given
        self.moments = dict(moments)  # at least those of the head and of whatever is asked for
        self._most = 1
        self._since = datetime.max.replace(tzinfo=UTC)

    def again(self, most: int, length: timedelta, at: datetime) -> datetime | None:
        """None if there is one to be taken, else the first time when there will be."""
        if most < 1:
            return at + length
        self._most = max(self._most, most)
        self._since = min(self._since, at - length)
        moment = self.moments.get(self.head - most + 1)
        return None if moment is None or moment + length <= at else moment + length

    def take(self, at: datetime) -> int:
        """Take one; its number."""
        moment = max(at, self.moments.get(self.head, at))
        self.head += 1
        self.moments[self.head] = moment
        return self.head

    def forget(self) -> tuple[int, datetime]:
        """What need not be kept after something was taken: up to that number, if not after that time."""
        return self.head - min(self._most, KEPT_MOMENTS), self._since


class Ledger:
    """All budgets of one turn."""

    def __init__(self, counts: Mapping[CalendarKey, Count], logs: Mapping[str, Log]) -> None:
        self._counts = counts
        self._logs = logs
        self.used: dict[tuple[CalendarKey, datetime], int] = {}  # what is to be stored
        self.moments: dict[tuple[str, int], datetime] = {}

    def spend(self, allowances: Sequence[Allowance], at: datetime) -> datetime | None:
        """Take one from each, however often it is named, or none; then the time when all will have one."""
        again = [time for each in allowances if (time := self._again(each, at)) is not None]
        if again:
            return max(again)
        for key in {(each.key, each.period) for each in allowances if isinstance(each.period, Calendar)}:
            start = self._counts[key].take(at)
            self.used[key, start] = self._counts[key].used[start]
        for name in {each.key for each in allowances if isinstance(each.period, timedelta)}:
            number = self._logs[name].take(at)
            self.moments[name, number] = self._logs[name].moments[number]
        return None

    def old_periods(self) -> Iterator[tuple[CalendarKey, datetime]]:
        """The counts that need not be kept, of the budgets something was taken from."""
        for key in {key for key, _ in self.used}:
            yield from ((key, start) for start in self._counts[key].forget())

    def old_moments(self) -> Iterator[tuple[str, int, datetime]]:
        """For each budget something was taken from: what need not be kept, as `Log.forget` says."""
        for name in {name for name, _ in self.moments}:
            yield (name, *self._logs[name].forget())

    def _again(self, allowance: Allowance, at: datetime) -> datetime | None:
        if isinstance(allowance.period, Calendar):
            return self._counts[allowance.key, allowance.period].again(allowance.most, at)
        return self._logs[allowance.key].again(allowance.most, allowance.period, at)
