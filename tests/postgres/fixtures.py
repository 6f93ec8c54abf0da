"""A database of a real PostgreSQL for each test that asks."""

import os
import secrets
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.postgres.cluster import HOW_TO_INSTALL, binaries
from tests.postgres.shared import ROLE, joined

_EMPTY = (
    "TEMPLATE template0 STRATEGY file_copy"  # the other strategy takes twice the time where nothing is synced
)


@pytest.fixture(scope="session")
def postgres_binaries() -> Path:
    """The folder of PostgreSQL's programs; without them tests are skipped, and fail in CI."""
    found = binaries()
    if found is None and os.environ.get("CI"):
        pytest.fail(HOW_TO_INSTALL)
    if found is None:
        pytest.skip(HOW_TO_INSTALL)
    return found


@pytest.fixture(scope="session")
def postgres_cluster(
    postgres_binaries: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[psycopg.Connection]:
    """A superuser's connection to the cluster of this run, which all its workers share."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "postgres"
    folder.mkdir(exist_ok=True)
    with joined(folder) as url, psycopg.connect(url, autocommit=True) as connection:
        yield connection


@pytest.fixture
def postgres(postgres_cluster: psycopg.Connection) -> Iterator[str]:
    """The address of an empty database of this test's own, for a role that may do nothing else."""
    name = f"test_{secrets.token_hex(6)}"
    postgres_cluster.execute(f"CREATE DATABASE {name} OWNER {ROLE} {_EMPTY}")
    yield address(postgres_cluster, name)
    postgres_cluster.execute(f"DROP DATABASE {name} WITH (FORCE)")


def address(connection: psycopg.Connection, database: str, role: str = ROLE) -> str:
    """The address of a database of that cluster, for that role."""
    info = connection.info
    return f"postgresql://{role}:{info.password}@{info.host}:{info.port}/{database}"
