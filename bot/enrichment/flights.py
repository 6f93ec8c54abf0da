"""Flights: questions under way, each of them once, whoever waits or has stopped waiting."""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from bot.enrichment.places import GONE, Answer
from bot.indicators import Indicator
from bot.logs import log_mistake

MOST = 5_000  # under way for one organisation
CLOSE_SECONDS = 5.0
LOG = logging.getLogger("bot.enrichment")

Hear = Callable[[Answer], None]


class Question(NamedTuple):
    """What is asked once at a time. Another organisation's question is another one: nobody feels it."""

    org: str
    provider: str
    indicator: Indicator


class Flight:
    """One question under way; it belongs to no waiter."""

    def __init__(self, question: Question) -> None:
        self.question = question
        self.on_purpose = False  # somebody waits who may use the reserve
        self.answer: Answer | None = None
        self._waiting: list[Hear] = []

    def hear(self, hear: Hear) -> None:
        """Call this with the answer, at once if it is there."""
        if self.answer is None:
            self._waiting.append(hear)
        else:
            hear(self.answer)

    def land(self, answer: Answer) -> None:
        """Tell everybody who waits."""
        self.answer = answer
        waiting, self._waiting = self._waiting, []
        for hear in waiting:
            hear(answer)


Fly = Callable[[Flight], Coroutine[Any, Any, None]]  # asks, lands, and keeps what it learned


class Flights:
    """All questions under way."""

    def __init__(self, *, most: int = MOST) -> None:
        self._most = most
        self._flights: dict[Question, tuple[Flight, asyncio.Task[None]]] = {}
        self._of: Counter[str] = Counter()
        self._readers: list[dict[Question, Answer]] = []
        self._closed = False

    def __len__(self) -> int:
        return len(self._flights)

    def join(self, question: Question, fly: Fly, hear: Hear, *, on_purpose: bool = False) -> None:
        """Hear the answer of the flight that asks this; start it if there is none."""
        if self._closed or (question not in self._flights and self._of[question.org] >= self._most):
            hear(GONE)
            return
        if question not in self._flights:
            self._start(Flight(question), fly)
        flight, _ = self._flights[question]
        flight.on_purpose |= on_purpose
        flight.hear(hear)

    @contextmanager
    def landing(self) -> Iterator[dict[Question, Answer]]:
        """What lands meanwhile: it may be missing from what is read of the store at the same time."""
        landed: dict[Question, Answer] = {}
        self._readers.append(landed)
        try:
            yield landed
        finally:
            self._readers = [one for one in self._readers if one is not landed]

    async def close(self) -> None:
        """Cancel what is under way; who waits is told, and no more is started."""
        self._closed = True
        tasks = [task for _, task in self._flights.values()]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=CLOSE_SECONDS)

    def _start(self, flight: Flight, fly: Fly) -> None:
        task = asyncio.create_task(fly(flight))
        self._flights[flight.question] = flight, task
        self._of[flight.question.org] += 1
        task.add_done_callback(lambda task: self._finish(flight, task))

    def _finish(self, flight: Flight, task: asyncio.Task[None]) -> None:
        del self._flights[flight.question]
        self._of -= Counter((flight.question.org,))
        error = None if task.cancelled() else task.exception()
        if isinstance(error, Exception):
            log_mistake(LOG, error)
        if flight.answer is None:
            flight.land(GONE)
        for landed in self._readers:
            landed[flight.question] = flight.answer or GONE
