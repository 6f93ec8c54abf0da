"""A race: processes that write at once, and a reader at the head that must not miss one of their rows."""

import asyncio
import multiprocessing
from collections.abc import AsyncIterator, Sequence
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Barrier
from typing import Protocol

from bot.assertions import Assertion
from bot.bench.claims import claim
from bot.errors import UnavailableError
from bot.store import open_store

WRITERS = 4
BATCHES = 100  # of each writer
BATCH = 50  # rows
SECONDS = 300.0  # until it must be over

_FIRST = 10**9  # above the numbers of what benchmarks store otherwise


class Pages(Protocol):
    """The part of a store that is followed."""

    async def head(self) -> int:
        """The highest number given so far."""

    def everything(self, *, after: int) -> AsyncIterator[Sequence[Assertion]]:
        """Pages of what is numbered above `after`, in that order."""


async def race(url: str, store: Pages, batches: int = BATCHES) -> tuple[int, int]:
    """How many rows the writers stored, and how many of them the reader missed. Raises UnavailableError."""
    methods = multiprocessing.get_context("spawn")
    ready = methods.Barrier(WRITERS, timeout=SECONDS)
    writers = [
        methods.Process(target=_write, args=(url, number, batches, ready), daemon=True)
        for number in range(WRITERS)
    ]
    begun = await store.head()
    for writer in writers:
        writer.start()
    try:
        async with asyncio.timeout(SECONDS):
            seen = await _follow(store, begun, writers)
    except TimeoutError as error:
        raise UnavailableError("The writers of the benchmark did not end in time; try again.") from error
    finally:
        for writer in writers:
            writer.kill()
            writer.join()
    stored = await _numbers(store, begun, await store.head())
    if len(stored) != WRITERS * batches * BATCH:
        raise UnavailableError("The writers of the benchmark stored less than all; the figures mean nothing.")
    return len(stored), len(stored - seen)


async def _follow(store: Pages, cursor: int, writers: Sequence[BaseProcess]) -> set[int]:
    """Read up to the head again and again, and once more when all writers have ended."""
    seen: set[int] = set()
    writing = True
    while writing:
        writing = any(writer.is_alive() for writer in writers)
        head = await store.head()
        seen |= await _numbers(store, cursor, head)
        cursor = head
    return seen


async def _numbers(store: Pages, after: int, upto: int) -> set[int]:
    """The numbers of the rows in between."""
    found: set[int] = set()
    if after == upto:
        return found
    async for page in store.everything(after=after):
        found.update(row.seq for row in page if row.seq <= upto)
        if page[-1].seq >= upto:
            break
    return found


def _write(url: str, number: int, batches: int, ready: Barrier) -> None:
    async def main() -> None:
        store = await open_store(url)
        ready.wait()
        for batch in range(batches):
            start = _FIRST + (number * batches + batch) * BATCH
            await store.add([claim(each) for each in range(start, start + BATCH)])
        await store.close()

    asyncio.run(main())
