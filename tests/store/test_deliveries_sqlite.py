"""What is particular to deliveries, posts and changes in a SQLite file."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest
from sqlite_utils import Database

from bot.store import changing, delivering, open_store, posting, queries, rows
from bot.store.schema import migrations
from bot.store.sqlite import SqliteStore
from bot.store.sqlite_connection import SqliteConnection, connect
from tests.store.contract import T0, claim, digest, everything
from tests.store.contract_ledger import change, post
from tests.store.contract_subscriptions import begun, leased, subscribed

PUT = "INSERT INTO assertion VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
TABLES = ("subscription", "delivery", "post", "post_item", "change", "mark", "asked")
ISSUES = {"lookups": "m004_findings", "enrichment": "m006_deliveries"}  # which steps came after them


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


@pytest.mark.parametrize("issue", ISSUES)
async def test_a_store_of_before_deliveries_is_brought_up_to_date(path: Path, issue: str) -> None:
    with closing(connect(path)) as made:
        migrations.apply(Database(made), stop_before=ISSUES[issue])
        made.execute(PUT, rows.encode(claim(1), rows.key(digest(1)), 1, 0))
        made.execute("UPDATE clock SET head = 1")

    store = await open_store(f"sqlite:///{path}")

    assert (await subscribed(store)).since == 1
    await store.add([claim(1, revoked=True)])
    assert [each.indicator for each in await store.changes(after=0)] == [digest(1)]
    await store.record_post(post(1, 1))
    assert await store.posts() == [post(1, 1)]
    assert [row.indicator for row in await everything(store)] == [digest(1)]
    await store.close()


async def test_the_tables_can_be_read_with_sqlite_utils(store: SqliteStore, path: Path) -> None:
    await store.add([claim(1)])
    await begun(store, "C0ONE")
    await leased(store, "me")
    await store.record_post(post(1, 1))
    await store.add([claim(1, revoked=True)])
    await store.set_mark("corrections", 1)
    store.count_asked("kaspersky", at=datetime.now(UTC), asked=2, answered=1)
    await store.asked(None, since=T0, until=T0)

    with closing(sqlite3.connect(path)) as reader:
        tables = {name: list(Database(reader).table(name).rows) for name in TABLES}

    [subscription], [delivery] = tables["subscription"], tables["delivery"]
    assert (subscription["channel"], subscription["schedule"]) == ("C0ONE", "daily 08:00 tz Asia/Singapore")
    assert (delivery["period"], delivery["state"], delivery["owner"]) == ("1", "due", "me")
    assert [row["ts"] for row in tables["post"]] == ["1.000100"]
    assert tables["post_item"] == [{"source": "kaspersky", "key": rows.key(digest(1)), "post": 1}]
    assert tables["change"] == [
        {"number": 1, "source": "kaspersky", "kind": "sha256", "value": digest(1).value}
    ]
    assert tables["mark"] == [{"name": "corrections", "number": 1}]
    [asked] = tables["asked"]
    assert (set(asked), asked["org"]) == ({"minute", "org", "asked", "answered"}, "kaspersky")
    assert (asked["asked"], asked["answered"]) == (2, 1)


async def test_the_work_for_what_is_new_does_not_grow_with_the_store(tmp_path: Path) -> None:
    work = {}
    for count in (2_000, 20_000):
        path = tmp_path / f"{count}.db"
        store = SqliteStore(path)
        await store.open()
        await store.add([claim(n, revoked=n % 2 == 0) for n in range(count)])
        await store.add([claim(n, revoked=True) for n in range(count)])
        await store.record_post(post(1, channel="QUIET"))
        await begun(store, "QUIET")
        for number in range(count // 100):
            await store.record_post(post(number, *range(number * 100, number * 100 + 100)))
        for number in range(count // 500):
            await begun(store, f"C{number % 2}", period=str(number))
        head, changed = await store.head(), (await store.changes(after=0, most=10**6))[-1].number
        await store.close()
        with closing(connect(path)) as made:
            made.execute("UPDATE delivery SET ended = 1")
            work[count] = _work(made, head, changed)

    for small, large in zip(work[2_000], work[20_000], strict=True):
        assert large < 1.3 * small + 5


async def test_a_page_is_whole_though_rows_move_up_behind_it(store: SqliteStore) -> None:
    await store.add([claim(n, revoked=True) for n in range(1_200)])
    upto, told = await store.head(), list[int]()

    async for page in store.everything(after=100):
        told += [row.seq for row in page if row.seq <= upto]
        await asyncio.gather(*(store.remark(claim(n)) for n in (50, 500, 599)))

    assert sorted(told) == told == list(range(101, 1_201))[: len(told)]
    assert set(range(101, 1_201)) - set(told) <= {501, 600}


def _work(made: SqliteConnection, head: int, changed: int) -> list[int]:
    """How much each of these takes."""
    return [
        _steps(made, partial(queries.page, after=head - 300)),
        _steps(made, partial(changing.changes, after=changed - 300, most=1_000)),
        _steps(made, partial(posting.find, channel=None, showing=[change(n) for n in range(100)], most=10)),
        _steps(made, partial(posting.find, channel=None, showing=[], most=10)),
        _steps(made, partial(posting.find, channel="QUIET", showing=[], most=10)),
        _steps(made, partial(posting.record, post=post(1, *range(50)))),
        _steps(made, partial(delivering.lease, owner="me", at=T0, seconds=60, most=10)),
        _steps(made, partial(delivering.latest, channel=None, most=10)),
        _steps(made, partial(delivering.latest, channel="QUIET", most=10)),
    ]


def _steps(connection: SqliteConnection, work: Callable[[SqliteConnection], object]) -> int:
    """How many tens of SQLite's instructions some work takes."""
    count = 0

    def tick() -> int:
        nonlocal count
        count += 1
        return 0

    connection.set_progress_handler(tick, 10)
    work(connection)
    connection.set_progress_handler(None, 0)
    return count
