"""Schedules through clock changes: each date once, at its time, in ten years of a dozen zones."""

from bisect import bisect_left
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import accumulate, islice, pairwise
from zoneinfo import ZoneInfo

import pytest

from bot.schedules import At, Days, Schedule, next_after, parse

HOUR, MINUTE, DAY = timedelta(hours=1), timedelta(minutes=1), timedelta(days=1)
FIRST, LAST = date(2019, 1, 1), date(2028, 12, 31)  # ten years
ZONES = (
    "UTC",
    "Africa/Cairo",  # at midnight; no summer time until 2023
    "Africa/Casablanca",  # turned back for Ramadan
    "America/Havana",  # at midnight, both ways
    "America/New_York",
    "America/Nuuk",  # since 2024 from Saturday 23:00 to Sunday 00:00
    "America/Sao_Paulo",  # back for the last time in 2019
    "America/St_Johns",  # half an hour off
    "Antarctica/Troll",  # by two hours
    "Asia/Beirut",
    "Asia/Kathmandu",  # a quarter of an hour off, no changes
    "Asia/Singapore",
    "Asia/Tehran",  # changed at midnight until 2022
    "Australia/Lord_Howe",  # by half an hour
    "Europe/Berlin",
    "Europe/Dublin",  # its winter is the exception
    "Pacific/Apia",
    "Pacific/Chatham",  # at 02:45
)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def runs(schedule: Schedule, start: datetime) -> Iterator[datetime]:
    while True:
        start = next_after(schedule, start)
        yield start


@pytest.mark.parametrize(
    ("typed", "start", "dues"),
    [
        # 29 March 2026 has no 02:30 in Berlin, 25 October has two.
        ("daily 02:30 tz Europe/Berlin", "2026-03-28 00:00", ["03-28 01:30", "03-29 01:00", "03-30 00:30"]),
        ("daily 02:30 tz Europe/Berlin", "2026-10-24 00:00", ["10-24 00:30", "10-25 00:30", "10-26 01:30"]),
        ("daily 02:30 tz Europe/Berlin", "2026-10-25 01:10", ["10-26 01:30"]),  # asked in the second 02:10
        ("weekly sun 02:30 tz Europe/Berlin", "2026-10-25 00:30", ["11-01 01:30"]),
        ("daily 02:00 tz Europe/Berlin", "2026-03-28 12:00", ["03-29 01:00", "03-30 00:00"]),
        ("daily 02:15 tz Australia/Lord_Howe", "2026-10-03 00:00", ["10-03 15:30", "10-04 15:15"]),
        ("daily 01:45 tz Australia/Lord_Howe", "2026-04-04 00:00", ["04-04 14:45", "04-05 15:15"]),
        # In Nuuk Saturday ends at 23:00: its 23:30 falls on the first moment of Sunday.
        ("weekly sat 23:30 tz America/Nuuk", "2026-03-22 12:00", ["03-29 01:00", "04-05 00:30"]),
    ],
)
def test_clock_changes_lose_and_repeat_nothing(typed: str, start: str, dues: list[str]) -> None:
    found = islice(runs(parse(typed, "UTC"), utc(start)), len(dues))

    assert [f"{due:%m-%d %H:%M}" for due in found] == dues


@pytest.mark.parametrize(
    ("typed", "dues"),
    [
        ("daily 08:00", ["12-29 18:00", "12-30 10:00", "12-30 18:00"]),
        ("daily 00:00", ["12-29 10:00", "12-30 10:00", "12-31 10:00"]),  # that of the 30th and of the 31st
        ("weekly fri 08:00", ["12-30 10:00", "01-05 18:00"]),
    ],
)
def test_a_day_that_a_zone_left_out_is_made_up_for_at_once(typed: str, dues: list[str]) -> None:
    """Samoa went from Thursday, 29 December 2011, to Saturday; its midnight stayed at 10:00 UTC."""
    found = islice(runs(parse(typed, "Pacific/Apia"), utc("2011-12-29 09:00")), len(dues))

    assert [f"{due:%m-%d %H:%M}" for due in found] == dues


# All of them, against the definition itself, looked up minute by minute.


@cache
def transitions(zone: str) -> list[datetime]:
    """The first minutes (UTC) with another offset than the minute before."""
    clock = ZoneInfo(zone)
    start, hours = datetime.combine(FIRST, time(), UTC), (LAST - FIRST + DAY) // HOUR
    offsets = [(start + HOUR * n).astimezone(clock).utcoffset() for n in range(hours)]
    changed = [start + HOUR * n for n, (before, after) in enumerate(pairwise(offsets)) if before != after]
    minutes = ([hour + MINUTE * n for n in range(61)] for hour in changed)
    return [
        after
        for stretch in minutes
        for before, after in pairwise(stretch)
        if before.astimezone(clock).utcoffset() != after.astimezone(clock).utcoffset()
    ]


def expected(change: datetime, zone: str) -> Callable[[time], list[datetime]]:
    """For each date around a change: the first minute at which the wall clock has reached date and time."""
    minutes = [change + MINUTE * n for n in range(-3 * 1440, 4 * 1440)]
    walls = [minute.astimezone(ZoneInfo(zone)).replace(tzinfo=None) for minute in minutes]
    reached = list(accumulate(walls, max))
    dates = [change.astimezone(ZoneInfo(zone)).date() + DAY * n for n in (-1, 0, 1, 2)]
    return lambda at: [minutes[bisect_left(reached, datetime.combine(each, at))] for each in dates]


def test_the_ten_years_hold_changes_of_every_sort() -> None:
    counts = {zone: len(transitions(zone)) for zone in ZONES}

    assert {zone for zone in ZONES if not counts[zone]} == {"UTC", "Asia/Kathmandu", "Asia/Singapore"}
    assert min(counts["Europe/Berlin"], counts["Australia/Lord_Howe"]) >= 14  # up to 2025; laws may change
    assert sum(counts.values()) > 150


@pytest.mark.parametrize("zone", ZONES)
def test_around_every_change_each_date_is_due_once_at_its_time(zone: str) -> None:
    for change in transitions(zone):
        dues_at = expected(change, zone)
        wall = (change - MINUTE).astimezone(ZoneInfo(zone)).replace(tzinfo=None) + MINUTE
        for quarter in range(-10, 10):  # also times that were never shown, or twice
            at = (wall + MINUTE * 15 * quarter).time()
            schedule, dues = Schedule(At(Days.DAILY, at), zone), dues_at(at)
            for half in range(-8, 8):
                moment = change + MINUTE * 30 * half
                assert next_after(schedule, moment) == next(due for due in dues if due > moment), (moment, at)
            assert list(islice(runs(schedule, dues[0] - MINUTE), 4)) == dues, (change, at)


@pytest.mark.parametrize("zone", ZONES)
def test_ten_years_have_one_run_a_day(zone: str) -> None:
    start = datetime.combine(FIRST, time(), ZoneInfo(zone))
    days = (LAST - FIRST + DAY) // DAY

    dues = [
        due.astimezone(ZoneInfo(zone))
        for due in islice(runs(Schedule(At(Days.DAILY, time(2, 30)), zone), start), days)
    ]

    assert [due.date() for due in dues] == [FIRST + DAY * n for n in range(days)]
    assert {due.time() for due in dues} <= {time(2, 30), time(3)}  # 03:00 where 02:30 was jumped over
