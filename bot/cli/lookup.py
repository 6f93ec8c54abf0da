"""`liaison lookup`: on the command line, what a reply to one organisation would hold."""

import asyncio
import html
import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime

import click

from bot.answers import as_json
from bot.cards import age, counts, dated, titled
from bot.chat import Lookup
from bot.cli.context import Context, pass_context
from bot.config import load
from bot.errors import UsageError
from bot.extraction import Found, extract
from bot.indicators import Indicator, defang
from bot.layout import Heading, Part, plain, words
from bot.lookups import look_up, not_understood
from bot.organisations import Registry
from bot.sharing import Audience, Reach
from bot.store import open_store

_NO_LIMIT = 10**9  # characters
_SLACK_DATE = re.compile(
    r"<!date\^[0-9]+\^[^|<>]*\|([^<>]*)>"
)  # of these the words behind the bar are for us


@click.command()
@click.argument("text", nargs=-1, required=True)
@click.option(
    "--as", "org", metavar="ORG", required=True, help="The organisation that would read the answer."
)
@click.option("--json", "wants_json", is_flag=True, help="Print JSON instead of text.")
@pass_context
def lookup(context: Context, text: tuple[str, ...], org: str, wants_json: bool) -> None:
    """Look up the indicators in TEXT, defanged or not, and answer as if ORG had asked in private."""
    registry = load(context.config)
    audience = audience_of(registry, org)
    typed = " ".join(text)
    found = _found(typed)
    say_missed(not_understood(typed, found))
    asked = [each.indicator for each in found]
    answer = asyncio.run(_look_up(asked, audience, registry, context.store))
    if wants_json:
        click.echo(json.dumps(as_json(answer.entries), indent=1, ensure_ascii=False))
        if answer.as_of is not None:
            click.echo(age(answer.as_of), err=True)
    else:
        click.echo(as_text(answer))


def say_missed(words: Sequence[str]) -> None:
    """What cannot be looked up, so that nobody takes it for looked up."""
    if words:
        click.echo(f"Not understood, so not looked up: {defang(', '.join(words))}", err=True)


def audience_of(registry: Registry, org: str) -> Audience:
    """One person of that organisation, in a message nobody else can open. Raises UsageError."""
    if registry.organisation(org) is None:
        known = ", ".join(each.id for each in (registry.host, *registry.partners))
        raise UsageError(f"There is no organisation {org!r}; --as takes one of {known}.")
    return Audience(reach=Reach.EPHEMERAL, orgs=frozenset({org}), read_at=datetime.now(UTC))


def _found(text: str) -> list[Found]:
    found = extract(text)
    if not found:
        raise UsageError(
            "There is no indicator in that; try for example: liaison lookup 198.51.100[.]7 --as ORG"
        )
    return found


async def _look_up(asked: Sequence[Indicator], audience: Audience, registry: Registry, url: str) -> Lookup:
    store = await open_store(url)
    try:
        if await store.head() == 0:
            click.echo("The store is empty; fill it with: liaison import FILE --source ORG", err=True)
        return await look_up(asked, audience, registry.world(datetime.now(UTC)), store)
    finally:
        await store.close()


def as_text(answer: Lookup) -> str:
    """The label, then the card of each indicator, cleaned and defanged as for Slack."""
    parts: list[Part] = [Heading(words(f"{answer.cleared.label} · {counts(answer.entries)}"))]
    cards = [[*parts, *dated(answer.as_of)], *(titled(entry, at=answer.at) for entry in answer.entries)]
    text = "\n\n".join(plain(card, at_most=_NO_LIMIT) for card in cards)
    return html.unescape(undated(text))


def undated(text: str) -> str:
    """The same with Slack's dates in words."""
    return _SLACK_DATE.sub(r"\1", text)
