"""What a store holds, told alike for every engine: rows in pages, and digests of tables.

A digest of a table is the SHA-256 of its name and columns, and of its rows in the order of its key, all as
MessagePack, columns in the order of their names. Engines agree on it: all order text and bytes bytewise.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256

import msgspec

from bot.errors import UnavailableError
from bot.store.catalogue import Row, Table
from bot.store.engine import Connection

PAGE = 5_000  # rows in one page, if they are short
PAGE_LENGTH = 16_000_000  # characters and bytes in one page; only a longer row makes a longer one

Told = Callable[[int], None]  # is given the number of rows done so far

_encode = msgspec.msgpack.Encoder().encode


@dataclass(frozen=True)
class Content:
    """What is in a table: how many rows, and their digest in hexadecimal."""

    rows: int
    digest: str


def content(connection: Connection, table: Table, told: Told) -> Content:
    """The number of rows and their digest; memory does not grow with them. Raises UnavailableError."""
    hashed, number = sha256(_encode((table.name, table.columns))), 0
    for rows in pages(connection, table):
        hashed.update(b"".join(map(_encode, rows)))
        number += len(rows)
        told(number)
    return Content(number, hashed.hexdigest())


def pages(connection: Connection, table: Table, after: Row | None = None) -> Iterator[list[Row]]:
    """The rows of a table above a key, in order. Raises UnavailableError."""
    size = _page_size(connection, table)
    while found := page(connection, table, after, size):
        yield found
        after = table.key_of(found[-1])


def page(connection: Connection, table: Table, after: Row | None, size: int) -> list[Row]:
    """The next rows above a key, in order. Raises UnavailableError."""
    found: list[Row] = connection.execute(_page(table, after is None), (*(after or ()), size)).fetchall()
    keys = [table.key_of(row) for row in found]
    if keys != sorted(keys) or (keys and after is not None and keys[0] <= after):
        raise UnavailableError(
            f"The table {table.name} is not in bytewise order: it cannot be read in pages."
        )
    return found


def last_key(connection: Connection, table: Table) -> Row | None:
    """The highest key in a table."""
    found: Row | None = connection.execute(_last(table)).fetchone()
    return found


def count(connection: Connection, table: Table) -> int:
    """How many rows a table has."""
    [number] = connection.execute(_count(table)).fetchone()
    return int(number)


def put(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Insert rows, except those that something stands in the way of."""
    for part, parameters in connection.dialect.parts(rows, table.kinds):
        connection.execute(_put(table, part), parameters)


@cache
def clear(table: Table) -> str:
    """The statement that deletes all rows."""
    return f"DELETE FROM {_quoted(table.name)}"  # noqa: S608 (names)


def _page_size(connection: Connection, table: Table) -> int:
    [longest] = connection.execute(_longest(table)).fetchone()
    return max(1, min(PAGE, PAGE_LENGTH // max(1, longest or 0)))


@cache
def _put(table: Table, part: str) -> str:
    places = [f"column{place}" for place in range(1, len(table.columns) + 1)]
    key = places[table.columns.index(table.key[0])]
    return (
        f"INSERT INTO {_quoted(table.name)} ({_list(table.columns)}) SELECT {','.join(places)}"  # noqa: S608 (names)
        f" FROM {part} WHERE {key} IS NOT NULL ON CONFLICT DO NOTHING"
    )


@cache
def _page(table: Table, first: bool) -> str:
    marks = ",".join("?" * len(table.key))
    where = "" if first else f" WHERE ({_list(table.key)}) > ({marks})"
    return (
        f"SELECT {_list(table.columns)} FROM {_quoted(table.name)}{where}"  # noqa: S608 (names)
        f" ORDER BY {_list(table.key)} LIMIT ?"
    )


@cache
def _last(table: Table) -> str:
    order = ",".join(f"{_quoted(column)} DESC" for column in table.key)
    return f"SELECT {_list(table.key)} FROM {_quoted(table.name)} ORDER BY {order} LIMIT 1"  # noqa: S608 (names)


@cache
def _count(table: Table) -> str:
    return f"SELECT count(*) FROM {_quoted(table.name)}"  # noqa: S608 (names)


@cache
def _longest(table: Table) -> str:
    long = [column for column, kind in zip(table.columns, table.kinds, strict=True) if kind != "bigint"]
    lengths = " + ".join(f"coalesce(length({_quoted(column)}), 0)" for column in long) or "0"
    return f"SELECT max({lengths}) FROM {_quoted(table.name)}"  # noqa: S608 (names)


def _list(columns: Sequence[str]) -> str:
    return ",".join(map(_quoted, columns))


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
