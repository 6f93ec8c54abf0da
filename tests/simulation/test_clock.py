"""A clock that all processes share and whose speed changes."""

import asyncio
import os
import time
from datetime import timedelta
from pathlib import Path

import pytest

from bot.simulation.clock import LOOK_SECONDS, SLOWEST, Clock, Governor
from tests.simulation.days import BEGINS


def clock(path: Path, speed: float) -> Clock:
    """One whose day has just begun."""
    made = Clock(path / "clock", BEGINS)
    made.start()
    made.begin(speed)
    return made


def test_a_change_of_speed_is_seen_by_all_and_turns_nothing_back(tmp_path: Path) -> None:
    mine = clock(tmp_path, 1_000)
    other = Clock(tmp_path / "clock", BEGINS)
    before = other.timer()

    mine.change(10)

    assert other.speed == 10
    assert before <= other.timer() < before + 1_000
    assert abs((other() - mine()).total_seconds()) < 1


def test_it_waits_for_the_beginning(tmp_path: Path) -> None:
    made = Clock(tmp_path / "clock", BEGINS)
    made.start()

    assert BEGINS - timedelta(minutes=1) < made() < BEGINS


async def test_who_rests_while_it_is_slowed_down_rests_longer(tmp_path: Path) -> None:
    made = clock(tmp_path, 100)
    rested = asyncio.ensure_future(made.rest(20))
    await asyncio.sleep(0.01)
    began = time.monotonic()

    made.change(60)
    await rested

    assert made.timer() >= 20
    assert time.monotonic() - began > 0.2


@pytest.mark.parametrize("is_cancelled", [False, True])
async def test_an_alarm_comes_at_its_time_unless_it_is_cancelled(tmp_path: Path, is_cancelled: bool) -> None:
    made, rung = clock(tmp_path, 1_000), list[float]()
    alarm = made.later(80, lambda: rung.append(made.timer()))

    if is_cancelled:
        alarm.cancel()
    await made.rest(160)

    assert len(rung) == int(not is_cancelled)
    assert all(at >= 80 for at in rung)


@pytest.mark.skipif(not Path("/proc/self/schedstat").exists(), reason="nobody counts who waits")
def test_it_slows_down_for_who_is_busy_and_hurries_again(tmp_path: Path) -> None:
    made = clock(tmp_path, 100)
    governor = Governor(made, most=100, processes=lambda: [os.getpid()])

    for _ in range(3):
        until = time.monotonic() + LOOK_SECONDS * 1.1
        while time.monotonic() < until:
            pass
        governor.look()
    slow = made.speed
    for _ in range(2):
        time.sleep(LOOK_SECONDS * 1.1)
        governor.look()

    assert SLOWEST <= governor.slowest == slow < 100
    assert made.speed > slow
