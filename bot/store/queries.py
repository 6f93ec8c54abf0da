"""The queries of readers: each answers in one step of SQLite for every 2,000 values."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bot.assertions import Assertion
from bot.errors import BotError, InputError
from bot.indicators import Indicator, Kind
from bot.store import rows
from bot.store.engine import Connection, reading
from bot.store.files import FileId

PAGE = 500  # assertions in one page
_HIGHEST = 2**63 - 1
_HEAD_AT = """SELECT coalesce(max(seq), 0) FROM assertion
WHERE seq < coalesce((SELECT min(+seq) FROM assertion WHERE stored_at >= ?), ?)"""


@dataclass(frozen=True)
class Window:
    """What a page of the newest is taken from."""

    first: int  # the lowest number that may be in it
    before: int | None  # the last number of the page before
    stored_at: int  # microseconds since 1970
    kind: Kind | None
    family: str | None


def head(connection: Connection) -> int:
    """The highest sequence number given so far."""
    [number] = connection.execute("SELECT head FROM clock").fetchone()
    return int(number)


def answer(
    connection: Connection, questions: Sequence[Sequence[Indicator]]
) -> list[list[Assertion] | BotError]:
    """Answer several lookups with one or two queries for each 2,000 values, as of one moment."""
    keys = [_keys(question) for question in questions]
    with reading(connection):
        direct = by_key(connection, {key for part in keys if not isinstance(part, BotError) for key in part})
        files = {(row.source, row.file) for row in direct if row.file is not None}
        linked = _linked(connection, files)
    if len(questions) == 1 and not isinstance(keys[0], BotError):  # all of it is one answer
        return [_in_order((*direct, *linked))]
    about: dict[Indicator, list[Assertion]] = {}
    for row in direct:
        about.setdefault(row.indicator, []).append(row)
    of_file: dict[FileId, list[Assertion]] = {}
    for row in linked:
        of_file.setdefault((row.source, row.file or ""), []).append(row)
    return [
        found if isinstance(found, BotError) else _of(question, about, of_file)
        for question, found in zip(questions, keys, strict=True)
    ]


def page(connection: Connection, after: int) -> list[Assertion]:
    """The next assertions above a number, in order."""
    query = (
        f"SELECT {rows.bodies(connection.dialect)}"  # noqa: S608 (constants)
        f" FROM (SELECT * FROM assertion WHERE seq > ? ORDER BY seq LIMIT {PAGE}) AS page"
    )
    [bodies] = connection.execute(query, (after,)).fetchone()
    return sorted(rows.decode(bodies), key=_seq)


def newest(connection: Connection, window: Window) -> list[Assertion]:
    """The next assertions down from a number, in order."""
    wanted = {"kind": window.kind and window.kind.value, "family": window.family and window.family.casefold()}
    filters = "".join(f" AND {column} = :{column}" for column, value in wanted.items() if value is not None)
    query = (
        f"SELECT {rows.bodies(connection.dialect)}"  # noqa: S608 (constants)
        " FROM (SELECT * FROM assertion WHERE seq BETWEEN :first AND :last"
        f" AND stored_at >= :stored_at{filters} ORDER BY seq DESC LIMIT {PAGE}) AS page"
    )
    last = _HIGHEST if window.before is None else window.before - 1
    values = {"first": window.first, "last": last, "stored_at": window.stored_at, **wanted}
    [bodies] = connection.execute(query, values).fetchone()
    return sorted(rows.decode(bodies), key=_seq, reverse=True)


def first_since(connection: Connection, stored_at: int) -> int | None:
    """The lowest number stored at or after that time; the plus keeps SQLite on the index of the time."""
    [seq] = connection.execute(
        "SELECT min(+seq) FROM assertion WHERE stored_at >= ?", (stored_at,)
    ).fetchone()
    return None if seq is None else int(seq)


def head_at(connection: Connection, stored_at: int) -> int:
    """The number that was given last before that time; 0 if there was none.

    After the clock went back, everything since the first number that was given at that time or later counts
    as later: so an earlier time never has a higher number, and nothing stored since then is left out.
    """
    [number] = connection.execute(_HEAD_AT, (stored_at, _HIGHEST)).fetchone()
    return int(number)


def by_key(connection: Connection, keys: Iterable[bytes]) -> list[Assertion]:
    """All rows of these keys, whatever their source."""
    found: list[Assertion] = []
    for among, parameters in connection.dialect.sets(keys, "bytea"):
        [bodies] = connection.execute(rows.by_key(connection.dialect, among), parameters).fetchone()
        found += rows.decode(bodies)
    return found


def _linked(connection: Connection, files: Iterable[FileId]) -> list[Assertion]:
    """All rows of these files."""
    found: list[Assertion] = []
    for part, parameters in connection.dialect.parts(files, ("text", "text")):
        [bodies] = connection.execute(rows.by_file(connection.dialect, part), parameters).fetchone()
        found += rows.decode(bodies)
    return found


def _keys(indicators: Sequence[Indicator]) -> list[bytes] | InputError:
    try:
        return [rows.key(indicator) for indicator in indicators]
    except InputError as error:
        return error


def _of(
    question: Sequence[Indicator],
    about: dict[Indicator, list[Assertion]],
    of_file: dict[FileId, list[Assertion]],
) -> list[Assertion]:
    """The part of a shared answer that belongs to one question, each row once."""
    found = [row for indicator in question for row in about.get(indicator, ())]
    if of_file:
        files = {(row.source, row.file) for row in found if row.file is not None}
        found += [row for file in files for row in of_file[file]]
    return _in_order(found)


def _in_order(found: Sequence[Assertion]) -> list[Assertion]:
    """Each row once, by its number: so every engine gives the same order."""
    if len(found) < 2:
        return list(found)
    rows_by_number = {row.seq: row for row in found}
    return [rows_by_number[number] for number in sorted(rows_by_number)]


def _seq(assertion: Assertion) -> int:
    return assertion.seq
