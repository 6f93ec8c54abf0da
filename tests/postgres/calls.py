"""One call of each kind upon a store, for whoever breaks something in the middle of each."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta

from bot.assertions import Assertion
from bot.budgets import Allowance, Calendar
from bot.deliveries import State
from bot.services import Store
from bot.subscriptions import Purpose
from bot.tlp import Label
from tests.store.contract import T0, claim, digest, everything, joined
from tests.store.contract_deliveries import stepped
from tests.store.contract_findings import LATER, found
from tests.store.contract_keeping import READERS
from tests.store.contract_ledger import post
from tests.store.contract_replicas import LANE
from tests.store.contract_subscriptions import DAY, begun, daily, subscription

Call = Callable[[Store], Awaitable[object]]

_DAY = [Allowance("day", 100, Calendar.DAY)]
_ROLLING = [Allowance("rolling", 100, timedelta(minutes=1))]


async def prepare(store: Store) -> None:
    """Something of everything, so that each call finds what it works upon."""
    await store.add([claim(number) for number in range(5)])
    await store.remark(claim(4, label=Label.RED))
    await store.keep_findings("host", [found(1)], until=LATER)
    await store.spend([*_DAY, *_ROLLING], at=T0)
    await begun(store, "C0ONE", "C0TWO")
    await store.lease_deliveries("me", at=T0, seconds=600, most=1)
    [ended] = await begun(store, "C0END")
    await store.lease_deliveries("me", at=T0, seconds=600, most=9)
    await store.put_delivery(stepped(ended, State.PARKED), owner="me", release=True)
    await store.subscribe(daily("C0DUE"), next_at=T0)
    await store.channel_renamed("C0OLD", "C0NEW")
    await store.record_post(post(1, 1, 2))
    await store.keep_readers("C0ONE", READERS)
    await store.set_mark("one", 1)
    await store.keep("token", "text", seconds=3600)
    await store.take_lease("nightly", "me", seconds=600)


def _file(first: int) -> list[Assertion]:
    return [claim(number, tags=("a",)) for number in range(first, first + 50)]


async def _begin(store: Store) -> object:
    return await store.begin_delivery(await subscription(store, "C0DUE"), period="1", next_at=T0 + DAY)


async def _put(store: Store) -> object:
    [delivery] = await store.deliveries("C0ONE")
    return await store.put_delivery(stepped(delivery, State.DONE), owner="me", release=True)


async def _decide(store: Store) -> object:
    [delivery] = await store.deliveries("C0END")
    return await store.decide_delivery(stepped(delivery, State.DUE), was=State.PARKED)


WRITES: Mapping[str, Call] = {
    "add": lambda store: store.add(_file(3)),
    "remark": lambda store: store.remark(claim(1, label=Label.RED)),
    "claim": lambda store: store.claim("event", seconds=60),
    "keep_findings": lambda store: store.keep_findings("host", [found(2)], until=LATER),
    "spend": lambda store: store.spend([*_DAY, *_ROLLING], at=T0),
    "subscribe": lambda store: store.subscribe(daily("C0THREE"), next_at=T0),
    "unsubscribe": lambda store: store.unsubscribe("C0DUE", Purpose.DIGEST),
    "channel_renamed": lambda store: store.channel_renamed("C0TWO", "C0RENAMED"),
    "begin_delivery": _begin,
    "lease_deliveries": lambda store: store.lease_deliveries(
        "you", at=T0 + timedelta(hours=1), seconds=60, most=9
    ),
    "put_delivery": _put,
    "decide_delivery": _decide,
    "record_post": lambda store: store.record_post(post(2, 1)),
    "replace_post": lambda store: store.replace_post(post(1, 1, 2), post(1, 1)),
    "forget_changes": lambda store: store.forget_changes(["one"]),
    "keep_readers": lambda store: store.keep_readers("C0TWO", READERS),
    "set_mark": lambda store: store.set_mark("one", 2),
    "keep": lambda store: store.keep("other", "text", seconds=60),
    "take_kept": lambda store: store.take_kept("token"),
    "take_turn": lambda store: store.take_turn(LANE, "C0ONE"),
    "hold_turns": lambda store: store.hold_turns(LANE, "C0ONE", seconds=60),
    "take_lease": lambda store: store.take_lease("other", "me", seconds=60),
    "end_lease": lambda store: store.end_lease("nightly", "me", note="done", seconds=60),
}

READS: Mapping[str, Call] = {
    "lookup": lambda store: store.lookup([digest(1), digest(999)]),
    "newest": lambda store: joined(store.newest(since=T0)),
    "everything": everything,
    "head": lambda store: store.head(),
    "head_at": lambda store: store.head_at(LATER),
    "findings": lambda store: store.findings("host", [digest(1)]),
    "spent": lambda store: store.spent(_DAY, at=T0),
    "subscriptions": lambda store: store.subscriptions(),
    "former_channels": lambda store: store.former_channels("C0NEW"),
    "deliveries": lambda store: store.deliveries(),
    "post": lambda store: store.post("C0ONE", post(1).ts),
    "posts": lambda store: store.posts(channel="C0ONE"),
    "changes": lambda store: store.changes(after=0),
    "last_change": lambda store: store.last_change(),
    "known_readers": lambda store: store.known_readers("C0ONE"),
    "mark": lambda store: store.mark("one"),
    "kept": lambda store: store.kept("token"),
    "lease": lambda store: store.lease("nightly"),
    "asked": lambda store: store.asked("host", since=T0, until=T0 + DAY),
}
