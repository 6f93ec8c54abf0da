"""The store beside plain statements on its engine, in turns, and whether a reader ever misses a row."""

import asyncio
import random
import statistics
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

from bot.bench import cursors
from bot.bench.claims import claim, indicator
from bot.bench.ground import Ground
from bot.bench.raw import Coalesced, Raw
from bot.indicators import Indicator
from bot.services import Store
from bot.store import open_store, rows

BAR = 0.5  # of what plain statements do in the same time
PART = 10_000  # rows in a transaction; values in one bulk lookup
AT_ONCE = 64  # single lookups under way
SINGLE = 20_000  # values that they ask for in a round

T = TypeVar("T")


@dataclass(frozen=True)
class Pair:
    """Rows or values a second, by plain statements and by the store."""

    plain: float
    store: float

    @property
    def ratio(self) -> float:
        """The store's share of the plain speed."""
        return self.store / self.plain


@dataclass(frozen=True)
class Figures:
    """All of the ingest; medians of the rounds of lookups; and what a reader missed."""

    engine: str
    rows: int
    ingest: Pair
    bulk: Pair
    single: Pair
    written: int  # by several at once, beside a reader at the head
    missed: int  # of these by that reader

    @property
    def missed_bars(self) -> list[str]:
        """What does not hold."""
        pairs = {"ingest": self.ingest, "bulk lookup": self.bulk, f"{AT_ONCE} lookups at once": self.single}
        slow = [f"{name} below {BAR} of plain" for name, pair in pairs.items() if pair.ratio < BAR]
        return slow + ([f"a reader missed {self.missed} rows"] if self.missed else [])


def measure(ground: Ground, count: int, rounds: int) -> Figures:
    """Fill two databases of that ground, one by hand and one by a store, and compare."""
    return asyncio.run(_measure(ground, count, rounds))


async def _measure(ground: Ground, count: int, rounds: int) -> Figures:
    store = await open_store(ground.store)
    await (await open_store(ground.plain)).close()  # makes the same tables there
    by_hand, beside = ground.raw(ground.plain), ground.raw(ground.store)
    try:
        ingest = await _ingest(store, by_hand, count)
        bulk, single = await _look_up(store, beside, count, rounds)
        written, missed = await cursors.race(ground.store, store)
    finally:
        by_hand.close()
        beside.close()
        await store.close()
    return Figures(ground.engine, count, ingest, bulk, single, written, missed)


async def _ingest(store: Store, raw: Raw, count: int) -> Pair:
    """Only statements and their commits count by hand, and `Store.add`; rows and assertions are ready."""
    plain = spent = 0.0
    stored_at = rows.micros(datetime.now(UTC))
    for part in _parts(count):
        claims = [claim(number) for number in part]
        ready = [
            rows.encode(made, rows.key(made.indicator), number + 1, stored_at)
            for number, made in zip(part, claims, strict=True)
        ]
        begun = time.perf_counter()
        raw.insert(ready)
        between = time.perf_counter()
        await store.add(claims)
        plain, spent = plain + between - begun, spent + time.perf_counter() - between
    raw.gather()
    return Pair(count / plain, count / spent)


async def _look_up(store: Store, raw: Raw, count: int, rounds: int) -> tuple[Pair, Pair]:
    bulk: list[tuple[float, float]] = []
    single: list[tuple[float, float]] = []
    for number in range(rounds + 1):
        taken = await _bulk(raw, store, _asked(count, PART)), await _single(raw, store, _asked(count, SINGLE))
        if number:  # the first round warms the caches
            bulk.append(taken[0])
            single.append(taken[1])
    return _median(bulk, PART), _median(single, SINGLE)


def _median(seconds: Sequence[tuple[float, float]], values: int) -> Pair:
    plain, store = zip(*seconds, strict=True)
    return Pair(values / statistics.median(plain), values / statistics.median(store))


async def _bulk(raw: Raw, store: Store, asked: Sequence[Indicator]) -> tuple[float, float]:
    keys = [rows.key(each) for each in asked]
    begun = time.perf_counter()
    raw.find(keys)
    between = time.perf_counter()
    await store.lookup(asked)
    return between - begun, time.perf_counter() - between


async def _single(raw: Raw, store: Store, asked: Sequence[Indicator]) -> tuple[float, float]:
    keys = [rows.key(each) for each in asked]
    with Coalesced(raw) as plain:
        begun = time.perf_counter()
        await _at_once(plain.find, keys)
        between = time.perf_counter()
        await _at_once(lambda each: store.lookup([each]), asked)
    return between - begun, time.perf_counter() - between


async def _at_once(find: Callable[[T], Awaitable[object]], asked: Sequence[T]) -> None:
    """AT_ONCE callers, each with one value after the other."""
    rest = iter(asked)

    async def caller() -> None:
        for each in rest:
            await find(each)

    await asyncio.gather(*(caller() for _ in range(AT_ONCE)))


def _asked(count: int, values: int) -> list[Indicator]:
    """Values of which half are stored."""
    return [indicator(random.randrange(2 * count)) for _ in range(values)]  # noqa: S311 (no secret)


def _parts(count: int) -> Iterator[range]:
    for start in range(0, count, PART):
        yield range(start, min(start + PART, count))
