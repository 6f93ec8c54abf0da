"""How PostgreSQL says what SQLite says differently: parameters, parts of rows, aggregates."""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import islice
from typing import Any

from bot.store.engine import PART, Dialect, Types
from bot.store.postgres_arrays import COLUMNS

_WORDS = re.compile(r"'[^']*'|\?|::|:([a-z_]+)|%")


class _Dialect(Dialect):
    """Parts are arrays of columns, whatever their length."""

    name = "PostgreSQL"

    def parts(self, values: Iterable[Sequence[Any]], types: Types) -> Iterator[tuple[str, list[Any]]]:
        """Portions as one array a column."""
        source = iter(values)
        while portion := list(islice(source, PART)):
            columns = zip(types, zip(*portion, strict=True), strict=True)
            yield table(types), [COLUMNS[type_](column) for type_, column in columns]

    def sets(self, values: Iterable[Any], type_: str) -> Iterator[tuple[str, list[Any]]]:
        """Portions as one array."""
        source = iter(values)
        while portion := list(islice(source, PART)):
            yield among(type_), [COLUMNS[type_](portion)]

    def listed(self, columns: str) -> str:
        """An aggregate that is no NULL if there is nothing."""
        return f"coalesce(CAST(json_agg(json_build_array({columns})) AS TEXT), '[]')"

    def joined(self, text: str, between: str) -> str:
        """An aggregate."""
        return f"string_agg({text}, '{between}')"

    def quoted(self, column: str) -> str:
        """With the escapes of JSON."""
        return f"CAST(to_json({column}) AS TEXT)"

    def rest(self, column: str) -> str:
        """By `right`, which counts one character; `substr` counts them all, a quarter of a lookup's time."""
        return f"right({column}, -1)"

    def hexed(self, column: str) -> str:
        """In small letters."""
        return f"encode({column}, 'hex')"


POSTGRESQL = _Dialect()


@cache
def table(types: Types) -> str:
    """A relation of parameters that are arrays of these types."""
    arrays = ", ".join(f"CAST(? AS {each}[])" for each in types)
    columns = ", ".join(f"column{number}" for number, _ in enumerate(types, 1))
    return f"unnest({arrays}) AS part ({columns})"


@cache
def among(type_: str) -> str:
    """What follows a column that is one of the values of an array."""
    return f"= ANY(CAST(? AS {type_}[]))"


@cache
def translated(sql: str) -> bytes:
    """The statement with its parameters as psycopg names them: `?` is `%s`, `:name` is `%(name)s`."""
    return _WORDS.sub(_translated, sql).encode()


def _translated(found: re.Match[str]) -> str:
    word = found[0]
    if word == "?":
        return "%s"
    if found[1]:
        return f"%({found[1]})s"
    return word.replace("%", "%%")
