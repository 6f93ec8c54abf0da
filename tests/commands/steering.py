"""A world with an operator and stewards, and something that writes digests for tests."""

from collections.abc import Sequence
from dataclasses import replace

from bot.assertions import Assertion
from bot.chat import Actor
from bot.digests import Digest, build
from bot.indicators import Indicator
from bot.organisations import Member
from bot.services import Services
from bot.sharing import Audience, clear, may_release
from bot.subscriptions import Purpose, Subscribed
from tests.commands.asking import NOW, REGISTRY

CHANNEL = "C0CHANNEL"
OPERATOR = Actor("U0OPER", "igci", teams=frozenset({"T0HOST"}))
STEWARD = Actor("U0KIRA", "kaspersky", teams=frozenset({"T0KASP"}))
NAMED = replace(
    REGISTRY,
    host=replace(REGISTRY.host, stewards=frozenset({Member("U0OPER", "T0HOST")})),
    partners=tuple(
        replace(each, stewards=frozenset({Member("U0KIRA", "T0KASP"), Member("U0OLD", "T0LAP")}))
        for each in REGISTRY.partners
    ),
    timezone="Asia/Singapore",
)


class Writer:
    """Writes digests of what is stored, as `services.Digests` says."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self.asked: list[tuple[Subscribed, Audience, Audience]] = []

    async def preview(self, subscribed: Subscribed, readers: Audience, *, viewer: Audience) -> Digest:
        self.asked.append((subscribed, readers, viewer))
        world = self._services.registry.world(self._services.clock())
        new: list[Assertion] = []
        async for page in self._services.store.everything(after=subscribed.since):
            new += [each for each in page if may_release(each, viewer, world).release]
        filters = subscribed.subscription.filters
        return build(clear(new, readers, world), filters=filters, since=None, until=NOW)


class Ledger:
    """Remembers what was wished, as `services.Corrections` says."""

    def __init__(self, posts: int) -> None:
        self.posts = posts
        self.wished: list[tuple[tuple[Indicator, ...], str | None, str]] = []

    async def retract(self, indicators: Sequence[Indicator], *, source: str | None, by: str) -> int:
        self.wished.append((tuple(indicators), source, by))
        return self.posts

    def readers_changed(self, channel: str) -> None:
        raise NotImplementedError("commands change no readers")

    async def channel_renamed(self, old: str, new: str) -> None:
        raise NotImplementedError("commands rename no channels")


async def purposes(services: Services, channel: str = CHANNEL) -> list[Purpose]:
    """What a channel gets by itself."""
    return [each.subscription.purpose for each in await services.store.subscriptions(channel)]
