"""One PostgreSQL session as the store wants it, and what is known when it breaks."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from hashlib import sha256
from typing import Any

import psycopg
from psycopg.errors import DeadlockDetected, ReadOnlySqlTransaction, SerializationFailure
from psycopg.pq import TransactionStatus

from bot.store.engine import Dialect, LostError, Merge, Parameters
from bot.store.postgres_dialect import POSTGRESQL, translated
from bot.store.postgres_merge import PostgresMerge

BULK = 20_000  # rows after which PostgreSQL looks at them anew, so that it plans well
MOST_BULK = 2_000_000  # and then after twice as many, up to this

_READING = b"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
# A server that was primary answers like this; a deadlock is undone. Both may be tried again.
_UNDONE = (ReadOnlySqlTransaction, DeadlockDetected, SerializationFailure)


class PostgresConnection:
    """`engine.Connection` on PostgreSQL; every statement outside of a transaction is one of its own."""

    def __init__(self, session: psycopg.Connection[Any]) -> None:
        self._session = session
        self._written, self._bulk = 0, BULK
        self._merge = PostgresMerge(self)

    @property
    def dialect(self) -> Dialect:
        """How this engine says it."""
        return POSTGRESQL

    @property
    def merge(self) -> Merge:
        """Its way of merging."""
        return self._merge

    def execute(self, sql: str, parameters: Parameters = (), /) -> "psycopg.Cursor[Any]":
        """Do one statement."""
        with self._honest(self._is_idle()):
            return self._session.execute(translated(sql), parameters)

    def executemany(self, sql: str, rows: Iterable[Sequence[Any]], /) -> None:
        """Do it for each of the rows."""
        with self._honest(self._is_idle()):
            self._session.cursor().executemany(translated(sql), list(rows))

    def copy(self, statement: str, types: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """Bring rows in by COPY, within a transaction."""
        with self._honest(False), self._session.cursor().copy(translated(statement)) as copy:
            copy.set_types(types)
            for row in rows:
                copy.write_row(row)

    def begin(self, subject: str) -> None:
        """Begin a transaction that has the lock of its subject."""
        self._do(_begin(subject))

    def begin_merge(self) -> None:
        """Begin a transaction that has no lock yet."""
        self._do(b"BEGIN")

    def begin_reading(self) -> None:
        """Begin a transaction on one snapshot."""
        self._do(_READING)

    def commit(self) -> None:
        """Make it last; a connection that breaks now leaves us in doubt."""
        with self._honest(True):
            self._session.execute(b"COMMIT", prepare=False)

    def rollback(self) -> None:
        """Undo it; where the connection is gone the server does so."""
        if not self._is_idle():
            with suppress(psycopg.Error):
                self._session.execute(b"ROLLBACK", prepare=False)

    def wrote(self, count: int) -> None:
        """Have statistics made after much was written; without them all is only slower for a while."""
        self._written += count
        if self._written >= self._bulk:
            self._written = 0
            self._bulk = min(2 * self._bulk, MOST_BULK)  # looking takes long: it is rarer the more there is
            with suppress(psycopg.Error, LostError):
                self.execute("ANALYZE assertion")

    def close(self) -> None:
        """End the session."""
        self._session.close()

    def _do(self, statement: bytes) -> None:
        with self._honest(False):
            self._session.execute(statement, prepare=False)

    def _is_idle(self) -> bool:
        return self._session.pgconn.transaction_status == TransactionStatus.IDLE

    @contextmanager
    def _honest(self, commits: bool) -> Iterator[None]:
        """Tell a lost connection from a refused statement, and whether something may be committed."""
        try:
            yield
        except psycopg.Error as error:
            if self._session.closed or self._session.broken:
                raise LostError(in_doubt=commits) from error
            if isinstance(error, _UNDONE):
                raise LostError(in_doubt=False) from error
            raise


@cache
def _begin(subject: str) -> bytes:
    number = int.from_bytes(sha256(f"liaison {subject}".encode()).digest()[:8], signed=True)
    return f"BEGIN; SELECT pg_advisory_xact_lock({number})".encode()
