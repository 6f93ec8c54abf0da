"""Trend Vision One: the suspicious objects of the host's own tenant, held here and read again every hour.

Its API has no question about one hash, and none is needed: a question is answered from the list, so that
nobody learns of it. The list holds no MD5. Matches are exact: a listed domain says nothing of its subdomains.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from random import SystemRandom

from bot.findings import Outcome, Report
from bot.indicators import Indicator
from bot.logs import log_mistake
from bot.providers.options import Options, as_run
from bot.providers.remote import Reply, Request, Wire, retry_after
from bot.providers.spec import NoAnswerError, Spec
from bot.providers.suspicious_objects import (
    FIRST_QUERY,
    KINDS,
    PATH,
    Listed,
    add,
    minute,
    read_page,
    report,
)
from bot.tlp import Label

LOG = logging.getLogger(__name__)

BASE_URL = "https://api.xdr.trendmicro.com"  # of the United States; each region has its own
SPEC = Spec(
    name="trend",
    title="Trend Vision One",
    kinds=KINDS,
    operators=frozenset({"trendmicro"}),
    ceiling=Label.RED,
    asks_nobody=True,
    label=Label.AMBER,  # what the host's own tenant knows: for the host and whoever asks
)

INTERVAL_SECONDS = 3600.0
OLD_AFTER = 3  # intervals without a new list
FIRST_RETRY_SECONDS = 30.0  # doubled for each further failure, up to the interval
MAX_PAGES = 1000
MAX_OBJECTS = 200_000
MAX_BYTES = 200_000_000  # of all pages
PAGE_SECONDS = 30.0
LIST_SECONDS = 1800.0  # of all pages, with the pauses that the service asks for
PAUSES = 5  # of one page
PAUSE_SECONDS = 60.0  # where it does not say how long; its limits are per minute
LONGEST_PAUSE_SECONDS = 300.0  # for a longer one reading ends, and begins anew after it


@dataclass(frozen=True)
class _Held:
    """A whole list."""

    objects: Mapping[Indicator, Listed]
    read_at: datetime  # aware UTC, when reading began


class Trend:
    """A `spec.Source` that answers from the list; `open` starts reading it, `close` stops that."""

    def __init__(
        self,
        options: Options,
        wire: Wire,
        *,
        interval_seconds: float = INTERVAL_SECONDS,
        most_objects: int = MAX_OBJECTS,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        jitter: Callable[[], float] | None = None,  # from 0 to 1
    ) -> None:
        self.spec = as_run(SPEC, options)
        self._base_url = options.url or BASE_URL
        self._headers = {"Authorization": f"Bearer {options.key.value if options.key else ''}"}
        self._wire = wire
        self._interval_seconds = interval_seconds
        self._most_objects = most_objects
        self._clock = clock
        self._sleep = sleep
        self._jitter = jitter or SystemRandom().random
        self._held: _Held | None = None
        self._reading: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Start to read the list, now and at every interval."""
        self._reading = asyncio.create_task(self._keep_reading())

    async def ask(self, indicator: Indicator) -> Report | None:
        """What the list says. Raises NoAnswerError while there is none.

        Also for what is not on a list that is old: it may be on a new one, and an error is not absence.
        """
        held, now = self._held, self._clock()
        if held is None:
            raise NoAnswerError(Outcome.UNAVAILABLE)
        listed = held.objects.get(indicator)
        is_old = now - held.read_at > timedelta(seconds=OLD_AFTER * self._interval_seconds)
        if listed is None and is_old:
            raise NoAnswerError(Outcome.UNAVAILABLE)
        if listed is None:
            return None
        old = " (old: a newer one could not be read)" if is_old else ""
        return report(listed, now, minute(held.read_at) + old)

    async def close(self) -> None:
        """Stop reading and release connections."""
        reading, self._reading = self._reading, None
        if reading is not None:
            reading.cancel()
            await asyncio.wait([reading])
        await self._wire.close()

    async def _keep_reading(self) -> None:
        """Waits are from 90 to 110 % long, so that not everybody asks in the same second."""
        failures = 0
        while True:
            asked_for = 0.0
            try:
                await self._read_again()
                failures = 0
            except NoAnswerError as error:
                failures, asked_for = failures + 1, error.again_in or 0.0
                LOG.warning("the list of trend was not read: %s", error.outcome.value)
            except Exception as error:  # noqa: BLE001 - a mistake of ours must not end the reading for ever
                failures += 1
                log_mistake(LOG, error)
            await self._sleep(max(asked_for, self._wait(failures) * (0.9 + 0.2 * self._jitter())))

    def _wait(self, failures: int) -> float:
        """Seconds until the next reading."""
        if not failures:
            return self._interval_seconds
        return min(self._interval_seconds, FIRST_RETRY_SECONDS * 2.0 ** min(failures - 1, 20))

    async def _read_again(self) -> None:
        """Take a new list's place only with a whole one. Raises NoAnswerError."""
        began = self._clock()
        try:
            async with asyncio.timeout(LIST_SECONDS):
                objects = await self._whole()
        except TimeoutError:
            raise NoAnswerError(Outcome.TIMEOUT) from None
        self._held = _Held(objects, began)

    async def _whole(self) -> dict[Indicator, Listed]:
        objects: dict[Indicator, Listed] = {}
        asked: set[str] = set()
        query: str | None = FIRST_QUERY
        size = skipped = 0
        while query is not None:
            is_endless = len(asked) >= MAX_PAGES or size > MAX_BYTES or len(objects) > self._most_objects
            if is_endless or query in asked:  # or goes in a circle
                raise NoAnswerError(Outcome.BAD_ANSWER)
            asked.add(query)
            reply = await self._page(query)
            page = read_page(reply, self._base_url)
            add(page, objects)
            size, skipped, query = size + len(reply.body), skipped + page.skipped, page.following
        if skipped and not objects:
            raise NoAnswerError(Outcome.BAD_ANSWER)  # written in a way that we do not know
        LOG.info("the list of trend was read: %d objects, %d skipped", len(objects), skipped)
        return objects

    async def _page(self, query: str) -> Reply:
        """One page; where the service asks for a short pause, after that."""
        request = Request(path=f"{PATH}?{query}", headers=self._headers)
        for _ in range(PAUSES):
            async with asyncio.timeout(PAGE_SECONDS):
                reply = await self._wire.send(request)
            pause = retry_after(reply) or PAUSE_SECONDS
            if reply.status != HTTPStatus.TOO_MANY_REQUESTS or pause > LONGEST_PAUSE_SECONDS:
                break
            await self._sleep(pause)
        return reply
