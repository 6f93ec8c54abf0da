"""What is particular to a store in PostgreSQL: opening, rights, lost sessions, errors that tell nothing."""

import asyncio
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from sqlite_utils import Database

from bot import store as stores
from bot.errors import ConfigError, InputError, UnavailableError
from bot.services import Tally
from bot.store import open_store, postgres_schema, schema, threads
from bot.store.engine import Connection, writing
from bot.store.postgres import PostgresEngine
from bot.store.postgres_address import read
from bot.store.sql_store import SqlStore
from bot.store.sqlite_connection import connect
from bot.store.threads import Desk
from tests.postgres import fixtures
from tests.postgres.cluster import free_port
from tests.store.contract import claim, digest, everything

ROOT = Path(__file__).parents[2]
_COLUMNS = """SELECT table_name, column_name FROM information_schema.columns
WHERE table_schema = current_schema()"""
_PUT = "INSERT INTO mark (name, number) VALUES (?, ?)"
_COUNT_STEPS = "SELECT count(*) FROM liaison_migration"
_NEWER = "INSERT INTO liaison_migration (name) VALUES ('m999')"
_OPEN = """
import asyncio, os
from bot.store import open_store
async def main():
    store = await open_store(os.environ["LIAISON_STORE"])
    await store.close()
asyncio.run(main())
"""


# --- opening ---------------------------------------------------------------------------------------------


def test_both_engines_have_the_same_steps_tables_and_columns(postgres: str, tmp_path: Path) -> None:
    asyncio.run(_open_and_close(postgres))
    with psycopg.connect(postgres) as session:
        here = {row for row in session.execute(_COLUMNS) if row[0] != postgres_schema.MIGRATIONS}

    made = connect(tmp_path / "store.db")
    schema.migrate(made)
    own = {"_sqlite_migrations", "sqlite_sequence"}
    tables = [table for table in Database(made).tables if table.name not in own]
    there = {(table.name, column.name) for table in tables for column in table.columns}
    made.close()

    assert here == there
    assert postgres_schema.STEPS.keys() == schema.KNOWN


def test_several_replicas_may_open_a_new_store_at_once(postgres: str) -> None:
    environment = {**os.environ, "LIAISON_STORE": postgres}
    command = [sys.executable, "-c", _OPEN]
    processes = [
        subprocess.Popen(command, stderr=subprocess.PIPE, cwd=ROOT, env=environment) for _ in range(4)
    ]

    errors = [process.communicate(timeout=60)[1] for process in processes]

    assert [process.returncode for process in processes] == [0] * 4, errors
    with psycopg.connect(postgres) as session:
        [(steps,)] = session.execute(_COUNT_STEPS)
    assert steps == len(postgres_schema.STEPS)


async def test_the_database_of_another_program_is_left_alone(postgres: str) -> None:
    with psycopg.connect(postgres) as other:
        other.execute("CREATE TABLE album (title TEXT)")

    with pytest.raises(ConfigError, match="belongs to something else"):
        await open_store(postgres)

    with psycopg.connect(postgres) as other:
        assert {name for name, _ in other.execute(_COLUMNS)} == {"album"}


async def test_a_store_of_a_newer_version_is_refused(postgres: str) -> None:
    await _open_and_close(postgres)
    with psycopg.connect(postgres) as newer:
        newer.execute(_NEWER)

    with pytest.raises(ConfigError, match="newer Liaison"):
        await open_store(postgres)


async def test_without_the_driver_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(stores, "postgres", raising=False)
    for name in ("bot.store.postgres", "bot.store.postgres_address"):
        monkeypatch.setitem(sys.modules, name, None)

    with pytest.raises(ConfigError, match=r"liaison\[postgres\]"):
        await open_store("postgresql://bot@localhost/liaison")


def test_starting_without_postgresql_does_not_load_its_driver() -> None:
    code = "import sys, bot.__main__, bot.store; sys.exit('psycopg' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, timeout=60, check=False).returncode == 0


# --- rights ----------------------------------------------------------------------------------------------


async def test_who_may_only_read_and_write_rows_can_work_on_a_current_store(
    postgres: str, postgres_cluster: psycopg.Connection
) -> None:
    await _open_and_close(postgres)
    bot = _role_with(postgres, postgres_cluster, "SELECT, INSERT, UPDATE, DELETE")

    store = await open_store(bot)

    assert await store.add([claim(number) for number in range(100)]) == Tally(new=100)
    assert await store.claim("a", seconds=60)
    await store.close()


async def test_who_may_not_make_tables_is_told_who_does(
    postgres: str, postgres_cluster: psycopg.Connection
) -> None:
    bot = _role_with(postgres, postgres_cluster, "SELECT, INSERT, UPDATE, DELETE")

    with pytest.raises(ConfigError, match="liaison store migrate"):
        await open_store(bot)


async def test_a_wrong_password_is_told_and_not_repeated(postgres: str) -> None:
    user, _, rest = postgres.rpartition("@")
    wrong = f"{user}-canary-wrong@{rest}"

    with pytest.raises(ConfigError, match="user or password") as refused:
        await open_store(wrong)

    assert "canary" not in str(refused.value)


async def test_a_missing_database_is_told(postgres: str) -> None:
    with pytest.raises(ConfigError, match="no such database"):
        await open_store(postgres.rpartition("/")[0] + "/nowhere")


# --- lost sessions ---------------------------------------------------------------------------------------


async def test_a_server_that_is_away_is_waited_for_and_then_said_to_be_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    desk = Desk(PostgresEngine(read(f"postgresql://bot@127.0.0.1:{free_port()}/d", {})), "reader", 0.3)

    with pytest.raises(UnavailableError, match="does not answer"):
        await desk.do(lambda connection: connection.execute("SELECT 1"))

    await desk.close()


async def test_work_goes_on_in_a_new_session_when_one_was_ended(
    postgres: str, postgres_cluster: psycopg.Connection
) -> None:
    store = SqlStore(PostgresEngine(read(postgres, {})))
    await store.open()
    await store.add([claim(1)])
    assert len(await store.lookup([digest(1)])) == 1

    _end_sessions(postgres, postgres_cluster)

    found, tally = await asyncio.gather(store.lookup([digest(1)]), store.add([claim(2)]))
    assert len(found) == 1
    assert tally == Tally(new=1)
    assert len(await everything(store)) == 2
    await store.close()


async def test_a_transaction_that_was_interrupted_is_done_once(
    postgres: str, postgres_cluster: psycopg.Connection
) -> None:
    await _open_and_close(postgres)
    desk = Desk(PostgresEngine(read(postgres, {})), "writer")
    tries: list[int] = []

    def count(connection: Connection) -> None:
        with writing(connection, "mark"):
            connection.execute(_PUT, (f"try {len(tries)}", 1))
            tries.append(1)
            if len(tries) == 1:
                _end_sessions(postgres, postgres_cluster)
            connection.execute(_PUT, ("done", 1))

    await desk.do(count, once=True)

    names = await desk.do(lambda connection: connection.execute("SELECT name FROM mark").fetchall())
    assert {name for (name,) in names} == {"try 1", "done"}
    await desk.close()


# --- errors ----------------------------------------------------------------------------------------------


async def test_an_error_tells_no_value(postgres: str, caplog: pytest.LogCaptureFixture) -> None:
    await _open_and_close(postgres)
    desk = Desk(PostgresEngine(read(postgres, {})), "writer")

    def twice(connection: Connection) -> None:
        for _ in range(2):
            connection.execute(_PUT, ("secret.example.org", 1))

    with pytest.raises(UnavailableError) as refused:
        await desk.do(twice)

    assert "example" not in str(refused.value) + caplog.text
    assert "23505" in caplog.text
    await desk.close()


async def test_what_cannot_be_stored_as_text_is_refused(postgres: str) -> None:
    store = await open_store(postgres)

    with pytest.raises(InputError):
        await store.set_mark("\ud800", 1)
    with pytest.raises(InputError):
        await store.subscriptions("a\0b")

    await store.close()


async def test_a_busy_store_says_when_to_try_again(postgres: str) -> None:
    address = read(postgres, {})
    quick = {**address.parameters, "options": f"{address.parameters['options']} -c lock_timeout=100"}
    store = SqlStore(PostgresEngine(replace(address, parameters=quick)))
    await store.open()
    with psycopg.connect(postgres) as other:
        other.execute("SELECT head FROM clock FOR UPDATE")

        with pytest.raises(UnavailableError, match="try again in a minute"):
            await store.add([claim(1)])

    assert await store.add([claim(1)]) == Tally(new=1)
    await store.close()


def test_pauses_between_tries_are_longer_than_the_longest_patience() -> None:
    assert sum(threads._PAUSES) > threads.PATIENCE_SECONDS


async def _open_and_close(url: str) -> None:
    await (await open_store(url)).close()


def _end_sessions(url: str, cluster: psycopg.Connection) -> None:
    name = url.rpartition("/")[2]
    cluster.execute(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s", (name,)
    )


def _role_with(url: str, cluster: psycopg.Connection, rights: str) -> str:
    """The address for a role that owns nothing."""
    name = f"bot_{os.urandom(4).hex()}"
    cluster.execute(f"CREATE ROLE {name} LOGIN PASSWORD '{cluster.info.password}'".encode())
    with psycopg.connect(url) as owner:
        owner.execute(f"GRANT {rights} ON ALL TABLES IN SCHEMA public TO {name}".encode())
        owner.execute(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {name}".encode())
    return fixtures.address(cluster, url.rpartition("/")[2], name)
