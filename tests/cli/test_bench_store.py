"""The benchmarks of the store measure what they say, and say so when a bar is missed."""

from dataclasses import replace

import pytest
from click.testing import CliRunner

from bot.__main__ import cli
from bot.bench import importing, lookups
from bot.bench.claims import indicator
from bot.bench.importing import Run
from bot.indicators import canonical


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


@pytest.mark.parametrize("number", [*range(20), 999_999])
def test_the_sample_data_is_canonical(number: int) -> None:
    made = indicator(number)

    assert canonical(made.kind, made.value) == made
