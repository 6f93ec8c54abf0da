"""roles.sql on a real cluster: the bot's role can do what stores do, and nothing besides."""

import secrets
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from typing import LiteralString

import psycopg
import pytest
from psycopg import errors, sql

from bot.errors import ConfigError
from bot.services import Store
from bot.store import open_store, operations
from tests.deploy.described import DEPLOY
from tests.postgres.fixtures import address
from tests.postgres.shared import ROLE
from tests.store import contract, contract_ledger, contract_replicas, contract_subscriptions
from tests.store.contract import Backend, now

OWNER, BOT = "liaison_owner", "liaison_bot"
ROLES = (DEPLOY / "postgresql" / "roles.sql").read_text(encoding="utf-8")
_ONE_AT_A_TIME = 7_715_320  # advisory lock: roles belong to the cluster, which other tests of this run share


@contextmanager
def prepared(cluster: psycopg.Connection) -> Iterator[str]:
    """A database as an operator makes it: roles.sql, passwords; gives its name."""
    name = f"test_{secrets.token_hex(6)}"
    cluster.execute(
        sql.SQL("CREATE DATABASE {} TEMPLATE template0 STRATEGY file_copy").format(sql.Identifier(name))
    )
    try:
        give_roles(cluster, name)
        yield name
    finally:
        cluster.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def give_roles(cluster: psycopg.Connection, name: str) -> None:
    """Run roles.sql in that database, as superuser; and set passwords, as post_init does."""
    cluster.execute("SELECT pg_advisory_lock(%s)", (_ONE_AT_A_TIME,))
    try:
        with psycopg.connect(address(cluster, name, cluster.info.user), autocommit=True) as session:
            session.execute(ROLES.encode())
        for role in (OWNER, BOT):
            password = sql.SQL("ALTER ROLE {} PASSWORD {}").format(
                sql.Identifier(role), cluster.info.password
            )
            cluster.execute(password)
    finally:
        cluster.execute("SELECT pg_advisory_unlock(%s)", (_ONE_AT_A_TIME,))


class BotBackend:
    """Every place is a database that the owner migrated; stores are opened as the bot."""

    def __init__(self, cluster: psycopg.Connection) -> None:
        self._cluster = cluster
        self._databases = ExitStack()
        self._places: dict[str, str] = {}
        self._opened: list[Store] = []

    async def open(self, place: str = "store", clock: Callable[[], datetime] = now) -> Store:
        """A store on that place, with what was stored there before."""
        if place not in self._places:
            self._places[place] = self._databases.enter_context(prepared(self._cluster))
            operations.migrate(address(self._cluster, self._places[place], OWNER))
        store = await open_store(address(self._cluster, self._places[place], BOT), clock)
        self._opened.append(store)
        return store

    async def close(self) -> None:
        """Close whatever a test left open, and drop the databases."""
        for store in self._opened:
            await store.close()
        self._databases.close()


@pytest.fixture
async def backend(postgres_cluster: psycopg.Connection) -> AsyncIterator[Backend]:
    backend = BotBackend(postgres_cluster)
    yield backend
    await backend.close()


# What the store does, the bot's role may do: a part of the contract for each kind of statement.


class TestAdding(contract.Adding):
    pass


class TestSubscribing(contract_subscriptions.Subscribing):
    pass


class TestMarking(contract_ledger.Marking):
    pass


class TestRenaming(contract_replicas.Renaming):
    pass


def test_the_bot_may_read_and_write_rows_of_every_table(
    postgres_cluster: psycopg.Connection, database: str
) -> None:
    with psycopg.connect(address(postgres_cluster, database, BOT), autocommit=True) as session:
        granted = session.execute(
            """SELECT relname, array_agg(privilege_type ORDER BY privilege_type) FROM pg_class
            CROSS JOIN aclexplode(relacl) AS acl
            WHERE relnamespace = 'liaison'::regnamespace AND relkind = 'r' AND grantee = %s::regrole
            GROUP BY relname""",
            (BOT,),
        ).fetchall()
        tables = session.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'liaison'").fetchall()
        session.execute("CREATE TEMPORARY TABLE stage (a int)")

    assert dict(granted) == {name: ["DELETE", "INSERT", "SELECT", "UPDATE"] for (name,) in tables}
    assert len(tables) > 10


# And nothing besides.


@pytest.fixture(scope="module")
def database(postgres_cluster: psycopg.Connection) -> Iterator[str]:
    """A migrated database of these tests' own."""
    with prepared(postgres_cluster) as name:
        operations.migrate(address(postgres_cluster, name, OWNER))
        yield name


FORBIDDEN: dict[str, LiteralString] = {
    "make a table": "CREATE TABLE mine (a int)",
    "make a table in public": "CREATE TABLE public.mine (a int)",
    "make a schema": "CREATE SCHEMA mine",
    "make a function": "CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "make an index": "CREATE INDEX mine ON assertion (source)",
    "make a rule": "CREATE RULE mine AS ON INSERT TO assertion DO INSTEAD NOTHING",
    "change a table": "ALTER TABLE assertion ADD COLUMN mine int",
    "drop a table": "DROP TABLE assertion",
    "empty a table": "TRUNCATE assertion",
    "give rights away": "GRANT liaison_owner TO liaison_bot",
    "become the owner": "SET ROLE liaison_owner",
    "change itself": "ALTER ROLE liaison_bot SUPERUSER",
    "make a role": "CREATE ROLE mine",
    "make a database": "CREATE DATABASE mine",
    "read passwords": "SELECT rolpassword FROM pg_authid",
    "read files": "SELECT pg_read_file('/etc/passwd')",
    "run programs": "COPY assertion TO PROGRAM 'cat'",
    "write files": "COPY assertion TO '/mine'",
    "load extensions": "CREATE EXTENSION dblink",
    "change settings": "ALTER SYSTEM SET ssl = off",
    "forget statistics": "SELECT pg_stat_reset()",
    "switch logs on": "SET log_statement = 'all'",
}


@pytest.mark.parametrize("what", FORBIDDEN)
def test_the_bot_may_not(what: str, postgres_cluster: psycopg.Connection, database: str) -> None:
    url = address(postgres_cluster, database, BOT)

    with psycopg.connect(url, autocommit=True) as session, pytest.raises(errors.InsufficientPrivilege):
        session.execute(FORBIDDEN[what])


def test_nobody_else_may_come_in(postgres_cluster: psycopg.Connection, database: str) -> None:
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        psycopg.connect(address(postgres_cluster, database, ROLE))


def test_the_owner_is_no_superuser_either(postgres_cluster: psycopg.Connection) -> None:
    rights = postgres_cluster.execute(
        """SELECT bool_or(rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls)
        FROM pg_roles WHERE rolname = ANY (%s)""",
        ([OWNER, BOT],),
    ).fetchone()

    assert rights == (False,)


def test_statements_of_the_bot_end_by_themselves(postgres_cluster: psycopg.Connection, database: str) -> None:
    with psycopg.connect(address(postgres_cluster, database, BOT), autocommit=True) as session:
        for name in ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"):
            asked = session.execute("SELECT setting::bigint FROM pg_settings WHERE name = %s", (name,))
            assert 0 < asked.fetchall()[0][0] <= 60_000, name


def test_running_it_again_changes_nothing(postgres_cluster: psycopg.Connection, database: str) -> None:
    def rights() -> list[tuple[object, ...]]:
        with psycopg.connect(address(postgres_cluster, database, OWNER)) as session:
            return session.execute("SELECT relname, relacl::text FROM pg_class ORDER BY relname").fetchall()

    before = rights()
    give_roles(postgres_cluster, database)

    assert rights() == before


def test_tables_of_later_migrations_are_the_bots_to_write(
    postgres_cluster: psycopg.Connection, database: str
) -> None:
    with psycopg.connect(address(postgres_cluster, database, OWNER), autocommit=True) as session:
        session.execute("CREATE TABLE later (a BIGINT GENERATED BY DEFAULT AS IDENTITY, b int)")
    with psycopg.connect(address(postgres_cluster, database, BOT), autocommit=True) as session:
        session.execute("INSERT INTO later (b) VALUES (1)")
        session.execute("UPDATE later SET b = 2")
        assert session.execute("DELETE FROM later").rowcount == 1
    with psycopg.connect(address(postgres_cluster, database, OWNER), autocommit=True) as session:
        session.execute("DROP TABLE later")


async def test_a_store_that_is_not_migrated_is_refused_with_what_to_do(
    postgres_cluster: psycopg.Connection,
) -> None:
    with prepared(postgres_cluster) as name, pytest.raises(ConfigError, match="store migrate"):
        await open_store(address(postgres_cluster, name, BOT))
