"""The benchmarks of the store measure what they say, and say so when a bar is missed."""

import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from bot.__main__ import cli
from bot.assertions import Assertion
from bot.bench import cursors, importing, lookups
from bot.bench.claims import indicator
from bot.bench.importing import Run
from bot.bench.storing import Figures, Pair
from bot.errors import UsageError
from bot.indicators import canonical
from bot.services import Store
from bot.store import open_store


def test_imports_are_measured_beside_executemany() -> None:
    result = CliRunner().invoke(cli, ["bench", "import", "--assertions", "1000", "--rounds", "1"])

    assert isinstance(result.exception, SystemExit | None), result.output
    assert [line.split("  ")[0] for line in result.output.splitlines()[1:4]] == [
        "executemany",
        "Store.add",
        "liaison import",
    ]


def test_lookups_are_measured_beside_a_prepared_statement() -> None:
    result = CliRunner().invoke(cli, ["bench", "lookup", "--assertions", "1000", "--rounds", "1"])

    assert isinstance(result.exception, SystemExit | None), result.output
    assert "prepared statement" in result.output
    assert "bulk of 10,000" in result.output


def test_missed_bars_are_named() -> None:
    run = Run(rows_per_second=100, extra_bytes=0)
    imports = importing.Figures(assertions=1, plain=run, add=run, whole=replace(run, rows_per_second=39))
    asked = lookups.Figures(assertions=1, prepared=100, single=49, bulk=50)

    assert imports.missed_bars == ["import below 0.4 of executemany"]
    assert asked.missed_bars == ["single lookups below 0.5 of a prepared statement"]


def test_the_store_is_measured_beside_plain_statements() -> None:
    result = CliRunner().invoke(cli, ["bench", "store", "--rows", "1000", "--rounds", "1", "--json"])

    assert isinstance(result.exception, SystemExit | None), result.output
    figures = json.loads(result.stdout)
    assert figures["engine"] == "SQLite"
    assert figures["ratios"].keys() == {"ingest", "bulk", "single"}
    assert all(pair["plain"] > 0 and pair["store"] > 0 for pair in map(figures.get, figures["ratios"]))
    assert (figures["written"], figures["missed"]) == (20_000, 0)


def test_the_store_is_held_to_half_of_plain_speed_and_no_missed_row() -> None:
    fast, slow = Pair(plain=100, store=50), Pair(plain=100, store=49)
    held = Figures("SQLite", 1, ingest=fast, bulk=fast, single=fast, written=9, missed=0)

    assert held.missed_bars == []
    assert replace(held, ingest=slow, missed=2).missed_bars == [
        "ingest below 0.5 of plain",
        "a reader missed 2 rows",
    ]


def test_stores_elsewhere_are_measured_on_servers_only() -> None:
    result = CliRunner().invoke(cli, ["bench", "store", "--store", "sqlite:///liaison.db"])

    assert isinstance(result.exception, UsageError)
    assert "postgresql://" in str(result.exception)


class Forgetful:
    """A store whose pages lack a row now and then."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def head(self) -> int:
        """That of the store."""
        return await self._store.head()

    async def everything(self, *, after: int = 0) -> AsyncIterator[Sequence[Assertion]]:
        """Those of the store, without their first row when somebody follows the head."""
        async for page in self._store.everything(after=after):
            yield page[1:] or page if after else page


async def test_a_reader_that_misses_rows_is_found_out(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'store.db'}"
    store = await open_store(url)

    written, missed = await cursors.race(url, Forgetful(store), batches=10)
    await store.close()

    assert written == 2_000
    assert missed > 0


@pytest.mark.parametrize("number", [*range(20), 999_999])
def test_the_sample_data_is_canonical(number: int) -> None:
    made = indicator(number)

    assert canonical(made.kind, made.value) == made
