"""The store in one SQLite file."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path

from bot.store import schema
from bot.store.sql_store import SqlStore, now
from bot.store.sqlite_connection import SqliteConnection, connect, in_our_words, never_wait


class SqliteEngine:
    """`engine.Engine` of one file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def connect(self, role: str) -> SqliteConnection:
        """Open the file."""
        connection = connect(self._path)
        if role == "writer":
            _prepare(connection)
        return connection

    def in_our_words(self) -> AbstractContextManager[None]:
        """Turn errors of SQLite and of the file system into BotError."""
        return in_our_words()


def _prepare(connection: SqliteConnection) -> None:
    try:
        schema.migrate(connection)
        never_wait(connection)
    except BaseException:
        connection.close()
        raise


class SqliteStore(SqlStore):
    """`services.Store` on SQLite; make it with `open_store`. For one event loop."""

    def __init__(self, path: Path, clock: Callable[[], datetime] = now) -> None:
        super().__init__(SqliteEngine(path), clock)
