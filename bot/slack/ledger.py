"""Ledger: answers are kept like other posts, with what they show, and always before anybody can read it.

What is about to be posted is written down under a nonce, which stands in its metadata, too; its `ts` follows.
Whoever finds an intent that was never completed looks for that nonce (`bot.delivery.amending`).
"""

import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta

import msgspec

from bot.amends import SERVICE
from bot.chat import Actor, Lookup, Recent, Reply
from bot.deliveries import INTENDED, Item, Post
from bot.errors import BotError, UnavailableError
from bot.services import Services
from bot.sharing import Shown, clear
from bot.slack.calls import NotTakenError, RateLimitedError, RefusedError
from bot.slack.keeping import random_token
from bot.slack.outbox import Attachment, Letter, Outbox, ReadersChangedError

BUSY_SECONDS = 60.0  # a message may be changed for so long; above two tries of the outbox
TRIES = 5  # to write what others write, too
LOG = logging.getLogger("bot.ledger")

Send = Callable[[str], Awaitable[str]]


@dataclass(frozen=True)
class Ledger:
    """Posts through the outbox, and keeps what everybody can read of it."""

    services: Services
    outbox: Outbox
    nonce: Callable[[], str] = field(default=random_token)

    async def post(
        self,
        conversation: str,
        letter: Letter,
        reply: Reply,
        *,
        thread: str = "",
        purpose: str = "answer",
    ) -> str:
        """Post a reply where all members read it; gives its `ts`. Raises as the outbox does."""

        async def send(nonce: str) -> str:
            return await self.outbox.post(conversation, letter, thread=thread, nonce=nonce)

        return await self._post(self._intent(conversation, letter, thread, purpose), reply, send)

    async def post_direct(
        self, conversation: str, actor: Actor, letter: Letter, reply: Reply, *, thread: str = ""
    ) -> str:
        """Post it in the direct conversation with that one person; gives its `ts`. Raises the same."""

        async def send(nonce: str) -> str:
            return await self.outbox.post_direct(conversation, actor, letter, thread=thread, nonce=nonce)

        return await self._post(self._intent(conversation, letter, thread, "answer"), reply, send)

    async def change_direct(
        self, conversation: str, ts: str, actor: Actor, letter: Letter, reply: Reply
    ) -> None:
        """Put a later state of the reply in its place, unless it is being corrected. Raises the same."""
        wanted = self._intent(conversation, letter, "", "answer")
        wanted = msgspec.structs.replace(wanted, ts=ts, items=await self.items(reply))
        changing = await self._showing_more(wanted)
        try:
            await self.outbox.change_direct(conversation, ts, actor, letter)
        except UnavailableError:
            raise  # it may be on its way: nobody else touches the message for a while
        except BotError:
            await self._let_go(changing)
            raise
        await self._let_go(changing)

    async def attach(self, conversation: str, actor: Actor, file: Attachment, *, thread: str = "") -> None:
        """Put a file into the direct conversation with that one person. Raises the same."""
        items = await self.items(file.shows)

        async def sharing(file_id: str) -> None:
            intent = self._intent(conversation, file.letter, thread, "answer")
            kept = msgspec.structs.replace(
                intent, ts=file_id, files=(file_id,), items=items, state="shown", nonce=""
            )
            await self.services.store.record_post(kept)
            await self._check(file.shows, items)

        await self.outbox.attach(conversation, actor, file, sharing=sharing, thread=thread)

    async def items(self, reply: Reply) -> tuple[Item, ...]:
        """What a reply shows, by its sources.

        Raises ReadersChangedError if the store does not hold it any more as it was cleared: answer anew.
        """
        if not isinstance(reply, Lookup | Recent):
            return ()
        cleared = reply.cleared
        wanted = {_bare(shown) for shown in cleared.shown}
        world = self.services.registry.world(self.services.clock())
        found: list[Item] = []
        for one in await self.services.store.lookup(list({shown.indicator for shown in cleared.shown})):
            shown = {_bare(each) for each in clear((one,), cleared.audience, world).shown} & wanted
            if shown:
                found.append(Item(one.source, one.indicator, one.label))
                wanted -= shown
        if wanted:
            raise ReadersChangedError
        told = (Item(f"{SERVICE}{each.provider}", each.indicator, each.label) for each in cleared.findings)
        return (*found, *dict.fromkeys(told))

    # --- posting ---------------------------------------------------------------------------------------

    def _intent(self, conversation: str, letter: Letter, thread: str, purpose: str) -> Post:
        nonce = self.nonce()
        return Post(
            channel=conversation,
            ts=f"{INTENDED}{nonce}",
            thread=thread,
            purpose=purpose,
            posted_at=self.services.clock(),
            readers=tuple(sorted(letter.audience.orgs)) if letter.audience else (),
            state="intended",
            nonce=nonce,
        )

    async def _post(self, intent: Post, reply: Reply, send: Send) -> str:
        """Written down, sent, completed; what shows nothing of the store needs no correction."""
        items = await self.items(reply)
        if not items and not _grows(reply):
            return await send("")
        intent = msgspec.structs.replace(intent, items=items)
        await self.services.store.record_post(intent)
        try:
            await self._check(reply, items)
            ts = await send(intent.nonce)
        except (ReadersChangedError, RefusedError, RateLimitedError, NotTakenError):
            await self._forget(intent)
            raise
        await self._arrived(intent, ts)
        return ts

    async def _check(self, reply: Reply, items: tuple[Item, ...]) -> None:
        """What its sources change from now on is found in the ledger; what they changed before, here."""
        if await self.items(reply) != items:
            raise ReadersChangedError

    async def _arrived(self, intent: Post, ts: str) -> None:
        """Somebody may have written meanwhile that it must be judged anew."""

        def completed(known: Post) -> Post:
            state = "shown" if known.amending is None else "doubted"
            return msgspec.structs.replace(known, ts=ts, state=state)

        try:
            await self._rewrite(intent, completed)
        except BotError:
            LOG.warning("an answer in %s is looked for later", intent.channel)

    async def _forget(self, intent: Post) -> None:
        with suppress(BotError):  # it is looked for in vain later
            await self.services.store.record_post(msgspec.structs.replace(intent, state="deleted"))

    # --- changing --------------------------------------------------------------------------------------

    async def _showing_more(self, wanted: Post) -> Post:
        """Write down what else will be read there, and that nobody else may touch it meanwhile."""
        known = await self.services.store.post(wanted.channel, wanted.ts)
        until = self.services.clock() + timedelta(seconds=BUSY_SECONDS)
        if known is None or known.state != "shown" or known.readers != wanted.readers:
            raise ReadersChangedError  # it was taken back, is about to be, or is read by others
        both = tuple(dict.fromkeys((*known.items, *wanted.items)))
        changing = msgspec.structs.replace(known, items=both, busy_until=until)
        if not await self.services.store.replace_post(known, changing):
            raise ReadersChangedError
        return changing

    async def _let_go(self, changing: Post) -> None:
        with suppress(BotError):  # then it is free in a minute
            await self._rewrite(changing, lambda known: msgspec.structs.replace(known, busy_until=None))

    async def _rewrite(self, known: Post | None, change: Callable[[Post], Post]) -> None:
        """Change what is kept, if it still is, whatever was written meanwhile. Raises BotError."""
        for _ in range(TRIES):
            if known is None or await self.services.store.replace_post(known, change(known)):
                return
            known = await self.services.store.post(known.channel, known.ts)
        raise UnavailableError("Liaison has too much to do right now; it goes on by itself.")


def _grows(reply: Reply) -> bool:
    """What is shown later must find its place in the ledger."""
    return isinstance(reply, Lookup) and reply.more is not None


def _bare(shown: Shown) -> Shown:
    return replace(shown, file=None)
