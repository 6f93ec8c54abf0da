"""A lookup from indicators to an answer: the one path of the command line and of Slack."""

from collections.abc import Sequence

from bot.answers import entries
from bot.chat import Lookup
from bot.indicators import Indicator
from bot.services import Store
from bot.sharing import Audience, World, clear


async def look_up(indicators: Sequence[Indicator], audience: Audience, world: World, store: Store) -> Lookup:
    """What this audience may know about each of them, in the order asked."""
    cleared = clear(await store.lookup(indicators), audience, world, asked=indicators)
    return Lookup(entries=tuple(entries(indicators, cleared)), cleared=cleared)
