"""What engines say of their tables: columns and keys, the numbers they give, how much room they take."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import itemgetter

from bot.errors import ConfigError, UnavailableError
from bot.store import postgres_schema
from bot.store.engine import Connection
from bot.store.schema import migrations

COPYING = "copying"  # stands in a store while it is filled from another one
LOCAL = {COPYING, migrations.migrations_table, postgres_schema.MIGRATIONS}  # tables about a store itself

Row = tuple[int | str | bytes | None, ...]
Column = tuple[str, str, int]  # name, type, place in the primary key or 0

_KINDS = {  # what engines call the three types of columns
    "text": "text",
    "blob": "bytea",
    "bytea": "bytea",
    "integer": "bigint",
    "bigint": "bigint",
}


@dataclass(frozen=True)
class Words:
    """The questions of this module in the words of one engine."""

    columns: str  # table, column, type, place in the primary key
    exists: str
    migrations: str  # the table that names those that were applied
    versions: str  # these names
    size: str  # bytes
    counters: str  # table, number
    raise_counter: Sequence[str]
    be_patient: Sequence[str] = ()  # with what reads or writes whole tables
    look_anew: Sequence[str] = ()  # at all tables, to plan queries well


_SQLITE = Words(
    columns="""SELECT t.name, c.name, lower(c.type), c.pk
FROM sqlite_master AS t, pragma_table_info(t.name) AS c
WHERE t.type = 'table' AND substr(t.name, 1, 7) <> 'sqlite_'""",
    exists="SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?",
    migrations=migrations.migrations_table,
    versions=f"SELECT name FROM {migrations.migrations_table}",  # noqa: S608 (a constant)
    size="SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()",
    counters="SELECT name, seq FROM sqlite_sequence",
    raise_counter=(
        """INSERT INTO sqlite_sequence (name, seq) SELECT name, 0 FROM sqlite_master
WHERE type = 'table' AND name = :table AND sql LIKE '%AUTOINCREMENT%'
  AND NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = :table)""",
        "UPDATE sqlite_sequence SET seq = max(seq, :number) WHERE name = :table",
    ),
)
_POSTGRESQL = Words(
    columns="""SELECT c.relname, a.attname, format_type(a.atttypid, NULL),
  coalesce(array_position(CAST(i.indkey AS SMALLINT[]), a.attnum) + 1, 0)
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_catalog.pg_index AS i ON i.indrelid = c.oid AND i.indisprimary
WHERE c.relnamespace = to_regnamespace(quote_ident(current_schema())) AND c.relkind IN ('r', 'p')""",
    exists="""SELECT 1 FROM pg_catalog.pg_class
WHERE relnamespace = to_regnamespace(quote_ident(current_schema())) AND relname = ?
  AND relkind IN ('r', 'p')""",
    migrations=postgres_schema.MIGRATIONS,
    versions=f"SELECT name FROM {postgres_schema.MIGRATIONS}",  # noqa: S608 (a constant)
    size="SELECT pg_database_size(current_database())",
    counters="""SELECT s.relname, coalesce(pg_sequence_last_value(s.name), 0)
FROM (SELECT c.relname, CAST(pg_get_serial_sequence(quote_ident(c.relname), a.attname) AS REGCLASS) AS name
  FROM pg_catalog.pg_class AS c
  JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attidentity <> ''
  WHERE c.relnamespace = to_regnamespace(quote_ident(current_schema()))) AS s""",
    raise_counter=(
        """SELECT setval(s.name, greatest(CAST(:number AS BIGINT), pg_sequence_last_value(s.name)))
FROM (SELECT CAST(pg_get_serial_sequence(quote_ident(:table), a.attname) AS REGCLASS) AS name
  FROM pg_catalog.pg_attribute AS a
  WHERE a.attrelid = to_regclass(quote_ident(:table)) AND a.attidentity <> '') AS s
WHERE CAST(:number AS BIGINT) > 0""",
    ),
    be_patient=("SET statement_timeout = '1h'", "SET idle_in_transaction_session_timeout = '1h'"),
    look_anew=("ANALYZE",),
)
_WORDS = {"SQLite": _SQLITE, "PostgreSQL": _POSTGRESQL}


@dataclass(frozen=True)
class Table:
    """One table; columns in the order of their names, since engines keep them in an order of their own."""

    name: str
    columns: tuple[str, ...]
    kinds: tuple[str, ...]  # of each column: text, bytea, bigint
    key: tuple[str, ...]

    @cached_property
    def key_of(self) -> Callable[[Row], Row]:
        """What takes the key out of a row."""
        places = [self.columns.index(column) for column in self.key]
        return itemgetter(slice(places[0], places[0] + 1)) if len(places) == 1 else itemgetter(*places)


def tables(connection: Connection) -> list[Table]:
    """Every table that holds something of the store's own, by name. Raises UnavailableError."""
    found: dict[str, list[Column]] = {}
    for name, *column in sorted(connection.execute(_words(connection).columns).fetchall()):
        if name not in LOCAL:
            found.setdefault(name, []).append((*column,))
    return [_table(name, columns) for name, columns in found.items()]


def versions(connection: Connection) -> set[str]:
    """The names of the migrations that made these tables; none for what is not a store."""
    words = _words(connection)
    if not _exists(connection, words.migrations):
        return set()
    return {name for (name,) in connection.execute(words.versions).fetchall()}


def size(connection: Connection) -> int:
    """How many bytes the whole database takes."""
    [number] = connection.execute(_words(connection).size).fetchone()
    return int(number)


def is_copying(connection: Connection) -> bool:
    """Whether a store is not filled to its end yet."""
    return _exists(connection, COPYING)


def refuse_copying(connection: Connection) -> None:
    """Raise ConfigError for a store that is not filled to its end yet."""
    if is_copying(connection):
        raise ConfigError(
            ["That store is the beginning of a copy: run the same `liaison store copy` again, to its end."]
        )


def counters(connection: Connection) -> dict[str, int]:
    """The highest number given so far, by the tables whose numbers are never given twice."""
    return dict(connection.execute(_words(connection).counters).fetchall())


def raise_counter(connection: Connection, table: str, number: int) -> None:
    """Let the next number that is given in that table, if any are, lie above this one and those given."""
    for statement in _words(connection).raise_counter:
        connection.execute(statement, {"table": table, "number": number})


def be_patient(connection: Connection) -> None:
    """Let statements and transactions of this session take an hour, for they read whole tables."""
    for statement in _words(connection).be_patient:
        connection.execute(statement)


def look_anew(connection: Connection) -> None:
    """Bring the statistics of all tables up to date."""
    for statement in _words(connection).look_anew:
        connection.execute(statement)


def _words(connection: Connection) -> Words:
    return _WORDS[connection.dialect.name]


def _exists(connection: Connection, table: str) -> bool:
    return connection.execute(_words(connection).exists, (table,)).fetchone() is not None


def _table(name: str, columns: Sequence[Column]) -> Table:
    key = sorted((place, column) for column, _, place in columns if place)
    if not key or not all(kind in _KINDS for _, kind, _ in columns):
        raise UnavailableError(f"The table {name} has no primary key, or columns of an unknown type.")
    return Table(
        name,
        columns=tuple(column for column, _, _ in columns),
        kinds=tuple(_KINDS[kind] for _, kind, _ in columns),
        key=tuple(column for _, column in key),
    )
