"""The log of what was narrowed or revoked, and numbers kept under a name, such as how far it was read."""

from collections.abc import Iterable, Sequence
from functools import cache
from itertools import starmap

import msgspec

from bot.assertions import Assertion
from bot.deliveries import Change
from bot.indicators import Indicator, Kind
from bot.store import rows
from bot.store.engine import Connection, Dialect, writing

MOST = 10_000  # changes in one answer

_decoder = msgspec.json.Decoder(list[tuple[int, str, Kind, str]])

_TYPES = ("text", "text", "text")
_FORGET = """DELETE FROM change
WHERE number IN (SELECT number FROM change WHERE number <= ? ORDER BY number LIMIT ?)"""
_SET = (
    "INSERT INTO mark (name, number) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET number = excluded.number"
)


def log(connection: Connection, narrowed: Iterable[Assertion]) -> None:
    """Write down what fewer may see from now on, within the transaction that makes it so."""
    values = ((each.source, each.indicator.kind._value_, each.indicator.value) for each in narrowed)
    for part, parameters in connection.dialect.parts(values, _TYPES):
        connection.execute(put(part), parameters)


def changes(connection: Connection, after: int, most: int) -> list[Change]:
    """The next ones above a number, in order."""
    wanted = (after, max(0, min(most, MOST)))
    [found] = connection.execute(following(connection.dialect), wanted).fetchone()
    return list(starmap(_change, sorted(_decoder.decode(found))))


def last(connection: Connection) -> int:
    """The number of the last change; 0 if there is none."""
    [number] = connection.execute("SELECT coalesce(max(number), 0) FROM change").fetchone()
    return int(number)


def forget(connection: Connection, readers: Sequence[str], most: int) -> int:
    """Delete the oldest that all of these marks have passed; gives how many. No mark has read nothing."""
    with writing(connection, "mark"):
        marks: dict[str, int] = dict(connection.execute("SELECT name, number FROM mark").fetchall())
        upto = min((marks.get(name, 0) for name in readers), default=0)
        return connection.execute(_FORGET, (upto, max(0, min(most, MOST)))).rowcount


def mark(connection: Connection, name: str) -> int:
    """What is kept under that name, else 0."""
    found = connection.execute("SELECT number FROM mark WHERE name = ?", (name,)).fetchone()
    return found[0] if found else 0


def set_mark(connection: Connection, name: str, number: int) -> None:
    """Keep it in the place of the last one. Raises InputError."""
    rows.check_names(name)
    with writing(connection, "mark"):
        connection.execute(_SET, (name, number))


@cache
def following(dialect: Dialect) -> str:
    """The statement that reads changes above a number."""
    return (
        f"SELECT {dialect.listed('number, source, kind, value')}"  # noqa: S608 (names from the code)
        " FROM (SELECT * FROM change WHERE number > ? ORDER BY number LIMIT ?) AS next"
    )


@cache
def put(part: str) -> str:
    """The statement that writes the log: source, kind, value."""
    return (
        "INSERT INTO change (source, kind, value)"  # noqa: S608 (marks)
        f" SELECT * FROM {part} WHERE column1 IS NOT NULL"
    )


def _change(number: int, source: str, kind: Kind, value: str) -> Change:
    return Change(number, source, Indicator(kind, value))
