"""Steering: what can be asked about the digest or the summary of a channel, and who may set it."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime
from difflib import get_close_matches
from html import unescape
from zoneinfo import ZoneInfo

from bot.assertions import Assertion
from bot.chat import Ask, Form, Notice, Offer, Preview, Reply, Row, Surface
from bot.deliveries import Delivery, State
from bot.errors import UnavailableError, UsageError
from bot.indicators import Indicator, Kind
from bot.lookups import is_private
from bot.schedules import next_after
from bot.services import Services, Store
from bot.sharing import UNKNOWN, Reach, may_release
from bot.subscribing import describe, parse
from bot.subscriptions import Purpose, Subscribed, Subscription
from bot.tlp import Label

BETWEEN_SECONDS = 60.0  # two deliveries that are asked for
LOOKED_THROUGH = 50  # deliveries of a channel, for the last one of a purpose
_UNSURE = "Who reads along here is not sure, so the settings are told in private only."
_ENDED = {
    State.DONE: "Delivered last: {at}.",
    State.EMPTY: "At {at} nothing was new, so nothing was posted.",
    State.UNCERTAIN: "It is not sure whether the one of {at} arrived; an operator looks after it.",
    State.PARKED: "The one of {at} could not be delivered; an operator looks after it.",
    State.DROPPED: "The one of {at} was not delivered; an operator let it go.",
}


async def steer(ask: Ask, services: Services, purpose: Purpose) -> Reply:
    """Do what stands behind `digest` or `summary`; nothing is show. Raises BotError."""
    word, *rest = ask.text.split(maxsplit=1) or [""]
    chosen = _VERBS.get(word.casefold())
    if chosen is None:
        near = get_close_matches(word.casefold()[:32], filter(None, _VERBS), n=1)
        meant = f" Did you mean “{purpose} {near[0]}”?" if near else ""
        known = "“on”, “off”, “show”, “preview” or “now”"
        raise UsageError(f"“{word[:32]}” is not understood behind “{purpose}”.{meant} Write {known} there.")
    _check_place(ask, purpose)
    return await chosen(replace(ask, text=unescape("".join(rest))), services, purpose)


# --- what can be done ----------------------------------------------------------------------------------


async def _on(ask: Ask, services: Services, purpose: Purpose) -> Notice:
    _check_may_set(ask, services)
    subscription = parse(
        ask.text,
        channel=_channel(ask),
        purpose=purpose,
        default_zone=services.registry.timezone,
        set_by=ask.actor.user,
    )
    next_at = next_after(subscription.schedule, services.clock())
    is_first = await _subscribed(ask, services, purpose) is None
    await services.store.subscribe(subscription, next_at=next_at)
    if ask.channel is not None and ask.channel.fresh:
        await services.store.keep_readers(_channel(ask), ask.channel)  # whom the first one is written for
    begins = "It begins with what is stored from now on." if is_first and purpose is Purpose.DIGEST else ""
    return _told(
        ask,
        f"{purpose} is on",
        [*describe(subscription), _next(subscription, next_at)],
        [_preview_offer(purpose), _set_up_offer(purpose)],
        constant=begins,
    )


async def _off(ask: Ask, services: Services, purpose: Purpose) -> Notice:
    _check_may_set(ask, services)
    was_on = await services.store.unsubscribe(_channel(ask), purpose)
    said = "What was due before is still delivered." if was_on else f"There was no {purpose} here."
    return _told(ask, f"{purpose} is off", [], [_set_up_offer(purpose)], constant=said)


async def _show(ask: Ask, services: Services, purpose: Purpose) -> Notice:
    _check_reads(ask)
    subscribed = await _subscribed(ask, services, purpose)
    can_set = ask.surface is Surface.MENTION or _may_set(ask, services)  # there others may press it, too
    offers = [_set_up_offer(purpose)] if can_set else []
    if subscribed is None:
        how = f"{_operators(ask)} and the stewards of organisations that read it can turn it on."
        return _told(ask, f"no {purpose} in this channel", [], offers, constant=how)
    subscription = subscribed.subscription
    last = _last(await _deliveries(ask, services, purpose), subscription)
    rows = [*describe(subscription), _next(subscription, subscribed.next_at), *last]
    return _told(ask, f"{purpose} of this channel", rows, [_preview_offer(purpose), *offers])


async def _preview(ask: Ask, services: Services, purpose: Purpose) -> Reply:
    _check_reads(ask)
    if not is_private(ask):
        return _told(ask, "preview", [], [_preview_offer(purpose)], constant="A preview is for you alone.")
    subscribed = await _subscribed(ask, services, purpose) or _not_on(purpose)
    if services.digests is None or ask.channel is None:
        raise UnavailableError("Nothing is delivered from here, so there is no preview.")
    told = await services.digests.preview(subscribed, ask.channel, viewer=ask.audience)
    return Preview(purpose=purpose, told=told)


async def _now(ask: Ask, services: Services, purpose: Purpose) -> Notice:
    _check_may_set(ask, services)
    subscribed = await _subscribed(ask, services, purpose) or _not_on(purpose)
    if not await services.store.claim(f"now {purpose} {_channel(ask)}", seconds=BETWEEN_SECONDS):
        raise UsageError(f"A {purpose} was begun less than a minute ago; wait until it is there.")
    begun = await begin_now(services.store, subscribed, services.clock())
    said = "It comes within a minute." if begun else "It is due at this very moment, and on its way."
    if purpose is Purpose.DIGEST and not subscribed.subscription.say_nothing_new:
        said += " If nothing is new, nothing is posted."
    return _told(ask, f"{purpose} begun", [], [], constant=said)


async def _set_up(ask: Ask, services: Services, purpose: Purpose) -> Notice:
    _check_may_set(ask, services)
    subscribed = await _subscribed(ask, services, purpose)
    current = subscribed.subscription if subscribed else None
    form = Form(purpose=purpose, current=current, zone=services.registry.timezone)
    notice = _told(ask, f"set up the {purpose}", [], [_set_up_offer(purpose)], constant="A form opens.")
    return replace(notice, form=form if is_private(ask) else None)


_Verb = Callable[[Ask, Services, Purpose], Awaitable[Reply]]
_VERBS: dict[str, _Verb] = {
    "": _show,
    "show": _show,
    "on": _on,
    "off": _off,
    "preview": _preview,
    "now": _now,
    "set-up": _set_up,
}


async def begin_now(store: Store, subscribed: Subscribed, now: datetime) -> Delivery | None:
    """Begin a delivery besides the schedule; None if one has just begun.

    What it is about is fixed here. The next one comes when it would have come anyway.
    """
    period = now.replace(microsecond=0).isoformat()
    return await store.begin_delivery(subscribed, period=period, next_at=subscribed.next_at)


# --- who may -------------------------------------------------------------------------------------------


def _check_place(ask: Ask, purpose: Purpose) -> None:
    if ask.conversation is None or ask.channel is None or ask.channel.reach is not Reach.CHANNEL:
        raise UsageError(f"A {purpose} belongs to a channel: say that in the channel that is to get it.")


def _check_reads(ask: Ask) -> None:
    """Whoever reads a channel may know what it gets, if they are known themselves."""
    if not ask.actor.is_confirmed:
        raise UnavailableError("Slack did not say who is asking; ask again in a minute.")
    known = ask.world.in_force | {ask.world.host}
    if ask.channel is None or ask.actor.org not in ask.channel.orgs & known:
        if ask.channel is not None and ask.channel.orgs == {UNKNOWN} and not ask.channel.fresh:
            raise UnavailableError("Slack does not say who reads this channel: invite Liaison into it first.")
        raise UsageError("Only members of an organisation that reads this channel can ask that.")


def _check_may_set(ask: Ask, services: Services) -> None:
    _check_reads(ask)
    if not _may_set(ask, services):
        raise UsageError(
            f"That is for {_operators(ask)} and for stewards: ask {_host(ask)} to name you as one for your "
            "organisation."
        )


def _may_set(ask: Ask, services: Services) -> bool:
    """An operator of the host in any channel, a steward in those that the own organisation reads."""
    actor = ask.actor
    return actor.is_confirmed and services.registry.is_steward(actor.org, actor.user, actor.teams)


def _operators(ask: Ask) -> str:
    return f"the operators of {_host(ask)}"


def _host(ask: Ask) -> str:
    return ask.world.names.get(ask.world.host, "the host")


# --- what is told --------------------------------------------------------------------------------------


def _told(ask: Ask, title: str, settings: list[str], offers: list[Offer], *, constant: str = "") -> Notice:
    """Settings may name families and sources, so they are for known readers only."""
    is_for_known = _may_say_green(ask)
    told = settings if is_for_known or not settings else [_UNSURE]
    rows = tuple(Row(text=text) for text in (*told, *filter(None, (constant,))))
    label = Label.GREEN if settings and is_for_known else Label.CLEAR
    return Notice(title=title, rows=rows, offers=tuple(offers), label=label)


def _may_say_green(ask: Ask) -> bool:
    claim = Assertion(
        indicator=Indicator(Kind.DOMAIN, "example.org"),
        source=ask.world.host,
        label=Label.GREEN,
        addressed_to=ask.audience.orgs,
    )
    return may_release(claim, ask.audience, ask.world).release


def _next(subscription: Subscription, next_at: datetime) -> str:
    return f"Next: {_local(next_at, subscription)}."


def _last(deliveries: list[Delivery], subscription: Subscription) -> list[str]:
    """How the last one ended or that it stands there; one that is under way stands before it."""
    last = next((each for each in deliveries if each.ts or each.state in _ENDED), None)
    told = ["One is on its way."] if deliveries and deliveries[0] is not last else []
    if last is None:
        return told
    at = _local(datetime.fromisoformat(last.period), subscription)
    return [*told, _ENDED.get(last.state, _ENDED[State.DONE]).format(at=at)]


def _local(moment: datetime, subscription: Subscription) -> str:
    zone = subscription.schedule.zone
    return f"{moment.astimezone(ZoneInfo(zone)):%a %Y-%m-%d %H:%M} {zone} time"


def _preview_offer(purpose: Purpose) -> Offer:
    return Offer(words="Preview…", text=f"{purpose} preview")


def _set_up_offer(purpose: Purpose) -> Offer:
    return Offer(words="Set up…", text=f"{purpose} set-up")


# --- the store -----------------------------------------------------------------------------------------


def _channel(ask: Ask) -> str:
    return ask.conversation or ""


async def _subscribed(ask: Ask, services: Services, purpose: Purpose) -> Subscribed | None:
    found = await services.store.subscriptions(_channel(ask))
    return next((each for each in found if each.subscription.purpose is purpose), None)


async def _deliveries(ask: Ask, services: Services, purpose: Purpose) -> list[Delivery]:
    found = await services.store.deliveries(_channel(ask), most=LOOKED_THROUGH)
    return [each for each in found if each.purpose is purpose]


def _not_on(purpose: Purpose) -> Subscribed:
    raise UsageError(f"No {purpose} is set up in this channel. Write for example “{purpose} on daily 08:00”.")
