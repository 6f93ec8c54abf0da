"""Recall: what Slack said a moment ago, asked once however many wait for it."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar
from weakref import WeakValueDictionary

V = TypeVar("V")
TRIES = 3  # reads begun anew when one is overtaken by `forget`


@dataclass(eq=False)
class _Reading(Generic[V]):
    begun: float  # monotonic seconds; the value is at least as new as this
    value: V | None = None


class Recall(Generic[V]):
    """Answers of `read`, each used for at most `seconds`; never more than `size` of them.

    A `read` that raises is not remembered. `timer` counts monotonic seconds.
    """

    def __init__(
        self,
        read: Callable[[str], Awaitable[V]],
        *,
        seconds: float,
        size: int,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        self._read, self._seconds, self._size, self._timer = read, seconds, size, timer
        self._known: OrderedDict[str, _Reading[V]] = OrderedDict()
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def get(self, key: str, *, max_age: float | None = None) -> V:
        """The value as read at most `max_age` seconds before this call; 0 reads anew.

        Those who wait at the same time share the next read.
        """
        oldest = self._timer() - (self._seconds if max_age is None else min(max_age, self._seconds))
        lock = self._locks.setdefault(key, asyncio.Lock())
        known = self._known.get(key)
        if known is not None and known.value is not None and known.begun >= oldest:
            return known.value
        async with lock:
            known = self._known.get(key)
            if known is not None and known.value is not None and known.begun >= oldest:
                return known.value
            return await self._anew(key)

    def is_known(self, key: str, *, max_age: float) -> bool:
        """Whether `get` would give it without a read."""
        known = self._known.get(key)
        age = min(max_age, self._seconds)
        return known is not None and known.value is not None and known.begun >= self._timer() - age

    def forget(self, key: str) -> None:
        """Something changed: no read that began before this counts from now on."""
        self._known.pop(key, None)

    async def _anew(self, key: str) -> V:
        for _ in range(TRIES):
            reading = self._known[key] = _Reading[V](self._timer())
            self._known.move_to_end(key)
            if len(self._known) > self._size:
                self._known.popitem(last=False)
            try:
                value = await self._read(key)
            except BaseException:
                self._known.pop(key, None)
                raise
            if self._known.get(key) is reading:
                reading.value = value
                return value
        return value  # overtaken again and again: as new as it gets
