"""Elsewhere: what other replicas ask now is not asked a second time; their answer is waited for.

Each question of an organisation is leased by the replica that asks it. The others look now and then whether
it is over: then the finding is in the store, or a note says how the service failed. If the lease runs out,
or nobody asked after all, the next one asks. Without the store each replica asks what it may.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime
from hashlib import sha256
from secrets import token_hex

from bot.enrichment.flights import Question
from bot.enrichment.places import GONE, Answer
from bot.enrichment.steady import Timer
from bot.errors import BotError
from bot.findings import Outcome
from bot.services import Store

EXTRA_SECONDS = 5.0  # that a question may take beyond its service's deadline, until its finding is kept
NOTE_SECONDS = 5.0  # that a failure is told to those who wait
LONGEST_PAUSE = 3_600.0  # that others leave a service alone; then one of them tries
FIRST_NAP, LONGEST_NAP = 0.05, 0.5  # seconds between two looks
MOST_WAITS = 4  # other replicas waited for, one after the other

Kept = Callable[[Question], Awaitable[Answer | None]]


class Elsewhere:
    """What this replica need not ask; `kept` reads what is known by now."""

    def __init__(self, store: Store, timer: Timer, kept: Kept) -> None:
        self._store, self._timer, self._kept = store, timer, kept
        self._name = token_hex(8)

    async def heard(self, question: Question, seconds: float) -> Answer | None:
        """What is known by now, or what another replica was told; None if it is ours to ask, which may take
        so many seconds. Then it must be told how it ended.
        """
        for _ in range(MOST_WAITS):
            try:
                lease = await self._store.take_lease(
                    _name(question), self._name, seconds=seconds + EXTRA_SECONDS
                )
                answer = await (
                    self._known(question) if lease.is_ours else self._listen(question, lease.seconds)
                )
            except BotError:
                return None
            if answer is not None or lease.is_ours:
                return answer
        return GONE

    async def end(self, question: Question, failure: Answer | None) -> None:
        """It is answered and kept, or the service failed, or nobody was asked."""
        note = "" if failure is None else _written(failure)
        with suppress(BotError):  # it runs out by itself
            await self._store.end_lease(_name(question), self._name, note=note, seconds=NOTE_SECONDS)

    async def leave_alone(self, provider: str, seconds: float) -> None:
        """A service asks for patience, for all of us."""
        if seconds > 0:
            with suppress(BotError):  # they will hear it from the service
                await self._store.take_lease(_pause(provider), provider, seconds=min(seconds, LONGEST_PAUSE))

    async def patience(self, provider: str) -> float:
        """For how many seconds a service wants to be left alone, as one of us heard."""
        try:
            return (await self._store.lease(_pause(provider))).seconds
        except BotError:
            return 0.0

    async def _known(self, question: Question) -> Answer | None:
        """What another replica kept a moment ago; then nobody needs to ask."""
        answer = await self._kept(question)
        if answer is not None:
            await self.end(question, None)
        return answer

    async def _listen(self, question: Question, seconds: float) -> Answer | None:
        until, nap = self._timer.time() + seconds, FIRST_NAP
        while self._timer.time() < until:
            await self._rest(nap)
            lease = await self._store.lease(_name(question))
            if lease.is_free:
                return _read(lease.note) or await self._kept(question)
            nap = min(nap * 1.5, LONGEST_NAP)
        return None

    async def _rest(self, seconds: float) -> None:
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        alarm = self._timer.call_at(
            self._timer.time() + seconds, lambda: None if woken.done() else woken.set_result(None)
        )
        try:
            await woken
        finally:
            alarm.cancel()


def _name(question: Question) -> str:
    """Nobody learns from it what is asked."""
    org, provider, indicator = question
    words = f"{org} {provider} {indicator.kind} {indicator.value}"
    return f"ask {sha256(words.encode(errors='surrogatepass')).hexdigest()}"


def _pause(provider: str) -> str:
    return f"leave {provider} alone"


def _written(failure: Answer) -> str:
    again_at = "" if failure.again_at is None else failure.again_at.isoformat()
    return f"{failure.outcome.value}|{again_at}"


def _read(note: str) -> Answer | None:
    outcome, _, again_at = note.partition("|")
    try:
        return Answer(Outcome(outcome), again_at=datetime.fromisoformat(again_at) if again_at else None)
    except ValueError:
        return None
