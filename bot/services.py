"""Services: what commands may use, and the protocol every store keeps."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.assertions import Assertion
from bot.indicators import Indicator, Kind
from bot.organisations import Registry


@dataclass(frozen=True)
class Tally:
    """What became of the assertions of one `add`."""

    new: int = 0
    updated: int = 0
    unchanged: int = 0

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(self.new + other.new, self.updated + other.updated, self.unchanged + other.unchanged)


class Store(Protocol):
    """Where assertions live: one row per (source, indicator). tests/store/contract.py says what must hold.

    Nothing here decides who may see what: every reader passes the rows on to `sharing.clear`.
    """

    async def add(self, assertions: Sequence[Assertion]) -> Tally:
        """Store or merge (`assertions.merge`) them in one transaction; new rows take the next numbers."""

    async def remark(self, assertion: Assertion) -> bool:
        """Put its marking (`assertions.remark`) on the row of that source and indicator, if there is one.

        For explicit commands of the source. A row that somebody new may see takes the next number.
        """

    async def lookup(self, indicators: Sequence[Indicator]) -> list[Assertion]:
        """All assertions about them, and about hashes that the same source says belong to the same file."""

    def newest(
        self, *, since: datetime, kind: Kind | None = None, family: str | None = None
    ) -> AsyncIterator[Sequence[Assertion]]:
        """Pages of what was stored at or after `since`, newest first; `family` ignores case."""

    def everything(self, *, after: int = 0) -> AsyncIterator[Sequence[Assertion]]:
        """Pages of all assertions with a sequence number above `after`, in that order."""

    async def head(self) -> int:
        """The highest sequence number given so far."""

    async def claim(self, key: str, *, seconds: float) -> bool:
        """True for the first who claims this key within that time, also across restarts and processes."""

    async def close(self) -> None:
        """Finish what is under way and release the files."""


@dataclass(frozen=True)
class Services:
    """What a command may use."""

    store: Store
    registry: Registry
    clock: Callable[[], datetime]  # aware UTC
