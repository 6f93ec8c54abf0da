"""Changed: what became of claims that a channel was shown before, since it was told of such the last time."""

from dataclasses import dataclass
from datetime import datetime

import msgspec

from bot.assertions import Assertion
from bot.deliveries import Change, Item, Post
from bot.delivery.reading import visible_to
from bot.digests import Changed, changes, items
from bot.services import Store
from bot.sharing import Audience, World

MOST = 2_000  # claims that changed, in one digest; the rest is told by the next one
LATEST = 30  # posts of the channel in which claims are looked for that expired
PAGE = 500  # indicators looked up at once


@dataclass(frozen=True)
class Told:
    """What is told, the claims that it names, and the number of the last change taken into account."""

    changed: tuple[Changed, ...]
    items: tuple[Item, ...]
    upto: int


def changes_mark(channel: str) -> str:
    """The name of the mark up to which a channel has been told of changes."""
    return f"changes told in {channel}"


async def changed(
    store: Store,
    channel: str,
    audience: Audience,
    viewer: Audience | None,
    world: World,
    *,
    since: datetime | None,
    until: datetime,
) -> Told:
    """What those who read the channel now may know of it, and a viewer, if there is one."""
    after = await store.mark(changes_mark(channel))
    narrowed, upto = await _narrowed(store, channel, after)
    shown = await store.posts(channel=channel, most=LATEST) if since is not None else []
    found = await _stored(store, {*narrowed, *_items(shown)})
    expired = {item for item in _items(shown) if _expired(found.get(_key(item)), since, until)}
    hidden = {key for key, one in found.items() if not visible_to(viewer, (_as_it_was(one),), world)}
    about = {item for item in (*narrowed, *expired) if _key(item) not in hidden}
    keys = {_key(item) for item in about}
    stored = [one for key, one in found.items() if key in keys]
    told = changes(about, stored, audience, world)
    named = {one.shown.indicator for one in told if one.shown is not None}
    return Told(
        tuple(told), tuple(items((one for one in stored if one.indicator in named), audience, world)), upto
    )


async def _narrowed(store: Store, channel: str, after: int) -> tuple[set[Item], int]:
    """Claims that fewer may see than before, of those that stand in the channel."""
    found: set[Item] = set()
    while len(found) < MOST and (page := await store.changes(after=after)):
        keys = {_key(change) for change in page}
        posts = await store.posts(channel=channel, showing=page)
        found |= {item for item in _items(posts) if _key(item) in keys}
        after = page[-1].number
    return found, after


async def _stored(store: Store, about: set[Item]) -> dict[tuple[str, object], Assertion]:
    """What the store holds of them now."""
    indicators = sorted({item.indicator for item in about})
    keys = {_key(item) for item in about}
    found: dict[tuple[str, object], Assertion] = {}
    for start in range(0, len(indicators), PAGE):
        for one in await store.lookup(indicators[start : start + PAGE]):
            if _key(one) in keys:
                found[_key(one)] = one
    return found


def _as_it_was(one: Assertion) -> Assertion:
    """Before it was withdrawn or expired: a viewer may hear of that who could see it then."""
    return msgspec.structs.replace(one, revoked=False, not_after=None)


def _items(posts: list[Post]) -> set[Item]:
    return {item for post in posts for item in post.items}


def _key(one: Item | Change | Assertion) -> tuple[str, object]:
    return one.source, one.indicator


def _expired(one: Assertion | None, since: datetime | None, until: datetime) -> bool:
    return (
        one is not None and one.not_after is not None and since is not None and since < one.not_after <= until
    )
