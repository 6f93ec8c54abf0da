"""Figures: the days of a summary, read page by page from the store and cleared for its readers."""

import asyncio
from bisect import bisect_left
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import groupby
from zoneinfo import ZoneInfo

from bot.delivery.reading import between, portions
from bot.organisations import Registry
from bot.services import Enrichment, Store
from bot.sharing import Audience, World, clear, entitled
from bot.summaries import Asked, Dealings, Figures, Summary, bounds, concerned, ending

DAY = timedelta(days=1)


async def summary(
    store: Store,
    registry: Registry,
    enrichment: Enrichment | None,
    audience: Audience,
    world: World,
    *,
    viewer: Audience | None,
    until: datetime,
) -> Summary:
    """The figures of the day that ends at `until`, an aware time in the zone of its readers.

    With a viewer what that person may not see is left out, too.
    """
    ends = [await store.head_at(moment) for moment in bounds(until)]
    figures, readers = Figures(audience, world, until), entitled((), audience, world)
    async for page in between(store, ends[0], ends[-1]):
        for day, group in groupby(page, key=lambda one: bisect_left(ends, one.seq) - 1):
            for portion in portions(list(group), viewer, world):
                figures.add(clear(portion, audience, world), day=day)
                readers &= entitled(portion, audience, world)
                await asyncio.sleep(0)
    org = _told_of(audience, viewer, world)
    if org is None:
        return replace(figures.summary(), entitled=readers)
    told = figures.summary(await _dealings(store, registry, enrichment, org, world, until))
    return replace(told, entitled=readers & {org, world.host})


def last_end(due: datetime, now: datetime, zone: str) -> datetime:
    """The end of the last whole day since it was due: after an outage nobody wants the first one missed."""
    end = due.astimezone(ZoneInfo(zone))
    days = max(0, (now - due) // DAY + 1)  # of the clock there, which may be an hour shorter
    while days and end + days * DAY > now:
        days -= 1
    return end + days * DAY


def _told_of(audience: Audience, viewer: Audience | None, world: World) -> str | None:
    """Whose dealings with the host may be told."""
    org = concerned(audience, world)
    return None if viewer is not None and viewer.orgs - {org, world.host} else org


async def _dealings(
    store: Store,
    registry: Registry,
    enrichment: Enrichment | None,
    org: str,
    world: World,
    until: datetime,
) -> Dealings:
    *_, since, end = bounds(until)
    asked = await store.asked(None if org == world.host else org, since=since, until=end)
    standings = await enrichment.standing(org) if enrichment is not None else []
    agreements = ending((registry.host, *registry.partners), org, world)
    return Dealings(org=org, asked=Asked(*asked), budgets=tuple(standings), agreements=agreements)
