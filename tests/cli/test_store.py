"""`liaison store ...` on the command line: what it prints, and its exit codes."""

import json
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bot.__main__ import cli
from bot.errors import UsageError
from bot.store import engine_at, operations
from bot.store.copying import Phase
from tests.store.filling import fill


@pytest.fixture
def places(tmp_path: Path) -> tuple[str, str]:
    """A store with rows in every table, and where there is none yet."""
    origin, target = f"sqlite:///{tmp_path / 'from.db'}", f"sqlite:///{tmp_path / 'to.db'}"
    with closing(engine_at(origin).connect("writer")) as connection:
        fill(connection, rows=20)
    return origin, target


def run(*words: str) -> Result:
    return CliRunner().invoke(cli, words)


def test_a_copy_tells_what_to_do_first_and_what_was_verified(places: tuple[str, str]) -> None:
    result = run("store", "copy", *places)

    assert result.exit_code == 0
    assert result.stderr.splitlines()[0].startswith("Stop every Liaison that uses FROM or TO first")
    assert "copying assertion: 20" in result.stderr
    assert "verifying TO assertion: 20" in result.stderr
    assert (
        result.stdout.splitlines()[-1] == "TO holds the same as FROM, by counts and digests of every table."
    )


def test_a_copy_in_json_holds_counts_and_digests_of_both(places: tuple[str, str]) -> None:
    result = run("store", "copy", *places, "--json")

    copied = json.loads(result.stdout)
    assert (copied["verified"], copied["resumed"], copied["different"]) == (True, False, [])
    assert copied["from"] == copied["to"]
    assert copied["to"]["assertion"]["rows"] == 20
    assert len(copied["to"]["assertion"]["digest"]) == 64


def test_check_tells_the_same_digests_as_the_copy(places: tuple[str, str]) -> None:
    copied = json.loads(run("store", "copy", *places, "--json").stdout)

    result = run("--store", places[1], "store", "check", "--json")

    checked = json.loads(result.stdout)
    assert result.exit_code == 0
    assert checked["tables"] == copied["from"]
    assert (checked["engine"], checked["current"], checked["complete"]) == ("SQLite", True, True)
    assert checked["size"] > 0
    assert checked["version"].startswith("m0")


def test_check_for_people_names_engine_version_and_tables(places: tuple[str, str]) -> None:
    lines = run("--store", places[0], "store", "check").stdout.splitlines()

    assert lines[0].startswith("SQLite, ")
    assert "tables as of m0" in lines[0]
    assert any(line.split()[:2] == ["assertion", "20"] for line in lines)


def test_check_fails_for_tables_of_another_version(places: tuple[str, str]) -> None:
    with closing(engine_at(places[0]).connect("reader")) as connection:
        connection.execute("DELETE FROM _sqlite_migrations WHERE name = 'm008_asked'")

    result = run("--store", places[0], "store", "check")

    assert result.exit_code == 1
    assert "NOT of this Liaison: `liaison store migrate` updates it" in result.stdout


def stop_after_changes(phase: Phase, table: str, rows: int) -> None:
    """Progress that ends a copy behind the table `change`."""
    if table == "claim":
        raise KeyboardInterrupt


def test_check_fails_for_the_beginning_of_a_copy(places: tuple[str, str]) -> None:
    with pytest.raises(KeyboardInterrupt):
        operations.copy(*places, stop_after_changes)

    result = run("--store", places[1], "store", "check")

    assert result.exit_code == 1
    assert "UNFINISHED: run the same `liaison store copy` again" in result.stdout


def test_migrate_makes_the_tables(places: tuple[str, str]) -> None:
    assert isinstance(run("--store", places[1], "store", "check").exception, UsageError)

    result = run("--store", places[1], "store", "migrate")

    assert result.stdout.startswith("The tables are up to date: m0")
    assert run("--store", places[1], "store", "check").exit_code == 0


def test_a_difference_is_a_failure_that_the_same_words_mend(places: tuple[str, str]) -> None:
    with pytest.raises(KeyboardInterrupt):
        operations.copy(*places, stop_after_changes)
    with closing(engine_at(places[0]).connect("writer")) as connection:
        connection.execute("DELETE FROM change")

    first, second = run("store", "copy", *places), run("store", "copy", *places)

    assert (first.exit_code, second.exit_code) == (1, 0)
    assert "DIFFERENT: change\nFROM was written while it was copied." in first.stdout


def test_what_is_no_store_is_refused_in_one_sentence(places: tuple[str, str], tmp_path: Path) -> None:
    nothing = f"sqlite:///{tmp_path / 'nothing.db'}"
    (tmp_path / "empty.db").touch()

    for words in (
        ("store", "copy", nothing, places[1]),
        ("store", "copy", f"sqlite:///{tmp_path / 'empty.db'}", places[1]),
        ("store", "copy", places[0], places[0]),
        ("--store", nothing, "store", "check"),
    ):
        assert isinstance(run(*words).exception, UsageError), words
