"""A connection that breaks in the middle of a call, whichever: done and said so, or not done and said so."""

import asyncio
import inspect
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import sql

from bot.errors import UnavailableError
from bot.services import Store, Tally
from bot.store import open_store
from bot.store.threads import UNKNOWN
from bot.turns import Turn
from tests.postgres.calls import READS, WRITES, prepare
from tests.postgres.fixtures import address
from tests.postgres.shared import ROLE
from tests.postgres.weak_link import Cut, WeakLink
from tests.store.contract import T0
from tests.store.contract_replicas import LANE

_NOT_CALLS = {
    "close",
    "open",
    "read_lag",
    "takes_writes",
    "count_asked",
}  # the last one waits for nothing and may be forgotten

# These are done again where their end was confirmed to nobody, which changes nothing: they find it done.
_DONE_BEFORE: Mapping[str, object] = {
    "add": Tally(unchanged=50),
    "begin_delivery": None,
    "forget_changes": 0,
    "lease_deliveries": [],  # whoever has it does not know, and nobody gets it before that lease is over
    "take_turn": Turn(is_given=False, seconds=LANE.channel_seconds),  # the first turn is lost
}
# Of these, one too many may be counted, which is on the safe side: a budget is never overspent.
_COUNTED_TWICE = {"spend", "remark", "take_turn"}
_GIVEN = """SELECT column_name FROM information_schema.columns
WHERE table_name = %s AND (is_identity = 'YES' OR (table_name, column_name) = ('post_item', 'post'))"""


def _clock() -> datetime:
    return T0


@dataclass
class Place:
    """A store behind a weak link."""

    link: WeakLink
    store: Store


@asynccontextmanager
async def _behind_link(url: str) -> AsyncIterator[Place]:
    link, parts = WeakLink(), urlsplit(url)
    assert parts.port
    await link.open(parts.port)
    store = await open_store(url.replace(f":{parts.port}/", f":{link.port}/"), _clock)
    link.arm()
    try:
        yield Place(link, store)
    finally:
        await store.close()
        await link.close()


@pytest.fixture(scope="module")
def prepared(postgres_cluster: psycopg.Connection) -> Iterator[str]:
    """The name of a database that holds something of everything."""
    name = f"prepared_{secrets.token_hex(6)}"
    postgres_cluster.execute(f"CREATE DATABASE {name} OWNER {ROLE} TEMPLATE template0")

    async def fill() -> None:
        store = await open_store(address(postgres_cluster, name), _clock)
        await prepare(store)
        await store.close()

    asyncio.run(fill())
    yield name
    postgres_cluster.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def copies(postgres_cluster: psycopg.Connection, prepared: str) -> Iterator[Callable[[], str]]:
    """Makes copies of that database; gives their addresses."""
    names = (f"{prepared}_{number}" for number in count())
    made: list[str] = []

    def copy() -> str:
        made.append(next(names))
        postgres_cluster.execute(
            f"CREATE DATABASE {made[-1]} OWNER {ROLE} TEMPLATE {prepared} STRATEGY file_copy"
        )
        return address(postgres_cluster, made[-1])

    yield copy
    for name in made:
        postgres_cluster.execute(f"DROP DATABASE {name} WITH (FORCE)")


def _stored(url: str) -> Mapping[str, list[str]]:
    """All rows of all tables."""
    with psycopg.connect(url) as session:
        tables = session.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        return {name: _rows(session, name) for (name,) in sorted(tables)}


def _rows(session: psycopg.Connection, table: str) -> list[str]:
    """Without numbers that PostgreSQL gives: those of what was undone are not given again."""
    given = session.execute(_GIVEN, [table]).fetchall()
    query = sql.SQL("SELECT (to_jsonb(t) - %s::text[])::text FROM {} t ORDER BY 1").format(
        sql.Identifier(table)
    )
    return [row for (row,) in session.execute(query, [[name for (name,) in given]])]


def test_every_call_of_a_store_is_here() -> None:
    calls = {name for name, one in inspect.getmembers(Store, inspect.isfunction) if not name.startswith("_")}

    assert {*WRITES, *READS} == calls - _NOT_CALLS


async def test_a_read_is_answered_on_another_connection(copies: Callable[[], str]) -> None:
    async with _behind_link(copies()) as place:
        for name, read in READS.items():
            place.link.arm()
            expected = await read(place.store)
            for message in range(1, place.link.messages + 1):
                for cut in Cut:
                    place.link.arm(message, cut)

                    assert await read(place.store) == expected, (name, message, cut)


@pytest.mark.parametrize("name", WRITES)
async def test_what_a_write_says_is_true(copies: Callable[[], str], name: str) -> None:
    # given what it does and says when nothing breaks
    url = copies()
    before = _stored(url)
    async with _behind_link(url) as place:
        expected, messages = await WRITES[name](place.store), place.link.messages
    after = _stored(url)

    async def broken(message: int) -> tuple[object, bool, bool]:
        url = copies()
        async with _behind_link(url) as place:
            place.link.arm(message, Cut.AFTER)  # nobody can tell it from BEFORE, but the server
            said = await _said(WRITES[name](place.store))
        stored = _stored(url)
        return said, stored == before, stored == after

    # when the link breaks at its beginning, in the middle or at its end
    moments = sorted({1, messages // 2, max(messages - 1, 1), messages} - {0})
    ends = await asyncio.gather(*(broken(message) for message in moments))

    # then it says what it says otherwise and has done so, or that nobody knows
    for moment, (said, is_before, is_after) in zip(moments, ends, strict=True):
        if said == UNKNOWN:
            assert is_before or is_after, moment
        else:
            assert said in (expected, _DONE_BEFORE.get(name, expected)), moment
            assert is_after or name in _COUNTED_TWICE, moment


async def _said(call: Awaitable[object]) -> object:
    try:
        return await call
    except UnavailableError as error:
        return str(error)
