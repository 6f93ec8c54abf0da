"""Budgets in the store: counts are read, worked out by `ledger`, and written, in one transaction.

A key of a rolling budget stands for one length: what a shorter one forgets is missed by a longer one.
"""

import sqlite3
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import cache
from itertools import chain

import msgspec

from bot.budgets import Allowance, Calendar
from bot.errors import BotError, InputError
from bot.store import rows
from bot.store.connection import reading, writing
from bot.store.ledger import CalendarKey, Count, Ledger, Log

Purchase = tuple[Sequence[Allowance], datetime]  # one of each, at that time
Numbered = tuple[str, int, int]  # key, and what the statement says
Statement = Callable[[int], str]

_counts_decoder = msgspec.json.Decoder(list[tuple[str, Calendar, int, int]])
_numbers_decoder = msgspec.json.Decoder(list[Numbered])


def checked(allowances: Sequence[Allowance], at: datetime) -> Purchase:
    """What `spend` and `spent` take. Raises InputError."""
    if at.tzinfo is None:
        raise InputError("the time of spending has no zone")
    if not all(each.key.isprintable() for each in allowances):
        raise InputError("the key of a budget holds a character that cannot be printed")
    return tuple(allowances), at


def spend(connection: sqlite3.Connection, purchases: Sequence[Purchase]) -> list[datetime | BotError | None]:
    """Answer each in its turn: None if one was taken from each budget, else when there will be one."""
    with writing(connection):
        ledger = Ledger(_counts(connection, purchases), _logs(connection, purchases))
        answers: list[datetime | BotError | None] = [ledger.spend(*each) for each in purchases]
        _write(connection, ledger)
    return answers


def spent(connection: sqlite3.Connection, purchase: Purchase) -> list[int]:
    """How much of each is used up."""
    allowances, at = purchase
    since = {(key, rows.micros(at - length)) for key, _, length in _rolling([purchase])}
    with reading(connection):
        counts = _counts(connection, [purchase])
        moments = {(key, time): number for key, time, number in _numbers(connection, used_since, since)}
    return [
        counts[each.key, each.period].taken(at)
        if isinstance(each.period, Calendar)
        else moments[each.key, rows.micros(at - each.period)]
        for each in allowances
    ]


def _counts(connection: sqlite3.Connection, purchases: Iterable[Purchase]) -> dict[CalendarKey, Count]:
    """The calendar budgets of these purchases."""
    wanted = {
        (each.key, each.period): dict[datetime, int]()
        for allowances, _ in purchases
        for each in allowances
        if isinstance(each.period, Calendar)
    }
    pairs = ((key, period.value) for key, period in wanted)
    for width, parameters in rows.parts(pairs, 2):
        [found] = connection.execute(by_period(width), parameters).fetchone()
        for key, period, start, used in _counts_decoder.decode(found):
            wanted[key, period][rows.moment(start)] = used
    return {(key, period): Count(period, used) for (key, period), used in wanted.items()}


def _logs(connection: sqlite3.Connection, purchases: Sequence[Purchase]) -> dict[str, Log]:
    """The rolling budgets of these purchases, with every moment that one of them may ask for."""
    asked = list(_rolling(purchases))
    times = Counter(key for key, _, _ in asked)
    heads = list(_numbers(connection, last, {(key,) for key in times}))
    numbers = {key: number for key, number, _ in heads}
    spans = {
        (key, numbers[key] - most + 1, numbers[key] - most + times[key])
        for key, most, _ in asked
        if key in numbers
    }
    moments: dict[str, dict[int, datetime]] = {key: {} for key in times}
    for key, number, time in chain(heads, _numbers(connection, between, spans)):
        moments[key][number] = rows.moment(time)
    return {key: Log(numbers.get(key, 0), moments[key]) for key in times}


def _rolling(purchases: Iterable[Purchase]) -> Iterator[tuple[str, int, timedelta]]:
    """Key, most and length of the rolling ones."""
    for allowances, _ in purchases:
        for each in allowances:
            if isinstance(each.period, timedelta):
                yield each.key, each.most, each.period


def _write(connection: sqlite3.Connection, ledger: Ledger) -> None:
    counts = [(*_row(key, start), used) for (key, start), used in ledger.used.items()]
    moments = [(key, number, rows.micros(time)) for (key, number), time in ledger.moments.items()]
    _execute(connection, put_counts, counts)
    _execute(connection, put_moments, moments)
    _execute(connection, forget_counts, [_row(*each) for each in ledger.old_periods()])
    old = [(key, number, rows.micros(time)) for key, number, time in ledger.old_moments()]
    _execute(connection, forget_moments, old)


def _row(key: CalendarKey, start: datetime) -> tuple[str, str, int]:
    name, period = key
    return name, period.value, rows.micros(start)


def _execute(
    connection: sqlite3.Connection, statement: Statement, values: Sequence[Sequence[object]]
) -> None:
    for width, parameters in rows.parts(values, len(values[0]) if values else 0):
        connection.execute(statement(width), parameters)


def _numbers(
    connection: sqlite3.Connection, statement: Statement, values: Collection[Sequence[object]]
) -> Iterator[Numbered]:
    """What a statement finds, in one step as `rows.BODIES` explains."""
    columns = len(next(iter(values), ()))
    for width, parameters in rows.parts(values, columns):
        [found] = connection.execute(statement(width), parameters).fetchone()
        yield from _numbers_decoder.decode(found)


@cache
def by_period(width: int) -> str:
    """The statement that reads the counts of calendar budgets: key, period, start, used."""
    return (
        "SELECT json_group_array(json_array(key, period, start, used))"  # noqa: S608 (marks)
        f" FROM (VALUES {rows.values(width, 2)}) AS wanted CROSS JOIN budget"
        " WHERE key = wanted.column1 AND period = wanted.column2"
    )


@cache
def last(width: int) -> str:
    """The statement that reads the last moments of rolling budgets: key, number, moment."""
    return (
        "SELECT json_group_array(json_array(key, number, moment))"  # noqa: S608 (marks)
        f" FROM (VALUES {rows.values(width, 1)}) AS wanted CROSS JOIN spending WHERE key = wanted.column1"
        " AND number = (SELECT max(number) FROM spending WHERE key = wanted.column1)"
    )


@cache
def between(width: int) -> str:
    """The statement that reads moments by key, first and last number: key, number, moment."""
    return (
        "SELECT json_group_array(json_array(key, number, moment))"  # noqa: S608 (marks)
        f" FROM (VALUES {rows.values(width, 3)}) AS wanted CROSS JOIN spending"
        " WHERE key = wanted.column1 AND number BETWEEN wanted.column2 AND wanted.column3"
    )


@cache
def used_since(width: int) -> str:
    """The statement that counts moments after a time: key, time, count."""
    return (
        "SELECT json_group_array(json_array(column1, column2,"  # noqa: S608 (marks)
        " (SELECT count(*) FROM spending WHERE key = column1 AND moment > column2)))"
        f" FROM (VALUES {rows.values(width, 2)}) AS wanted WHERE column1 IS NOT NULL"
    )


@cache
def put_counts(width: int) -> str:
    """The statement that stores counts: key, period, start, used."""
    return (
        f"INSERT INTO budget (key, period, start, used) SELECT * FROM (VALUES {rows.values(width, 4)})"  # noqa: S608 (marks)
        " WHERE column1 IS NOT NULL ON CONFLICT (key, period, start) DO UPDATE SET used = excluded.used"
    )


@cache
def put_moments(width: int) -> str:
    """The statement that stores new moments: key, number, moment."""
    return (
        f"INSERT INTO spending (key, number, moment) SELECT * FROM (VALUES {rows.values(width, 3)})"  # noqa: S608 (marks)
        " WHERE column1 IS NOT NULL"
    )


@cache
def forget_counts(width: int) -> str:
    """The statement that deletes counts: key, period, start. With `IN (VALUES` SQLite would read them all."""
    return (
        "DELETE FROM budget WHERE (key, period, start) IN (SELECT key, period, start"  # noqa: S608 (marks)
        f" FROM (VALUES {rows.values(width, 3)}) AS old CROSS JOIN budget"
        " WHERE key = old.column1 AND period = old.column2 AND start = old.column3)"
    )


@cache
def forget_moments(width: int) -> str:
    """The statement that deletes moments of a key up to a number that are not after a time."""
    return (
        "DELETE FROM spending WHERE (key, number) IN (SELECT key, number"  # noqa: S608 (marks)
        f" FROM (VALUES {rows.values(width, 3)}) AS old CROSS JOIN spending"
        " WHERE key = old.column1 AND number <= old.column2 AND moment <= old.column3)"
    )
