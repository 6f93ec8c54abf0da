"""Alerts: what an operator must look at, in words that hold no data."""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from bot.deliveries import Delivery
from bot.errors import BotError

QUIET_SECONDS = 600.0  # one direct message of a kind in that time; the log has all of them
LOG = logging.getLogger("bot.delivery")

Claim = Callable[[str, float], Awaitable[bool]]
Send = Callable[[str], Awaitable[object]]


class Trouble(StrEnum):
    """What happened, and what to do."""

    PARKED = (
        "was given up; look at the channel and at Liaison's rights there. The next one makes up for it; "
        "`{command} --retry` delivers it now, `{command} --drop` lets it go"
    )
    UNCERTAIN = (
        "may stand there or not: Slack does not let Liaison look. Look yourself: if it is missing, "
        "`{command} --retry` delivers it anew, and if it stands there, twice; `{command} --drop` leaves it"
    )
    PERHAPS_TWICE = "may stand there twice, and Slack does not let Liaison look; look yourself"
    DUPLICATE = "stands there twice, and Slack does not let Liaison delete the second one; delete it yourself"
    LOCKED_OUT = "waits: Slack does not take Liaison's token any more; set another and restart Liaison"


@dataclass(frozen=True)
class Alert:
    """One delivery in trouble."""

    trouble: Trouble
    delivery: Delivery

    def __str__(self) -> str:
        about = self.delivery
        why = f" ({about.error})" if about.error else ""
        command = f"liaison {about.purpose} --channel {about.channel}"
        what = self.trouble.value.format(command=command)
        return f"The {about.purpose} of {about.channel}, due {about.period}, {what}{why}."


class Alerts(Protocol):
    """Where alerts go."""

    async def tell(self, alert: Alert) -> None:
        """Let an operator know; never raises."""


class OperatorAlerts:
    """The log, and direct messages to operators if there is a way to send them; nothing here raises."""

    def __init__(self, send: Send | None, claim: Claim) -> None:
        self._send, self._claim = send, claim

    async def tell(self, alert: Alert) -> None:
        """Log it, and send it unless the operators have just heard of the same trouble."""
        LOG.error("%s", alert)
        try:
            is_news = await self._claim(f"alert {alert.trouble.name}", QUIET_SECONDS)
        except BotError:
            is_news = True
        if is_news:
            await self.say(f"{alert} There may be more like it: see the log.")

    async def say(self, words: str) -> None:
        """Send words that hold no data."""
        if self._send is None:
            return
        try:
            await self._send(words)
        except BotError:
            LOG.warning("words for the operators did not get through")
