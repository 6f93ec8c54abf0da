"""Slots: how many questions may be under way at one service, shared so that nobody is held up by others."""

import asyncio
from collections import Counter, deque

RESERVED = 4  # one in so many is never held by an organisation that holds all the others


class Slots:
    """Whoever waits gets a slot in turn: first the organisations, and each of them its oldest question."""

    def __init__(self, most: int) -> None:
        self._free = most
        self._each = most - most // RESERVED
        self._held: Counter[str] = Counter()
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}  # in the order of whose turn it is

    def __len__(self) -> int:
        """How many are free."""
        return self._free

    async def acquire(self, org: str) -> None:
        """Wait for one; give it back with `release`."""
        turn = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(org, deque()).append(turn)
        self._grant()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():  # it came too late
                self.release(org)
            raise

    def release(self, org: str) -> None:
        """Give one back."""
        self._free += 1
        self._held -= Counter((org,))
        self._grant()

    def _grant(self) -> None:
        while self._free and (org := self._next()) is not None:
            turn = self._waiting[org].popleft()
            waiting = self._waiting.pop(org)
            if waiting:
                self._waiting[org] = waiting  # behind all others
            if not turn.cancelled():
                self._free -= 1
                self._held[org] += 1
                turn.set_result(None)

    def _next(self) -> str | None:
        return next((org for org in self._waiting if self._held[org] < self._each), None)
