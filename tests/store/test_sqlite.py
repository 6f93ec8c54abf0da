"""What is particular to the store in a SQLite file: files, threads, errors, several processes."""

import asyncio
import resource
import sqlite3
import stat
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bot.errors import BotError, ConfigError, UnavailableError
from bot.indicators import Indicator, Kind
from bot.services import Tally
from bot.store import open_store, rows, sqlite_connection
from bot.store.sqlite import SqliteStore
from bot.store.sqlite_connection import SQLITE, among, table
from bot.tlp import Label
from tests.store.contract import Clock, claim, digest, everything

MB = 1024 * 1024


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


# --- opening ---------------------------------------------------------------------------------------------


async def test_its_files_are_readable_for_their_owner_only(store: SqliteStore, path: Path) -> None:
    await store.add([claim(1)])

    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}

    assert modes == {"store.db": 0o600, "store.db-wal": 0o600, "store.db-shm": 0o600}


def test_an_address_may_be_relative_or_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    for url in ("sqlite:///relative.db", f"sqlite:///{tmp_path}/absolute.db"):
        asyncio.run(_open_and_close(url))

    assert {file.name for file in tmp_path.glob("*.db")} == {"relative.db", "absolute.db"}


@pytest.mark.parametrize("url", ["", "sqlite://", "sqlite:///", "liaison.db", "mysql://host/db"])
async def test_another_address_is_answered_with_what_is_possible(url: str) -> None:
    with pytest.raises(ConfigError, match=r"sqlite:///liaison\.db"):
        await open_store(url)


async def test_a_missing_folder_is_named_as_the_reason(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file or directory"):
        await open_store(f"sqlite:///{tmp_path}/missing/store.db")


def test_a_file_that_is_no_database_is_left_alone(path: Path) -> None:
    path.write_bytes(b"# Notes\n" * 1000)

    with pytest.raises(ConfigError, match="not a database"):
        asyncio.run(_open_and_close(f"sqlite:///{path}"))

    assert path.read_bytes() == b"# Notes\n" * 1000


async def test_the_database_of_another_program_is_left_alone(path: Path) -> None:
    with _raw(path) as other:
        other.execute("CREATE TABLE album (title)")

    with pytest.raises(ConfigError, match="belongs to something else"):
        await open_store(f"sqlite:///{path}")

    with _raw(path) as other:
        assert [name for (name,) in other.execute("SELECT name FROM sqlite_master")] == ["album"]


async def test_a_store_of_a_newer_version_is_refused(store: SqliteStore, path: Path) -> None:
    with _raw(path) as newer:
        newer.execute(
            "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('liaison', 'm999', '')"
        )

    with pytest.raises(ConfigError, match="newer Liaison"):
        await open_store(f"sqlite:///{path}")


def test_several_processes_may_open_a_new_store_at_once(path: Path) -> None:
    code = f"""
import asyncio
from bot.store import open_store
async def main():
    store = await open_store("sqlite:///{path}")
    await store.close()
asyncio.run(main())
"""
    processes = [subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE) for _ in range(5)]

    errors = [process.communicate(timeout=60)[1] for process in processes]

    assert [process.returncode for process in processes] == [0] * 5, errors


# --- what is in the file ---------------------------------------------------------------------------------


def test_rows_written_by_the_first_version_stay_readable() -> None:
    """If this fails, stored rows change their meaning: add a migration before changing the expectation."""
    body = '{"indicator":{"kind":"domain","value":"example.org"},"source":"kaspersky"}'
    full = (
        '{"indicator":{"kind":"cve","value":"CVE-2026-1"},"source":"s","label":4,"addressed_to":["a"],"only_orgs":[],'
        '"never_to":["b"],"persons":["U"],"pap":2,"not_before":"2026-05-01T00:00:00Z",'
        '"not_after":"2026-05-01T00:00:00Z","first_seen":"2026-05-01T00:00:00Z",'
        '"last_seen":"2026-05-01T00:00:00Z","confidence":7,"family":"f","tags":["t"],"context":"c",'
        '"to_ids":false,"revoked":true,"quarantined":true}'
    )

    plain, restricted = rows.decode(f"[{body},{full}]")

    assert (plain.label, plain.only_orgs, plain.pap) == (Label.AMBER_STRICT, None, None)
    assert (plain.to_ids, plain.revoked, plain.quarantined) == (True, False, False)
    assert not plain.addressed_to | plain.never_to | plain.persons
    assert rows.encode(plain, b"", 1, 0)[-1] == body
    assert rows.encode(restricted, b"", 1, 0)[-1] == full


def test_a_hash_never_has_the_key_of_something_else() -> None:
    url = Indicator(Kind.URL, "http://example.org/")
    digest_of_it = Indicator(Kind.SHA256, rows.key(url)[1:].hex())

    assert rows.key(digest_of_it) != rows.key(url)


@pytest.mark.parametrize(
    "statement",
    [
        rows.by_key(SQLITE, among(8)),
        rows.by_file(SQLITE, table(8, 2)),
        rows.file_members(table(8, 2)),
        rows.file_aliases(table(8, 2)),
    ],
)
async def test_no_lookup_reads_a_whole_table(store: SqliteStore, path: Path, statement: str) -> None:
    with _raw(path) as reader:
        marks = [None] * statement.count("?")
        plan = [row[3] for row in reader.execute(f"EXPLAIN QUERY PLAN {statement}", marks)]

    assert any(step.startswith("SEARCH") for step in plan)
    assert not any(step.startswith(("SCAN assertion", "SCAN file_alias")) for step in plan)


async def test_expired_claims_are_deleted(path: Path) -> None:
    clock = Clock()
    store = SqliteStore(path, clock)
    await store.open()
    for _ in range(20):
        await asyncio.gather(*(store.claim(f"{clock()} {n}", seconds=30) for n in range(50)))
        clock.move(seconds=30)
    await store.close()

    with _raw(path) as reader:
        [count] = reader.execute("SELECT count(*) FROM claim").fetchone()
    assert count <= 150


# --- while others work -----------------------------------------------------------------------------------


async def test_the_event_loop_and_lookups_go_on_during_an_import(store: SqliteStore) -> None:
    await store.add([claim(1)])
    importing = asyncio.ensure_future(store.add([claim(n) for n in range(30_000)]))
    answered = 0

    while not importing.done():
        assert len(await store.lookup([digest(1)])) == 1
        answered += 1

    assert answered > 20


async def test_claims_get_their_turn_between_the_parts_of_an_import(store: SqliteStore) -> None:
    parts = [
        asyncio.ensure_future(store.add([claim(n + part * 1000) for n in range(1000)])) for part in range(3)
    ]

    assert await store.claim("a", seconds=60)
    await asyncio.gather(*parts)


async def test_a_long_import_leaves_other_processes_their_turn(path: Path) -> None:
    importer, bot = SqliteStore(path), SqliteStore(path)
    await importer.open()
    await bot.open()

    async def import_all() -> None:
        for start in range(0, 30_000, 1000):
            await importer.add([claim(n) for n in range(start, start + 1000)])

    importing = asyncio.ensure_future(import_all())
    claimed = 0
    while not importing.done():
        claimed += await bot.claim(f"{claimed}", seconds=60)
    await importer.close()
    await bot.close()

    assert claimed >= 20


async def test_claims_that_arrive_together_share_a_transaction(store: SqliteStore, path: Path) -> None:
    with _raw(path) as reader:
        [before] = reader.execute("PRAGMA data_version").fetchone()
        await asyncio.gather(*(store.claim(f"{n}", seconds=60) for n in range(300)))
        [after] = reader.execute("PRAGMA data_version").fetchone()
        [count] = reader.execute("SELECT count(*) FROM claim").fetchone()

    assert count == 300
    assert after - before == 1


async def test_the_log_stays_small_though_two_processes_write(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.store.sqlite_connection.WAL_LIMIT", MB)
    importer, bot = SqliteStore(path), SqliteStore(path)
    await importer.open()
    await bot.open()
    log, largest = path.with_name("store.db-wal"), 0

    for start in range(0, 20_000, 500):
        adding = asyncio.ensure_future(importer.add([claim(n) for n in range(start, start + 500)]))
        while not adding.done():
            await bot.claim(f"{time.perf_counter()}", seconds=60)
        largest = max(largest, _size(log))
    await importer.close()
    await bot.close()

    assert _size(path) > 5 * MB
    assert largest < 3 * MB


# --- when things go wrong --------------------------------------------------------------------------------


async def test_a_full_disk_is_told_and_loses_nothing(store: SqliteStore, path: Path) -> None:
    await store.add([claim(n) for n in range(1000)])
    size = _size(path.with_name("store.db-wal"))

    with _file_size_limit(size + 100_000), pytest.raises(UnavailableError, match=r"disk .* is full"):
        await store.add([claim(n) for n in range(5000)])

    assert await store.add([claim(1), claim(5000)]) == Tally(new=1, unchanged=1)
    assert len(await everything(store)) == 1001
    assert _is_sound(path)


async def test_lookups_go_on_when_the_disk_is_full(store: SqliteStore, path: Path) -> None:
    await store.add([claim(1)])

    with _file_size_limit(_size(path.with_name("store.db-wal"))):
        with pytest.raises(UnavailableError):
            await store.add([claim(2)])
        assert len(await store.lookup([digest(1)])) == 1


async def test_a_damaged_file_is_told_from_a_missing_value(path: Path) -> None:
    store = await open_store(f"sqlite:///{path}")
    await store.add([claim(n) for n in range(2000)])
    await store.close()
    with path.open("r+b") as file:
        file.seek(60 * 4096)  # behind the description of the tables
        file.write(b"\xff" * 4096 * 100)

    damaged = await open_store(f"sqlite:///{path}")
    with pytest.raises(BotError, match="damaged: restore it from a backup"):
        await everything(damaged)
    await damaged.close()


def test_a_store_that_may_only_be_read_says_what_to_do(path: Path) -> None:
    made = sqlite_connection.connect(path)
    made.execute("PRAGMA query_only = on")

    with (
        pytest.raises(ConfigError, match="make its file and folder writable"),
        sqlite_connection.in_our_words(),
    ):
        made.execute("CREATE TABLE assertion (seq)")

    made.close()


async def test_a_store_held_by_another_program_says_when_to_try_again(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_connection, "BUSY_SECONDS", 0.1)
    store = SqliteStore(path)
    await store.open()
    with _raw(path) as other:
        other.execute("BEGIN IMMEDIATE")

        with pytest.raises(UnavailableError, match="try again in a minute"):
            await store.add([claim(1)])

        other.execute("ROLLBACK")
    assert await store.add([claim(1)]) == Tally(new=1)
    await store.close()


async def _open_and_close(url: str) -> None:
    await (await open_store(url)).close()


def _size(file: Path) -> int:
    return file.stat().st_size


@contextmanager
def _raw(path: Path) -> Iterator[sqlite3.Connection]:
    """The file as another program sees it."""
    made = sqlite3.connect(path, isolation_level=None)
    try:
        yield made
    finally:
        made.close()


@contextmanager
def _file_size_limit(limit: int) -> Iterator[None]:
    """A disk on which no file can grow beyond a size."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def _is_sound(path: Path) -> bool:
    with _raw(path) as made:
        return [row for (row,) in made.execute("PRAGMA integrity_check")] == ["ok"]
