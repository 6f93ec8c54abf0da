"""Statements mean the same to both engines: parameters are translated, texts between quotes are not."""

import psycopg
import pytest

from bot.store.engine import Dialect
from bot.store.postgres_dialect import POSTGRESQL, translated
from bot.store.sqlite_connection import SQLITE
from tests.store.contract import digest


@pytest.mark.parametrize(
    ("sql", "wanted"),
    [
        ("SELECT 1", "SELECT 1"),
        ("SELECT ? WHERE a = ?", "SELECT %s WHERE a = %s"),
        ("SELECT :one, :other_one", "SELECT %(one)s, %(other_one)s"),
        ("SELECT a::text, ':b', '?' || 'it''s ?'", "SELECT a::text, ':b', '?' || 'it''s ?'"),
        ("SELECT 7 % 2, '%'", "SELECT 7 %% 2, '%%'"),
        ("""SELECT '{"seq":' || seq""", """SELECT '{"seq":' || seq"""),
    ],
)
def test_parameters_are_named_as_the_driver_does(sql: str, wanted: str) -> None:
    assert translated(sql).decode() == wanted


def test_portions_hold_every_value_once_and_in_order(postgres: str) -> None:
    values = [
        (f"text {number} \"'\\,{{}} Ä", number, digest(number).value.encode()) for number in range(4_500)
    ]

    with psycopg.connect(postgres) as session:
        found = [
            row
            for part, parameters in POSTGRESQL.parts(iter(values), ("text", "bigint", "bytea"))
            for row in session.execute(translated(f"SELECT * FROM {part}"), parameters)  # noqa: S608 (marks)
        ]

    assert found == values


@pytest.mark.parametrize("dialect", [POSTGRESQL, SQLITE], ids=["postgresql", "sqlite"])
def test_nothing_makes_no_portion(dialect: Dialect) -> None:
    assert list(dialect.parts([], ("text",))) == []
    assert list(dialect.sets([], "text")) == []
