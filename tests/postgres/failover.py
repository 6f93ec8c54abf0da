"""What becomes of a store when its primary breaks under load.

By hand, as often as wanted, with what it cost each time: `python -m tests.postgres.failover --rounds 20`.
"""

import argparse
import asyncio
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from datetime import timedelta

from bot.services import Store
from bot.store.postgres import PostgresEngine
from bot.store.postgres_address import read
from bot.store.sql_store import SqlStore
from tests.postgres.cluster import Ground
from tests.postgres.load import Load, under_load
from tests.postgres.pair import Pair

STALE = timedelta(seconds=60)
WARM_SECONDS = 1.0  # of load before and after
SOON = 30.0  # seconds within which writes must go on by themselves


@dataclass(frozen=True)
class Figures:
    """What a failover cost; seconds where nothing else is said."""

    acknowledged: int  # writes
    lost: list[str]  # of them
    pause: float  # the longest between two answers to lookups
    promoted: float  # from the crash to the promotion
    resumed: float  # from the promotion to the next write
    oldest: float  # how old answers said they may be, at the most
    refused: int  # calls


@asynccontextmanager
async def opened(url: str, stale: timedelta = STALE) -> AsyncIterator[SqlStore]:
    """A store at that address whose lookups may be so old."""
    store = SqlStore(PostgresEngine(read(url, {})), stale=stale)
    await store.open()
    try:
        yield store
    finally:
        await store.close()


async def crash_and_promote(pair: Pair, store: Store, load: Load, *, after: float) -> Figures:
    """Kill the primary, promote the standby so many seconds later, and see what it cost."""
    crashed = time.monotonic()
    await asyncio.to_thread(pair.primary.crash)
    await asyncio.sleep(after)
    await asyncio.to_thread(pair.promote)
    return await taken_stock(store, load, crashed)


async def taken_stock(store: Store, load: Load, crashed: float) -> Figures:
    """Wait until writes go on after a promotion that is just done, and count. Raises TimeoutError."""
    promoted = time.monotonic()
    async with asyncio.timeout(SOON):
        while (resumed := load.writes.resumed(promoted)) is None:  # noqa: ASYNC110 - load knows no events
            await asyncio.sleep(0.01)
    await asyncio.sleep(WARM_SECONDS)
    return Figures(
        acknowledged=load.acknowledged,
        lost=list(await load.lost(store)),
        pause=round(load.lookups.longest_pause(crashed), 3),
        promoted=round(promoted - crashed, 3),
        resumed=round(resumed, 3),
        oldest=round(load.oldest, 3),
        refused=load.refused.total(),
    )


async def _rounds(pair: Pair, rounds: int, dice: random.Random) -> None:
    start = 0
    for number in range(rounds):
        async with opened(pair.url) as store, under_load(store, start=start + 1_000_000) as load:
            start += 1_000_000
            await asyncio.sleep(WARM_SECONDS + dice.random())
            figures = await crash_and_promote(pair, store, load, after=dice.uniform(0, 8))
        await asyncio.to_thread(pair.rejoin)
        print(number + 1, asdict(figures), flush=True)
        assert not figures.lost


def main() -> None:
    """Crash and promote, in turns, without end or as often as wanted."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    wanted = parser.parse_args()
    with Ground() as ground:
        pair = Pair.start(ground)
        asyncio.run(_rounds(pair, wanted.rounds, random.Random(wanted.seed)))
        pair.stop()


if __name__ == "__main__":
    main()
