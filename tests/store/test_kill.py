"""Killed at any moment, the store loses nothing it acknowledged, and the import run again completes it."""

import asyncio
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from pathlib import Path

import pytest

from bot.assertions import Assertion
from bot.deliveries import ENDED
from bot.store.sqlite import SqliteStore
from tests.store.contract import T0, digest, everything
from tests.store.contract_subscriptions import MINUTE
from tests.store.victim import BATCHES, BUDGETS, SPENT, batch

ROUNDS = 25  # of each test; the four of imports make a hundred kills
_LATEST_SECONDS = 0.004  # after the last acknowledgement that was waited for


class Nursery:
    """Where victims come from."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def kill_one(self, kind: str, path: Path, chance: random.Random) -> list[int]:
        """Let a victim work on a store and kill it; the batches it acknowledged."""
        assert self._process.stdin is not None
        print(kind, path.as_posix(), file=self._process.stdin, flush=True)
        pid = int(self._line().removeprefix("pid "))
        lines = [self._line() for _ in range(chance.randrange(BATCHES - 1))]
        time.sleep(chance.uniform(0, _LATEST_SECONDS))  # to hit it anywhere between two batches
        with suppress(ProcessLookupError):  # on a busy machine it may be done by now
            os.kill(pid, signal.SIGKILL)
        while lines[-1:] != ["over"]:
            lines.append(self._line())
        return [int(line.removeprefix("stored ")) for line in lines[:-1]]

    def _line(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the process that starts victims has ended"
        return line.strip()


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    """The process that starts victims."""
    command = [sys.executable, "-m", "tests.store.victim"]
    root = Path(__file__).parents[2]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=root
    ) as process:
        yield Nursery(process)
        assert process.stdin is not None
        process.stdin.close()


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> list[Assertion]:
    """What an import ends with that nobody killed."""
    return asyncio.run(_finish(tmp_path_factory.mktemp("unbroken") / "store.db"))


@pytest.mark.parametrize("kind", ["import", "both"])
@pytest.mark.parametrize("half", [1, 2])
def test_killed_at_any_moment_nothing_is_lost(
    nursery: Nursery, unbroken: list[Assertion], tmp_path: Path, kind: str, half: int
) -> None:
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}, part {half}")
    chance = random.Random(seed)

    for number in range(ROUNDS):
        path = tmp_path / f"{number}.db"

        stored = nursery.kill_one(kind, path, chance)

        assert _complaints(path) == ["ok"]
        assert asyncio.run(_holds(path, stored))
        assert asyncio.run(_finish(path)) == unbroken


def test_killed_at_any_moment_what_was_spent_stays_spent_and_what_was_found_is_kept(
    nursery: Nursery, tmp_path: Path
) -> None:
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")
    chance = random.Random(seed)

    for number in range(ROUNDS):
        path = tmp_path / f"{number}.db"

        stored = nursery.kill_one("spend", path, chance)

        assert _complaints(path) == ["ok"]
        rolling, day, kept = asyncio.run(_spent(path))
        assert rolling == day  # all or none
        assert SPENT * len(stored) <= day <= SPENT * (len(stored) + 1)
        assert kept >= len(stored)


def test_killed_at_any_moment_every_delivery_follows_the_one_before(nursery: Nursery, tmp_path: Path) -> None:
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")
    chance = random.Random(seed)

    for number in range(ROUNDS):
        path = tmp_path / f"{number}.db"

        stored = nursery.kill_one("deliver", path, chance)

        assert _complaints(path) == ["ok"]
        asyncio.run(_check_deliveries(path, len(stored)))


def _complaints(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as made:
        return [row for (row,) in made.execute("PRAGMA integrity_check")]


async def _holds(path: Path, stored: Sequence[int]) -> bool:
    """Whether all acknowledged batches are there: adding them again makes no new rows."""
    store = SqliteStore(path)
    await store.open()
    rows = {(row.source, row.indicator) for row in await everything(store)}
    await store.close()
    return rows >= {(each.source, each.indicator) for number in stored for each in batch(number)}


async def _finish(path: Path) -> list[Assertion]:
    """Run the whole import again; everything there is then."""
    store = SqliteStore(path)
    await store.open()
    for number in range(BATCHES):
        await store.add(batch(number))
    rows = await everything(store)
    await store.close()
    return rows


async def _spent(path: Path) -> tuple[int, int, int]:
    """What was used of both budgets, and how many findings are kept."""
    store = SqliteStore(path)
    await store.open()
    rolling, day = await store.spent(BUDGETS, at=T0)
    found = await store.findings("host", [digest(number) for number in range(BATCHES)])
    await store.close()
    return rolling, day, len(found)


async def _check_deliveries(path: Path, stored: int) -> None:
    """Of the round that was under way each step is done in full or not at all, and none before another."""
    store = SqliteStore(path)
    await store.open()
    found = (await store.deliveries())[::-1]
    cursors = [0, *(delivery.upto for delivery in found)]
    assert [delivery.since for delivery in found] == cursors[:-1]
    for due in await store.subscriptions():
        assert (due.since, due.next_at) == (cursors[-1], T0 + len(found) * MINUTE)
    assert [row.seq for row in await everything(store)][: cursors[-1]] == list(range(1, cursors[-1] + 1))

    added = max(0, await store.head() - 1)  # the first round adds two
    assert len(await store.changes(after=0)) == max(0, added - 1)
    ended = [delivery for delivery in found if delivery.state in ENDED]
    counts = [added, len(found), len(await store.posts()), len(ended), await store.mark("done"), stored]
    assert counts == sorted(counts, reverse=True)
    assert added <= stored + 1
    await store.close()
