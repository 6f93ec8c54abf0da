"""Drafting: what is delivered, written for those who read a channel as far as is known, and judged again.

Slack allows fewer looks at who reads a channel than posts. So none is spent on what can be supposed: most
likely they are those of the last time. The look right before the post decides.
"""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from typing import Protocol

import msgspec

from bot.deliveries import Delivery
from bot.delivery.edition import Edition, Piece, digest_of
from bot.delivery.posting import ClaimsChangedError, NotTakenError, Posting
from bot.errors import BotError
from bot.indicators import Indicator
from bot.services import Store
from bot.sharing import Audience

MOST_CHANGES = 5_000  # while something was written; if there are more, it is written anew


class Writing(Protocol):
    """Who writes what is delivered."""

    async def edition(self, delivery: Delivery, audience: Audience) -> Edition:
        """What these readers may see of it now, without pieces if that is nothing. Raises BotError."""


class Drafts:
    """What is written for one channel."""

    def __init__(
        self, channel: str, store: Store, posting: Posting, writing: Writing, clock: Callable[[], datetime]
    ) -> None:
        self._channel, self._store, self._posting = channel, store, posting
        self._writing, self._clock = writing, clock
        self._known: Audience | None = None  # as the store has it

    async def first(self, delivery: Delivery) -> Edition:
        """For those who read the channel at the last look, if there was one. Raises BotError."""
        self._known = await self._store.known_readers(self._channel)
        return await self.written(delivery, self._known)

    async def written(self, delivery: Delivery, supposed: Audience | None) -> Edition:
        """For these, or for whoever reads it now: that there is nothing to say is not left to a guess.

        Raises BotError.
        """
        if supposed is not None:
            edition = await self._written_for(delivery, replace(supposed, read_at=self._clock()))
            if edition.pieces:
                return edition
        audience = await self._posting.readers(self._channel)
        await self.remember(audience)
        return await self._written_for(delivery, audience)

    async def remember(self, audience: Audience) -> None:
        """Who was seen there is whom the next one is written for."""
        is_news = self._known is None or digest_of(self._known) != digest_of(audience)
        if is_news and audience.fresh:
            await self._store.keep_readers(self._channel, audience)
            self._known = audience

    async def check(self, edition: Edition, number: int) -> None:
        """What that piece shows may have been revoked or restricted since; the first one counts all of it.

        Raises ClaimsChangedError, NotTakenError.
        """
        try:
            changes = await self._store.changes(after=edition.judged_upto, most=MOST_CHANGES)
        except BotError as error:
            raise NotTakenError("The store does not answer.") from error
        if not changes:
            return
        pieces = edition.pieces[number : number + 1] if number else edition.pieces
        shown = await asyncio.to_thread(_shown, pieces)
        changed = {(each.source, each.indicator) for each in changes}
        if len(changes) >= MOST_CHANGES or not changed.isdisjoint(shown):
            raise ClaimsChangedError("Something it shows was changed just now.")

    async def _written_for(self, delivery: Delivery, audience: Audience) -> Edition:
        upto = await self._store.last_change()  # before the first claim is read
        edition = await self._writing.edition(delivery, audience)
        return msgspec.structs.replace(edition, judged_upto=upto)


def _shown(pieces: Iterable[Piece]) -> set[tuple[str, Indicator]]:
    """Sources and what they said."""
    return {(item.source, item.indicator) for piece in pieces for item in piece.items}
