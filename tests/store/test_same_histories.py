"""Whatever is done to a store in SQLite and to one in PostgreSQL, both answer alike, in the same order."""

import asyncio
import tempfile
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.deliveries import State
from bot.errors import BotError
from bot.services import Store
from bot.store.postgres import PostgresEngine
from bot.store.postgres_address import read
from bot.store.sql_store import SqlStore
from bot.store.sqlite import SqliteStore
from bot.subscriptions import Purpose
from tests.store.contract import T0, Clock, digest, joined
from tests.store.contract_budgets import BUDGETS
from tests.store.contract_findings import found
from tests.store.contract_keeping import READERS
from tests.store.contract_ledger import DAY, change, post
from tests.store.contract_replicas import LANE
from tests.store.contract_subscriptions import daily
from tests.strategies import INDICATORS, assertions

CHANNELS = ("C0ONE", "C0TWO", "c0one", "Ä")
OWNERS = ("one", "two")
Step = tuple[Any, ...]

_numbers = st.integers(1, 6)
_channels = st.sampled_from(CHANNELS)
_owners = st.sampled_from(OWNERS)
_orgs = st.sampled_from(("host", "kaspersky"))
_seconds = st.sampled_from((0.0, 1.0, 30.0, 600.0))
_batches = st.lists(assertions, min_size=1, max_size=6)

# What each step needs; those that make histories are drawn more often.
STEPS: Mapping[str, tuple[st.SearchStrategy[Any], ...]] = {
    "add": (_batches,),
    "remark": (assertions,),
    "claim": (_numbers, _seconds),
    "keep_findings": (_orgs, st.lists(_numbers, max_size=3), _seconds),
    "spend": (st.lists(st.sampled_from(BUDGETS), unique=True, max_size=3),),
    "subscribe": (_channels, st.sampled_from(Purpose)),
    "unsubscribe": (_channels, st.sampled_from(Purpose)),
    "rename": (_channels, _channels),
    "begin": (_numbers,),
    "lease": (_owners, _numbers),
    "put": (_owners, st.sampled_from(State), st.booleans()),
    "record_post": (_numbers, st.lists(_numbers, max_size=3), _channels),
    "replace_post": (_numbers, st.lists(_numbers, max_size=3)),
    "set_mark": (_channels, _numbers),
    "forget_changes": (_channels, _numbers),
    "keep_readers": (_channels,),
    "keep": (_channels, _seconds),
    "take_kept": (_channels,),
    "take_turn": (_channels,),
    "hold_turns": (_channels, _seconds),
    "take_lease": (_channels, _owners, _seconds),
    "end_lease": (_channels, _owners, _seconds),
    "count": (_orgs, _numbers),
    "wait": (_seconds,),
}
_OFTEN = ("add", "add", "add", "remark", "subscribe", "begin", "lease", "put", "record_post")
_step = st.sampled_from((*STEPS, *_OFTEN)).flatmap(lambda name: st.tuples(st.just(name), *STEPS[name]))


class Side:
    """One of the two stores, and its clock."""

    def __init__(self, store: SqlStore, clock: Clock) -> None:
        self.store, self.clock = store, clock

    async def take(self, name: str, *choices: Any) -> Any:
        """What a step gives, or the kind of error it ends with."""
        try:
            return await getattr(self if hasattr(self, name) else self.store, name)(*choices)
        except BotError as error:
            return type(error), str(error)

    async def answers(self) -> list[Any]:
        """Everything that can be asked without changing anything."""
        return [await question(self.store) for question in QUESTIONS]

    async def claim(self, number: int, seconds: float) -> Any:
        return await self.store.claim(str(number), seconds=seconds)

    async def keep_findings(self, org: str, numbers: Sequence[int], seconds: float) -> Any:
        until = self.clock() + seconds * (DAY / 86_400)
        return await self.store.keep_findings(org, [found(number) for number in numbers], until=until)

    async def spend(self, budgets: Sequence[Any]) -> Any:
        return await self.store.spend(budgets, at=self.clock())

    async def subscribe(self, channel: str, purpose: Purpose) -> Any:
        return await self.store.subscribe(daily(channel, purpose), next_at=self.clock())

    async def rename(self, old: str, new: str) -> Any:
        return await self.store.channel_renamed(old, new)

    async def begin(self, period: int) -> Any:
        return [
            await self.store.begin_delivery(due, period=str(period), next_at=self.clock() + DAY)
            for due in await self.store.subscriptions()
        ]

    async def lease(self, owner: str, most: int) -> Any:
        return await self.store.lease_deliveries(owner, at=self.clock(), seconds=60, most=most)

    async def put(self, owner: str, state: State, release: bool) -> Any:
        return [
            await self.store.put_delivery(
                msgspec.structs.replace(each, state=state), owner=owner, release=release
            )
            for each in await self.store.deliveries(most=2)
        ]

    async def record_post(self, number: int, shown: Sequence[int], channel: str) -> Any:
        return await self.store.record_post(post(number, *shown, channel=channel))

    async def replace_post(self, number: int, shown: Sequence[int]) -> Any:
        standing = await self.store.posts(most=1)
        return [await self.store.replace_post(each, post(number, *shown)) for each in standing]

    async def forget_changes(self, mark: str, most: int) -> Any:
        return await self.store.forget_changes([mark], most=most)

    async def keep_readers(self, channel: str) -> Any:
        return await self.store.keep_readers(channel, READERS)

    async def keep(self, token: str, seconds: float) -> Any:
        return await self.store.keep(token, f"body of {token}", seconds=seconds)

    async def take_turn(self, channel: str) -> Any:
        return await self.store.take_turn(LANE, channel)

    async def hold_turns(self, channel: str, seconds: float) -> Any:
        return await self.store.hold_turns(LANE, channel, seconds=seconds)

    async def take_lease(self, name: str, owner: str, seconds: float) -> Any:
        return await self.store.take_lease(name, owner, seconds=seconds)

    async def end_lease(self, name: str, owner: str, seconds: float) -> Any:
        return await self.store.end_lease(name, owner, note="x", seconds=seconds)

    async def count(self, org: str, number: int) -> Any:
        self.store.count_asked(org, at=self.clock(), asked=number, answered=1)

    async def wait(self, seconds: float) -> Any:
        self.clock.move(seconds)


_HASHES = [digest(number) for number in range(1, 7)]
QUESTIONS: Sequence[Callable[[Store], Awaitable[Any]]] = (
    lambda store: store.lookup(INDICATORS),
    lambda store: store.lookup(INDICATORS[2:0:-1]),
    lambda store: joined(store.everything()),
    lambda store: joined(store.newest(since=T0)),
    lambda store: joined(store.newest(since=T0, family="EMOTET")),
    lambda store: store.head(),
    lambda store: store.head_at(T0 + DAY / 1_440),
    lambda store: store.findings("host", _HASHES),
    lambda store: store.spent(BUDGETS, at=T0),
    lambda store: store.subscriptions(),
    lambda store: store.subscriptions("C0ONE"),
    lambda store: store.deliveries(),
    lambda store: store.deliveries("Ä", most=2),
    lambda store: store.posts(),
    lambda store: store.posts(channel="C0ONE", showing=[change(1), change(2)], most=2),
    lambda store: store.post("C0ONE", "1.000100"),
    lambda store: store.changes(after=0),
    lambda store: store.last_change(),
    lambda store: store.mark("Ä"),
    lambda store: store.known_readers("C0TWO"),
    lambda store: store.former_channels("C0ONE"),
    lambda store: store.kept("C0ONE"),
    lambda store: store.lease("c0one"),
    lambda store: store.asked(None, since=T0, until=T0 + DAY),
)


@given(steps=st.lists(_step, min_size=4, max_size=16))
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_both_engines_answer_alike(emptied: Callable[[], str], steps: Sequence[Step]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(_compare(Path(folder) / "store.db", emptied(), steps))


async def _compare(path: Path, url: str, steps: Sequence[Step]) -> None:
    clocks = Clock(), Clock()
    lite = Side(SqliteStore(path, clocks[0]), clocks[0])
    postgres = Side(SqlStore(PostgresEngine(read(url, {})), clocks[1]), clocks[1])
    try:
        for side in (lite, postgres):
            await side.store.open()
        for step in steps:
            assert await lite.take(*step) == await postgres.take(*step)
        assert await lite.answers() == await postgres.answers()
    finally:
        for side in (lite, postgres):
            await side.store.close()
