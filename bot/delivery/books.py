"""Books: what the ledger holds of one thread, and what everybody who corrects posts works with."""

import secrets
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

import msgspec

from bot import amends
from bot.amends import Key
from bot.assertions import Assertion
from bot.deliveries import Amending, Item, Post
from bot.delivery.posting import Letter, Posting
from bot.errors import UnavailableError
from bot.indicators import Indicator
from bot.organisations import Registry
from bot.services import Store

PORTION = 500  # indicators looked up in one go
MOST_POSTS = 10_000  # of a channel

PENDING = frozenset(("intended", "doubted", "correcting", "deleting"))


class Correcting(Posting, Protocol):
    """Posts that can be changed, too."""

    async def correct(self, conversation: str, ts: str, letter: Letter) -> None:
        """Put other words into a post of ours. Raises UneditableError and what `post_marked` raises."""

    async def delete_file(self, file_id: str) -> None:
        """Delete a file of ours, or find it gone. Raises as `withdraw`."""


Tell = Callable[[str], Awaitable[object]]


@dataclass(frozen=True, kw_only=True)
class Tools:
    """What amending needs. `tell` brings words without data to the host's operators and never raises."""

    store: Store
    posting: Correcting
    registry: Registry
    clock: Callable[[], datetime]
    tell: Tell
    nonce: Callable[[], str]
    unsure_since: dict[str, datetime] = field(default_factory=dict)  # by channel


def random_nonce() -> str:
    """Opaque and unique."""
    return secrets.token_urlsafe(16)


class WaitError(UnavailableError):
    """Not yet: go on at that moment."""

    def __init__(self, until: datetime) -> None:
        super().__init__("Liaison goes on with that by itself in a minute.")
        self.until = until


class OvertakenError(UnavailableError):
    """Somebody else wrote that post since it was read: begin again."""

    def __init__(self) -> None:
        super().__init__("Liaison goes on with that by itself in a moment.")


class Books:
    """The posts of one thread as they were committed last; what others write meanwhile is not overwritten."""

    def __init__(self, store: Store, channel: str, root: str) -> None:
        self._store, self.channel, self.root = store, channel, root
        self.posts: dict[str, Post] = {}  # by ts, the root first
        self.named: dict[str, Post] = {}  # answers of the channel whose `ts` is known, by nonce

    async def load(self) -> None:
        """Read those that something can be done about."""
        found = await self._store.posts(channel=self.channel, most=MOST_POSTS)
        mine = [each for each in found if amends.root(each) == self.root and is_open(each)]
        self.posts = {each.ts: each for each in sorted(mine, key=_order)}
        self.named = {each.nonce: each for each in found if each.nonce and not each.is_intended}

    async def put(self, post: Post, **changed: object) -> Post:
        """Write it, if anything changed. Raises OvertakenError."""
        new = msgspec.structs.replace(post, **changed)
        if new != post and not await self._store.replace_post(post, new):
            raise OvertakenError
        self.posts[post.ts] = new
        return new


def is_open(post: Post) -> bool:
    """Whether something can be done about it, or is being done."""
    return post.state != "unreachable" or post.amending is not None


async def looked_up(store: Store, indicators: Iterable[Indicator]) -> dict[Key, Assertion]:
    """What every source says of them now."""
    found: dict[Key, Assertion] = {}
    distinct = list(dict.fromkeys(indicators))
    for start in range(0, len(distinct), PORTION):
        for one in await store.lookup(distinct[start : start + PORTION]):
            found[one.source, one.indicator] = one
    return found


def about_of(doing: Amending) -> list[Item]:
    """What those who read the post are told of."""
    return [item for note in doing.notes if not note.source for item in note.about]


def joined(one: Iterable[Item], other: Iterable[Item]) -> tuple[Item, ...]:
    """Both, each item once."""
    return tuple(dict.fromkeys((*one, *other)))


def _order(post: Post) -> tuple[bool, int, str]:
    return bool(post.thread), len(post.ts), post.ts
