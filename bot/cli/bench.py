"""`liaison bench ...`: the figures that Liaison is held to, measured on this machine."""

import json
from pathlib import Path

import click

from bot.bench.adversarial import Timing
from bot.bench.extract import Result, measure
from bot.cli.bars import verdict
from bot.cli.bench_digest import bench_digest
from bot.cli.bench_enrich import bench_enrich
from bot.cli.bench_slash import bench_slash
from bot.cli.bench_store import bench_import, bench_lookup, bench_store


@click.group()
def bench() -> None:
    """Measure Liaison on this machine; each command exits with 1 if a bar is missed."""


bench.add_command(bench_digest)
bench.add_command(bench_enrich)
bench.add_command(bench_import)
bench.add_command(bench_lookup)
bench.add_command(bench_slash)
bench.add_command(bench_store)


@bench.command(name="extract")
@click.argument("directory", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--no-peers", is_flag=True, help="Do not install and time iocsearcher and ioc-finder.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def bench_extract(directory: Path, no_peers: bool, as_json: bool) -> None:
    """Measure extraction on the corpus in DIRECTORY: recall, faults, hard cases, speed, hostile texts."""
    result = measure(directory, with_peers=not no_peers)
    click.echo(json.dumps(_plain(result), indent=1, ensure_ascii=False) if as_json else _table(result))
    if result.missed_bars:
        raise SystemExit(1)


def _plain(result: Result) -> dict[str, object]:
    return {
        "files": result.files,
        "expected": result.expected,
        "recall": result.recall,
        "missing": result.missing,
        "found": result.found,
        "fault_share": result.fault_share,
        "faults": result.faults,
        "hard_cases": result.hard_cases,
        "failed_cases": result.failed_cases,
        "megabytes_per_second": result.megabytes_per_second,
        "times_faster": result.times_faster,
        "hostile": [
            {"form": t.name, "seconds_100kB": t.short_seconds, "seconds_1MB": t.long_seconds}
            for t in result.hostile
        ],
        "missed_bars": result.missed_bars,
    }


def _table(result: Result) -> str:
    """The figures, what was missed, and whether the bars hold."""
    passed = result.hard_cases - len(result.failed_cases)
    lines = [
        f"recall             {result.recall:.3%} of {result.expected} expected in {result.files} text files",
        f"structural faults  {result.fault_share:.3%} ({len(result.faults)} of {result.found} found)",
        f"hard cases         {passed} of {result.hard_cases}",
        *(
            f"speed              {speed:6.2f} MB/s  {name}"
            for name, speed in result.megabytes_per_second.items()
        ),
        f"                   {result.times_faster:6.1f} times the fastest peer"
        if result.times_faster
        else "",
        f"hostile texts      {result.hostile_forms} forms; the slowest, then the one that grows fastest:",
        *(f"                   {_timing(timing)}" for timing in (result.slowest, result.steepest)),
        *(f"missing            {one}" for one in result.missing),
        *(f"fault              {one}" for one in result.faults),
        *(f"failed case        {one}" for one in result.failed_cases),
        *verdict(result.missed_bars, width=19),
    ]
    return "\n".join(line for line in lines if line)


def _timing(timing: Timing) -> str:
    seconds = f"{timing.short_seconds:.3f} s at 100 kB, {timing.long_seconds:.3f} s at 1 MB"
    return f"{seconds} ({timing.growth:.1f}x)  {timing.name}"
