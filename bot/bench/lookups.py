"""Measure lookups beside a prepared statement on the same file."""

import asyncio
import random
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from bot.bench.claims import claim, indicator
from bot.indicators import Indicator
from bot.services import Store
from bot.store import open_store, rows
from bot.store.sqlite_connection import connect

BAR = 0.5  # of the lookups a second of the prepared statement
AT_ONCE = 64  # single lookups under way
BULK = 10_000  # values in one bulk lookup
ASKED = 40_000  # values in a round; half of them are in the store
_PART = 20_000
_STATEMENT = "SELECT * FROM assertion WHERE key = ?"


@dataclass(frozen=True)
class Figures:
    """Lookups a second, medians of all rounds."""

    assertions: int
    prepared: float  # one value after the other, rows only
    single: float  # AT_ONCE callers with one value each
    bulk: float  # BULK values in one call

    @property
    def missed_bars(self) -> list[str]:
        """What is slower than it may be."""
        both = {"single lookups": self.single, "bulk lookups": self.bulk}
        return [
            f"{name} below {BAR} of a prepared statement"
            for name, found in both.items()
            if found < BAR * self.prepared
        ]


def measure(assertions: int, rounds: int) -> Figures:
    """Fill a store, then measure all three in turns with the same values."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "store.db"
        return asyncio.run(_measure(path, assertions, rounds))


async def _measure(path: Path, assertions: int, rounds: int) -> Figures:
    store = await open_store(f"sqlite:///{path}")
    for start in range(0, assertions, _PART):
        await store.add([claim(number) for number in range(start, min(start + _PART, assertions))])
    found: dict[str, list[float]] = {"prepared": [], "single": [], "bulk": []}
    with closing(connect(path)) as connection:
        for number in range(rounds + 1):
            asked = [indicator(random.randrange(2 * assertions)) for _ in range(ASKED)]  # noqa: S311 (no secret)
            speeds = {
                "prepared": _prepared(connection, asked),
                "single": await _timed(_single, store, asked),
                "bulk": await _timed(_bulk, store, asked),
            }
            if number:  # the first round warms the caches
                for name, speed in speeds.items():
                    found[name].append(speed)
    await store.close()
    return Figures(assertions, **{name: statistics.median(speeds) for name, speeds in found.items()})


def _prepared(connection: sqlite3.Connection, asked: Sequence[Indicator]) -> float:
    keys = [(rows.key(each),) for each in asked]
    begun = time.perf_counter()
    for key in keys:
        connection.execute(_STATEMENT, key).fetchall()
    return len(asked) / (time.perf_counter() - begun)


async def _timed(
    work: Callable[[Store, Sequence[Indicator]], Awaitable[None]], store: Store, asked: Sequence[Indicator]
) -> float:
    begun = time.perf_counter()
    await work(store, asked)
    return len(asked) / (time.perf_counter() - begun)


async def _single(store: Store, asked: Sequence[Indicator]) -> None:
    rest = iter(asked)

    async def caller() -> None:
        for each in rest:
            await store.lookup([each])

    await asyncio.gather(*(caller() for _ in range(AT_ONCE)))


async def _bulk(store: Store, asked: Sequence[Indicator]) -> None:
    for start in range(0, len(asked), BULK):
        await store.lookup(asked[start : start + BULK])
