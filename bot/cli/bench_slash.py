"""`liaison bench slash`: what a slash command costs from end to end."""

import json
from typing import TYPE_CHECKING

import click

from bot.cli.context import Context, pass_context

if TYPE_CHECKING:
    from bot.bench.slash import Figures

LEAST_RATIO = 0.4


@click.command(name="slash")
@click.option(
    "--assertions",
    default=100_000,
    show_default=True,
    type=click.IntRange(min=1),
    help="How many are stored.",
)
@click.option(
    "--seconds", default=5.0, show_default=True, type=click.FloatRange(0.1, 600), help="For each part."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of lines.")
@pass_context
def bench_slash(context: Context, assertions: int, seconds: float, as_json: bool) -> None:
    """Measure signed slash commands with a lookup beside a bare Bolt app that only acknowledges."""
    from bot.bench.slash import measure  # noqa: PLC0415 - takes half a second that only this command needs

    figures = measure(context.answer, assertions=assertions, seconds=seconds)
    click.echo(json.dumps(_plain(figures)) if as_json else _lines(figures, assertions))
    if figures.ratio < LEAST_RATIO:
        raise SystemExit(1)


def _plain(figures: "Figures") -> dict[str, float]:
    return {
        "bare_per_second": figures.bare,
        "liaison_per_second": figures.liaison,
        "ratio": figures.ratio,
        "p50_seconds": figures.p50,
        "p99_seconds": figures.p99,
    }


def _lines(figures: "Figures", assertions: int) -> str:
    verdict = "holds" if figures.ratio >= LEAST_RATIO else "MISSED"
    return "\n".join(
        (
            f"bare Bolt app  {figures.bare:7.0f} requests/s, acknowledges only",
            f"Liaison        {figures.liaison:7.0f} requests/s, a lookup in {assertions:,} assertions",
            f"ratio          {figures.ratio:7.2f} (at least {LEAST_RATIO}: {verdict})",
            f"at 100/s       p50 {figures.p50 * 1000:.1f} ms, p99 {figures.p99 * 1000:.1f} ms",
        )
    )
