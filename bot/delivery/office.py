"""Office: looks every few seconds for what is due and sends couriers, a few at a time, until it is closed."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from itertools import count

from bot.delivery.alerts import LOG
from bot.delivery.courier import Errand, Means
from bot.delivery.scheduler import Scheduler
from bot.errors import BotError
from bot.logs import log_mistake

TICK_SECONDS = 5.0
COURIERS = 8
LEASE_SECONDS = 240.0  # whoever is killed keeps a delivery from others for so long
LAST_STEP_SECONDS = 90.0  # of it, in which nothing new is begun: a turn, a look, a post
CLOSE_SECONDS = 10.0  # for steps under way; what is not finished then goes on after the restart

Rest = Callable[[float], Awaitable[None]]


class Office:
    """The scheduler and its couriers in one process; `rest` waits so many seconds."""

    def __init__(
        self,
        means: Means,
        *,
        rest: Rest = asyncio.sleep,
        lease_seconds: float = LEASE_SECONDS,
        couriers: int = COURIERS,
        close_seconds: float = CLOSE_SECONDS,
    ) -> None:
        self._means, self._rest, self._lease_seconds, self._couriers = means, rest, lease_seconds, couriers
        self._close_seconds = close_seconds
        self._scheduler = Scheduler(means.store, clock=means.clock)
        self._name, self._numbers = secrets.token_hex(8), count()
        self._errands: set[asyncio.Task[object]] = set()
        self._loop: asyncio.Task[None] | None = None

    def open(self) -> None:
        """Begin to work."""
        self._loop = asyncio.create_task(self._work())

    async def close(self) -> None:
        """Begin nothing more; what is between steps is put down and goes on later."""
        if self._loop is not None:
            self._loop.cancel()
            with suppress(asyncio.CancelledError):
                await self._loop
        if self._errands:
            await asyncio.wait(self._errands, timeout=self._close_seconds)
        for errand in self._errands:
            errand.cancel()
        await asyncio.gather(*self._errands, return_exceptions=True)

    async def round(self) -> int:
        """One look: begin what is due and send couriers; gives how many deliveries are under way."""
        await self._scheduler.tick()
        return await self.send()

    async def send(self) -> int:
        """Send couriers with what waits, as far as there are any."""
        if (free := self._couriers - len(self._errands)) > 0:
            owner, at = f"{self._name}/{next(self._numbers)}", self._means.clock()
            seconds = self._lease_seconds
            until = at + timedelta(seconds=max(seconds - LAST_STEP_SECONDS, seconds / 2))
            for delivery in await self._means.store.lease_deliveries(
                owner, at=at, seconds=seconds, most=free
            ):
                errand = Errand(self._means, delivery, owner=owner, until=until)
                task: asyncio.Task[object] = asyncio.create_task(errand.run())
                self._errands.add(task)
                task.add_done_callback(self._errands.discard)
        return len(self._errands)

    async def idle(self) -> None:
        """Wait until no courier is under way."""
        while self._errands:
            await asyncio.wait(self._errands)

    async def _work(self) -> None:
        while True:
            try:
                await self.round()
            except BotError:
                LOG.warning("what is due could not be looked at")
            except Exception as error:  # noqa: BLE001 - the next look may do better
                log_mistake(LOG, error)
            await self._until_next()

    async def _until_next(self) -> None:
        """Rest for a tick; a courier that comes back is sent again at once."""
        resting = asyncio.ensure_future(self._rest(TICK_SECONDS))
        try:
            while not resting.done():
                await asyncio.wait((resting, *self._errands), return_when=asyncio.FIRST_COMPLETED)
                if not resting.done():
                    with suppress(BotError):
                        await self.send()
        finally:
            resting.cancel()
