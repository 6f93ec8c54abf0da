"""The same rows and queries as the store's, by hand: what its figures are held beside."""

import asyncio
import sqlite3
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Protocol, Self

from bot.store import rows

_INSERT = f"INSERT INTO assertion ({rows.COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608 (constant)
_SETTINGS = (  # those of the store
    "PRAGMA synchronous = normal",
    "PRAGMA cache_size = -65536",
    "PRAGMA wal_autocheckpoint = 4000",
)


class Raw(Protocol):
    """A plain connection to tables that a store made."""

    def insert(self, made: Sequence[rows.Row]) -> None:
        """Insert finished rows in the fastest way of the engine, in one transaction."""

    def find(self, keys: Sequence[bytes]) -> Sequence[Any]:
        """All rows of these keys, in as few queries as the engine allows."""

    def gather(self) -> None:
        """Bring statistics up to date."""

    def close(self) -> None:
        """End the connection."""


class RawSqlite:
    """`executemany`, and `IN` with as many parameters as there are keys."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        for setting in _SETTINGS:
            self._connection.execute(setting)

    def insert(self, made: Sequence[rows.Row]) -> None:
        """Insert finished rows."""
        self._connection.execute("BEGIN IMMEDIATE")
        self._connection.executemany(_INSERT, made)
        self._connection.execute("COMMIT")

    def find(self, keys: Sequence[bytes]) -> Sequence[Any]:
        """All rows of these keys."""
        query = f"SELECT {rows.COLUMNS} FROM assertion WHERE key IN ({','.join('?' * len(keys))})"  # noqa: S608 (marks)
        return self._connection.execute(query, keys).fetchall()

    def gather(self) -> None:
        """Bring statistics up to date."""
        self._connection.execute("PRAGMA optimize")

    def close(self) -> None:
        """End the connection."""
        self._connection.close()


class RawPostgres:
    """Binary COPY, and `= ANY` of one array."""

    def __init__(self, url: str) -> None:
        import psycopg  # noqa: PLC0415 - comes with liaison[postgres] only

        from bot.store import postgres_arrays  # noqa: PLC0415 - see above

        self._connection = psycopg.connect(url, autocommit=True)
        postgres_arrays.register(self._connection)
        self._array = postgres_arrays.Blobs  # psycopg's own arrays would take most of the time
        self._types = ("int8", "bytea", "text", "text", "text", "text", "int8", "text")

    def insert(self, made: Sequence[rows.Row]) -> None:
        """Insert finished rows."""
        copy = f"COPY assertion ({rows.COLUMNS}) FROM STDIN (FORMAT binary)"
        with self._connection.cursor().copy(copy) as into:
            into.set_types(self._types)
            for row in made:
                into.write_row(row)

    def find(self, keys: Sequence[bytes]) -> Sequence[Any]:
        """All rows of these keys."""
        query = f"SELECT {rows.COLUMNS} FROM assertion WHERE key = ANY(%s)"  # noqa: S608 (constants)
        return self._connection.execute(query, (self._array(keys),), prepare=True, binary=True).fetchall()

    def gather(self) -> None:
        """Bring statistics up to date."""
        self._connection.execute("ANALYZE")

    def close(self) -> None:
        """End the connection."""
        self._connection.close()


class Coalesced:
    """Questions of one key that come while a query is under way share the next one, in a thread."""

    def __init__(self, raw: Raw) -> None:
        self._raw = raw
        self._thread = ThreadPoolExecutor(1)
        self._waiting: list[tuple[bytes, asyncio.Future[list[Any]]]] = []
        self._running = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.shutdown()

    async def find(self, key: bytes) -> list[Any]:
        """All rows of that key."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[list[Any]] = loop.create_future()
        self._waiting.append((key, future))
        if not self._running:
            self._running = True
            loop.call_soon(self._ask)
        return await future

    def _ask(self) -> None:
        asked, self._waiting = self._waiting, []
        keys = [key for key, _ in asked]
        query = asyncio.get_running_loop().run_in_executor(self._thread, self._raw.find, keys)
        query.add_done_callback(lambda done: self._answer(asked, done.result()))

    def _answer(
        self, asked: Sequence[tuple[bytes, asyncio.Future[list[Any]]]], found: Sequence[Sequence[Any]]
    ) -> None:
        by_key: dict[bytes, list[Any]] = {}
        for row in found:
            by_key.setdefault(row[1], []).append(row)
        for key, future in asked:
            future.set_result(by_key.get(key, []))
        self._running = bool(self._waiting)
        if self._running:
            self._ask()
