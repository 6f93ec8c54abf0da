"""Merging on PostgreSQL: rows are read and brought close by COPY, and only then the clock is held.

Several replicas may work out what becomes of their imports at the same time. Whoever holds the clock sees
by the number of the merge that wrote a row last whether others changed what was read meanwhile.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import Any, Protocol

from bot.store import rows
from bot.store.engine import Clock, Cursor, Parameters
from bot.store.files import FileId
from bot.store.postgres_dialect import POSTGRESQL

_MAKE = """CREATE TEMPORARY TABLE IF NOT EXISTS incoming (seq BIGINT, key BYTEA, source TEXT, kind TEXT,
family TEXT, file TEXT, stored_at BIGINT, body TEXT) ON COMMIT DELETE ROWS"""
_COPY = f"COPY pg_temp.incoming ({rows.COLUMNS}) FROM STDIN (FORMAT BINARY)"
_EMPTY = "DELETE FROM pg_temp.incoming"
_LOOK = "SELECT head, merges FROM clock"
_HOLD = "SELECT head, merges FROM clock FOR UPDATE"
_FINISH = "UPDATE clock SET head = ?, merges = ?"
_NEW = f"""INSERT INTO assertion ({rows.COLUMNS}, touched)
SELECT seq + :shift, key, source, kind, family, file, stored_at, body, CAST(:merge AS BIGINT)
FROM pg_temp.incoming WHERE seq > :above"""  # noqa: S608 (constants)
_CHANGED = f"""INSERT INTO assertion ({rows.COLUMNS}, touched)
SELECT {rows.COLUMNS}, CAST(:merge AS BIGINT) FROM pg_temp.incoming WHERE seq <= :above
ON CONFLICT (seq) DO UPDATE SET family = excluded.family, file = excluded.file, body = excluded.body,
  touched = excluded.touched"""  # noqa: S608 (constants)
_RENAME = (
    "UPDATE assertion SET file = :new, touched = :merge WHERE source = :source AND file = :old",
    "UPDATE file_alias SET file = :new, touched = :merge WHERE source = :source AND file = :old",
    "INSERT INTO file_alias (source, alias, file, touched) VALUES (:source, :old, :new, :merge)",
)


class Copying(Protocol):
    """What merging needs of a connection."""

    def execute(self, sql: str, parameters: Parameters = ..., /) -> Cursor:
        """Do one statement."""

    def copy(self, statement: str, types: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """Bring rows in by COPY."""

    def begin_merge(self) -> None:
        """Begin a transaction that has no lock yet."""


class PostgresMerge:
    """`engine.Merge` where others may merge until the clock is held."""

    def __init__(self, connection: Copying) -> None:
        self._connection = connection
        self._is_made = self._is_filled = False
        self._number = 0  # of the merge that holds the clock

    def begin(self) -> Clock:
        """Begin to read; the stage is made outside of transactions, so that none undoes it."""
        if not self._is_made:
            self._connection.execute(_MAKE)
            self._is_made = True
        self._is_filled = False
        self._connection.begin_merge()
        [head, merges] = self._connection.execute(_LOOK).fetchall()[0]
        return Clock(head, merges)

    def stage(self, new: Iterable[Sequence[Any]]) -> None:
        """Bring rows to the server."""
        if self._is_filled:
            self._connection.execute(_EMPTY)
        self._connection.copy(_COPY, rows.TYPES, new)
        self._is_filled = True

    def hold(self) -> Clock:
        """Wait for the clock."""
        [head, merges] = self._connection.execute(_HOLD).fetchall()[0]
        self._number = merges + 1
        return Clock(head, merges)

    def is_outdated(self, since: Clock, keys: Collection[bytes], files: Collection[FileId]) -> bool:
        """Whether a merge since then touched one of these keys or files."""
        if self._number == since.merges + 1:
            return False
        by_key = (
            (_TOUCHED.format(among=among), parameters) for among, parameters in POSTGRESQL.sets(keys, "bytea")
        )
        by_file = (
            (statement.format(part=part), parameters)
            for part, parameters in POSTGRESQL.parts(files, ("text", "text"))
            for statement in (_JOINED, _ALIASED)
        )
        return any(
            self._connection.execute(statement, [*parameters, since.merges]).fetchone()
            for statements in (by_key, by_file)
            for statement, parameters in statements
        )

    def rename(self, joined: Iterable[tuple[str, str, str]]) -> None:
        """Let files go by other ids."""
        for source, file, into in joined:
            change = {"source": source, "old": file, "new": into, "merge": self._number}
            for statement in _RENAME:
                self._connection.execute(statement, change)

    def put(self, seen: Clock, held: Clock) -> None:
        """Merge what is staged; new rows go in without a look for conflicts, a third faster."""
        staged = {"above": seen.head, "shift": held.head - seen.head, "merge": self._number}
        self._connection.execute(_NEW, staged)
        self._connection.execute(_CHANGED, staged)

    def finish(self, head: int) -> None:
        """Set the clock."""
        self._connection.execute(_FINISH, (head, self._number))


_TOUCHED = "SELECT 1 FROM assertion WHERE key {among} AND touched > ? LIMIT 1"
_JOINED = """SELECT 1 FROM {part} CROSS JOIN assertion
WHERE source = part.column1 AND file = part.column2 AND touched > ? LIMIT 1"""
_ALIASED = """SELECT 1 FROM {part} CROSS JOIN file_alias
WHERE source = part.column1 AND alias = part.column2 AND touched > ? LIMIT 1"""
