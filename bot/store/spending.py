"""Budgets in the store: counts are read, worked out by `ledger`, and written, in one transaction.

A key of a rolling budget stands for one length: what a shorter one forgets is missed by a longer one.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import cache
from itertools import chain

import msgspec

from bot.budgets import Allowance, Calendar
from bot.errors import BotError, InputError
from bot.store import rows
from bot.store.engine import Connection, Dialect, Types, reading, writing
from bot.store.ledger import CalendarKey, Count, Ledger, Log

Purchase = tuple[Sequence[Allowance], datetime]  # one of each, at that time
Numbered = tuple[str, int, int]  # key, and what the statement says
Query = Callable[[Dialect, str], str]
Statement = Callable[[str], str]

_KEY = ("text",)
_KEY_AND_TIME = ("text", "bigint")
_KEY_AND_SPAN = ("text", "bigint", "bigint")
_COUNT = ("text", "text", "bigint", "bigint")

_counts_decoder = msgspec.json.Decoder(list[tuple[str, Calendar, int, int]])
_numbers_decoder = msgspec.json.Decoder(list[Numbered])


def checked(allowances: Sequence[Allowance], at: datetime) -> Purchase:
    """What `spend` and `spent` take. Raises InputError."""
    if at.tzinfo is None:
        raise InputError("the time of spending has no zone")
    if not all(each.key.isprintable() for each in allowances):
        raise InputError("the key of a budget holds a character that cannot be printed")
    return tuple(allowances), at


def spend(connection: Connection, purchases: Sequence[Purchase]) -> list[datetime | BotError | None]:
    """Answer each in its turn: None if one was taken from each budget, else when there will be one."""
    with writing(connection, "budget"):
        ledger = Ledger(_counts(connection, purchases), _logs(connection, purchases))
        answers: list[datetime | BotError | None] = [ledger.spend(*each) for each in purchases]
        _write(connection, ledger)
    return answers


def spent(connection: Connection, purchase: Purchase) -> list[int]:
    """How much of each is used up."""
    allowances, at = purchase
    since = {(key, rows.micros(at - length)) for key, _, length in _rolling([purchase])}
    with reading(connection):
        counts = _counts(connection, [purchase])
        moments = {
            (key, time): number
            for key, time, number in _numbers(connection, used_since, since, _KEY_AND_TIME)
        }
    return [
        counts[each.key, each.period].taken(at)
        if isinstance(each.period, Calendar)
        else moments[each.key, rows.micros(at - each.period)]
        for each in allowances
    ]


def _counts(connection: Connection, purchases: Iterable[Purchase]) -> dict[CalendarKey, Count]:
    """The calendar budgets of these purchases."""
    wanted = {
        (each.key, each.period): dict[datetime, int]()
        for allowances, _ in purchases
        for each in allowances
        if isinstance(each.period, Calendar)
    }
    pairs = ((key, period.value) for key, period in wanted)
    for part, parameters in connection.dialect.parts(pairs, ("text", "text")):
        [found] = connection.execute(by_period(connection.dialect, part), parameters).fetchone()
        for key, period, start, used in _counts_decoder.decode(found):
            wanted[key, period][rows.moment(start)] = used
    return {(key, period): Count(period, used) for (key, period), used in wanted.items()}


def _logs(connection: Connection, purchases: Sequence[Purchase]) -> dict[str, Log]:
    """The rolling budgets of these purchases, with every moment that one of them may ask for."""
    asked = list(_rolling(purchases))
    times = Counter(key for key, _, _ in asked)
    heads = list(_numbers(connection, last, {(key,) for key in times}, _KEY))
    numbers = {key: number for key, number, _ in heads}
    spans = {
        (key, numbers[key] - most + 1, numbers[key] - most + times[key])
        for key, most, _ in asked
        if key in numbers
    }
    moments: dict[str, dict[int, datetime]] = {key: {} for key in times}
    for key, number, time in chain(heads, _numbers(connection, between, spans, _KEY_AND_SPAN)):
        moments[key][number] = rows.moment(time)
    return {key: Log(numbers.get(key, 0), moments[key]) for key in times}


def _rolling(purchases: Iterable[Purchase]) -> Iterator[tuple[str, int, timedelta]]:
    """Key, most and length of the rolling ones."""
    for allowances, _ in purchases:
        for each in allowances:
            if isinstance(each.period, timedelta):
                yield each.key, each.most, each.period


def _write(connection: Connection, ledger: Ledger) -> None:
    counts = [(*_row(key, start), used) for (key, start), used in ledger.used.items()]
    moments = [(key, number, rows.micros(time)) for (key, number), time in ledger.moments.items()]
    _execute(connection, put_counts, counts, _COUNT)
    _execute(connection, put_moments, moments, _KEY_AND_SPAN)
    _execute(connection, forget_counts, [_row(*each) for each in ledger.old_periods()], _COUNT[:3])
    old = [(key, number, rows.micros(time)) for key, number, time in ledger.old_moments()]
    _execute(connection, forget_moments, old, _KEY_AND_SPAN)


def _row(key: CalendarKey, start: datetime) -> tuple[str, str, int]:
    name, period = key
    return name, period.value, rows.micros(start)


def _execute(
    connection: Connection, statement: Statement, values: Sequence[Sequence[object]], types: Types
) -> None:
    for part, parameters in connection.dialect.parts(values, types):
        connection.execute(statement(part), parameters)


def _numbers(
    connection: Connection, query: Query, values: Collection[Sequence[object]], types: Types
) -> Iterator[Numbered]:
    """What a query finds, in one step as `rows.bodies` explains."""
    for part, parameters in connection.dialect.parts(values, types):
        [found] = connection.execute(query(connection.dialect, part), parameters).fetchone()
        yield from _numbers_decoder.decode(found)


@cache
def by_period(dialect: Dialect, part: str) -> str:
    """The statement that reads the counts of calendar budgets: key, period, start, used."""
    return (
        f"SELECT {dialect.listed('key, period, start, used')}"  # noqa: S608 (marks)
        f" FROM {part} CROSS JOIN budget"
        " WHERE key = part.column1 AND period = part.column2"
    )


@cache
def last(dialect: Dialect, part: str) -> str:
    """The statement that reads the last moments of rolling budgets: key, number, moment."""
    return (
        f"SELECT {dialect.listed('key, number, moment')}"  # noqa: S608 (marks)
        f" FROM {part} CROSS JOIN spending WHERE key = part.column1"
        " AND number = (SELECT max(number) FROM spending WHERE key = part.column1)"
    )


@cache
def between(dialect: Dialect, part: str) -> str:
    """The statement that reads moments by key, first and last number: key, number, moment."""
    return (
        f"SELECT {dialect.listed('key, number, moment')}"  # noqa: S608 (marks)
        f" FROM {part} CROSS JOIN spending"
        " WHERE key = part.column1 AND number BETWEEN part.column2 AND part.column3"
    )


@cache
def used_since(dialect: Dialect, part: str) -> str:
    """The statement that counts moments after a time: key, time, count."""
    count = "(SELECT count(*) FROM spending WHERE key = column1 AND moment > column2)"
    return (
        f"SELECT {dialect.listed(f'column1, column2, {count}')}"  # noqa: S608 (marks)
        f" FROM {part} WHERE column1 IS NOT NULL"
    )


@cache
def put_counts(part: str) -> str:
    """The statement that stores counts: key, period, start, used."""
    return (
        f"INSERT INTO budget (key, period, start, used) SELECT * FROM {part}"  # noqa: S608 (marks)
        " WHERE column1 IS NOT NULL ON CONFLICT (key, period, start) DO UPDATE SET used = excluded.used"
    )


@cache
def put_moments(part: str) -> str:
    """The statement that stores new moments: key, number, moment."""
    return (
        f"INSERT INTO spending (key, number, moment) SELECT * FROM {part}"  # noqa: S608 (marks)
        " WHERE column1 IS NOT NULL"
    )


@cache
def forget_counts(part: str) -> str:
    """The statement that deletes counts: key, period, start. With `IN (VALUES` SQLite would read them all."""
    return (
        "DELETE FROM budget WHERE (key, period, start) IN (SELECT key, period, start"  # noqa: S608 (marks)
        f" FROM {part} CROSS JOIN budget"
        " WHERE key = part.column1 AND period = part.column2 AND start = part.column3)"
    )


@cache
def forget_moments(part: str) -> str:
    """The statement that deletes moments of a key up to a number that are not after a time."""
    return (
        "DELETE FROM spending WHERE (key, number) IN (SELECT key, number"  # noqa: S608 (marks)
        f" FROM {part} CROSS JOIN spending"
        " WHERE key = part.column1 AND number <= part.column2 AND moment <= part.column3)"
    )
