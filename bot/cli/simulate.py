"""`liaison simulate`: a day in the life of a large centre."""

import asyncio
import json
import random
import sys
import time
from datetime import datetime
from functools import partial
from pathlib import Path

import click

from bot.cli.context import Context, pass_context
from bot.errors import UnavailableError

SQLITE = "sqlite:///"


@click.command()
@click.option(
    "--organisations",
    default=200,
    show_default=True,
    type=click.IntRange(8, 400),
    help="How many there are, the centre included.",
)
@click.option(
    "--channels",
    default=1_000,
    show_default=True,
    type=click.IntRange(4, 5_000),
    help="How many channels the centre shares with them.",
)
@click.option(
    "--days",
    default=1.0,
    show_default=True,
    type=click.FloatRange(0.02, 7),
    help="How long; a part of a day as a fraction.",
)
@click.option(
    "--replicas", default=2, show_default=True, type=click.IntRange(1, 8), help="How many bots there are."
)
@click.option(
    "--questions",
    default=4_000,
    show_default=True,
    type=click.IntRange(1, 1_000_000),
    help="How often people ask something, each day.",
)
@click.option(
    "--assertions",
    default=10_000,
    show_default=True,
    type=click.IntRange(100, 1_000_000),
    help="How many are stored before the day begins.",
)
@click.option(
    "--kills", default=1, show_default=True, type=click.IntRange(0, 100), help="How often a bot is killed."
)
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), help="The same seed makes the same day.")
@click.option(
    "--speed",
    default=120.0,
    show_default=True,
    type=click.FloatRange(1, 1_000),
    help="How much faster than real time it passes at most: no faster than this machine can follow.",
)
@click.option("--store", default="", metavar="URL", help="An empty store; a file of its own without it.")
@click.option(
    "--failover",
    metavar="PROGRAM",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Run this once: it kills the primary of the store and lets a standby take over.",
)
@click.option("--no-services", is_flag=True, help="Leave external services out.")
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where settings, logs and a store in a file stay afterwards; nothing stays without it.",
)
@click.option(
    "--begins",
    default="20:00",
    show_default=True,
    type=click.DateTime(["%H:%M"]),
    help="The hour of UTC at which it begins.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
@pass_context
def simulate(
    context: Context,
    organisations: int,
    channels: int,
    days: float,
    replicas: int,
    questions: int,
    assertions: int,
    kills: int,
    seed: int | None,
    speed: float,
    store: str,
    failover: Path | None,
    no_services: bool,
    folder: Path | None,
    begins: datetime,
    as_json: bool,
) -> None:
    """Play a day of a large centre with real bots against the local Slack, and judge it.

    Imports, lookups, digests at local mornings, revocations, an outage of a provider, an incident of Slack, a
    bot that is killed; nothing leaves this machine. Exits 1 if anything was leaked, lost or doubled.
    """
    from bot.simulation.day import Means, play  # noqa: PLC0415 - takes a second that only this command needs
    from bot.simulation.script import BEGINS, script  # noqa: PLC0415 - see above

    seed = random.SystemRandom().randrange(2**32) if seed is None else seed
    hours = days * 24
    made = script(
        seed=seed,
        organisations=organisations,
        channels=channels,
        hours=hours,
        questions=max(1, round(questions * days)),
        assertions=assertions,
        kills=kills,
        begins=BEGINS.replace(hour=begins.hour, minute=begins.minute),
    )
    _say(f"Seed {seed}; a day of {hours:g} hours takes at least {hours * 60 / speed:.0f} minutes.")
    means = Means(
        answer=context.answer,
        replicas=replicas,
        speed=speed,
        store=store,
        folder=folder,
        with_services=not no_services,
        failover=partial(_run, failover.resolve()) if failover else None,
        say=_say,
    )
    found = play(made, means)
    click.echo(json.dumps(found.plain(), indent=2) if as_json else str(found))
    if found.is_failed:
        sys.exit(1)


async def _run(program: Path) -> None:
    """Wait for its end. Raises UnavailableError if it fails."""
    process = await asyncio.create_subprocess_exec(program)
    if await process.wait():
        raise UnavailableError(f"{program} failed; the store was left as it was.")


def _say(words: str) -> None:
    click.echo(f"{time.strftime('%H:%M:%S')} {words}", err=True)
