"""One SQLite connection as the store wants it, its transactions, and SQLite's errors in our words."""

import os
import sqlite3
import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from itertools import chain, islice
from pathlib import Path
from typing import Any

from bot.errors import BotError, ConfigError, InputError, UnavailableError
from bot.store import rows
from bot.store.engine import PART, Clock, Dialect, Merge, Types
from bot.store.files import FileId

BUSY_SECONDS = 10.0  # how long to wait for another process that writes
POLL_SECONDS = 0.001
GAP_SECONDS = 0.003  # left after a large transaction, so that another process gets its turn
WAL_LIMIT = 64 * 1024 * 1024  # bytes; beyond it the log is emptied by force
LARGE = 1_000  # rows that keep other processes waiting
WIDTHS = (1, 8, 64, 500, PART)  # rows of parts; few, so that each statement stays prepared

_SETTINGS = (
    "PRAGMA journal_mode = wal",
    "PRAGMA synchronous = normal",  # a killed process loses nothing; a power cut may lose the last commits
    "PRAGMA cache_size = -65536",  # KiB; two connections make the 128 MB we allow ourselves
    "PRAGMA temp_store = memory",
    "PRAGMA wal_autocheckpoint = 4000",  # pages; 16 MB between checkpoints
    "PRAGMA trusted_schema = off",  # the file may come from elsewhere
)

_NOT_WRITABLE = "The store cannot be written: make its file and folder writable for Liaison."
_FULL = "The disk of the store is full; nothing of this was stored. Free some space, then try again."
_DAMAGED = "The store's file is damaged: restore it from a backup, or name another --store."
_BUSY = "The store is busy with another program; try again in a minute."


class _Dialect(Dialect):
    """How SQLite says it."""

    name = "SQLite"

    def parts(self, values: Iterable[Sequence[Any]], types: Types) -> Iterator[tuple[str, list[Any]]]:
        """Portions padded with NULL to one of a few widths."""
        source, columns = iter(values), len(types)
        while portion := list(islice(source, PART)):
            width = _width(len(portion))
            padding = [None] * (columns * (width - len(portion)))
            yield table(width, columns), [*chain.from_iterable(portion), *padding]

    def sets(self, values: Iterable[Any], type_: str) -> Iterator[tuple[str, list[Any]]]:
        """Likewise."""
        source = iter(values)
        while portion := list(islice(source, PART)):
            width = _width(len(portion))
            yield among(width), [*portion, *[None] * (width - len(portion))]

    def listed(self, columns: str) -> str:
        return f"json_group_array(json_array({columns}))"

    def joined(self, text: str, between: str) -> str:
        return f"group_concat({text}, '{between}')"

    def quoted(self, column: str) -> str:
        return f"json_quote({column})"

    def rest(self, column: str) -> str:
        return f"substr({column}, 2)"

    def hexed(self, column: str) -> str:
        return f"hex({column})"


SQLITE = _Dialect()


@cache
def table(width: int, columns: int) -> str:
    """A relation of so many rows."""
    row = f"({','.join('?' * columns)})"
    return f"(VALUES {','.join([row] * width)}) AS part"


@cache
def among(width: int) -> str:
    """What follows a column that is one of so many values."""
    return f"IN ({','.join('?' * width)})"


def _width(count: int) -> int:
    return next(width for width in WIDTHS if width >= count)


class SqliteConnection(sqlite3.Connection):
    """`engine.Connection` on SQLite; make it with `connect`."""

    log: Path
    log_limit: int

    @property
    def dialect(self) -> Dialect:
        return SQLITE

    @property
    def merge(self) -> Merge:
        return _Merge(self)

    def begin(self, subject: str) -> None:
        """Wait for the right to write, looking often: SQLite's own waiting naps 0.1 s and misses its turn."""
        until = time.monotonic() + BUSY_SECONDS
        while True:
            try:
                self.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                    raise
                time.sleep(POLL_SECONDS)
            else:
                return

    def begin_reading(self) -> None:
        self.execute("BEGIN")

    def wrote(self, count: int) -> None:
        """Keep the log small, and leave other processes their turn."""
        size = self.log.stat().st_size if self.log.exists() else 0
        if size > self.log_limit:
            emptied = empty_log(self)
            self.log_limit = WAL_LIMIT if emptied else size + WAL_LIMIT  # else do not try again at once
        if count >= LARGE:
            time.sleep(GAP_SECONDS)


class _Merge:
    """Merging where whoever begins to write is alone from the start."""

    def __init__(self, connection: SqliteConnection) -> None:
        self._connection = connection
        self._staged: list[Sequence[Any]] = []

    def begin(self) -> Clock:
        self._connection.begin("assertion")
        return self.hold()

    def stage(self, rows: Iterable[Sequence[Any]]) -> None:
        self._staged = list(rows)

    def hold(self) -> Clock:
        [head] = self._connection.execute("SELECT head FROM clock").fetchone()
        return Clock(head)

    def is_outdated(self, since: Clock, keys: Collection[bytes], files: Collection[FileId]) -> bool:
        return False

    def rename(self, joined: Iterable[tuple[str, str, str]]) -> None:
        for source, file, into in joined:
            change = {"source": source, "old": file, "new": into}
            for statement in _RENAME:
                self._connection.execute(statement, change)

    def put(self, seen: Clock, held: Clock) -> None:
        for part, parameters in SQLITE.parts(self._staged, rows.TYPES):
            self._connection.execute(_put(part), parameters)

    def finish(self, head: int) -> None:
        self._connection.execute("UPDATE clock SET head = ?", (head,))


_RENAME = (
    "UPDATE assertion SET file = :new WHERE source = :source AND file = :old",
    "UPDATE file_alias SET file = :new WHERE source = :source AND file = :old",
    "INSERT INTO file_alias (source, alias, file) VALUES (:source, :old, :new)",
)


@cache
def _put(part: str) -> str:
    """The statement that inserts rows, or overwrites the body of those whose number exists."""
    return (
        f"INSERT INTO assertion ({rows.COLUMNS}) SELECT * FROM {part} WHERE column1 IS NOT NULL"  # noqa: S608 (marks)
        " ON CONFLICT (seq) DO UPDATE SET family = excluded.family, file = excluded.file,"
        " body = excluded.body"
    )


def connect(path: Path) -> SqliteConnection:
    """Open a database, making it readable for its owner only if it does not exist. For one thread."""
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, factory=SqliteConnection)
    connection.log, connection.log_limit = path.with_name(path.name + "-wal"), WAL_LIMIT
    try:
        for setting in _SETTINGS:
            connection.execute(setting)
    except BaseException:
        connection.close()
        raise
    return connection


def never_wait(connection: sqlite3.Connection) -> None:
    """Leave the waiting of a connection that writes to `writing`."""
    connection.execute("PRAGMA busy_timeout = 0")


def empty_log(connection: sqlite3.Connection) -> bool:
    """Write the log into the database and start it anew; False if others were in the way.

    SQLite does so by itself, unless a second process writes: then its log grew to 3 GB in 16 s.
    """
    [busy, _, _] = connection.execute("PRAGMA wal_checkpoint(truncate)").fetchone()
    return not busy


@contextmanager
def in_our_words() -> Iterator[None]:
    """Turn errors of SQLite, of the file system and of encoding into ours."""
    try:
        yield
    except UnicodeEncodeError as error:
        raise InputError("a text holds half a surrogate pair, which cannot be stored") from error
    except (sqlite3.Error, OSError) as error:
        raise _translated(error) from error


def _translated(error: sqlite3.Error | OSError) -> BotError:
    if isinstance(error, OSError):
        return ConfigError(
            [f"The store cannot be opened ({error.strerror}): name another file with --store."]
        )
    match getattr(error, "sqlite_errorcode", 0) & 0xFF:  # the low byte; the rest is detail
        case sqlite3.SQLITE_FULL | sqlite3.SQLITE_IOERR:
            return UnavailableError(_FULL)
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_PERM:
            return ConfigError([_NOT_WRITABLE])
        case sqlite3.SQLITE_CORRUPT:
            return ConfigError([_DAMAGED])
        case sqlite3.SQLITE_NOTADB:
            return ConfigError(["That file is not a database: name another one with --store."])
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return UnavailableError(_BUSY)
    return UnavailableError("The store does not answer; the operator finds the reason in the log.")
