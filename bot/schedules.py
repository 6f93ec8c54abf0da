"""Schedules: what is typed behind `digest on` and `summary on`, and which moment it means next. Pure."""

import re
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime, time
from difflib import get_close_matches
from enum import StrEnum
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from cronsim import CronSim

from bot.errors import UsageError

HOURS = (1, 2, 3, 4, 6, 8, 12)  # what divides a day, so that every day has the same runs
LONGEST = 200  # characters
EXAMPLES = "“every 6h”, “daily 08:00”, “weekdays 08:00” or “weekly mon 08:00”"

_INTERVAL = re.compile(r"([0-9]{1,2})?(?:h|hrs?|hours?)", re.ASCII)
_TIME = re.compile(r"([0-9]{1,2})[:.]([0-9]{2})", re.ASCII)
_AROUND = ",.;`*_'\"“”‘’()"
_SHORTEST_DAY = 3  # letters: "mon"
_SHORT_NAME = 3  # letters: "EST", which is near to "West" and means something else
_UTC = ("UTC",)


class Days(StrEnum):
    """The days of a schedule, as they are written."""

    DAILY = "daily"
    WEEKDAYS = "weekdays"
    MONDAY = "weekly mon"
    TUESDAY = "weekly tue"
    WEDNESDAY = "weekly wed"
    THURSDAY = "weekly thu"
    FRIDAY = "weekly fri"
    SATURDAY = "weekly sat"
    SUNDAY = "weekly sun"


_WEEK = tuple(Days)[2:]
_CRON_DAYS = {Days.DAILY: "*", Days.WEEKDAYS: "MON-FRI"} | {day: day[-3:].upper() for day in _WEEK}
_SPOKEN = {Days.DAILY: "every day", Days.WEEKDAYS: "Monday to Friday"} | {
    day: f"every {day.name.title()}" for day in _WEEK
}


@dataclass(frozen=True)
class Every:
    """Each so many hours, one of HOURS."""

    hours: int

    def __str__(self) -> str:
        return f"every {self.hours}h"


@dataclass(frozen=True)
class At:
    """Once a day on these days, at this time of the local clock (minutes, no seconds)."""

    days: Days
    time: time

    def __str__(self) -> str:
        return f"{self.days} {self.time:%H:%M}"


@dataclass(frozen=True)
class Schedule:
    """When something runs; `str()` gives words that `parse` takes back, whatever its default zone."""

    when: Every | At
    zone: str  # IANA name; does not move the runs of Every

    def __str__(self) -> str:
        return f"{self.when} tz {self.zone}"

    def describe(self) -> str:
        """Say it for people, as a part of a sentence."""
        if isinstance(self.when, At):
            return f"{_SPOKEN[self.when.days]} at {self.when.time:%H:%M}, {self.zone} time"
        if self.when.hours == 1:
            return "every hour, on the hour in UTC"
        return f"every {self.when.hours} hours, counted from midnight UTC"


def next_after(schedule: Schedule, moment: datetime) -> datetime:
    """The first due moment (aware UTC) that is later than an aware moment.

    A time of day is due at the first moment at which the local clock has reached it on that date: when the
    clock jumps over it, at the next time there is, also if that is past midnight; when the clock goes through
    it twice, the first time only. Intervals are counted from midnight UTC: clock changes do not touch them.

    Whoever keeps the moment due, runs once the time has come and then asks again with the time it is now,
    runs once after any outage.
    """
    if moment.tzinfo is None:
        raise ValueError("the moment must be aware: without a zone it is no moment")
    cron, clock = _cron(schedule)
    # In the second pass of an hour that comes twice, the first answer lies in the first pass, which is over.
    dues = (due.astimezone(UTC) for due in CronSim(cron, moment.astimezone(clock)))
    return next(due for due in dues if due > moment)


def _cron(schedule: Schedule) -> tuple[str, ZoneInfo]:
    """A cron expression of five fields and the clock that it is read on."""
    match schedule.when:
        case Every(hours):
            return f"0 */{hours} * * *", ZoneInfo("UTC")
        case At(days, at):
            return f"{at.minute} {at.hour} * * {_CRON_DAYS[days]}", ZoneInfo(schedule.zone)


def parse(text: str, default_zone: str) -> Schedule:
    """Read `every 6h`, `daily 08:00`, `weekdays 08:00` or `weekly mon 08:00`, and `tz` with a zone behind it.

    Raises UsageError, whose text says what to write.
    """
    if len(text) > LONGEST:
        raise UsageError(f"That is too long for a time. Write when, for example {EXAMPLES}.")
    words = [word.strip(_AROUND).casefold() for word in text.split()]
    behind = words.index("tz") if "tz" in words else len(words)
    when = _when(words[:behind])
    zone = " ".join(words[behind + 1 :]) if behind < len(words) else default_zone
    return Schedule(when, zone_named(zone))


def _when(words: list[str]) -> Every | At:
    match words:
        case ["hourly"]:
            return Every(1)
        case ["every", *interval]:
            return Every(_hours("".join(interval)))
        case ["daily" | "weekdays" as days, *rest]:
            return _at(Days(days), rest)
        case ["weekly", day, *rest]:
            return _at(_day(day), rest)
    raise UsageError(
        f"Write when, for example {EXAMPLES}; a time zone stands behind it: “tz Asia/Singapore”."
    )


def _hours(interval: str) -> int:
    read = _INTERVAL.fullmatch(interval)
    hours = int(read[1] or 1) if read else 0
    if hours not in HOURS:
        possible = ", ".join(f"{each}h" for each in HOURS)
        raise UsageError(
            f"An interval is one of {possible}, for example “every 6h”. For once a day write “daily 08:00”, "
            "for once a week “weekly mon 08:00”."
        )
    return hours


def _day(word: str) -> Days:
    """The day whose name begins so; "mondays" is a Monday, too."""
    if len(word) >= _SHORTEST_DAY:
        for day in _WEEK:
            if f"{day.name.casefold()}s".startswith(word):
                return day
    names = ", ".join(day[-3:] for day in _WEEK)
    raise UsageError(f"“{word[:32]}” is no day. Write one of {names}, for example “weekly mon 08:00”.")


def _at(days: Days, words: list[str]) -> At:
    at, *rest = (words[1:] if words[:1] == ["at"] else words) or [""]
    read = _TIME.fullmatch(at)
    if not read or int(read[1]) > time.max.hour or int(read[2]) > time.max.minute:
        raise UsageError(f"At what time? Write it from 00:00 to 23:59, for example “{days} 08:00”.")
    if rest:
        raise UsageError(
            f"“{' '.join(rest)[:32]}” behind “{days} {at}” is not understood. One time is enough; a zone "
            f"is written with “tz” before it, for example “{days} {at} tz Asia/Singapore”."
        )
    return At(days, time(int(read[1]), int(read[2])))


def zone_named(name: str) -> str:
    """The IANA zone that a name or its last part means, in any case: “singapore” is Asia/Singapore.

    Raises UsageError, with the nearest name.
    """
    wanted = "_".join(name.split()).casefold()[:LONGEST]
    meant = _zones().get(wanted, ())
    if len(meant) == 1:
        return meant[0]
    if meant:
        raise UsageError(f"“{wanted}” is more than one time zone. Write one of {', '.join(meant)}.")
    raise UsageError(
        f"{_no_zone(wanted)} Write a zone by its place, for example “tz Asia/Singapore”, or “tz UTC”; "
        "offsets and short names are not taken, for they do not follow clock changes."
    )


def _no_zone(wanted: str) -> str:
    if not wanted:
        return "Which time zone?"
    places = [spelling for spelling in _zones() if len(spelling) > _SHORT_NAME]
    near = get_close_matches(wanted[:32], places, n=1, cutoff=0.75) if len(wanted) > _SHORT_NAME else []
    meant = f" Did you mean {' or '.join(_zones()[near[0]])}?" if near else ""
    return f"There is no time zone “{wanted[:32]}”.{meant}"


@cache
def _zones() -> dict[str, tuple[str, ...]]:
    """Lower-case spelling -> the zones it may mean. From the files of the system or of the package tzdata.

    Places and UTC only: “Etc/GMT+8” is eight hours *behind* Greenwich, and letters like EST have no summer.
    """
    found: defaultdict[str, tuple[str, ...]] = defaultdict(tuple, utc=_UTC, gmt=_UTC)
    for zone in sorted(available_timezones()):
        if "/" in zone and not zone.startswith("Etc/"):
            found[zone.casefold()] = (zone,)
            found[zone.rpartition("/")[2].casefold()] += (zone,)
    return dict(found)
