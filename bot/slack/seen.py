"""Seen: what came before. The store remembers it for all replicas; while it takes no writes, each for itself.

Each for itself only what Slack sends once, commands and clicks, which are answered now or never. An event
comes again after one and five minutes, and its answer is a post for all to read: it waits for the store.
"""

import asyncio
import time
from collections.abc import Callable
from hashlib import sha256

from bot.errors import UnavailableError
from bot.services import Store

MOST = 10_000  # claims that a replica remembers by itself
LOOK_SECONDS = 0.1  # between two looks whether a claim still has a store to wait for


class Seen:
    """Gives each key once; `timer` counts monotonic seconds."""

    def __init__(
        self, store: Store, *, timer: Callable[[], float] = time.monotonic, most: int = MOST
    ) -> None:
        self._store, self._timer, self._most = store, timer, most
        self._until: dict[bytes, float] = {}

    async def claim(self, key: str, seconds: float) -> bool:
        """True for the first of all replicas. Raises BotError: then it may come again."""
        return await self._store.claim(key, seconds=seconds)

    async def claim_what_comes_once(self, key: str, seconds: float) -> bool:
        """The same; while the store takes no writes, True for the first at this replica.

        What goes on then must not act before it has asked the store: see `services.require_writes`.
        """
        ours = sha256(key.encode(errors="surrogatepass")).digest()
        if not self._take(ours, seconds):
            return False
        is_first: bool | None = False
        try:
            is_first = await self._told_by_store(key, seconds)
        finally:
            if is_first is not None:  # from now on the store remembers it, or it may be tried again
                self._until.pop(ours, None)
        return is_first is not False

    def _take(self, key: bytes, seconds: float) -> bool:
        now = self._timer()
        if self._until.get(key, now) > now:
            return False
        if len(self._until) >= self._most:
            self._until = {each: until for each, until in self._until.items() if until > now}
        if len(self._until) >= self._most:
            raise UnavailableError("Liaison has too much to do right now; ask again in a minute.")
        self._until[key] = now + seconds
        return True

    async def _told_by_store(self, key: str, seconds: float) -> bool | None:
        """None once the store takes no writes; a claim that was begun goes on, for the other replicas."""
        if not self._store.takes_writes():
            return None
        claiming = asyncio.ensure_future(self._store.claim(key, seconds=seconds))
        claiming.add_done_callback(_heard)
        while not claiming.done() and self._store.takes_writes():
            await asyncio.wait((claiming,), timeout=LOOK_SECONDS)
        is_told = claiming.done() and (claiming.exception() is None or self._store.takes_writes())
        return claiming.result() if is_told else None


def _heard(claiming: "asyncio.Future[bool]") -> None:
    """Who asked was answered already; asyncio need not say that nobody heard of an error."""
    if not claiming.cancelled():
        claiming.exception()
