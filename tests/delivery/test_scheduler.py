"""What is due begins once, whatever clocks, outages and other processes do."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.delivery.scheduler import Scheduler
from bot.schedules import next_after, parse
from bot.store.sqlite import SqliteStore
from bot.subscriptions import Purpose, Subscription
from tests.delivery.stage import T0, Clock, Stage

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


async def subscribe(stage: Stage, schedule: str, channel: str = "C0ONE", zone: str = "UTC") -> None:
    parsed = parse(schedule, zone)
    subscription = Subscription(channel=channel, purpose=Purpose.DIGEST, schedule=parsed)
    await stage.store.subscribe(subscription, next_at=next_after(parsed, stage.clock()))


async def begun(stage: Stage) -> list[str]:
    """The periods that were begun, the first one first."""
    return [each.period for each in reversed(await stage.store.deliveries())]


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


async def test_nothing_begins_before_it_is_due_and_then_once(stage: Stage) -> None:
    scheduler = Scheduler(stage.store, clock=stage.clock)
    await subscribe(stage, "every 1h")

    early = await scheduler.tick()
    stage.clock.now = T0 + HOUR
    due, again = await scheduler.tick(), await scheduler.tick()

    assert (early, due, again) == (0, 1, 0)
    assert await begun(stage) == [(T0 + HOUR).isoformat()]


async def test_several_processes_begin_it_once(tmp_path: Path, stage: Stage) -> None:
    await subscribe(stage, "every 1h")
    other = SqliteStore(tmp_path / "store.db", stage.clock)
    await other.open()
    stage.clock.now = T0 + HOUR

    began = [await Scheduler(store, clock=stage.clock).tick() for store in (stage.store, other)]
    await other.close()

    assert began == [1, 0]


@pytest.mark.parametrize("outage", [timedelta(hours=7), timedelta(days=3), timedelta(days=400)])
async def test_what_was_missed_begins_as_one(stage: Stage, outage: timedelta) -> None:
    scheduler = Scheduler(stage.store, clock=stage.clock)
    await subscribe(stage, "every 1h")

    stage.clock.now = T0 + outage + timedelta(minutes=5)
    await scheduler.tick()
    await scheduler.tick()

    [subscribed] = await stage.store.subscriptions()
    assert await begun(stage) == [(T0 + HOUR).isoformat()]
    assert subscribed.next_at == T0 + outage + HOUR


async def test_the_longest_due_begins_first(stage: Stage) -> None:
    scheduler = Scheduler(stage.store, clock=stage.clock)
    for number, schedule in enumerate(("daily 11:00", "daily 09:00", "daily 10:00")):
        await subscribe(stage, schedule, f"C{number}")

    stage.clock.now = T0 + 5 * HOUR

    assert await scheduler.tick() == 3
    assert [each.channel for each in reversed(await stage.store.deliveries())] == ["C1", "C2", "C0"]


@pytest.mark.parametrize("ahead", [HOUR, DAY, 366 * DAY])
@pytest.mark.parametrize("restarts", [False, True])
async def test_a_clock_that_ran_ahead_costs_no_digest_and_makes_no_second_one(
    stage: Stage, ahead: timedelta, restarts: bool
) -> None:
    scheduler = Scheduler(stage.store, clock=stage.clock)
    await subscribe(stage, "daily 09:00")
    stage.clock.now = T0 + HOUR + ahead
    await scheduler.tick()

    if restarts:
        scheduler = Scheduler(stage.store, clock=stage.clock)
    for minutes in range(0, 3 * 24 * 60, 30):
        stage.clock.now = T0 + timedelta(minutes=minutes)
        await scheduler.tick()

    days = [T0 + HOUR + n * DAY for n in range(3)]
    periods = await begun(stage)
    assert len(periods) == len(set(periods))
    assert set(periods) == {each.isoformat() for each in days}


async def test_a_clock_that_goes_back_begins_nothing_twice(stage: Stage) -> None:
    scheduler = Scheduler(stage.store, clock=stage.clock)
    await subscribe(stage, "every 1h")

    for minutes in (60, 61, 30, 59, 60, 75, 10, 60, 119):
        stage.clock.now = T0 + timedelta(minutes=minutes)
        await scheduler.tick()

    assert await begun(stage) == [(T0 + HOUR).isoformat()]


async def test_a_slower_clock_of_another_process_begins_nothing_twice(stage: Stage) -> None:
    slow = Clock(T0)
    schedulers = [Scheduler(stage.store, clock=clock) for clock in (stage.clock, slow)]
    await subscribe(stage, "every 1h")

    for minutes in range(30, 300, 7):
        stage.clock.now = T0 + timedelta(minutes=minutes)
        slow.now = stage.clock.now - timedelta(minutes=20)
        for scheduler in schedulers:
            await scheduler.tick()

    periods = await begun(stage)
    assert periods == [(T0 + n * HOUR).isoformat() for n in range(1, 5)]


@pytest.mark.parametrize(
    ("schedule", "zone", "start", "dues"),
    [
        (
            "daily 08:00",
            "UTC",
            "2028-02-28T07:00",
            ["2028-02-28T08:00", "2028-02-29T08:00", "2028-03-01T08:00"],
        ),
        ("daily 08:00", "UTC", "2027-02-28T07:00", ["2027-02-28T08:00", "2027-03-01T08:00"]),
        ("daily 02:30", "Europe/Berlin", "2026-10-25T00:00", ["2026-10-25T00:30", "2026-10-26T01:30"]),
        ("daily 02:30", "Europe/Berlin", "2026-03-28T20:00", ["2026-03-29T01:00", "2026-03-30T00:30"]),
        ("daily 23:59", "UTC", "2026-12-31T12:00", ["2026-12-31T23:59", "2027-01-01T23:59"]),
    ],
    ids=["leap day", "no leap day", "hour twice", "hour missing", "year end"],
)
async def test_special_days_have_one_digest_each(
    stage: Stage, schedule: str, zone: str, start: str, dues: list[str]
) -> None:
    stage.clock.now = moment(start)
    scheduler = Scheduler(stage.store, clock=stage.clock)
    await subscribe(stage, schedule, zone=zone)

    while stage.clock.now < moment(dues[-1]) + HOUR:
        stage.clock.pass_by(600)
        await scheduler.tick()

    assert await begun(stage) == [moment(due).isoformat() for due in dues]


async def test_a_new_schedule_set_meanwhile_stays(stage: Stage) -> None:
    scheduler = Scheduler(stage.store, clock=stage.clock)
    await subscribe(stage, "daily 09:00")
    await scheduler.tick()
    await subscribe(stage, "weekly sun 20:00")
    stage.clock.pass_by(-60)

    await scheduler.tick()

    [subscribed] = await stage.store.subscriptions()
    assert str(subscribed.subscription.schedule.when) == "weekly sun 20:00"
