"""Processes to be killed: started by a line on standard input, each says when it has stored a batch.

One process imports everything once and forks a victim for each round, so that a round takes no second.
"""

import asyncio
import os
import sys
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from bot.assertions import Assertion
from bot.budgets import Allowance, Calendar
from bot.deliveries import State
from bot.indicators import Kind
from bot.store.postgres import PostgresEngine
from bot.store.postgres_address import read
from bot.store.sql_store import SqlStore
from bot.store.sqlite import SqliteStore
from bot.tlp import Label
from tests.store.contract import T0, claim, digest
from tests.store.contract_deliveries import stepped
from tests.store.contract_findings import LATER, found
from tests.store.contract_ledger import post
from tests.store.contract_subscriptions import MINUTE, daily

BATCHES = 30
SPENT = 20  # of each budget in a batch
BUDGETS = (Allowance("rolling", 10_000, timedelta(minutes=1)), Allowance("day", 10_000, Calendar.DAY))
_LOOKUPS = 100


def batch(number: int) -> list[Assertion]:
    """Assertions that are partly new, partly repeated with other facts, in files that get joined."""
    start = number * 20
    new = [
        claim(digest(n, kind), file=f"file {n // 3}", label=Label(n % 5))
        for n in range(start, start + 20)
        for kind in (Kind.MD5, Kind.SHA256)
    ]
    old = [claim(n, label=Label.RED, tags=(str(number),), file=f"file {n % 7}") for n in range(0, start, 9)]
    return [*new, *old]


async def opened(place: str) -> SqlStore:
    """A store in that file, or at that address of PostgreSQL."""
    store = SqlStore(PostgresEngine(read(place, {}))) if "://" in place else SqliteStore(Path(place))
    await store.open()
    return store


async def _import(place: str) -> None:
    store = await opened(place)
    for number in range(BATCHES):
        await store.add(batch(number))
        _say(f"stored {number}")


async def _import_and_look_up(place: str) -> None:
    store = await opened(place)
    for number in range(BATCHES):
        *found, _ = await asyncio.gather(
            *(store.lookup([digest(n)]) for n in range(_LOOKUPS)), store.add(batch(number))
        )
        if number and not all(found[:20]):
            _say("lost")
        _say(f"stored {number}")


async def _spend(place: str) -> None:
    store = await opened(place)
    for number in range(BATCHES):
        await asyncio.gather(
            *(store.spend(BUDGETS, at=T0) for _ in range(SPENT)),
            store.keep_findings("host", [found(number)], until=LATER),
        )
        _say(f"stored {number}")


async def _deliver(place: str) -> None:
    store = await opened(place)
    await store.subscribe(daily(), next_at=T0)
    for number in range(BATCHES):
        await store.add([claim(number + 1), claim(number, revoked=True)])
        [due] = await store.subscriptions()
        await store.begin_delivery(due, period=str(number), next_at=due.next_at + MINUTE)
        [delivery] = await store.lease_deliveries("victim", at=T0, seconds=60, most=1)
        await store.record_post(post(number, number))
        await store.put_delivery(stepped(delivery, State.DONE), owner="victim")
        await store.set_mark("done", number + 1)
        _say(f"stored {number}")


def _say(words: str) -> None:
    os.write(1, f"{words}\n".encode())


def _serve(orders: Sequence[str]) -> None:
    kind, place = orders
    _say(f"pid {os.getpid()}")
    work = {"import": _import, "both": _import_and_look_up, "spend": _spend, "deliver": _deliver}[kind]
    asyncio.run(work(place))
    os._exit(0)


if __name__ == "__main__":
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            _serve(line.strip().split(maxsplit=1))
        os.waitpid(child, 0)
        _say("over")
