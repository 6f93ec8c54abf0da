"""Ledger: answers that everybody in a channel reads are kept like other posts, with what they showed."""

import logging
from dataclasses import dataclass, replace

from bot.amends import SERVICE
from bot.chat import Lookup, Recent, Reply
from bot.deliveries import Item, Post
from bot.errors import BotError
from bot.services import Services
from bot.sharing import Audience, Shown, clear
from bot.slack.outbox import ReadersChangedError

LOG = logging.getLogger("bot.ledger")


@dataclass(frozen=True)
class Ledger:
    """Writes down what was shown."""

    services: Services

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

    async def record(
        self,
        conversation: str,
        ts: str,
        audience: Audience,
        items: tuple[Item, ...],
        *,
        thread: str = "",
        purpose: str = "answer",
    ) -> None:
        """Keep it; an answer that shows nothing of the store needs no correction."""
        if not items:
            return
        post = Post(
            channel=conversation,
            ts=ts,
            thread=thread,
            purpose=purpose,
            posted_at=self.services.clock(),
            readers=tuple(sorted(audience.orgs)),
            items=items,
        )
        try:
            await self.services.store.record_post(post)
        except BotError:
            LOG.warning("an answer in %s stands there unrecorded", conversation)


def _bare(shown: Shown) -> Shown:
    return replace(shown, file=None)
