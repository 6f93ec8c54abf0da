"""A stage for corrections: a real store, a clock set by hand, a board, and operators who are told."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import msgspec

from bot.assertions import Assertion
from bot.deliveries import Item, Post
from bot.delivery.corrections import Corrections
from bot.store.sqlite import SqliteStore
from tests.delivery.board import HOST, OTHER, OWN, Board, Standing, audience, claim, indicator, registry
from tests.delivery.stage import Clock


@dataclass
class Scene:
    """Everything corrections need."""

    store: SqliteStore
    clock: Clock
    board: Board
    told: list[str] = field(default_factory=list)
    corrections: Corrections = field(init=False)
    _numbers: Any = field(default_factory=count)

    def __post_init__(self) -> None:
        self.restart()

    def restart(self, **other: Any) -> None:
        """Begin anew with what is in the store."""
        known: dict[str, Any] = {"store": self.store, "posting": self.board} | other
        self.corrections = Corrections(known["store"], registry(), clock=self.clock)
        self.corrections.equip(known["posting"], self.tell, nonce=lambda: f"nonce {next(self._numbers)}")

    async def tell(self, words: str) -> None:
        self.told.append(words)

    async def shows(self, channel: str, *claims: Assertion, thread: str = "", **known: Any) -> Standing:
        """A post with these stands there and is in the ledger; the claims are in the store."""
        await self.store.add(claims)
        there = self.board.put(channel, *(_number(each) for each in claims), thread=thread)
        post = Post(
            channel=channel,
            ts=there.ts,
            thread=thread,
            purpose="digest",
            posted_at=self.clock(),
            readers=tuple(sorted(self.board.readers_now[channel].orgs)),
            items=tuple(Item(each.source, each.indicator, each.label) for each in claims),
        )
        await self.store.record_post(msgspec.structs.replace(post, **known))
        return there

    async def settle(self, *, minutes: int = 15, seconds: int = 15) -> None:
        """Let time pass with a look every few seconds."""
        for _ in range(minutes * 60 // seconds):
            while await self.corrections.round():
                pass
            self.clock.pass_by(seconds)

    async def mark(self, number: int, **marking: Any) -> None:
        """The source gives its entry another marking."""
        [old] = await self.store.lookup([indicator(number)])
        await self.store.remark(msgspec.structs.replace(old, **marking))

    async def states(self) -> list[str]:
        return [each.state for each in await self.store.posts() if each.purpose != "correction"]


@asynccontextmanager
async def mending(folder: Path, readers: Sequence[str] = ("kaspersky", "trendmicro")) -> AsyncIterator[Scene]:
    """A channel with these readers, one of Kaspersky alone, and another."""
    clock = Clock()
    store = SqliteStore(folder / "store.db", clock)
    await store.open()
    rooms = {HOST: audience(*readers), OWN: audience("kaspersky"), OTHER: audience("trendmicro")}
    try:
        yield Scene(store, clock, Board(clock, rooms))
    finally:
        await store.close()


def _number(one: Assertion) -> int:
    return int(one.indicator.value.removeprefix("host-").partition(".")[0])


__all__ = ["HOST", "OTHER", "OWN", "Scene", "claim", "mending"]
