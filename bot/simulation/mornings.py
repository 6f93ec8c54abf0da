"""Mornings: when something is due in a simulated day, by the local clocks of its channels. Pure.

Written a second time, for what the bot reckons is judged by it.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from bot.simulation.world import Subscribed


def dues(subscribed: Subscribed, begins: datetime, ends: datetime) -> Iterator[datetime]:
    """The moments between two others at which it is due."""
    if subscribed.clock is None:
        moments = (begins.replace(minute=0) + timedelta(hours=hour) for hour in range(24 * 32))
        yield from (each for each in moments if each.hour % 6 == 0 and begins < each < ends)
        return
    zone, (hour, minute) = ZoneInfo(subscribed.zone), subscribed.clock
    day = begins.astimezone(zone).replace(hour=hour, minute=minute, second=0, microsecond=0, tzinfo=None)
    for number in range(-1, (ends - begins).days + 3):
        local = (day + timedelta(days=number)).replace(tzinfo=zone)
        moment = datetime.fromtimestamp(local.timestamp(), tz=begins.tzinfo)
        if begins < moment < ends and ("weekdays" not in subscribed.words or local.weekday() < 5):
            yield moment
