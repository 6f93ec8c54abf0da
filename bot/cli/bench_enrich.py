"""`liaison bench enrich`: what asking external services costs."""

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from bot.cli.bars import ms, verdict

if TYPE_CHECKING:
    from bot.bench.enriching import Figures


@click.command(name="enrich")
@click.option(
    "--rounds", default=5, show_default=True, type=click.IntRange(1, 100), help="How often each is measured."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of lines.")
def bench_enrich(rounds: int, as_json: bool) -> None:
    """Measure enrichment against local services that take 50 ms, beside plain requests."""
    from bot.bench.enriching import measure  # noqa: PLC0415 - takes half a second that only this command needs

    figures = measure(rounds)
    click.echo(json.dumps(_plain(figures)) if as_json else _lines(figures))
    if figures.missed_bars:
        raise SystemExit(1)


def _plain(figures: "Figures") -> dict[str, object]:
    return {**asdict(figures), "slower": figures.slower, "missed_bars": figures.missed_bars}


def _lines(figures: "Figures") -> str:
    from bot.bench import enriching as bars  # noqa: PLC0415 - see above

    services, most = len(bars.NAMES), bars.MOST_SECONDS
    hung = f"p99 {ms(figures.p99_beside_hung)}, alone {ms(figures.p99_alone)}: {figures.slower:.2f}x"
    plain = f"as many plain requests at once: {figures.plain:.3f} s, ratio {figures.many / figures.plain:.2f}"
    lines = [
        f"same question   {bars.SAME} at once: {figures.upstream_calls} call to each service",
        f"hung questions  {figures.answered} of {bars.NORMAL} answered beside {bars.HUNG} that hang",
        f"                {hung} (at most {bars.MOST_SLOWER}x)",
        f"one message     {bars.MANY} hashes, {services} services: {figures.many:.3f} s (at most {most} s)",
        f"                {plain}",
        f"cached          {ms(figures.cached)} (below {ms(bars.MOST_CACHED)})",
        *verdict(figures.missed_bars),
    ]
    return "\n".join(lines)
