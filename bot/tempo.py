"""Tempo: how time passes for pauses and limits: as it does, or hurried, the same in several processes.

Deadlines of what really takes time, such as a request, are not hurried: processors and networks are not.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Alarm(Protocol):
    """Something that will happen later."""

    def cancel(self) -> object:
        """Let it not happen."""


Later = Callable[[float, Callable[[], None]], Alarm]


def in_a_while(seconds: float, then: Callable[[], None]) -> Alarm:
    """Do it after so many seconds, in the running event loop."""
    return asyncio.get_running_loop().call_later(seconds, then)


@dataclass(frozen=True)
class Tempo:
    """`timer` counts seconds that never go back, `later` calls after some of them, `rest` waits for them."""

    timer: Callable[[], float] = time.monotonic
    later: Later = in_a_while
    rest: Callable[[float], Awaitable[None]] = asyncio.sleep


REAL = Tempo()


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Hurried:
    """A clock that runs `speed` times as fast as real time, the same in all processes of this machine."""

    speed: float
    began_at: datetime = field(default_factory=_now)  # aware UTC
    began: float = field(default_factory=time.monotonic)

    def __call__(self) -> datetime:
        """Its time."""
        return self.began_at + timedelta(seconds=self.timer())

    def timer(self) -> float:
        """Its seconds since it began."""
        return (time.monotonic() - self.began) * self.speed

    def later(self, seconds: float, then: Callable[[], None]) -> Alarm:
        """Do something after so many of its seconds."""
        return in_a_while(seconds / self.speed, then)

    async def rest(self, seconds: float) -> None:
        """Wait for so many of its seconds."""
        await asyncio.sleep(seconds / self.speed)

    @property
    def tempo(self) -> Tempo:
        """For everything that takes one."""
        return Tempo(self.timer, self.later, self.rest)
