"""Posts keep Slack's pace: fair to every channel, and patient when Slack asks for it."""

import asyncio
import heapq
from collections.abc import Callable
from datetime import timedelta
from itertools import count, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.sandbox.rates import Rates
from bot.slack.calls import RateLimitedError
from bot.slack.pace import MAX_HELD, TIER_3_PER_SECOND, Pace
from tests.sandbox.parts import Clock as SandboxClock


class Ring:
    """Something that a `Time` will do later."""

    def __init__(self, then: Callable[[], None]) -> None:
        self.then: Callable[[], None] | None = then

    def cancel(self) -> None:
        self.then = None


class Time:
    """Time that passes when a test says so; `pass_all` jumps from alarm to alarm."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self._rings: list[tuple[float, int, Ring]] = []
        self._numbers = count()

    def __call__(self) -> float:
        return self.now

    def later(self, seconds: float, then: Callable[[], None]) -> Ring:
        ring = Ring(then)
        heapq.heappush(self._rings, (self.now + seconds, next(self._numbers), ring))
        return ring

    async def pass_all(self, until: float = 1e9) -> None:
        await _settle()
        while self._rings and self._rings[0][0] <= self.now + until:
            at, _, ring = heapq.heappop(self._rings)
            if ring.then is not None:
                until -= at - self.now
                self.now = at
                ring.then()
                await _settle()


async def _settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


class Line:
    """Those who wait for turns, and when each had theirs (seconds after the start)."""

    def __init__(self, **more: float) -> None:
        self.time = Time()
        self.pace = Pace(timer=self.time, later=self.time.later, **more)  # type: ignore[arg-type]  # burst is whole
        self.served: list[tuple[str, float]] = []
        self.refused: list[tuple[str, float]] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._began = self.time.now

    def wait(self, *channels: str) -> list[asyncio.Task[None]]:
        tasks = [asyncio.ensure_future(self._wait(channel)) for channel in channels]
        self._tasks.update(tasks)
        return tasks

    async def _wait(self, channel: str) -> None:
        try:
            await self.pace.turn(channel)
            self.served.append((channel, round(self.time.now - self._began, 6)))
        except RateLimitedError as error:
            self.refused.append((channel, error.seconds))


async def test_channels_take_turns_in_the_order_they_came() -> None:
    line = Line()
    line.wait("a", "b", "c")
    await line.time.pass_all()

    assert line.served == [("a", 0.0), ("b", 0.25), ("c", 0.5)]


async def test_a_channel_gets_one_message_a_second_and_holds_up_nobody() -> None:
    line = Line()
    line.wait("a", "a", "a", "b", "c")
    await line.time.pass_all()

    assert line.served == [("a", 0.0), ("b", 0.25), ("c", 0.5), ("a", 1.0), ("a", 2.0)]


async def test_who_comes_while_others_wait_for_their_channel_goes_first() -> None:
    line = Line()
    line.wait("a", "a")
    await line.time.pass_all(until=0.5)
    line.wait("b")
    await line.time.pass_all()

    assert [channel for channel, _ in line.served] == ["a", "b", "a"]


async def test_after_a_silence_a_burst_leaves_at_once() -> None:
    line = Line(per_second=1, burst=3, channel_seconds=0)
    line.wait(*"abcde")
    await line.time.pass_all()
    assert [at for _, at in line.served] == [0, 0, 0, 1, 2]

    line.time.now += 100
    line.wait(*"abcd")
    await line.time.pass_all()
    assert [at - line.served[5][1] for _, at in line.served[5:]] == [0, 0, 0, 1]


async def test_patience_with_one_channel_is_nobody_elses() -> None:
    line = Line()
    line.pace.hold("a", 7)
    line.wait("a", "b")
    await line.time.pass_all()

    assert line.served == [("b", 0.0), ("a", 7.0)]


async def test_two_channels_at_once_mean_the_workspace() -> None:
    line = Line()
    line.pace.hold("a", 7)
    line.pace.hold("b", 5)
    line.wait("c")
    await line.time.pass_all()

    assert line.served == [("c", 5.0)]


async def test_the_same_channel_twice_does_not() -> None:
    line = Line()
    line.pace.hold("a", 7)
    line.pace.hold("a", 5)
    line.wait("c", "a")
    await line.time.pass_all()

    assert line.served == [("c", 0.0), ("a", 7.0)]


async def test_who_waits_already_keeps_waiting_when_slack_asks_for_it() -> None:
    line = Line()
    line.wait("a", "b")
    await _settle()
    line.pace.hold_all(20)
    await line.time.pass_all()

    assert line.served == [("a", 0.0), ("b", 20.0)]


async def test_who_would_wait_too_long_is_told_at_once() -> None:
    line = Line()
    line.pace.hold("a", MAX_HELD + 60)
    line.wait("a", "b")
    await line.time.pass_all()

    assert line.refused == [("a", MAX_HELD + 60)]
    assert line.served == [("b", 0.0)]


async def test_who_waits_already_is_told_so_too() -> None:
    line = Line()
    line.wait("a", "a", "b", "b")
    await _settle()
    line.pace.hold("a", MAX_HELD + 60)
    await line.time.pass_all(until=5)
    assert (line.refused, len(line.served)) == ([("a", MAX_HELD + 60)], 3)

    line.wait("b", "b", "c")
    await _settle()
    line.pace.hold_all(MAX_HELD + 1)
    await line.time.pass_all()
    assert [channel for channel, _ in line.refused[1:]] == ["b", "b", "c"]


async def test_who_gives_up_leaves_no_gap() -> None:
    line = Line(per_second=1)
    _, second, _ = line.wait("a", "b", "c")
    await _settle()
    second.cancel()
    await line.time.pass_all()

    assert line.served == [("a", 0.0), ("c", 1.0)]


async def test_a_thousand_channels_drain_in_order_at_the_full_rate() -> None:
    line = Line(per_second=4)
    names = [f"C{number}" for number in range(1_000)]
    line.wait(*names)
    await line.time.pass_all()

    assert [channel for channel, _ in line.served] == names
    assert line.served[-1][1] == pytest.approx(999 / 4)


async def test_posts_at_this_pace_meet_no_limit_of_slacks() -> None:
    line = Line()
    line.wait(*(f"C{number % 70}" for number in range(500)))
    await line.time.pass_all()

    assert _refusals("chat.postMessage", line.served) == 0
    assert line.served[-1][1] <= 1.2 * (500 - 20) / 4  # what the sandbox's limits allow


async def test_looks_at_this_pace_leave_room_for_those_who_ask_something() -> None:
    line = Line(per_second=TIER_3_PER_SECOND, burst=40, channel_seconds=0)
    line.wait(*(f"C{number}" for number in range(400)))
    await line.time.pass_all()
    lookups = [("C0ANA", float(at)) for at in range(0, 400, 40)]

    assert _refusals("conversations.info", sorted([*line.served, *lookups], key=lambda one: one[1])) == 0
    assert line.served[-1][1] <= 1.2 * (400 - 50) / (50 / 60)


def _refusals(method: str, calls: list[tuple[str, float]]) -> int:
    """How many of these calls the sandbox would answer with 429."""
    clock = SandboxClock()
    rates, began = Rates(clock), clock.now
    refused = 0
    for channel, at in calls:
        clock.now = began + timedelta(seconds=at)
        refused += bool(rates.wait(method, channel))
    return refused


async def test_it_keeps_pace_by_the_real_clock() -> None:
    pace, began = Pace(per_second=50), asyncio.get_running_loop().time()
    await asyncio.gather(*(pace.turn(channel) for channel in "abcdef"))

    assert asyncio.get_running_loop().time() - began >= 0.099


@given(st.lists(st.tuples(st.sampled_from("abc"), st.floats(0, 3)), max_size=30))
def test_the_limits_hold_whoever_comes_whenever(arrivals: list[tuple[str, float]]) -> None:
    async def run() -> list[tuple[str, float]]:
        line = Line(per_second=2)
        for channel, pause in arrivals:
            line.wait(channel)
            target = line.time.now + pause
            await line.time.pass_all(until=pause)
            line.time.now = max(line.time.now, target)
        await line.time.pass_all()
        return line.served

    served = asyncio.run(run())
    times = [at for _, at in served]
    assert sorted(channel for channel, _ in served) == sorted(channel for channel, _ in arrivals)
    assert all(later - earlier >= 0.5 - 1e-6 for earlier, later in pairwise(times))
    for channel in "abc":
        own = [at for each, at in served if each == channel]
        assert all(later - earlier >= 1 - 1e-6 for earlier, later in pairwise(own))
