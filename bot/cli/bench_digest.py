"""`liaison bench digest`: what digests cost, and how fast many leave."""

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from bot.cli.bars import ms, verdict
from bot.cli.context import Context, pass_context

if TYPE_CHECKING:
    from bot.bench.digests import Figures


@click.command(name="digest")
@click.option(
    "--assertions",
    default=1_000_000,
    show_default=True,
    type=click.IntRange(20_000, 10_000_000),
    help="How many are stored.",
)
@click.option(
    "--channels",
    default=200,
    show_default=True,
    type=click.IntRange(60, 2_000),
    help="How many digests are due at once.",
)
@click.option(
    "--speed",
    default=20.0,
    show_default=True,
    type=click.FloatRange(1, 50),
    help="How much faster than real time Slack's limits pass by; 1 takes seven minutes.",
)
@click.option(
    "--rounds",
    default=40,
    show_default=True,
    type=click.IntRange(1, 100),
    help="How often a digest is built.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of lines.")
@pass_context
def bench_digest(
    context: Context, assertions: int, channels: int, speed: float, rounds: int, as_json: bool
) -> None:
    """Measure building a digest beside a small store, and many due at once against the sandbox's limits."""
    from bot.bench.digests import measure  # noqa: PLC0415 - takes half a second that only this command needs

    figures = measure(context.answer, assertions=assertions, channels=channels, speed=speed, rounds=rounds)
    click.echo(json.dumps(_plain(figures)) if as_json else _lines(figures))
    if figures.missed_bars:
        raise SystemExit(1)


def _plain(figures: "Figures") -> dict[str, object]:
    ratios = {
        "slower": figures.slower,
        "over_limits": figures.due.over_limits,
        "looks_each": figures.due.looks_each,
        "felt": figures.due.felt,
    }
    return {**asdict(figures), **ratios, "missed_bars": figures.missed_bars}


def _lines(figures: "Figures") -> str:
    from bot.bench import digests as bars  # noqa: PLC0415 - see above

    due = figures.due
    few = f"with {bars.FEW:,}: {ms(figures.few)}, ratio {figures.slower:.2f} (at most {bars.MOST_SLOWER})"
    allowed = f"{due.over_limits:.2f} of the {due.allowed:.0f} s that the limits take"
    p99 = f"p99 {ms(due.p99_meanwhile)}, without {ms(due.p99_alone)}: {due.felt:.2f}x"
    lines = [
        f"build           {bars.NEW:,} new with {figures.assertions:,} stored: {ms(figures.many)}",
        f"                {few}",
        f"due at once     {due.channels} channels, {due.posted} posts: {due.taken:.0f} s of Slack's clock",
        f"                {allowed} (at most {bars.MOST_TAKEN})",
        f"                {due.looks_each:.2f} looks each at who reads a channel (at most {bars.MOST_LOOKS})",
        f"                that clock ran {due.speed:g} times faster than real time",
        f"lookups         {p99} (below {bars.MOST_FELT}x)",
        *verdict(figures.missed_bars),
    ]
    return "\n".join(lines)
