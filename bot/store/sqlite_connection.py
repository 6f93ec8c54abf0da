"""One SQLite connection as the store wants it, its transactions, and SQLite's errors in our words."""

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from bot.errors import BotError, ConfigError, InputError, UnavailableError

BUSY_SECONDS = 10.0  # how long to wait for another process that writes
POLL_SECONDS = 0.001
GAP_SECONDS = 0.003  # left after a large transaction, so that another process gets its turn
WAL_LIMIT = 64 * 1024 * 1024  # bytes; beyond it the log is emptied by force

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


def connect(path: Path) -> sqlite3.Connection:
    """Open a database, making it readable for its owner only if it does not exist. For one thread."""
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
    try:
        for setting in _SETTINGS:
            connection.execute(setting)
    except BaseException:
        connection.close()
        raise
    return connection


@contextmanager
def reading(connection: sqlite3.Connection) -> Iterator[None]:
    """A transaction in which several queries see the same moment."""
    connection.execute("BEGIN")
    try:
        yield
    finally:
        connection.execute("ROLLBACK")


@contextmanager
def writing(connection: sqlite3.Connection) -> Iterator[None]:
    """A transaction that owns the right to write from its start: all of it is committed, or nothing."""
    _begin(connection)
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _begin(connection: sqlite3.Connection) -> None:
    """Wait for the right to write, looking often: SQLite's own waiting naps 0.1 s and misses its turn."""
    until = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
            time.sleep(POLL_SECONDS)
        else:
            return


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
