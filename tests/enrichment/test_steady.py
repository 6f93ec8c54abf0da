"""Time that does not jump, and deadlines on it."""

import asyncio
from datetime import timedelta

import pytest

from bot.enrichment.steady import LoopTimer, elapsed_seconds, steadied, until
from tests.enrichment.parts import Clock, Hands
from tests.strategies import NOW


def test_setting_the_wall_clock_moves_no_steady_one() -> None:
    wall, passed = Clock(), [100.0]
    steady = steadied(wall, lambda: passed[0])

    wall.move(days=-2)
    assert steady() == NOW
    passed[0] += 90.0
    wall.move(days=400)
    assert steady() == NOW + timedelta(seconds=90)


def test_seconds_pass_forwards() -> None:
    before = elapsed_seconds()

    assert elapsed_seconds() >= before > 0


async def test_a_deadline_ends_what_is_inside_and_only_that() -> None:
    hands = Hands()

    async def wait() -> None:
        async with until(hands, hands.time() + 6.0):
            await asyncio.get_running_loop().create_future()

    task = asyncio.create_task(wait())
    await asyncio.sleep(0)
    hands.advance(5.9)
    await asyncio.sleep(0)
    assert not task.done()
    hands.advance(0.1)
    with pytest.raises(TimeoutError):
        await task
    assert task.cancelling() == 0


async def test_a_deadline_that_was_kept_leaves_no_timer() -> None:
    hands = Hands()

    async with until(hands, hands.time() + 6.0):
        assert hands.waiting == 1

    assert hands.waiting == 0


async def test_a_deadline_does_not_turn_a_cancellation_into_a_timeout() -> None:
    hands = Hands()

    async def wait() -> None:
        async with until(hands, hands.time() + 6.0):
            await asyncio.get_running_loop().create_future()

    task = asyncio.create_task(wait())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert hands.waiting == 0


async def test_the_loops_own_timer_counts_and_calls() -> None:
    timer = LoopTimer()

    with pytest.raises(TimeoutError):
        async with until(timer, timer.time() + 0.01):
            await asyncio.get_running_loop().create_future()
