"""Lookups in the store: how many indicators each organisation asked about in a minute, and never which."""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

from bot.errors import BotError
from bot.logs import log_mistake
from bot.store import rows
from bot.store.engine import Connection, writing
from bot.store.threads import Desk

GATHER_SECONDS = 1.0  # how long counts wait for others; a killed process loses them
KEPT = timedelta(days=100)
LOG = logging.getLogger("bot.store")

Slot = tuple[int, str]  # minute since 1970, and who asked
Count = tuple[int, int]  # asked, answered

_MICROS = 60_000_000  # of a minute: days of readers end at any minute of the clock
_ADD = (
    "INSERT INTO asked (minute, org, asked, answered) VALUES (?, ?, ?, ?) ON CONFLICT (minute, org) DO UPDATE"
    " SET asked = asked.asked + excluded.asked, answered = asked.answered + excluded.answered"
)
_SUM = (
    "SELECT CAST(coalesce(sum(asked), 0) AS BIGINT), CAST(coalesce(sum(answered), 0) AS BIGINT) FROM asked"
    " WHERE minute >= :since AND minute < :until AND (CAST(:org AS TEXT) IS NULL OR org = :org)"
)


class Counts:
    """Gathers counts and writes them together, so that nobody waits; `read` misses none of its own."""

    def __init__(self, desk: Desk, clock: Callable[[], datetime]) -> None:
        self._desk, self._clock = desk, clock
        self._gathered: dict[Slot, Count] = {}
        self._timer: asyncio.TimerHandle | None = None

    def add(self, org: str, at: datetime, asked: int, answered: int) -> None:
        """Count these soon."""
        key = _minute(at), org
        before = self._gathered.get(key, (0, 0))
        self._gathered[key] = before[0] + asked, before[1] + answered
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(GATHER_SECONDS, self.flush)

    async def read(self, org: str | None, since: datetime, until: datetime) -> Count:
        """The sum over the minutes from that of `since` to the one before that of `until`."""
        self.flush()
        wanted = {"org": org, "since": _minute(since), "until": _minute(until)}
        return await self._desk.do(partial(_sum, wanted=wanted))  # behind what was flushed

    def flush(self) -> None:
        """Hand over what was gathered; what goes wrong is logged and the counts are lost."""
        if self._timer is None:
            return
        self._timer.cancel()
        self._timer, gathered, self._gathered = None, self._gathered, {}
        old = _minute(self._clock() - KEPT)
        try:
            written = self._desk.do(partial(_write, counts=gathered, old=old))
        except BotError as error:
            log_mistake(LOG, error)
        else:
            written.add_done_callback(_log)


def _minute(moment: datetime) -> int:
    return rows.micros(moment) // _MICROS


def _write(connection: Connection, counts: dict[Slot, Count], old: int) -> None:
    with writing(connection, "asked"):
        connection.executemany(_ADD, [(*key, *count) for key, count in counts.items()])
        connection.execute("DELETE FROM asked WHERE minute < ?", (old,))


def _sum(connection: Connection, wanted: dict[str, str | int | None]) -> Count:
    [asked, answered] = connection.execute(_SUM, wanted).fetchone()
    return asked, answered


def _log(written: "asyncio.Future[None]") -> None:
    if not written.cancelled() and (error := written.exception()):
        log_mistake(LOG, error)
