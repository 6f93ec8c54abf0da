"""What is particular to findings and budgets in a SQLite file."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from sqlite_utils import Database

from bot.budgets import Allowance, Calendar
from bot.store import memory, open_store, rows, spending
from bot.store.ledger import KEPT_PERIODS
from bot.store.schema import migrations
from bot.store.sqlite import SqliteStore
from bot.store.sqlite_connection import SQLITE, among, connect, table
from bot.store.threads import MOST_IN_A_TURN
from tests.store.contract import T0, Clock, claim, digest, everything
from tests.store.contract_findings import FULL, LATER, found

MINUTE = timedelta(minutes=1)
PUT = "INSERT INTO assertion VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
TABLES = ("finding", "budget", "spending")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the store's file will be."""
    return tmp_path / "store.db"


@pytest.fixture
async def store(path: Path) -> AsyncIterator[SqliteStore]:
    """An open, empty store."""
    store = SqliteStore(path)
    await store.open()
    yield store
    await store.close()


def _count(path: Path, table: str) -> int:
    with closing(sqlite3.connect(path)) as reader:
        return int(Database(reader).table(table).count)


async def test_a_store_of_before_enrichment_is_brought_up_to_date(path: Path) -> None:
    with closing(connect(path)) as made:
        migrations.apply(Database(made), stop_before="m004_findings")
        made.execute(PUT, rows.encode(claim(1), rows.key(digest(1)), 1, 0))

    store = await open_store(f"sqlite:///{path}")

    await store.keep_findings("host", [FULL], until=LATER)
    assert await store.findings("host", [FULL.indicator]) == [FULL]
    assert await store.spend([Allowance("a", 1, Calendar.DAY)], at=T0) is None
    assert [row.indicator for row in await everything(store)] == [digest(1)]
    await store.close()


async def test_the_tables_can_be_read_with_sqlite_utils(store: SqliteStore, path: Path) -> None:
    await store.keep_findings("host", [found(1)], until=LATER)
    await store.spend([Allowance("virustotal/day", 9, Calendar.DAY), Allowance("m", 9, MINUTE)], at=T0)

    with closing(sqlite3.connect(path)) as reader:
        tables = {name: list(Database(reader).table(name).rows) for name in TABLES}

    assert [(row["org"], row["provider"]) for row in tables["finding"]] == [("host", "virustotal")]
    start = int(T0.timestamp()) * 1_000_000
    assert tables["budget"] == [{"key": "virustotal/day", "period": "day", "start": start, "used": 1}]
    assert tables["spending"] == [{"key": "m", "number": 1, "moment": start}]


async def test_findings_written_by_the_first_version_stay_readable(store: SqliteStore, path: Path) -> None:
    """If this fails, stored rows change their meaning: add a migration before changing the expectation."""
    body = (
        '{"indicator":{"kind":"url","value":"http://example.org/a?b=\U0001f480\u202e\\"\'\\\\"},'
        '"provider":"virustotal","title":"VirusTotal","outcome":"timeout","label":2,"terms":0,'
        '"report":{"verdict":"unwanted","score":"47/65","family":"Эмотет\\u0000\\n",'
        '"first_seen":"2026-05-01T00:00:00.000001Z","last_seen":"9999-12-31T23:59:59.999999Z",'
        '"link":"https://www.virustotal.com/gui/file/0","facts":['
        + ",".join(f'["name {n}","\\",\\"]"]' for n in range(12))
        + ']},"fetched_at":"2026-05-01T00:00:00Z","again_at":"2026-05-01T01:00:00Z",'
        '"reason":"the source does not want it"}'
    )
    row = memory.encode("host", FULL, LATER)
    with closing(connect(path)) as made:
        made.execute("INSERT INTO finding VALUES (?, ?, ?, ?, ?)", (*row[:4], body))

    assert await store.findings("host", [FULL.indicator]) == [FULL]
    assert row[4] == body


async def test_expired_findings_are_deleted(path: Path) -> None:
    clock = Clock()
    store = SqliteStore(path, clock)
    await store.open()
    for start in range(0, 1000, 50):
        until = clock() + timedelta(seconds=30)
        await store.keep_findings("host", [found(n) for n in range(start, start + 50)], until=until)
        clock.move(seconds=30)
    await store.close()

    assert _count(path, "finding") <= 100


async def test_few_are_deleted_at_once(path: Path) -> None:
    clock = Clock()
    store = SqliteStore(path, clock)
    await store.open()
    await store.keep_findings("host", [found(n) for n in range(1000)], until=T0 + MINUTE)
    clock.move(seconds=60)

    await store.keep_findings("host", [found(n) for n in range(1000, 1010)], until=T0 + 2 * MINUTE)

    assert _count(path, "finding") == 1000 + 10 - 10 * memory.FORGET
    await store.close()


async def test_old_moments_and_periods_are_deleted(store: SqliteStore, path: Path) -> None:
    needs = [Allowance("rolling", 3, MINUTE), Allowance("day", 3, Calendar.DAY)]

    for day in range(30):
        answers = await asyncio.gather(*(store.spend(needs, at=T0 + timedelta(days=day)) for _ in range(4)))
        assert answers.count(None) == 3

    assert _count(path, "spending") == 3
    assert _count(path, "budget") == KEPT_PERIODS


async def test_what_arrives_together_shares_a_transaction(store: SqliteStore, path: Path) -> None:
    needs = [Allowance("rolling", 400, MINUTE), Allowance("day", 1000, Calendar.DAY)]
    with closing(sqlite3.connect(path)) as reader:

        async def transactions(*work: object) -> int:
            [before] = reader.execute("PRAGMA data_version").fetchone()
            await asyncio.gather(*work)  # type: ignore[call-overload]
            [after] = reader.execute("PRAGMA data_version").fetchone()
            return int(after) - int(before)

        spends = [store.spend(needs, at=T0) for _ in range(MOST_IN_A_TURN)]
        keeps = [store.keep_findings("host", [found(n)], until=LATER) for n in range(MOST_IN_A_TURN)]
        assert await transactions(*spends) == 1
        assert await transactions(*keeps) == 1

    assert await store.spent(needs, at=T0) == [400, 400]
    assert _count(path, "finding") == MOST_IN_A_TURN


async def test_a_refusal_writes_nothing(store: SqliteStore, path: Path) -> None:
    needs = [Allowance("rolling", 1, MINUTE), Allowance("day", 2, Calendar.DAY)]
    await store.spend(needs, at=T0)
    with closing(sqlite3.connect(path)) as reader:
        [before] = reader.execute("PRAGMA data_version").fetchone()

        assert await store.spend(needs, at=T0) is not None

        assert reader.execute("PRAGMA data_version").fetchone() == (before,)


@pytest.mark.parametrize(
    "statement",
    [
        memory.by_key(SQLITE, among(8)),
        spending.by_period(SQLITE, table(8, 2)),
        spending.last(SQLITE, table(8, 1)),
        spending.between(SQLITE, table(8, 3)),
        spending.used_since(SQLITE, table(8, 2)),
        spending.forget_counts(table(8, 3)),
        spending.forget_moments(table(8, 3)),
    ],
)
async def test_no_statement_reads_a_whole_table(store: SqliteStore, path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path)) as reader:
        marks = [None] * statement.count("?")
        plan = [row[3] for row in reader.execute(f"EXPLAIN QUERY PLAN {statement}", marks)]

    assert any(step.startswith("SEARCH") for step in plan)
    assert not any(step.startswith(f"SCAN {table}") for step in plan for table in TABLES)
