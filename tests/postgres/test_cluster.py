"""The clusters of the tests themselves: real, empty, apart from each other, and gone afterwards."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from tests.postgres import leash
from tests.postgres.cluster import wait_until

ROOT = Path(__file__).parents[2]


def test_each_test_has_an_empty_database_that_it_owns(postgres: str) -> None:
    with psycopg.connect(postgres) as connection:
        connection.execute("CREATE TABLE one (n INTEGER)")
        [(superuser, creates)] = connection.execute(
            "SELECT rolsuper, rolcreatedb OR rolcreaterole FROM pg_roles WHERE rolname = current_user"
        )
        [(tables,)] = connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")

    assert (superuser, creates, tables) == (False, False, 1)


def test_nothing_is_left_of_a_database_after_its_test(
    postgres: str, postgres_cluster: psycopg.Connection
) -> None:
    names = {name for (name,) in postgres_cluster.execute("SELECT datname FROM pg_database")}

    assert len([name for name in names if name.startswith("test_")]) >= 1
    assert names >= {"postgres", "template0", "template1"}


_USER = """
import pathlib, sys, time
from tests.postgres.shared import joined
with joined(pathlib.Path(sys.argv[1])) as url:
    print(url, flush=True)
    time.sleep(600)
"""


@pytest.mark.usefixtures("postgres_binaries")
def test_a_cluster_is_shared_and_ends_with_its_last_user_even_if_killed(tmp_path: Path) -> None:
    # given two users of one cluster
    words = [sys.executable, "-c", _USER, str(tmp_path)]
    users = [subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    try:
        urls = {user.stdout.readline().strip() for user in users if user.stdout}
        [url] = urls
        with psycopg.connect(url) as connection:
            [(where,)] = connection.execute("SHOW data_directory")
        folder = Path(where)

        # when one of them is killed, the other goes on
        users[0].send_signal(signal.SIGKILL)
        users[0].wait(10)
        with psycopg.connect(url) as connection:
            connection.execute("SELECT 1")
        assert leash.residents(folder)

        # then nothing is left when the other is killed, too
        users[1].send_signal(signal.SIGKILL)
        wait_until(
            lambda: not leash.residents(folder) and not folder.parent.exists(), "the end of the cluster"
        )
    finally:
        for user in users:
            user.kill()
            user.communicate(timeout=10)


def test_processes_of_a_folder_are_those_that_work_in_it(tmp_path: Path) -> None:
    inside = subprocess.Popen(["sleep", "600"], cwd=tmp_path)
    outside = subprocess.Popen(["sleep", "600"], cwd="/")
    try:
        assert leash.residents(tmp_path) == [inside.pid]

        leash.kill(tmp_path)

        assert inside.wait(10) == -signal.SIGKILL
        assert outside.poll() is None
    finally:
        outside.kill()
        outside.wait(10)
    assert os.getpid() not in leash.residents(tmp_path)
