"""Time that does not jump: a clock that nobody can set back, and the timer behind every deadline."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Protocol

_LONG_AGO = 0.0  # on every event loop's clock


def elapsed_seconds() -> float:
    """Seconds since the machine started, those it slept included; setting its clock does not move them."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


def steadied(
    clock: Callable[[], datetime], elapsed: Callable[[], float] = elapsed_seconds
) -> Callable[[], datetime]:
    """A clock that is right when it is made, and from then on only counts: nothing sets it back."""
    started, start = clock(), elapsed()
    return lambda: started + timedelta(seconds=elapsed() - start)


class Handle(Protocol):
    """What will be called."""

    def cancel(self) -> None:
        """Never mind."""


class Timer(Protocol):
    """Counts seconds and calls back, as an event loop does."""

    def time(self) -> float:
        """Seconds since some moment."""

    def call_at(self, when: float, callback: Callable[[], object], /) -> Handle:
        """Call back at that time, soon if it has passed."""


class LoopTimer:
    """The timer of whatever event loop is running."""

    def time(self) -> float:
        """Seconds since some moment."""
        return asyncio.get_running_loop().time()

    def call_at(self, when: float, callback: Callable[[], object], /) -> Handle:
        """Call back at that time, soon if it has passed."""
        return asyncio.get_running_loop().call_at(when, callback)


@asynccontextmanager
async def until(timer: Timer, when: float) -> AsyncIterator[None]:
    """End what is inside at that time. Raises TimeoutError."""
    async with asyncio.timeout(None) as scope:
        handle = timer.call_at(when, lambda: scope.reschedule(_LONG_AGO))
        try:
            yield
        finally:
            handle.cancel()
