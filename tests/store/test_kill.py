"""Killed at any moment, the store loses nothing it acknowledged, and the import run again completes it."""

import asyncio
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import psycopg
import pytest

from bot.assertions import Assertion
from bot.deliveries import ENDED
from tests.postgres.cluster import wait_until
from tests.store.contract import T0, digest, everything
from tests.store.contract_subscriptions import MINUTE
from tests.store.victim import BATCHES, BUDGETS, SPENT, batch, opened

ROUNDS = 25  # of each test; the four of imports make a hundred kills
POSTGRES_ROUNDS = 4
_OTHERS = """SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
AND backend_type = 'client backend' AND application_name = 'liaison' OR pid = pg_backend_pid()"""
_LATEST_SECONDS = 0.004  # after the last acknowledgement that was waited for


class Nursery:
    """Where victims come from."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def kill_one(self, kind: str, place: str, chance: random.Random) -> list[int]:
        """Let a victim work on a store and kill it; the batches it acknowledged."""
        assert self._process.stdin is not None
        print(kind, place, file=self._process.stdin, flush=True)
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
    return asyncio.run(finish(str(tmp_path_factory.mktemp("unbroken") / "store.db")))


@dataclass(frozen=True)
class Graveyard:
    """Where victims work: a new place for each."""

    rounds: int
    place: Callable[[], str]
    complaints: Callable[[str], list[str]]  # of a place whose victim is dead


@pytest.fixture(params=["sqlite", "postgres"])
def graveyard(request: pytest.FixtureRequest, tmp_path: Path) -> Graveyard:
    """Files, or one PostgreSQL that is emptied."""
    if request.param == "sqlite":
        numbers = count()
        return Graveyard(ROUNDS, lambda: str(tmp_path / f"{next(numbers)}.db"), _complaints)
    return Graveyard(POSTGRES_ROUNDS, request.getfixturevalue("emptied"), _still_there)


@pytest.mark.parametrize("kind", ["import", "both"])
@pytest.mark.parametrize("half", [1, 2])
def test_killed_at_any_moment_nothing_is_lost(
    nursery: Nursery, unbroken: list[Assertion], graveyard: Graveyard, kind: str, half: int
) -> None:
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}, part {half}")
    chance = random.Random(seed)

    for _ in range(graveyard.rounds):
        place = graveyard.place()

        stored = nursery.kill_one(kind, place, chance)

        assert graveyard.complaints(place) == ["ok"]
        assert asyncio.run(holds(place, stored))
        assert asyncio.run(finish(place)) == unbroken


def test_killed_at_any_moment_what_was_spent_stays_spent_and_what_was_found_is_kept(
    nursery: Nursery, graveyard: Graveyard
) -> None:
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")
    chance = random.Random(seed)

    for _ in range(graveyard.rounds):
        place = graveyard.place()

        stored = nursery.kill_one("spend", place, chance)

        assert graveyard.complaints(place) == ["ok"]
        rolling, day, kept = asyncio.run(spent(place))
        assert rolling == day  # all or none
        assert SPENT * len(stored) <= day <= SPENT * (len(stored) + 1)
        assert kept >= len(stored)


def test_killed_at_any_moment_every_delivery_follows_the_one_before(
    nursery: Nursery, graveyard: Graveyard
) -> None:
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")
    chance = random.Random(seed)

    for _ in range(graveyard.rounds):
        place = graveyard.place()

        stored = nursery.kill_one("deliver", place, chance)

        assert graveyard.complaints(place) == ["ok"]
        asyncio.run(check_deliveries(place, len(stored)))


def _complaints(place: str) -> list[str]:
    with closing(sqlite3.connect(place)) as made:
        return [row for (row,) in made.execute("PRAGMA integrity_check")]


def _still_there(place: str) -> list[str]:
    """Wait for the end of the victim's sessions: the server may be about to commit what was sent."""
    with psycopg.connect(place, autocommit=True) as session:
        wait_until(lambda: session.execute(_OTHERS).fetchone() == (1,), "the end of a victim's sessions")
    return ["ok"]


async def holds(place: str, stored: Sequence[int]) -> bool:
    """Whether all acknowledged batches are there: adding them again makes no new rows."""
    store = await opened(place)
    rows = {(row.source, row.indicator) for row in await everything(store)}
    await store.close()
    return rows >= {(each.source, each.indicator) for number in stored for each in batch(number)}


async def finish(place: str) -> list[Assertion]:
    """Run the whole import again; everything there is then."""
    store = await opened(place)
    for number in range(BATCHES):
        await store.add(batch(number))
    rows = await everything(store)
    await store.close()
    return rows


async def spent(place: str) -> tuple[int, int, int]:
    """What was used of both budgets, and how many findings are kept."""
    store = await opened(place)
    rolling, day = await store.spent(BUDGETS, at=T0)
    found = await store.findings("host", [digest(number) for number in range(BATCHES)])
    await store.close()
    return rolling, day, len(found)


async def check_deliveries(place: str, stored: int) -> None:
    """Of the round that was under way each step is done in full or not at all, and none before another."""
    store = await opened(place)
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
