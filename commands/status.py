"""status: whether Liaison works; figures about the store are the host's alone, for they count hidden data."""

from datetime import UTC, datetime, timedelta

from bot import __version__
from bot.chat import Ask, Command, Notice, Row
from bot.lookups import is_private
from bot.services import Services, Standing
from bot.tlp import Label

COUNTED = 10_000  # of the last day's assertions


async def run(ask: Ask, services: Services) -> Notice:
    """Say that Liaison is up and which services are on; to the host alone also how full the store is."""
    up = Row(text="Liaison is up and reads its store.")
    head = await services.store.head()  # asked for everybody, so that a store that does not answer shows
    about_services = tuple(Row(text=line) for line in await _services(ask, services))
    if not _is_for_the_host_alone(ask):
        host = ask.world.names.get(ask.world.host, "the host")
        advice = f"Answers wrong or missing? Tell {host} what you asked, when and in which conversation."
        label = Label.AMBER_STRICT if about_services else Label.CLEAR
        return Notice(title="status", rows=(up, *about_services, Row(text=advice)), label=label)
    fresh = await _last_day(ask, services)
    rows = (
        up,
        Row(text=f"Version {__version__}"),
        Row(text=f"Newest sequence number: {head}"),
        Row(text=f"Assertions of the last 24 hours: {fresh}"),
        Row(text=f"Partners with an agreement in force: {len(ask.world.in_force)}"),
        *about_services,
    )
    return Notice(title="status", rows=rows, label=Label.AMBER_STRICT)


def _is_for_the_host_alone(ask: Ask) -> bool:
    """Not in a channel either: whoever joins it later reads its history."""
    return is_private(ask) and ask.audience.fresh and ask.audience.orgs == {ask.world.host}


async def _services(ask: Ask, services: Services) -> list[str]:
    """How the external services are doing, for one organisation alone.

    When a service answered or failed last tells that somebody else asked it: that is for the host.
    """
    org, world = ask.actor.org, ask.world
    if not is_private(ask) or org not in world.in_force | {world.host}:
        return []
    if services.enrichment is None:
        return ["No external service is turned on."] if org == world.host else []
    if org not in world.own_queries:
        return ["Your organisation has not agreed that its questions go to external services: none is asked."]
    standings = await services.enrichment.standing(org)
    return [_standing(each, world.now) if org == world.host else _share(each) for each in standings]


def _standing(standing: Standing, now: datetime) -> str:
    """Everything, for the host."""
    facts = (
        ("last answer", standing.last_success),
        (f"last error “{standing.last_error}”", standing.last_error_at if standing.last_error else None),
        ("left alone until", standing.again_at),
    )
    return " · ".join(
        [_share(standing), *(f"{word} {_time(at, now)}" for word, at in facts if at is not None)]
    )


def _share(standing: Standing) -> str:
    """Whether it is on and what the own organisation has left of it."""
    if not standing.is_on:
        return f"{standing.title}: off"
    if standing.most is None or standing.used is None:
        return f"{standing.title}: on"
    used, most, left = standing.used, standing.most, max(standing.most - standing.used, 0)
    return (
        f"{standing.title}: on · {used} of your {most} questions of the {standing.period} used, {left} left"
    )


def _time(at: datetime, now: datetime) -> str:
    """To the minute, without the day if that is today."""
    at = at.astimezone(UTC)
    day = "" if at.date() == now.astimezone(UTC).date() else f"{at.date().isoformat()} "
    return f"{day}{at:%H:%M} UTC"


async def _last_day(ask: Ask, services: Services) -> str:
    counted = 0
    async for page in services.store.newest(since=ask.world.now - timedelta(days=1)):
        counted += len(page)
        if counted >= COUNTED:
            return f"{COUNTED} or more"
    return str(counted)


COMMAND = Command(
    verb="status",
    usage="status",
    summary="whether Liaison and the services it asks work",
    run=run,
    examples=("status",),
)
