"""Work: what goes on after Slack got its answer, counted, bounded and finished before a stop.

Bolt keeps no hold of the listeners it starts, so a stop would cut them off; what matters runs here instead.
"""

import asyncio
import logging
from collections.abc import Awaitable, Coroutine
from contextlib import suppress
from typing import Any, TypeVar

from bot.errors import BotError, UnavailableError
from bot.logs import log_mistake

T = TypeVar("T")
MAX_AT_ONCE = 500
DRAIN_SECONDS = 10.0
LAST_WORDS_SECONDS = 3.0  # of it, for work that has to come to an end by itself
LOG = logging.getLogger("bot.work")


class UnforeseenError(BotError):
    """A mistake of ours; its text names the log entry that tells more."""


class Work:
    """Everything under way; `start` refuses more when there is too much."""

    def __init__(self, *, at_once: int = MAX_AT_ONCE) -> None:
        self._at_once = at_once
        self._tasks: set[asyncio.Task[Any]] = set()
        self.hurry = asyncio.Event()  # a stop waits no longer: say the last word now

    def __len__(self) -> int:
        return len(self._tasks)

    def start(self, coroutine: Coroutine[Any, Any, T], *, seconds: float) -> "asyncio.Task[T]":
        """Run it for at most that long; its failures are BotErrors. Raises UnavailableError."""
        if len(self._tasks) >= self._at_once:
            coroutine.close()
            raise UnavailableError("Liaison has too much to do right now; ask again in a minute.")
        task = asyncio.create_task(guarded(coroutine, seconds))
        self._tasks.add(task)
        task.add_done_callback(self._finished)
        return task

    async def drain(self, *, seconds: float = DRAIN_SECONDS) -> int:
        """Wait for what is under way and what follows from it; gives the number that had to be cut off."""
        await self._finish(seconds - LAST_WORDS_SECONDS)
        if self._tasks:
            self.hurry.set()
            await self._finish(min(seconds, LAST_WORDS_SECONDS))
        late = list(self._tasks)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
        return len(late)

    async def _finish(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self._tasks:
                    await asyncio.wait(self._tasks)

    def _finished(self, task: "asyncio.Task[Any]") -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # it is logged already; asyncio need not say it again


async def within(task: "asyncio.Task[T]", seconds: float) -> T | None:
    """Its result if it comes in time, else None; the task goes on. Raises what the task raises."""
    done, _ = await asyncio.wait((task,), timeout=seconds)
    return task.result() if done else None


async def guarded(coroutine: Awaitable[T], seconds: float) -> T:
    """Turn whatever goes wrong into words that anyone may read, and log the rest under an id."""
    try:
        async with asyncio.timeout(seconds):
            return await coroutine
    except BotError:
        raise
    except TimeoutError as error:
        raise UnavailableError("That took too long; try again in a minute, or ask for less.") from error
    except Exception as error:  # noqa: BLE001 - the one place where every mistake of ours ends
        raise UnforeseenError(report(error)) from None


def report(error: Exception) -> str:
    """Log it under a number; gives the words for whoever asked."""
    number = log_mistake(LOG, error)
    return f"Something went wrong here (error {number}). Try again, or tell Liaison's operator that number."
