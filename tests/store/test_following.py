"""Answers of a standby: as old as the operator allows, and never without saying so."""

from datetime import timedelta

import pytest

from bot.store import following
from bot.store.postgres import PostgresEngine
from bot.store.postgres_address import read
from bot.store.sql_store import SqlStore
from tests.store.contract import T0, Clock, claim, digest, joined

MOST = timedelta(seconds=60)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """A clock that stands, and a heart that beats once: the pulse is of the time of opening."""
    monkeypatch.setattr(following, "BEAT_SECONDS", 3_600.0)
    return Clock()


async def opened(url: str, clock: Clock, stale: timedelta = MOST) -> SqlStore:
    store = SqlStore(PostgresEngine(read(url, {})), clock, stale=stale)
    await store.open()
    await store.add([claim(1)])  # behind the first beat
    return store


async def test_an_answer_says_how_old_it_may_be(postgres: str, clock: Clock) -> None:
    store = await opened(postgres, clock)
    clock.move(seconds=30)

    found = await store.lookup([digest(1)], may_be_stale=True)

    assert [row.indicator for row in found] == [digest(1)]
    assert store.read_lag() == timedelta(seconds=30)
    assert len(await joined(store.newest(since=T0, may_be_stale=True))) == 1
    assert store.read_lag() == timedelta(seconds=30)
    await store.close()


@pytest.mark.parametrize("seconds", [61.0, -10.0])
async def test_what_is_older_than_allowed_or_of_a_wrong_clock_is_asked_of_the_primary(
    postgres: str, clock: Clock, seconds: float
) -> None:
    store = await opened(postgres, clock)
    clock.move(seconds=seconds)

    assert len(await store.lookup([digest(1)], may_be_stale=True)) == 1

    assert store.read_lag() == timedelta()
    await store.close()


async def test_who_must_not_have_old_answers_gets_none(postgres: str, clock: Clock) -> None:
    store = await opened(postgres, clock)
    clock.move(seconds=30)

    assert len(await store.lookup([digest(1)])) == 1

    assert store.read_lag() == timedelta()
    await store.close()


async def test_without_leave_no_standby_is_asked(postgres: str, clock: Clock) -> None:
    store = await opened(postgres, clock, timedelta())
    clock.move(seconds=30)

    assert len(await store.lookup([digest(1)], may_be_stale=True)) == 1

    assert store.read_lag() == timedelta()
    assert await store.mark("pulse") == 0
    await store.close()
