"""`liaison enrich`: on the command line, what external services say besides what the store may tell."""

import asyncio
import json
import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime

import click

from bot import config
from bot.answer_csv import as_csv
from bot.answers import as_json
from bot.blocks import RED
from bot.chat import Actor, Ask, Lookup, Notice, Reply, Surface
from bot.cli.context import Context, pass_context
from bot.cli.lookup import as_text, audience_of, say_missed
from bot.config import Configuration
from bot.errors import UsageError
from bot.findings import Outcome
from bot.indicators import defang
from bot.lookups import cut_off
from bot.opening import open_services, with_keys
from bot.services import Services
from bot.sharing import Audience

SECONDS = 120.0  # after which nobody waits any longer, whatever each service was given
INCOMPLETE = 3  # exit code: somebody who was asked did not answer


@click.command()
@click.argument("text", nargs=-1, required=True)
@click.option("--as", "org", metavar="ORG", required=True, help="The organisation that asks and reads.")
@click.option("--json", "wants_json", is_flag=True, help="Print JSON instead of text.")
@click.option("--csv", "wants_csv", is_flag=True, help="Print CSV instead of text: a row an opinion.")
@pass_context
def enrich(context: Context, text: tuple[str, ...], org: str, wants_json: bool, wants_csv: bool) -> None:
    """Ask external services about the indicators in TEXT, as if ORG had asked in private.

    A marking in TEXT, such as tlp:amber or pap:red, says how far the question may go. Keys of the services
    that liaison.toml turns on come from the environment. Exits with 3 if a service did not answer.
    """
    if wants_json and wants_csv:
        raise UsageError("Choose one of --json and --csv.")
    configuration = with_keys(config.read(context.config), os.environ)
    audience = audience_of(configuration.registry, org)
    answer = asyncio.run(_answer(context, configuration, " ".join(text), audience))
    say_missed(answer.not_understood)
    if answer.is_red:
        click.echo(RED, err=True)
    click.echo(_written(answer, wants_json=wants_json, wants_csv=wants_csv), nl=not wants_csv)
    if any(finding.outcome.is_error for entry in answer.entries for finding in entry.findings):
        click.get_current_context().exit(INCOMPLETE)


def _written(answer: Lookup, *, wants_json: bool, wants_csv: bool) -> str:
    if wants_csv:
        return as_csv(answer)
    return (
        json.dumps(as_json(answer.entries), indent=1, ensure_ascii=False) if wants_json else as_text(answer)
    )


async def _answer(context: Context, configuration: Configuration, text: str, audience: Audience) -> Lookup:
    services = await open_services(context.store, configuration, lambda: datetime.now(UTC))
    try:
        reply = await context.answer(_ask(services, text, audience), services)
        return await _complete(_lookup(reply), _say_progress if sys.stderr.isatty() else _say_nothing)
    finally:
        if services.enrichment is not None:
            await services.enrichment.close()
        await services.store.close()


def _ask(services: Services, text: str, audience: Audience) -> Ask:
    """The command as somebody of that organisation would give it; nobody in person, so TLP:RED stays."""
    [org] = audience.orgs
    return Ask(
        verb="",
        text=f"enrich {text}",
        surface=Surface.CLI,
        actor=Actor(user="", org=org),
        audience=audience,
        world=services.registry.world(services.clock()),
    )


def _lookup(reply: Reply) -> Lookup:
    """The answer. Raises UsageError when there is none, with the words that tell why."""
    if isinstance(reply, Lookup):
        return reply
    rows = reply.rows if isinstance(reply, Notice) else ()
    told = [f"{defang(row.code)} --as ORG" if row.code else row.text for row in rows]
    raise UsageError("\n".join(told) or "Nothing was asked.")


async def _complete(answer: Lookup, say: Callable[[Lookup], None]) -> Lookup:
    """The answer when all have answered, or as it is when nobody waits any longer."""
    try:
        async with asyncio.timeout(SECONDS):
            while answer.more is not None:
                say(answer)
                answer = await answer.more()
    except TimeoutError:
        answer = cut_off(answer)
    say(answer)
    return answer


def _say_nothing(_: Lookup) -> None:
    """Nobody looks."""


def _say_progress(answer: Lookup) -> None:
    """One line that is written over; the last one is wiped out."""
    waiting = sum(
        any(finding.outcome is Outcome.PENDING for finding in entry.findings) for entry in answer.entries
    )
    total = len(answer.entries)
    line = f"{total - waiting} of {total} answered" if waiting else ""
    click.echo(f"\r{line:<40}" + ("" if waiting else "\r"), nl=False, err=True)
