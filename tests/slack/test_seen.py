"""What came before is known: by the store, and while it takes no writes by this replica alone."""

import asyncio
from collections.abc import Callable
from typing import cast

import pytest

from bot.errors import UnavailableError
from bot.services import Store
from bot.slack.seen import Seen


class Claims:
    """The part of a store that `Seen` uses: it may take no writes, be silent, or refuse."""

    def __init__(self) -> None:
        self.writes, self.is_ill = True, False
        self.answers = asyncio.Event()
        self.answers.set()
        self.claimed: set[str] = set()

    def takes_writes(self) -> bool:
        return self.writes

    async def claim(self, key: str, *, seconds: float) -> bool:
        await self.answers.wait()
        if self.is_ill or not self.writes:
            raise UnavailableError("The store does not answer.")
        is_first = key not in self.claimed
        self.claimed.add(key)
        return is_first


class Time:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def claims() -> Claims:
    return Claims()


@pytest.fixture
def timer() -> Time:
    return Time()


@pytest.fixture
def make(claims: Claims, timer: Time) -> Callable[..., Seen]:
    """A replica's memory upon that store."""
    return lambda **more: Seen(cast(Store, claims), timer=timer, **more)


async def test_the_store_tells_all_replicas(make: Callable[..., Seen], claims: Claims) -> None:
    ours, theirs = make(), make()

    assert await ours.claim_what_comes_once("one", 600)
    assert not await theirs.claim_what_comes_once("one", 600)
    assert not await ours.claim("one", 600)
    assert claims.claimed == {"one"}


async def test_while_the_store_takes_no_writes_each_replica_remembers(
    make: Callable[..., Seen], claims: Claims
) -> None:
    ours, theirs = make(), make()
    claims.writes = False

    assert [await ours.claim_what_comes_once("one", 600) for _ in range(3)] == [True, False, False]
    assert await theirs.claim_what_comes_once("one", 600)


async def test_what_was_won_then_is_honoured_afterwards(
    make: Callable[..., Seen], claims: Claims, timer: Time
) -> None:
    ours = make()
    claims.writes = False
    await ours.claim_what_comes_once("one", 600)
    claims.writes = True
    timer.now = 599

    assert not await ours.claim_what_comes_once("one", 600)

    timer.now = 600
    assert await ours.claim_what_comes_once("one", 600)


async def test_an_event_waits_for_the_store(make: Callable[..., Seen], claims: Claims) -> None:
    ours = make()
    claims.writes = False

    with pytest.raises(UnavailableError):
        await ours.claim("event", 600)

    claims.writes = True
    assert await ours.claim("event", 600)


async def test_who_waits_for_a_silent_store_is_answered_once_it_is_given_up(
    make: Callable[..., Seen], claims: Claims
) -> None:
    ours, theirs = make(), make()
    claims.answers.clear()
    waiting = asyncio.create_task(ours.claim_what_comes_once("one", 600))
    await asyncio.sleep(0)

    assert not await ours.claim_what_comes_once("one", 600)  # it is in hand
    claims.writes = False
    assert await waiting

    # the store hears of it all the same when it is back
    claims.writes = True
    claims.answers.set()
    await asyncio.sleep(0)
    assert not await theirs.claim_what_comes_once("one", 600)


async def test_a_claim_that_fails_while_writes_are_taken_may_come_again(
    make: Callable[..., Seen], claims: Claims
) -> None:
    ours = make()
    claims.is_ill = True

    with pytest.raises(UnavailableError):
        await ours.claim_what_comes_once("one", 600)

    claims.is_ill = False
    assert await ours.claim_what_comes_once("one", 600)


async def test_the_memory_has_a_limit_and_refuses_beyond_until_something_is_over(
    make: Callable[..., Seen], claims: Claims, timer: Time
) -> None:
    ours = make(most=2)
    claims.writes = False
    for key in ("one", "two"):
        await ours.claim_what_comes_once(key, 600)

    with pytest.raises(UnavailableError):
        await ours.claim_what_comes_once("three", 600)

    timer.now = 600
    assert await ours.claim_what_comes_once("three", 600)
