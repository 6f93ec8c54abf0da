"""Writers and readers that never stop, and an account of what was acknowledged: for stores that break."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import pairwise

from bot.budgets import Allowance
from bot.errors import UnavailableError
from bot.services import Store
from tests.store.contract import T0, claim, digest, everything

KNOWN = 100  # claims that are there before, and looked up all the time
_BREATH = 0.003  # seconds between two calls of one writer or reader
_AGAIN = 0.1  # seconds until a refused call is made again
_BUDGET = (Allowance("load", 10_000_000, timedelta(days=1)),)

Call = Callable[[int], Awaitable[object]]


@dataclass
class Account:
    """What became of the calls of one kind: how many were acknowledged when, and what was said instead."""

    done: list[float] = field(default_factory=list)  # moments of time.monotonic()
    numbers: list[int] = field(default_factory=list)  # of the calls that were acknowledged
    refused: Counter[str] = field(default_factory=Counter)

    def longest_pause(self, since: float) -> float:
        """Seconds between two acknowledgements, also that which has not ended yet."""
        moments = [since, *(moment for moment in self.done if moment >= since), time.monotonic()]
        return max(after - before for before, after in pairwise(moments))

    def resumed(self, since: float) -> float | None:
        """Seconds until the first acknowledgement; None if there was none."""
        return next((moment - since for moment in self.done if moment >= since), None)


class Load:
    """All kinds of calls upon one store, some of each at a time. Numbers tell them apart for ever."""

    def __init__(self, store: Store, start: int = KNOWN) -> None:
        self._store = store
        self._next = start
        self.lookups, self.writes = Account(), Account()
        self.claims, self.spends, self.marks = Account(), Account(), Account()
        self.oldest = 0.0  # seconds; how old an answer said it may be

    async def prepare(self) -> None:
        """Store what readers look for."""
        await self._store.add([claim(number) for number in range(KNOWN)])

    async def read(self) -> None:
        """Look up what is there, without end."""
        await self._repeat(self.lookups, self._look_up)

    async def write(self) -> None:
        """Add claims, without end."""
        await self._repeat(self.writes, lambda number: self._store.add([claim(number)]))

    async def claim(self) -> None:
        """Claim keys, without end."""
        await self._repeat(self.claims, self._claim)

    async def spend(self) -> None:
        """Spend of a budget, without end."""
        await self._repeat(self.spends, lambda _: self._store.spend(_BUDGET, at=T0))

    async def mark(self) -> None:
        """Set a mark that only grows, without end; to be done by one alone."""
        await self._repeat(self.marks, lambda number: self._store.set_mark("load", number))

    async def _look_up(self, number: int) -> None:
        found = await self._store.lookup([digest(number % KNOWN)], may_be_stale=True)
        self.oldest = max(self.oldest, self._store.read_lag().total_seconds())
        assert found, f"{number % KNOWN} is lost"

    async def _claim(self, number: int) -> None:
        assert await self._store.claim(f"load {number}", seconds=3600), f"{number} was claimed by nobody else"

    async def _repeat(self, account: Account, call: Call) -> None:
        while True:
            self._next = number = self._next + 1
            try:
                await call(number)
            except UnavailableError as error:
                account.refused[str(error)] += 1
                await asyncio.sleep(_AGAIN)
            else:
                account.done.append(time.monotonic())
                account.numbers.append(number)
                await asyncio.sleep(_BREATH)

    async def lost(self, store: Store) -> Sequence[str]:
        """What was acknowledged until now and does not stand in a store."""
        added, claimed = list(self.writes.numbers), list(self.claims.numbers)
        spends, marked = len(self.spends.numbers), max(self.marks.numbers, default=0)
        there = {row.indicator for row in await everything(store)}
        gone = [f"claim {number}" for number in added if digest(number) not in there]
        gone += [f"key {number}" for number in claimed if await store.claim(f"load {number}", seconds=1)]
        [spent] = await store.spent(_BUDGET, at=T0)
        gone += [f"{spends - spent} of what was spent"] if spent < spends else []
        gone += ["the mark"] if await store.mark("load") < marked else []
        return gone

    @property
    def acknowledged(self) -> int:
        """How many writes of all kinds were."""
        return sum(len(one.numbers) for one in (self.writes, self.claims, self.spends, self.marks))

    @property
    def refused(self) -> Counter[str]:
        """What was said instead of an answer, to all of them."""
        accounts = (self.lookups, self.writes, self.claims, self.spends, self.marks)
        return sum((one.refused for one in accounts), start=Counter[str]())


@asynccontextmanager
async def under_load(store: Store, start: int = KNOWN) -> AsyncIterator[Load]:
    """Keep calling a store while the block runs; an answer that is wrong raises at its end."""
    load = Load(store, start)
    await load.prepare()
    kinds = [load.read, load.read, load.read, load.write, load.write, load.claim, load.spend, load.mark]
    async with AsyncExitStack() as stack:
        tasks = [asyncio.create_task(kind()) for kind in kinds]
        stack.push_async_callback(_end, tasks)
        yield load


async def _end(tasks: Sequence["asyncio.Task[None]"]) -> None:
    for task in tasks:
        task.cancel()
    ends = await asyncio.gather(*tasks, return_exceptions=True)
    for end in ends:
        if isinstance(end, BaseException) and not isinstance(end, asyncio.CancelledError):
            raise end
