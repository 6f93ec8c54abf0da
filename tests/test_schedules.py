"""Schedules: the words that are understood, and the one moment they mean next."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import UsageError
from bot.schedules import HOURS, At, Days, Every, Schedule, next_after, parse, zone_named

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def daily(at: str, zone: str) -> Schedule:
    return Schedule(At(Days.DAILY, time.fromisoformat(at)), zone)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


# What is understood.


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("every 1h", "every 1h tz Europe/Paris"),
        ("every 6h", "every 6h tz Europe/Paris"),
        ("every 12 hours", "every 12h tz Europe/Paris"),
        ("every hour", "every 1h tz Europe/Paris"),
        ("hourly", "every 1h tz Europe/Paris"),
        ("daily 08:00", "daily 08:00 tz Europe/Paris"),
        ("Daily at 8:00", "daily 08:00 tz Europe/Paris"),
        ("daily 8.05", "daily 08:05 tz Europe/Paris"),
        ("daily 23:59", "daily 23:59 tz Europe/Paris"),
        ("weekdays 00:00", "weekdays 00:00 tz Europe/Paris"),
        ("weekly mon 08:00", "weekly mon 08:00 tz Europe/Paris"),
        ("weekly Mon 8:00", "weekly mon 08:00 tz Europe/Paris"),
        ("  WEEKLY  thurs   at 8:00 ", "weekly thu 08:00 tz Europe/Paris"),
        ("weekly sundays 08:00", "weekly sun 08:00 tz Europe/Paris"),
        ("`daily 08:00`", "daily 08:00 tz Europe/Paris"),
        ("daily 08:00 tz Asia/Singapore", "daily 08:00 tz Asia/Singapore"),
        ("daily 08:00, tz singapore", "daily 08:00 tz Asia/Singapore"),
        ("daily 08:00 TZ america/new york", "daily 08:00 tz America/New_York"),
        ("every 2h tz New York", "every 2h tz America/New_York"),
        (
            "weekdays 07:30 tz America/Argentina/Buenos_Aires",
            "weekdays 07:30 tz America/Argentina/Buenos_Aires",
        ),
        ("daily 08:00 tz Port-au-Prince", "daily 08:00 tz America/Port-au-Prince"),
        ("daily 08:00 tz utc", "daily 08:00 tz UTC"),
        ("daily 08:00 tz GMT", "daily 08:00 tz UTC"),
    ],
)
def test_words_are_understood(typed: str, meant: str) -> None:
    assert str(parse(typed, "Europe/Paris")) == meant


@pytest.mark.parametrize(
    ("typed", "advice"),
    [
        ("", "“every 6h”"),
        ("tz Asia/Singapore", "Write when"),
        ("dayly 08:00", "“daily 08:00”"),
        ("08:00", "“daily 08:00”"),
        ("weekly", "“weekly mon 08:00”"),
        ("daily", "“daily 08:00”"),
        ("daily at", "“daily 08:00”"),
        ("daily 24:00", "from 00:00 to 23:59"),
        ("daily 08:60", "from 00:00 to 23:59"),
        ("daily 8am", "“daily 08:00”"),
        ("daily ８:00", "“daily 08:00”"),
        ("weekdays 8", "“weekdays 08:00”"),
        ("weekly fri", "“weekly fri 08:00”"),
        ("weekly 08:00", "mon, tue, wed"),
        ("weekly mo 08:00", "mon, tue, wed"),
        ("weekly mono 08:00", "mon, tue, wed"),
        ("every", "1h, 2h, 3h, 4h, 6h, 8h, 12h"),
        ("every 5h", "1h, 2h, 3h, 4h, 6h, 8h, 12h"),
        ("every 0h", "1h, 2h, 3h, 4h, 6h, 8h, 12h"),
        ("every 24h", "“daily 08:00”"),
        ("every 30m", "1h, 2h"),
        ("every 6h 08:00", "1h, 2h"),
        ("every monday 08:00", "“weekly mon 08:00”"),
        ("daily 08:00 20:00", "One time is enough"),
        ("daily 08:00 Asia/Singapore", "“daily 08:00 tz Asia/Singapore”"),
        ("daily 08:00 tz", "Which time zone?"),
        ("daily 08:00 tz Asia/Singapor", "Did you mean Asia/Singapore?"),
        ("daily 08:00 tz singapoor", "Did you mean Asia/Singapore?"),
        ("daily 08:00 tz Eurpoe/Berlin", "Did you mean Europe/Berlin?"),
        ("daily 08:00 tz Buenos Aires", "America/Argentina/Buenos_Aires, America/Buenos_Aires"),
        ("daily 08:00 tz Etc/GMT+8", "by its place"),  # is behind Greenwich, not ahead of it
        ("daily 08:00 tz UTC+8", "by its place"),
        ("daily 08:00 tz EST", "“tz Asia/Singapore”"),
        ("daily 08:00 tz localtime", "by its place"),
        ("daily 08:00 tz ../../../etc/hostname", "by its place"),
        ("daily 08:00 tz America", "by its place"),  # a folder
        ("daily 08:00 " + "x" * 4000, "too long"),
    ],
)
def test_anything_else_is_told_what_to_write(typed: str, advice: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse(typed, "Europe/Paris")

    assert advice in str(refused.value)
    assert len(str(refused.value)) < 400


@pytest.mark.parametrize("typed", ["daily 08:00 tz GMT+8", "daily 08:00 tz EST", "daily 08:00 tz +08:00"])
def test_no_zone_is_guessed_from_an_offset_or_three_letters(typed: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse(typed, "Europe/Paris")

    assert "Did you mean" not in str(refused.value)


def test_a_default_zone_that_is_none_is_refused() -> None:
    with pytest.raises(UsageError, match="Did you mean Europe/Paris"):
        parse("daily 08:00", "Europe/Pariss")


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("every 1h", "every hour, on the hour in UTC"),
        ("every 6h tz Asia/Singapore", "every 6 hours, counted from midnight UTC"),
        ("daily 8:00", "every day at 08:00, Europe/Paris time"),
        ("weekdays 8:00", "Monday to Friday at 08:00, Europe/Paris time"),
        ("weekly wed 8:00 tz UTC", "every Wednesday at 08:00, UTC time"),
    ],
)
def test_a_schedule_is_said_in_words(typed: str, said: str) -> None:
    assert parse(typed, "Europe/Paris").describe() == said


PLACES = sorted(zone for zone in available_timezones() if "/" in zone and not zone.startswith("Etc/"))
times = st.builds(time, st.integers(0, 23), st.integers(0, 59))
schedules = st.builds(
    Schedule,
    st.builds(Every, st.sampled_from(HOURS)) | st.builds(At, st.sampled_from(Days), times),
    st.sampled_from(["UTC", *PLACES]),
)
moments = st.integers(0, 100 * 366 * 86400 * 1000).map(
    lambda n: utc("2000-01-01") + timedelta(milliseconds=n)
)


@given(schedules, st.sampled_from(PLACES))
def test_a_schedule_is_read_back_from_its_own_words(schedule: Schedule, default: str) -> None:
    assert parse(str(schedule), default) == schedule


WORDS = ("every", "daily", "weekly", "mon", "6h", "08:00", "tz", "at", "utc", "'", "Ⅷ")


@given(st.text() | st.lists(st.sampled_from(WORDS), max_size=8).map(" ".join))
def test_any_text_is_a_schedule_or_a_mistake(text: str) -> None:
    try:
        schedule = parse(text, "UTC")
    except UsageError:
        return
    assert parse(str(schedule), "UTC") == schedule


def test_every_place_of_the_database_can_be_named() -> None:
    assert [zone_named(zone.lower()) for zone in PLACES] == PLACES


# When it runs next.


@pytest.mark.parametrize(
    ("typed", "moment", "due"),
    [
        ("daily 08:00 tz UTC", "2026-06-01 07:59:59", "2026-06-01 08:00"),
        (
            "daily 08:00 tz UTC",
            "2026-06-01 08:00",
            "2026-06-02 08:00",
        ),  # later than the moment, never the same
        ("daily 08:00 tz UTC", "2026-06-01 07:59:59.999999", "2026-06-01 08:00"),
        ("daily 08:00 tz UTC", "2026-06-01 08:00:00.000001", "2026-06-02 08:00"),
        ("daily 08:00 tz UTC", "2026-12-31 12:00", "2027-01-01 08:00"),
        ("daily 08:00 tz UTC", "2028-02-28 12:00", "2028-02-29 08:00"),
        ("daily 08:00 tz UTC", "2100-02-28 12:00", "2100-03-01 08:00"),  # no leap year
        ("daily 08:00 tz UTC", "9998-12-31 12:00", "9999-01-01 08:00"),
        ("daily 08:00 tz Asia/Singapore", "3000-06-01 00:00", "3000-06-02 00:00"),
        ("daily 08:00 tz Asia/Singapore", "2026-06-01 00:00", "2026-06-02 00:00"),
        ("daily 08:00 tz Asia/Kolkata", "2026-06-01 00:00", "2026-06-01 02:30"),
        ("daily 08:00 tz Asia/Kathmandu", "2026-06-01 00:00", "2026-06-01 02:15"),
        ("weekdays 08:00 tz UTC", "2026-06-05 08:00", "2026-06-08 08:00"),  # from Friday to Monday
        ("weekdays 06:00 tz Asia/Singapore", "2026-06-06 00:00", "2026-06-07 22:00"),  # Monday there
        ("weekly sun 08:00 tz UTC", "2026-06-01 00:00", "2026-06-07 08:00"),
        ("weekly mon 08:00 tz UTC", "2026-06-01 08:00", "2026-06-08 08:00"),
        ("weekly tue 08:00 tz UTC", "2028-02-28 12:00", "2028-02-29 08:00"),
        ("every 6h tz UTC", "2026-06-01 00:00", "2026-06-01 06:00"),
        ("every 12h tz UTC", "2026-12-31 12:00", "2027-01-01 00:00"),
        ("every 6h tz Asia/Kolkata", "2026-06-01 00:00", "2026-06-01 06:00"),  # the zone moves no interval
    ],
)
def test_the_next_moment(typed: str, moment: str, due: str) -> None:
    assert next_after(parse(typed, "UTC"), utc(moment)) == utc(due)


def test_a_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="aware"):
        next_after(daily("08:00", "UTC"), datetime.fromisoformat("2026-06-01 08:00"))


def test_the_answer_is_in_utc_whatever_the_zone_of_the_question() -> None:
    asked = datetime(2026, 6, 1, 7, 30, tzinfo=ZoneInfo("Asia/Singapore"))

    due = next_after(daily("08:00", "Asia/Singapore"), asked)

    assert (due, due.tzinfo) == (utc("2026-06-01 00:00"), UTC)


# What must hold at any time, in any zone.


@given(schedules, moments, st.floats(0, 1, exclude_max=True))
def test_nothing_is_due_between_a_moment_and_the_next(
    schedule: Schedule, moment: datetime, part: float
) -> None:
    due = next_after(schedule, moment)

    assert moment < due <= moment + 8 * DAY
    assert next_after(schedule, min(moment + (due - moment) * part, due - timedelta.resolution)) == due
    assert next_after(schedule, due) > due


@given(schedules, moments, st.timedeltas(timedelta(0), 10 * DAY))
def test_a_later_moment_has_no_earlier_answer(schedule: Schedule, moment: datetime, later: timedelta) -> None:
    assert next_after(schedule, moment) <= next_after(schedule, moment + later)


@given(st.sampled_from(HOURS), st.sampled_from(PLACES), moments)
def test_intervals_are_counted_from_midnight_utc(hours: int, zone: str, moment: datetime) -> None:
    due = next_after(Schedule(Every(hours), zone), moment)

    assert due - moment <= HOUR * hours
    assert (due.hour % hours, due.minute, due.second, due.microsecond) == (0, 0, 0, 0)


def runs_of_a_keeper(schedule: Schedule, looks: list[str]) -> list[int]:
    """At which looks at the clock somebody runs who keeps the moment due and then the one after that look."""
    ran, due = [], next_after(schedule, utc(looks[0]))
    for number, look in enumerate(looks):
        if due <= utc(look):
            ran.append(number)
            due = next_after(schedule, utc(look))
    return ran


@pytest.mark.parametrize(
    ("typed", "looks", "ran"),
    [
        (
            "daily 08:00",
            ["2026-06-01 07:59", "2026-06-01 08:00", "2026-06-01 08:01", "2026-06-02 08:00"],
            [1, 3],
        ),
        (
            "daily 08:00",
            ["2026-06-01 07:59", "2026-06-02 07:58", "2026-06-02 07:59", "2026-06-02 08:00"],
            [1, 3],
        ),
        ("daily 08:00", ["2026-06-01 07:59", "2026-06-09 07:00", "2026-06-09 07:01"], [1]),  # eight missed
        ("every 1h", ["2026-06-01 00:30", "2026-06-01 11:30", "2026-06-01 11:31"], [1]),
        ("weekly mon 08:00", ["2026-06-01 09:00", "2027-06-01 09:00", "2027-06-01 09:01"], [1]),
        # The clock is set back in between.
        (
            "daily 08:00",
            ["2026-06-01 07:59", "2026-06-01 08:01", "2026-06-01 07:30", "2026-06-01 08:02"],
            [1],
        ),
    ],
)
def test_missed_runs_are_made_up_for_once_and_none_is_repeated(
    typed: str, looks: list[str], ran: list[int]
) -> None:
    assert runs_of_a_keeper(parse(typed, "UTC"), looks) == ran
