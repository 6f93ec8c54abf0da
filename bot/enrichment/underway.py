"""Underway: one enquiry while services are being asked."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from functools import partial

from bot.enrichment.places import LATE, PENDING, Answer, Place
from bot.enrichment.steady import Timer, until
from bot.findings import Finding


class Underway:
    """A `services.Inquiry`. Nobody has to wait for it, and who comes late gets all that happened."""

    def __init__(self, timer: Timer, ends: float) -> None:
        self._findings: list[Finding] = []
        self._pending: dict[int, Place] = {}
        self._timer = timer
        self._news = asyncio.Event()
        self._deadline = timer.call_at(ends, self._end)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What is known now, in the order of the question."""
        return tuple(self._findings)

    @property
    def is_done(self) -> bool:
        """Whether nothing is pending."""
        return not self._pending

    async def changed(self) -> None:
        """Wait until something changed since the last time; at once when all is done."""
        if self._pending:
            await self._news.wait()
        self._news.clear()

    def know(self, place: Place, answer: Answer) -> None:
        """Add a place whose answer is known."""
        self._findings.append(place.finding(answer))

    def expect(self, place: Place) -> Callable[[Answer], None]:
        """Add a place that is being asked; call what this gives when it has answered."""
        number = len(self._findings)
        self._findings.append(place.finding(PENDING))
        self._pending[number] = place
        return partial(self._hear, number)

    async def settle(self, seconds: float) -> None:
        """Give local lists a moment: nobody should read that they, who ask nobody, are being asked."""
        with suppress(TimeoutError):
            async with until(self._timer, self._timer.time() + seconds):
                while any(place.spec.asks_nobody for place in self._pending.values()):
                    self._news.clear()
                    await self._news.wait()

    def begin(self) -> None:
        """All places are added; what is known up to here is no news."""
        self._news.clear()
        self._rest()

    def _hear(self, number: int, answer: Answer) -> None:
        place = self._pending.pop(number, None)
        if place is not None:  # else it is too late
            self._findings[number] = place.finding(answer)
            self._news.set()
            self._rest()

    def _end(self) -> None:
        for number in list(self._pending):
            self._hear(number, LATE)

    def _rest(self) -> None:
        if not self._pending:
            self._deadline.cancel()
