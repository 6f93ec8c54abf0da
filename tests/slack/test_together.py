"""Several replicas keep one pace: never more calls than one alone would make, and none is slower for it."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import UnavailableError
from bot.slack.calls import NotTakenError, RateLimitedError
from bot.slack.pace import CHANNEL_SECONDS, PER_SECOND, Pace
from bot.slack.together import Together
from bot.store.sqlite import SqliteStore
from bot.turns import AT_ONCE, Lane, Line, taken

LANE = Lane("chat.postMessage", 1 / PER_SECOND, channel_seconds=CHANNEL_SECONDS)


class Slow:
    """Time that passes when everybody waits, as one replica after the other sees it."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._waiting: list[tuple[float, asyncio.Future[None]]] = []

    def __call__(self) -> datetime:
        return datetime(2026, 5, 1, tzinfo=UTC) + timedelta(seconds=self.seconds)

    async def rest(self, seconds: float) -> None:
        woken = asyncio.get_running_loop().create_future()
        self._waiting.append((self.seconds + seconds, woken))
        await woken

    async def run(self, *work: asyncio.Task[None]) -> None:
        """Let time pass until all of it is done."""
        while not all(each.done() for each in work):
            await asyncio.wait(work, timeout=0.02)  # whatever the stores' threads are at
            if self._waiting:
                self.seconds = max(self.seconds, min(at for at, _ in self._waiting))
                due = [(at, woken) for at, woken in self._waiting if at <= self.seconds]
                self._waiting = [each for each in self._waiting if each not in due]
                for _, woken in due:
                    woken.set_result(None)


@pytest.fixture
def time() -> Slow:
    return Slow()


@pytest.fixture
async def stores(tmp_path: Path, time: Slow) -> AsyncIterator[list[SqliteStore]]:
    found = [SqliteStore(tmp_path / "store.db", time) for _ in range(4)]
    for store in found:
        await store.open()
    yield found
    for store in found:
        await store.close()


async def test_four_replicas_together_post_no_faster_than_one(stores: list[SqliteStore], time: Slow) -> None:
    left: list[tuple[float, str]] = []

    async def post(store: SqliteStore, channel: str) -> None:
        await Together(store, LANE, rest=time.rest).turn(channel)
        left.append((time.seconds, channel))

    posts = [asyncio.create_task(post(store, f"C{number % 5}")) for number, store in enumerate(stores * 8)]
    await time.run(*posts)

    moments = sorted(at for at, _ in left)
    assert len(moments) == 32
    assert moments[-1] < 32 * LANE.seconds + 2 * CHANNEL_SECONDS
    for number in range(len(moments) - 4):
        assert moments[number + 4] - moments[number] >= 4 * LANE.seconds - 2 * AT_ONCE
    for channel in {channel for _, channel in left}:
        own = sorted(at for at, each in left if each == channel)
        assert all(after - before >= CHANNEL_SECONDS - 2 * AT_ONCE for before, after in pairwise(own))


async def test_alone_a_replica_waits_for_nothing_but_its_own_pace(
    stores: list[SqliteStore], time: Slow
) -> None:
    together = Together(stores[0], LANE, rest=time.rest)

    for number in range(20):
        await together.turn(f"C{number}")
        time.seconds += LANE.seconds

    assert time.seconds == pytest.approx(20 * LANE.seconds)


async def test_what_slack_answers_one_holds_the_others(stores: list[SqliteStore], time: Slow) -> None:
    ours, theirs = (
        Pace(per_second=1e6, channel_seconds=0, shared=Together(store, LANE, rest=time.rest))
        for store in stores[:2]
    )

    await ours.refused("C1", 12)
    waiting = asyncio.create_task(theirs.turn("C1"))
    await theirs.turn("C2")

    assert time.seconds == 0
    await time.run(waiting)
    assert time.seconds >= 12


async def test_a_long_wait_is_told_and_not_waited_for(stores: list[SqliteStore], time: Slow) -> None:
    await Together(stores[0], LANE, rest=time.rest).hold("", 600)

    with pytest.raises(RateLimitedError) as told:
        await Together(stores[1], LANE, rest=time.rest).turn("C1")

    assert told.value.seconds == pytest.approx(600)


async def test_without_the_store_nothing_is_sent(stores: list[SqliteStore], time: Slow) -> None:
    await stores[0].close()
    together = Together(stores[0], LANE, rest=time.rest)

    with pytest.raises(NotTakenError) as told:
        await together.turn("C1")
    await together.hold("C1", 5)  # the others will hear it from Slack

    assert isinstance(told.value, UnavailableError)


@given(
    st.lists(st.tuples(st.floats(0, 3), st.integers(0, 3)), max_size=60),
    st.integers(1, 5),
    st.sampled_from([0.0, 1.0]),
)
def test_no_stretch_of_time_ever_holds_too_many(
    asked: list[tuple[float, int]], burst: int, channel_seconds: float
) -> None:
    lane = Lane("lane", 0.25, burst, channel_seconds)
    now, whole, channels = 1_000.0, Line(), [Line()] * 4
    given_at: list[tuple[float, int]] = []
    for pause, channel in asked:
        now += pause
        turn, whole, channels[channel] = taken(lane, whole, channels[channel], now)
        if turn.is_given:
            given_at.append((now + turn.seconds, channel))

    moments = [at for at, _ in given_at]
    assert moments == sorted(moments)
    for first, at in enumerate(moments):
        for last in range(first + burst, len(moments)):
            assert moments[last] - at >= (last - first + 1 - burst) * lane.seconds - 1e-6
    for channel in range(4):
        own = [at for at, each in given_at if each == channel]
        assert all(after - before >= channel_seconds - 2 * AT_ONCE for before, after in pairwise(own))
