"""Lookups from a standby: a pulse that the primary gets every second tells how old their answers may be.

Where the pulse is not felt, the store takes no writes.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

from bot.assertions import Assertion
from bot.errors import BotError
from bot.indicators import Indicator
from bot.logs import log_mistake
from bot.store import queries, rows
from bot.store.engine import Connection, Engine
from bot.store.threads import Desk, Turns

BEAT_SECONDS = 1.0
LONGEST_BEAT = 1.5  # seconds; a primary that takes longer is as good as gone
PATIENCE_SECONDS = 2.0  # for any server that lets itself be read
AHEAD = timedelta(seconds=5)  # of our clock; a pulse further ahead says nothing
LOG = logging.getLogger("bot.store")

T = TypeVar("T")
Aged = tuple[timedelta | None, T]  # how old it may be; None if nobody knows

_BEAT = """INSERT INTO mark (name, number) VALUES ('pulse', ?)
ON CONFLICT (name) DO UPDATE SET number = excluded.number"""
_PULSE = "SELECT number FROM mark WHERE name = 'pulse'"


class Following:
    """Asks a standby; what is older than allowed, or not to be had there, is left to the primary."""

    def __init__(self, engine: Engine, writer: Desk, clock: Callable[[], datetime], most: timedelta) -> None:
        self._writer, self._clock, self._most = writer, clock, most
        self._desk = Desk(engine, "follower", PATIENCE_SECONDS)
        self._lookups = Turns(self._desk, self._answer)
        self._timer: asyncio.TimerHandle | None = None
        self._beating: asyncio.Future[None] | None = None
        self._begun = 0.0  # when that beat was, by the event loop's clock
        self._failed = False  # the beat before
        self.lag = timedelta()  # of the last answer

    def start(self) -> None:
        """Give the pulse from now on."""
        loop = asyncio.get_running_loop()
        if self._beating is None or self._beating.done():  # while the primary is away one beat waits for it
            self._begun = loop.time()
            self._beating = self._writer.do(self._beat)
            self._beating.add_done_callback(self._felt)
        self._timer = loop.call_later(BEAT_SECONDS, self.start)

    @property
    def has_primary(self) -> bool:
        """Whether the pulse is felt: False at once if the primary is gone, a moment later if it is silent."""
        is_waiting = self._beating is not None and not self._beating.done()
        is_late = is_waiting and asyncio.get_running_loop().time() - self._begun > LONGEST_BEAT
        return not (is_late or self._failed or self._writer.is_lost)

    async def lookup(
        self, indicators: Sequence[Indicator], primary: Callable[[], Awaitable[list[Assertion]]]
    ) -> list[Assertion]:
        """As `Store.lookup`; concurrent calls share one query."""
        return await self._fresh_enough(self._lookups.ask(indicators), primary)

    async def read(self, work: Callable[[Connection], T], primary: Callable[[], Awaitable[T]]) -> T:
        """What the work finds."""
        return await self._fresh_enough(self._desk.do(partial(self._aged, work=work)), primary)

    async def close(self) -> None:
        """Give no pulse any more."""
        if self._timer is not None:
            self._timer.cancel()
        await self._desk.close()

    async def _fresh_enough(self, asked: Awaitable[Aged[T]], primary: Callable[[], Awaitable[T]]) -> T:
        try:
            lag, found = await asked
        except BotError:  # also a standby that is so far behind that it has no tables yet
            lag = None
        if lag is not None and lag <= self._most:
            self.lag = lag
            return found
        newest = await primary()
        self.lag = timedelta()
        return newest

    def _answer(
        self, connection: Connection, questions: Sequence[Sequence[Indicator]]
    ) -> list[Aged[list[Assertion]] | BotError]:
        lag, answers = self._aged(connection, partial(queries.answer, questions=questions))
        return [each if isinstance(each, BotError) else (lag, each) for each in answers]

    def _aged(self, connection: Connection, work: Callable[[Connection], T]) -> Aged[T]:
        """The pulse is read first, so that what follows is at least as new."""
        pulse = connection.execute(_PULSE).fetchone()
        lag = None if pulse is None else self._clock() - rows.moment(pulse[0])
        return None if lag is None or lag < -AHEAD else max(lag, timedelta()), work(connection)

    def _beat(self, connection: Connection) -> None:
        connection.execute(_BEAT, (rows.micros(self._clock()),))

    def _felt(self, beat: "asyncio.Future[None]") -> None:
        error = None if beat.cancelled() else beat.exception()
        self._failed = error is not None
        if error is not None:
            log_mistake(LOG, error)
