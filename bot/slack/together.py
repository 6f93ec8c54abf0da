"""Together: one pace for all replicas. Slack counts the calls of an app, not those of one of its processes.

Behind its own `Pace` each replica takes every turn from the store as well. Alone it waits there for nothing.
"""

import asyncio
from collections.abc import Awaitable, Callable

from bot.errors import BotError, UnavailableError
from bot.logs import log_mistake
from bot.services import Store
from bot.slack.calls import NotTakenError, RateLimitedError
from bot.slack.pace import LOG, MAX_HELD
from bot.turns import AT_ONCE, Lane

MAX_ASKED = 100  # times that one turn is asked for while others are faster


class Together:
    """Turns of one lane; `rest` waits so many seconds."""

    def __init__(
        self, store: Store, lane: Lane, *, rest: Callable[[float], Awaitable[object]] = asyncio.sleep
    ) -> None:
        self._store, self._lane, self._rest = store, lane, rest

    async def turn(self, channel: str) -> None:
        """Wait until no replica's call is in the way. Raises RateLimitedError, NotTakenError."""
        for _ in range(MAX_ASKED):
            try:
                turn = await self._store.take_turn(self._lane, channel)
            except UnavailableError as error:
                raise NotTakenError from error
            if not turn.is_given and turn.seconds > MAX_HELD:
                break
            if turn.seconds > AT_ONCE:
                await self._rest(turn.seconds)
            if turn.is_given:
                return
        raise RateLimitedError(turn.seconds)

    async def hold(self, channel: str, seconds: float) -> None:
        """Slack answered 429 there, or with "" everywhere: let the others know, too."""
        try:
            await self._store.hold_turns(self._lane, channel, seconds=seconds)
        except BotError as error:
            log_mistake(LOG, error)  # they will hear it from Slack
