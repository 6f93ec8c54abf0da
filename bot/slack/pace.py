"""Pace: posts leave one after the other, no faster than Slack takes them, and no channel waits for another.

https://docs.slack.dev/apis/web-api/rate-limits/: one message a second in a channel with short bursts, several
hundred a minute in a workspace. Answers to people do not queue here.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable
from itertools import count
from typing import Protocol

from bot.slack.calls import RateLimitedError
from bot.tempo import Alarm, Later, in_a_while

CHANNEL_SECONDS = 1.0  # between two messages in one channel
PER_SECOND = 4.0  # of one workspace
TIER_3_PER_SECOND = 48 / 60  # of methods that may be called "50+ per minute": a little is left to others
MAX_HELD = 30.0  # a longer Retry-After is not waited for here: its caller has better things to do
MAX_QUEUED = 10_000  # turns waited for at once
_FORGET_ABOVE = 2_000  # channels
LOG = logging.getLogger("bot.pace")


class Shared(Protocol):
    """The pace of all replicas, of which this one is a part."""

    async def turn(self, channel: str) -> None:
        """Wait until no other replica's call is in the way."""

    async def hold(self, channel: str, seconds: float) -> None:
        """Let the others know what Slack answered; "" stands for all channels."""


class Pace:
    """Turns for channels: who came first goes first, unless its channel must still wait.

    After a silence `burst` of them may leave at once. `timer` counts monotonic seconds; `later` wakes it
    after some of them. What leaves here is counted among the calls of all replicas where there are several.
    """

    def __init__(
        self,
        *,
        per_second: float = PER_SECOND,
        burst: int = 1,
        channel_seconds: float = CHANNEL_SECONDS,
        timer: Callable[[], float] = time.monotonic,
        later: Later = in_a_while,
        shared: Shared | None = None,
    ) -> None:
        self._gap, self._channel_gap = 1 / per_second, channel_seconds
        self._ahead = (burst - 1) * self._gap
        self._timer, self._later, self._shared = timer, later, shared
        self._waiting: dict[str, deque[tuple[int, asyncio.Future[None]]]] = {}
        self._numbers = count()
        self._due = 0.0  # when the next of all would leave without bursts
        self._channel_free_at: dict[str, float] = {}
        self._held: dict[str, float] = {}  # until when, by channel
        self._all_held = 0.0
        self._alarm: Alarm | None = None
        self._alarm_at = 0.0

    async def turn(self, channel: str) -> None:
        """Wait until a message may be sent there, and count it as sent.

        Raises RateLimitedError as soon as Slack wants more patience than is had here.
        """
        self._check(channel)
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        place = (next(self._numbers), turn)
        self._waiting.setdefault(channel, deque()).append(place)
        if self._alarm is None or self._moment(channel, self._timer()) < self._alarm_at:
            self._serve()
        try:
            await turn
        finally:
            self._leave(channel, place)
        if self._shared is not None:
            await self._shared.turn(channel)

    async def refused(self, channel: str, seconds: float) -> None:
        """Slack answered 429 there, or with "" for the whole workspace: all replicas wait."""
        if channel:
            self.hold(channel, seconds)
        else:
            self.hold_all(seconds)
        if self._shared is not None:
            await self._shared.hold(channel, seconds)

    def hold(self, channel: str, seconds: float) -> None:
        """Slack answered 429 there: leave the channel alone; if another one is held, too, leave all alone."""
        now = self._timer()
        self._held = {each: until for each, until in self._held.items() if until > now}
        is_everywhere = any(each != channel for each in self._held)
        self._held[channel] = max(self._held.get(channel, 0.0), now + seconds)
        if seconds > MAX_HELD:
            self._turn_away([channel], seconds)
        if is_everywhere:
            self.hold_all(seconds)

    def hold_all(self, seconds: float) -> None:
        """Slack answered 429 for the whole workspace."""
        self._all_held = max(self._all_held, self._timer() + seconds)
        if seconds > MAX_HELD:
            self._turn_away(list(self._waiting), seconds)

    def _check(self, channel: str) -> None:
        held = max(self._all_held, self._held.get(channel, 0.0)) - self._timer()
        if held > MAX_HELD:
            raise RateLimitedError(held)
        if sum(map(len, self._waiting.values())) >= MAX_QUEUED:
            raise RateLimitedError(MAX_HELD)

    def _turn_away(self, channels: list[str], seconds: float) -> None:
        for channel in channels:
            for _, turn in self._waiting.pop(channel, ()):
                if not turn.done():
                    turn.set_exception(RateLimitedError(seconds))

    def _leave(self, channel: str, place: tuple[int, asyncio.Future[None]]) -> None:
        """Make room for others, also when nobody waits for the turn any more."""
        queue = self._waiting.get(channel, deque())
        if place in queue:
            queue.remove(place)
        if not queue:
            self._waiting.pop(channel, None)

    def _serve(self) -> None:
        """Give everybody their turn whose moment has come, and come back for the next."""
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        while self._waiting:
            now = self._timer()
            at, _, channel = min(
                (self._moment(each, now), queue[0][0], each) for each, queue in self._waiting.items()
            )
            if at > now:
                self._alarm, self._alarm_at = self._later(at - now, self._serve), at
                return
            self._give(channel, now)

    def _moment(self, channel: str, now: float) -> float:
        """When the next message may leave for it; now for all that may, so that they keep order."""
        own = max(self._channel_free_at.get(channel, 0.0), self._held.get(channel, 0.0))
        return max(own, self._due - self._ahead, self._all_held, now)

    def _give(self, channel: str, now: float) -> None:
        queue = self._waiting[channel]
        _, turn = queue.popleft()
        if not queue:
            del self._waiting[channel]
        if turn.done():  # cancelled meanwhile
            return
        self._due = max(self._due, now) + self._gap
        self._channel_free_at[channel] = now + self._channel_gap
        if len(self._channel_free_at) > _FORGET_ABOVE:
            self._channel_free_at = {each: at for each, at in self._channel_free_at.items() if at > now}
        turn.set_result(None)
