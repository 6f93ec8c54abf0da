"""Rows for every table of a store, whatever its tables are: made from the types of their columns."""

import random

from bot.store import catalogue, content
from bot.store.catalogue import Row, Table
from bot.store.engine import Connection, writing

_LETTERS = "abAB zäß\u0153\u4e2d\U0001f600'\"\\%_"


def fill(connection: Connection, rows: int, seed: int = 1) -> None:
    """Put so many rows into every table, in no order, in the place of what is there."""
    chance = random.Random(seed)
    with writing(connection):
        for table in catalogue.tables(connection):
            made = [_row(table, number, chance) for number in range(1, rows + 1)]
            chance.shuffle(made)
            connection.execute(content.clear(table))
            content.put(connection, table, made)


def _row(table: Table, number: int, chance: random.Random) -> Row:
    return tuple(_value(kind, number, chance) for kind in table.kinds)


def _value(kind: str, number: int, chance: random.Random) -> int | str | bytes:
    """A value that no other row has, so that nothing conflicts."""
    if kind == "bigint":
        return number * 3**24
    text = "".join(chance.choices(_LETTERS, k=chance.randrange(12))) + str(number)
    return text.encode() if kind == "bytea" else text
