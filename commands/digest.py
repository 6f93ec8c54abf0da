"""digest: what a channel gets by itself of what is new for its readers."""

from bot.chat import Ask, Command, Reply
from bot.services import Services
from bot.steering import steer
from bot.subscriptions import Purpose


async def run(ask: Ask, services: Services) -> Reply:
    """Turn it on or off, show it, write the next one for the asker alone, or send it now."""
    return await steer(ask, services, Purpose.DIGEST)


COMMAND = Command(
    verb="digest",
    usage="digest on|off|show|preview|now",
    summary="what is new, posted into this channel by itself; on takes a time, a zone, filters and a file",
    run=run,
    examples=(
        "digest on weekdays 08:00 tz Asia/Singapore",
        "digest on every 6h kinds domain, url min-confidence 50 attach csv",
        "digest preview",
    ),
)
