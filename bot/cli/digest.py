"""`liaison digest` and `liaison summary`: what a channel would get now, printed or posted."""

import asyncio
import html
import json
import os
import re
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import click

from bot.cli.context import Context, pass_context
from bot.cli.lookup import undated
from bot.config import load
from bot.deliveries import Delivery
from bot.delivery.compiler import Compiler
from bot.delivery.deciding import told, waiting
from bot.delivery.figures import summary as figures
from bot.delivery.retrying import dropped, taken_up
from bot.digests import Digest
from bot.errors import ConfigError, UsageError
from bot.organisations import Registry
from bot.schedules import parse
from bot.services import Store, Written
from bot.settings import read_slack
from bot.sharing import Audience, Reach
from bot.steering import begin_now
from bot.store import open_store
from bot.subscribing import WHEN
from bot.subscriptions import Purpose, Subscribed, Subscription
from bot.summaries import Summary
from bot.written import as_json, as_text

_CHANNEL = re.compile(r"[CG][A-Z0-9]{1,20}", re.ASCII)
_AGO = re.compile(r"([0-9]{1,4})([hd])", re.ASCII)
MOST_LOOKED_AT = 100  # deliveries of a channel
_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1)}

_channel_option = click.option(
    "--channel", required=True, metavar="ID", help="The Slack id of the channel, C…."
)
_as_option = click.option(
    "--as", "orgs", metavar="ORG[,ORG]", help="Who reads it besides the host; without it Slack is asked."
)
_post_option = click.option(
    "--dry-run/--post",
    "is_dry",
    default=True,
    help="Print it, which is the default, or let the bot that is running post it now.",
)
_retry_option = click.option(
    "--retry",
    "decision",
    flag_value="retry",
    help="Have the one delivered that was given up; one that may have arrived unseen can stand there twice.",
)
_drop_option = click.option(
    "--drop", "decision", flag_value="drop", help="Let the one go that was given up or is uncertain."
)
_json_option = click.option("--json", "wants_json", is_flag=True, help="Print JSON instead of text.")


@click.command()
@_channel_option
@_as_option
@click.option(
    "--since", metavar="TIME", help="What was stored since then: 24h, 7d or 2026-11-23; else what is due."
)
@_post_option
@_retry_option
@_drop_option
@_json_option
@pass_context
def digest(
    context: Context,
    channel: str,
    orgs: str | None,
    since: str | None,
    is_dry: bool,
    decision: str | None,
    wants_json: bool,
) -> None:
    """Print the digest that a channel would get now, judged for those who read it."""
    registry = load(context.config)
    if decision is not None:
        return _decide(context, channel, Purpose.DIGEST, is_retried=decision == "retry")
    if not is_dry:
        _check_alone(orgs, since)
        return _post(context, channel, Purpose.DIGEST)
    start = None if since is None else _moment(since, registry.timezone)

    async def write(store: Store, readers: Audience) -> Written:
        subscribed = await _subscribed(store, registry, channel, Purpose.DIGEST)
        if start is not None:
            after = await store.head_at(start)
            subscribed = replace(subscribed, since=after)
        elif subscribed.since < 0:
            raise UsageError("No digest is set up for this channel: say since when, for example --since 24h.")
        return await Compiler(store, registry, clock=_now).preview(subscribed, readers, viewer=readers)

    _print(_written(context, registry, channel, orgs, write), wants_json)
    return None


@click.command()
@_channel_option
@_as_option
@click.option("--day", metavar="DATE", help="Which day, for example 2026-11-23; else the 24 hours until now.")
@_post_option
@_retry_option
@_drop_option
@_json_option
@pass_context
def summary(
    context: Context,
    channel: str,
    orgs: str | None,
    day: str | None,
    is_dry: bool,
    decision: str | None,
    wants_json: bool,
) -> None:
    """Print the figures of a day that a channel would get, judged for those who read it now."""
    registry = load(context.config)
    if decision is not None:
        return _decide(context, channel, Purpose.SUMMARY, is_retried=decision == "retry")
    if not is_dry:
        _check_alone(orgs, day)
        return _post(context, channel, Purpose.SUMMARY)
    wanted = None if day is None else _day(day)

    async def write(store: Store, readers: Audience) -> Written:
        subscribed = await _subscribed(store, registry, channel, Purpose.SUMMARY)
        zone = ZoneInfo(subscribed.subscription.schedule.zone)
        until = _now() if wanted is None else datetime.combine(wanted + timedelta(days=1), time())
        world = registry.world(_now())
        return await figures(store, registry, None, readers, world, viewer=None, until=_in_zone(until, zone))

    _print(_written(context, registry, channel, orgs, write), wants_json)
    return None


# --- reading what was typed ----------------------------------------------------------------------------


def _check_alone(orgs: str | None, period: str | None) -> None:
    if orgs is not None or period is not None:
        raise UsageError(
            "--post sends what is due to those who read the channel: leave the other choices out."
        )


def _moment(text: str, zone: str) -> datetime:
    """A time ago, a day or a moment; what names no zone is local to the host."""
    if ago := _AGO.fullmatch(text):
        return _now() - int(ago[1]) * _UNITS[ago[2]]
    try:
        return _in_zone(datetime.fromisoformat(text), ZoneInfo(zone))
    except ValueError:
        raise UsageError("--since takes for example 24h, 7d, 2026-11-23 or 2026-11-23T08:00+01:00.") from None


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError("--day takes a date, for example 2026-11-23.") from None


def _in_zone(moment: datetime, zone: ZoneInfo) -> datetime:
    return moment.replace(tzinfo=zone) if moment.tzinfo is None else moment.astimezone(zone)


def _now() -> datetime:
    return datetime.now(UTC)


# --- readers -------------------------------------------------------------------------------------------


async def _readers(registry: Registry, channel: str, orgs: str | None) -> Audience:
    """Those that were named, or those that Slack names. Raises ConfigError, UsageError."""
    if orgs is None:
        return await _asked(registry, channel)
    named = frozenset(filter(None, (org.strip() for org in orgs.split(","))))
    for org in sorted(named):
        if registry.organisation(org) is None:
            known = ", ".join(each.id for each in (registry.host, *registry.partners))
            raise UsageError(f"There is no organisation {org!r}; --as takes {known}.")
    return Audience(
        reach=Reach.CHANNEL,
        orgs=named | {registry.host.id},
        cap=registry.cap(channel),
        read_at=_now(),
    )


async def _asked(registry: Registry, channel: str) -> Audience:
    try:
        settings = read_slack(os.environ)
    except ConfigError as error:
        raise ConfigError(
            ["Who reads the channel? Name them with --as ORG[,ORG], or let Slack be asked:", *error.mistakes]
        ) from None
    # Half a second to import, which nobody else needs to wait for.
    from bot.slack.readers import readers_of_channel  # noqa: PLC0415

    return await readers_of_channel(settings, registry, channel, _now)


# --- the store -----------------------------------------------------------------------------------------


def _written(
    context: Context,
    registry: Registry,
    channel: str,
    orgs: str | None,
    write: Callable[[Store, Audience], Awaitable[Written]],
) -> Written:
    async def written() -> Written:
        readers = await _readers(registry, _checked(channel), orgs)
        store = await open_store(context.store)
        try:
            return await write(store, readers)
        finally:
            await store.close()

    return asyncio.run(written())


def _checked(channel: str) -> str:
    if not _CHANNEL.fullmatch(channel):
        raise UsageError('--channel takes a Slack channel id, which starts with C or G, like "C0KASP".')
    return channel


async def _subscribed(store: Store, registry: Registry, channel: str, purpose: Purpose) -> Subscribed:
    """As it is set up, or everything every morning with the cursor -1: nothing was delivered yet."""
    found = await _set_up(store, channel, purpose)
    if found is not None:
        return found
    schedule = parse(WHEN, registry.timezone)
    subscription = Subscription(channel=channel, purpose=purpose, schedule=schedule)
    return Subscribed(subscription=subscription, since=-1, next_at=_now())


async def _set_up(store: Store, channel: str, purpose: Purpose) -> Subscribed | None:
    found = await store.subscriptions(channel)
    return next((each for each in found if each.subscription.purpose is purpose), None)


def _post(context: Context, channel: str, purpose: Purpose) -> None:
    """Write into the store that it is due; the bot that serves from the same store delivers it once."""

    async def begin() -> bool:
        store = await open_store(context.store)
        try:
            found = await _set_up(store, _checked(channel), purpose)
            if found is None:
                raise UsageError(
                    f"No {purpose} is set up for this channel: an operator types “{purpose} on” in it."
                )
            return await begin_now(store, found, _now()) is not None
        finally:
            await store.close()

    is_new = asyncio.run(begin())
    done = "Begun" if is_new else "It was due at this very moment"
    click.echo(f"{done}: `liaison serve` posts it from this store within a minute while it runs.")


def _decide(context: Context, channel: str, purpose: Purpose, *, is_retried: bool) -> None:
    """Take up the one that waits for an operator, or let it go."""

    async def decide() -> Delivery:
        store = await open_store(context.store)
        try:
            found = waiting(await store.deliveries(_checked(channel), most=MOST_LOOKED_AT), purpose)
            decided = taken_up(found) if is_retried else dropped(found)
            if not await store.decide_delivery(decided, was=found.state):
                raise UsageError("Somebody else has decided that just now.")
            return found
        finally:
            await store.close()

    click.echo(told(asyncio.run(decide()), is_retried=is_retried))


def _print(written: Written, wants_json: bool) -> None:
    if not isinstance(written, Digest | Summary):
        raise TypeError("only digests and summaries are written")
    if wants_json:
        click.echo(json.dumps(as_json(written), indent=1, ensure_ascii=False))
    else:
        click.echo(html.unescape(undated(as_text(written))))
