"""Stores to test: each backend opens its places as often as a test likes.

To open a store on a real PostgreSQL in a test of your own, take the fixture `postgres`: the address of an
empty database that belongs to the test alone and is gone afterwards (`tests/postgres/fixtures.py`; the whole
suite knows it).

    async def test_something(postgres: str) -> None:
        store = await open_store(postgres)
        ...
        await store.close()

Opening makes the tables. A second `open_store(postgres)` is a second replica on the same store. Subprocesses
open the same address; it holds its password, so hand it over in the environment.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import psycopg
import pytest

from bot.store import open_store
from bot.store.postgres import PostgresEngine
from bot.store.postgres_address import Address, read
from bot.store.sql_store import SqlStore
from bot.store.sqlite import SqliteStore
from tests.store.contract import Backend, now

_TABLES = """SELECT string_agg(quote_ident(tablename), ', ') FROM pg_tables
WHERE schemaname = 'public' AND tablename <> 'liaison_migration'"""


class SqliteBackend:
    """Every place is a file in one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._opened: list[SqlStore] = []

    async def open(self, place: str = "store", clock: Callable[[], datetime] = now) -> SqlStore:
        """A store on that place, with what was stored there before."""
        store = SqliteStore(self._folder / f"{place}.db", clock)
        await store.open()
        self._opened.append(store)
        return store

    async def close(self) -> None:
        """Close whatever a test left open."""
        for store in self._opened:
            await store.close()


class PostgresBackend:
    """Every place is a schema in one database."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._places: dict[str, str] = {}
        self._opened: list[SqlStore] = []

    async def open(self, place: str = "store", clock: Callable[[], datetime] = now) -> SqlStore:
        """A store on that place, with what was stored there before."""
        store = SqlStore(PostgresEngine(at_schema(self._url, place)), clock)
        await store.open()
        self._opened.append(store)
        return store

    async def close(self) -> None:
        """Close whatever a test left open."""
        for store in self._opened:
            await store.close()


def at_schema(url: str, place: str) -> Address:
    """The address of a store in a schema of its own."""
    name = f"place_{place}"
    with psycopg.connect(url, autocommit=True) as session:
        session.execute(f"CREATE SCHEMA IF NOT EXISTS {name}".encode())
    address = read(url, {})
    options = f"{address.parameters['options']} -c search_path={name}"
    return replace(address, parameters={**address.parameters, "options": options})


@pytest.fixture
def emptied(postgres: str) -> Iterator[Callable[[], str]]:
    """Gives the address of a store in PostgreSQL, emptied each time."""
    asyncio.run(_make(postgres))
    with psycopg.connect(postgres, autocommit=True) as session:
        [(tables,)] = session.execute(_TABLES)
        clear = f"TRUNCATE {tables} RESTART IDENTITY; INSERT INTO clock (id, head) VALUES (1, 0)"  # noqa: S608 (names)

        def empty() -> str:
            session.execute(clear.encode())
            return postgres

        yield empty


async def _make(url: str) -> None:
    await (await open_store(url)).close()


@pytest.fixture(params=["sqlite", "postgres"])
async def backend(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Backend]:
    """Where a store under test lives; another backend is one more parameter."""
    backend: Backend
    if request.param == "sqlite":
        backend = SqliteBackend(tmp_path)
    else:
        backend = PostgresBackend(request.getfixturevalue("postgres"))
    yield backend
    await backend.close()
