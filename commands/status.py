"""status: whether Liaison works; figures about the store are the host's alone, for they count hidden data."""

from datetime import timedelta

from bot import __version__
from bot.chat import Ask, Command, Notice, Row
from bot.services import Services
from bot.sharing import Audience, Reach, World
from bot.tlp import Label

COUNTED = 10_000  # of the last day's assertions


async def run(ask: Ask, services: Services) -> Notice:
    """Say that Liaison is up; to the host alone also how full and how fresh the store is."""
    up = Row(text="Liaison is up and reads its store.")
    head = await services.store.head()  # asked for everybody, so that a store that does not answer shows
    if not _is_for_the_host_alone(ask.audience, ask.world):
        host = ask.world.names.get(ask.world.host, "the host")
        advice = f"Answers wrong or missing? Tell {host} what you asked, when and in which conversation."
        return Notice(title="status", rows=(up, Row(text=advice)))
    fresh = await _last_day(ask, services)
    rows = (
        up,
        Row(text=f"Version {__version__}"),
        Row(text=f"Newest sequence number: {head}"),
        Row(text=f"Assertions of the last 24 hours: {fresh}"),
        Row(text=f"Partners with an agreement in force: {len(ask.world.in_force)}"),
    )
    return Notice(title="status", rows=rows, label=Label.AMBER_STRICT)


def _is_for_the_host_alone(audience: Audience, world: World) -> bool:
    """Not in a channel either: whoever joins it later reads its history."""
    return audience.reach in (Reach.EPHEMERAL, Reach.DM) and audience.fresh and audience.orgs == {world.host}


async def _last_day(ask: Ask, services: Services) -> str:
    counted = 0
    async for page in services.store.newest(since=ask.world.now - timedelta(days=1)):
        counted += len(page)
        if counted >= COUNTED:
            return f"{COUNTED} or more"
    return str(counted)


COMMAND = Command(
    verb="status", usage="status", summary="whether Liaison works", run=run, examples=("status",)
)
