"""`liaison bench import` and `liaison bench lookup`."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from bot.bench import importing, lookups
from bot.bench.importing import Run
from bot.cli.bars import verdict

Function = TypeVar("Function", bound=Callable[..., Any])

_MB = 1024 * 1024


def _assertions(default: int) -> Callable[[Function], Function]:
    size = click.IntRange(1_000, 10_000_000)
    return click.option(
        "--assertions", default=default, show_default=True, type=size, help="How many are stored."
    )


def _rounds(default: int) -> Callable[[Function], Function]:
    times = click.IntRange(1, 20)
    return click.option(
        "--rounds", default=default, show_default=True, type=times, help="Of which the median is taken."
    )


@click.command(name="import")
@_assertions(200_000)
@_rounds(3)
def bench_import(assertions: int, rounds: int) -> None:
    """Measure importing JSON lines, and Store.add alone, beside plain executemany of the same rows."""
    figures = importing.measure(assertions, rounds)
    click.echo(f"{figures.assertions:,} assertions, median of {rounds}")
    for name, run in (
        ("executemany", figures.plain),
        ("Store.add", figures.add),
        ("liaison import", figures.whole),
    ):
        click.echo(_line(name, run, figures.plain))
    _end(figures.missed_bars)


@click.command(name="lookup")
@_assertions(1_000_000)
@_rounds(5)
def bench_lookup(assertions: int, rounds: int) -> None:
    """Measure single and bulk lookups beside a prepared statement on the same file."""
    figures = lookups.measure(assertions, rounds)
    click.echo(f"{figures.assertions:,} assertions, half of the values known, median of {rounds}")
    for name, speed in (
        ("prepared statement", figures.prepared),
        (f"{lookups.AT_ONCE} at once, single", figures.single),
        (f"bulk of {lookups.BULK:,}", figures.bulk),
    ):
        click.echo(f"{name:20} {speed:>9,.0f} values/s  {speed / figures.prepared:5.2f}")
    _end(figures.missed_bars)


def _line(name: str, run: Run, beside: Run) -> str:
    ratio = run.rows_per_second / beside.rows_per_second
    memory = f"{run.extra_bytes / _MB:6.0f} MB extra memory"
    return f"{name:15} {run.rows_per_second:>9,.0f} rows/s  {ratio:5.2f}  {memory}"


def _end(missed_bars: list[str]) -> None:
    click.echo("\n".join(verdict(missed_bars, width=7)))
    if missed_bars:
        raise SystemExit(1)
