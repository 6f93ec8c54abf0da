"""Compiler: what a period holds for those who read a channel now, for couriers and for previews."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.assertions import Assertion
from bot.deliveries import Delivery, Item, State
from bot.delivery import typesetting
from bot.delivery.changed import changed
from bot.delivery.edition import Edition
from bot.delivery.figures import last_end, summary
from bot.delivery.reading import between, portions, visible_to
from bot.digests import Digest, Gathering, items
from bot.indicators import Indicator
from bot.organisations import Registry
from bot.services import Enrichment, Store, Written
from bot.sharing import Audience, clear, entitled
from bot.subscriptions import Purpose, Subscribed
from bot.summaries import Summary

RECENT = 100  # deliveries of a channel among which the last one of the same purpose is looked for


@dataclass(frozen=True)
class _Draft:
    """A digest before it is set, every claim in it, and who might read all of it, too."""

    digest: Digest
    items: tuple[Item, ...]
    entitled: frozenset[str]
    changes_upto: int


class Compiler:
    """Judges everything for the readers it is given, at the moment it is asked."""

    def __init__(
        self,
        store: Store,
        registry: Registry,
        *,
        clock: Callable[[], datetime],
        enrichment: Enrichment | None = None,
    ) -> None:
        self._store, self._registry, self._clock, self._enrichment = store, registry, clock, enrichment
        self._one_chart = asyncio.Lock()

    async def edition(self, delivery: Delivery, audience: Audience) -> Edition:
        """What is posted; without pieces if there is nothing to say. Raises BotError."""
        if delivery.purpose is Purpose.SUMMARY:
            due = datetime.fromisoformat(delivery.period)
            told = await self._summary(audience, last_end(due, _end(delivery, self._clock), delivery.zone))
            async with self._one_chart:
                pieces = await asyncio.to_thread(typesetting.of_summary, told)
            return Edition(audience=audience, pieces=pieces, entitled=tuple(sorted(told.entitled)))
        draft = await self._draft(delivery, audience)
        if draft.digest.is_empty and not delivery.say_nothing_new:
            return Edition(audience=audience, pieces=(), changes_upto=draft.changes_upto)
        pieces = await asyncio.to_thread(typesetting.of_digest, draft.digest, draft.items)
        return Edition(
            audience=audience,
            pieces=pieces,
            entitled=tuple(sorted(draft.entitled)),
            changes_upto=draft.changes_upto,
        )

    async def preview(self, subscribed: Subscribed, readers: Audience, *, viewer: Audience) -> Written:
        """What would be delivered now, without what the viewer may not see."""
        subscription, now = subscribed.subscription, self._clock()
        if subscription.purpose is Purpose.SUMMARY:
            return await self._summary(readers, last_end(now, now, subscription.schedule.zone), viewer)
        delivery = Delivery(
            channel=subscription.channel,
            purpose=subscription.purpose,
            period=now.isoformat(),
            since=subscribed.since,
            upto=await self._store.head(),
            filters=subscription.filters,
            attach=subscription.attach,
        )
        return (await self._draft(delivery, readers, viewer)).digest

    async def _summary(self, audience: Audience, until: datetime, viewer: Audience | None = None) -> Summary:
        world = self._registry.world(self._clock())
        return await summary(
            self._store, self._registry, self._enrichment, audience, world, viewer=viewer, until=until
        )

    async def _draft(self, delivery: Delivery, audience: Audience, viewer: Audience | None = None) -> _Draft:
        world = self._registry.world(self._clock())
        gathering, found = Gathering(audience, filters=delivery.filters), list[Item]()
        readers = entitled((), audience, world)
        start, since = await self._start(delivery)
        async for page in between(self._store, start, delivery.upto):
            earlier = await self._earlier(page, start)
            for portion in portions(page, viewer, world):
                known = visible_to(viewer, _about(portion, earlier), world)
                before = clear(known, audience, world)
                gathering.add(clear(portion, audience, world), before=before)
                found += items(portion, audience, world, filters=delivery.filters)
                readers &= entitled((*portion, *known), audience, world)
                await asyncio.sleep(0)
        until = _end(delivery, self._clock)
        told = await changed(self._store, delivery.channel, audience, viewer, world, since=since, until=until)
        digest = await asyncio.to_thread(
            gathering.digest, since=since, until=until, changed=told.changed, attach=delivery.attach
        )
        if told.changed:  # what was taken back was known to these readers alone
            readers &= audience.orgs
        return _Draft(digest, (*found, *told.items), readers, told.upto)

    async def _earlier(
        self, page: Sequence[Assertion], since: int
    ) -> Mapping[Indicator, Sequence[Assertion]]:
        """What was stored before about the same indicators."""
        found: dict[Indicator, list[Assertion]] = {one.indicator: [] for one in page}
        for one in await self._store.lookup(list(found)) if since else ():
            if one.seq <= since and one.indicator in found:
                found[one.indicator].append(one)
        return found

    async def _start(self, delivery: Delivery) -> tuple[int, datetime | None]:
        """After which number it begins, and when that was; None if this is the first one.

        What Slack refused for good before is made up for: it was never posted.
        """
        since = delivery.since
        for other in await self._store.deliveries(delivery.channel, most=RECENT):
            is_before = other.period != delivery.period and other.upto <= since
            if not is_before or other.purpose is not delivery.purpose:
                continue
            if other.state is not State.PARKED or other.ts or other.upto != since:
                return since, other.written_at or datetime.fromisoformat(other.period)
            since = other.since
        return since, None


def _end(delivery: Delivery, clock: Callable[[], datetime]) -> datetime:
    """However often it is written, it ends at the same moment."""
    return delivery.written_at or clock()


def _about(
    portion: Sequence[Assertion], earlier: Mapping[Indicator, Sequence[Assertion]]
) -> Iterator[Assertion]:
    for indicator in dict.fromkeys(one.indicator for one in portion):
        yield from earlier[indicator]
