"""Scheduler: begins what is due. The store remembers, `schedules` computes, here only a clock looks.

Several processes may do this at once: of those that see a period due, the store lets one begin it.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

from bot.delivery.forgetting import forget_changes
from bot.schedules import next_after
from bot.services import Store
from bot.subscriptions import Subscribed

REVIEW = timedelta(minutes=10)  # how often what is not due is looked at, too


class Scheduler:
    """`clock` gives aware UTC and may jump."""

    def __init__(self, store: Store, *, clock: Callable[[], datetime]) -> None:
        self._store, self._clock = store, clock
        self._ticked_at: datetime | None = None
        self._reviewed_at: datetime | None = None

    async def tick(self) -> int:
        """Begin what is due, the longest due first; gives how many began."""
        now = self._clock()
        if self._wants_review(now):
            await self._review(await self._store.subscriptions(), now)
        self._ticked_at = now
        due = await self._store.subscriptions(due=now)  # of a thousand they are few
        return sum([await self._begin(subscribed, now) for subscribed in due])

    async def _begin(self, subscribed: Subscribed, now: datetime) -> bool:
        """One delivery covers all periods that were missed."""
        next_at = next_after(subscribed.subscription.schedule, now)
        period = subscribed.next_at.isoformat()
        return await self._store.begin_delivery(subscribed, period=period, next_at=next_at) is not None

    def _wants_review(self, now: datetime) -> bool:
        if self._ticked_at is None or self._reviewed_at is None or now < self._ticked_at:
            return True
        return now - self._reviewed_at >= REVIEW

    async def _review(self, subscriptions: list[Subscribed], now: datetime) -> None:
        """Pull back what a clock that ran ahead put off: nothing is due later than its next moment.

        What was posted ahead of time is not posted again: the period exists.
        """
        self._reviewed_at = now
        for subscribed in subscriptions:
            await asyncio.sleep(0)  # a thousand of them are half a second of reckoning
            next_at = next_after(subscribed.subscription.schedule, now)
            if subscribed.next_at > next_at and await self._is_current(subscribed):
                await self._store.subscribe(subscribed.subscription, next_at=next_at)
        await forget_changes(self._store)

    async def _is_current(self, subscribed: Subscribed) -> bool:
        return subscribed in await self._store.subscriptions(subscribed.subscription.channel)
