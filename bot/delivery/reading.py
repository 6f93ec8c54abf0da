"""Reading: pages of the store between two numbers, in portions that leave the event loop to others."""

from collections.abc import AsyncIterator, Iterable, Iterator, Sequence

from bot.assertions import Assertion
from bot.services import Store
from bot.sharing import Audience, World, may_release

PORTION = 100  # claims cleared in one go, a few milliseconds


async def between(store: Store, since: int, upto: int) -> AsyncIterator[Sequence[Assertion]]:
    """Pages of all assertions with since < seq <= upto, in that order."""
    if upto <= since:
        return
    async for page in store.everything(after=since):
        yield [one for one in page if one.seq <= upto]
        if page[-1].seq >= upto:
            return


def portions(
    page: Sequence[Assertion], viewer: Audience | None, world: World
) -> Iterator[Sequence[Assertion]]:
    """A page bit by bit, without what a viewer may not see, if there is one."""
    for start in range(0, len(page), PORTION):
        yield visible_to(viewer, page[start : start + PORTION], world)


def visible_to(viewer: Audience | None, claims: Iterable[Assertion], world: World) -> list[Assertion]:
    """What one more reader may see of these; without one all of them."""
    return [one for one in claims if viewer is None or may_release(one, viewer, world).release]
