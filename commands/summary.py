"""summary: the figures of a day that a channel gets by itself."""

from bot.chat import Ask, Command, Reply
from bot.services import Services
from bot.steering import steer
from bot.subscriptions import Purpose


async def run(ask: Ask, services: Services) -> Reply:
    """Turn it on or off, show it, write the next one for the asker alone, or send it now."""
    return await steer(ask, services, Purpose.SUMMARY)


COMMAND = Command(
    verb="summary",
    usage="summary on|off|show|preview|now",
    summary="the figures of a day, posted into this channel by itself; on takes a time and a zone",
    run=run,
    examples=("summary on daily 07:30 tz Europe/Paris", "summary preview"),
)
