"""What is particular to the counting of budgets: how little of the past is kept."""

from datetime import timedelta

from bot.budgets import Calendar
from bot.store.ledger import KEPT_MOMENTS, KEPT_PERIODS, Count, Log
from tests.store.contract import T0

MINUTE = timedelta(minutes=1)


def test_as_many_moments_are_kept_as_may_be_asked_for() -> None:
    log = Log(10, {8: T0, 10: T0})
    assert log.again(2, MINUTE, T0 + MINUTE) is None
    assert log.again(4, MINUTE, T0 + MINUTE) is None

    assert log.take(T0 + MINUTE) == 11

    assert log.forget() == (7, T0)


def test_of_a_very_generous_budget_nothing_is_forgotten_that_counts() -> None:
    log = Log(5 * KEPT_MOMENTS, {5 * KEPT_MOMENTS: T0})
    for seconds in (2, 1):
        assert log.again(10**9, MINUTE, T0 + timedelta(seconds=seconds)) is None
        log.take(T0 + timedelta(seconds=seconds))

    number, time = log.forget()

    assert number == 4 * KEPT_MOMENTS + 2
    assert time == T0 + timedelta(seconds=1) - MINUTE


def test_only_the_latest_periods_are_kept() -> None:
    count = Count(Calendar.DAY, {})
    days = [T0 + timedelta(days=n) for n in range(KEPT_PERIODS + 2)]
    for day in days:
        count.take(day + MINUTE)

    assert list(count.forget()) == days[:2]
