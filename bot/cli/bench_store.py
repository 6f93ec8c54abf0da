"""`liaison bench store`, `liaison bench import` and `liaison bench lookup`."""

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any, TypeVar

import click

from bot.bench import cursors, importing, lookups, storing
from bot.bench.ground import ground
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


@click.command(name="store")
@click.option(
    "--store",
    "url",
    metavar="URL",
    help="A PostgreSQL server where two databases may be made and dropped; default: SQLite.",
)
@click.option(
    "--rows",
    default=1_000_000,
    show_default=True,
    type=click.IntRange(1_000, 20_000_000),
    help="How many are stored.",
)
@_rounds(7)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of lines.")
def bench_store(url: str | None, rows: int, rounds: int, as_json: bool) -> None:
    """Measure the store beside plain statements of its engine, and count what a reader at the head misses."""
    with ground(url) as databases:
        figures = storing.measure(databases, rows, rounds)
    click.echo(json.dumps(_plain(figures)) if as_json else _lines(figures))
    if figures.missed_bars:
        raise SystemExit(1)


def _plain(figures: storing.Figures) -> dict[str, object]:
    ratios = {name: getattr(figures, name).ratio for name in ("ingest", "bulk", "single")}
    return {**asdict(figures), "ratios": ratios, "missed_bars": figures.missed_bars}


def _lines(figures: storing.Figures) -> str:
    written = f"{figures.written:,} rows of {cursors.WRITERS} writers at once"
    lines = [
        f"{figures.rows:,} rows on {figures.engine}, at least {storing.BAR} of plain statements",
        f"ingest          {_pair(figures.ingest)}",
        f"bulk lookup     {_pair(figures.bulk)}, {storing.PART:,} values, half of them known",
        f"lookups at once {_pair(figures.single)}, {storing.AT_ONCE} callers",
        f"missed          {figures.missed} of {written}",
        *verdict(figures.missed_bars),
    ]
    return "\n".join(lines)


def _pair(pair: storing.Pair) -> str:
    return f"{pair.store:>9,.0f}/s, plain {pair.plain:>9,.0f}/s: {pair.ratio:.2f}"


def _line(name: str, run: Run, beside: Run) -> str:
    ratio = run.rows_per_second / beside.rows_per_second
    memory = f"{run.extra_bytes / _MB:6.0f} MB extra memory"
    return f"{name:15} {run.rows_per_second:>9,.0f} rows/s  {ratio:5.2f}  {memory}"


def _end(missed_bars: list[str]) -> None:
    click.echo("\n".join(verdict(missed_bars, width=7)))
    if missed_bars:
        raise SystemExit(1)
