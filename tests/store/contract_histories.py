"""Whatever is set, begun, held, written and ended in whatever order: deliveries go as on a plain list."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.deliveries import ENDED, LONGEST_LEASE, LONGEST_WAIT, Delivery, State
from bot.services import Store
from bot.subscriptions import Purpose, Subscribed
from tests.store.contract import T0, Backend, claim
from tests.store.contract_subscriptions import daily

SECOND = timedelta(seconds=1)
OWNERS = ("one", "two")

Key = tuple[str, Purpose]

KEYS = (("C0ONE", Purpose.DIGEST), ("C0ONE", Purpose.SUMMARY), ("C0TWO", Purpose.DIGEST))

_keys = st.sampled_from(KEYS)
_dues = st.sampled_from([T0, T0, T0 + SECOND])
_periods = st.sampled_from("123456")
_owners = st.sampled_from(OWNERS)
_seconds = st.sampled_from([0.0, 30.0, 60.0, 2_000.0, -1.0, -60.0, 2 * LONGEST_WAIT, -2 * LONGEST_WAIT])
_states = st.sampled_from([State.COMPILED, State.SENDING, *State])
_steps = st.one_of(  # what is repeated is drawn more often
    st.tuples(st.just("add"), st.integers(1, 3)),
    *[st.tuples(st.just("begin"), _keys, _periods, _dues, st.sampled_from([True, True, False]))] * 3,
    *[st.tuples(st.just("lease"), _owners, st.sampled_from([1, 9]))] * 3,
    *[st.tuples(st.just("put"), _owners, _states, st.none() | _seconds, st.booleans())] * 3,
    st.tuples(st.just("wait"), _seconds),
    st.tuples(st.just("subscribe"), _keys, _dues),
    st.tuples(st.just("unsubscribe"), _keys),
)


@dataclass
class Row:
    """A delivery, and who has it until when."""

    delivery: Delivery
    owner: str = ""
    until: datetime = T0


class Walk:
    """Does the same to a store, opened twice, and to plain lists, and compares."""

    def __init__(self, stores: list[Store]) -> None:
        self._stores = stores
        self._at, self._head = T0, 0
        self._due: dict[Key, datetime] = {}
        self._news: dict[Key, list[int]] = {}  # what was added since the last delivery
        self._seen: dict[Key, Subscribed] = {}  # perhaps out of date
        self._rows: list[Row] = []
        self._held: dict[str, list[Delivery]] = {owner: [] for owner in OWNERS}  # perhaps lost meanwhile

    async def go(self, name: str, *choices: Any) -> None:
        """Take one step, through the one and the other opening in turn."""
        self._stores.reverse()
        await getattr(self, f"_{name}")(self._stores[0], *choices)

    async def _add(self, store: Store, count: int) -> None:
        numbers = range(self._head + 1, self._head + count + 1)
        await store.add([claim(number) for number in numbers])
        self._head += count
        for news in self._news.values():
            news.extend(numbers)

    async def _subscribe(self, store: Store, key: Key, next_at: datetime) -> None:
        await store.subscribe(daily(*key), next_at=next_at)
        self._due[key] = next_at
        self._news.setdefault(key, [])

    async def _unsubscribe(self, store: Store, key: Key) -> None:
        assert await store.unsubscribe(*key) == (key in self._due)
        self._due.pop(key, None)
        self._news.pop(key, None)

    async def _begin(self, store: Store, key: Key, period: str, next_at: datetime, look: bool) -> None:
        if look:
            found = {_key(each.subscription): each for each in await store.subscriptions()}
            assert {each: found[each].next_at for each in found} == self._due
            self._seen |= found
        if key not in self._seen:
            return
        begun = await store.begin_delivery(self._seen[key], period=period, next_at=next_at)

        is_due = self._due.get(key) == self._seen[key].next_at
        exists = any(_key(row.delivery) == key and row.delivery.period == period for row in self._rows)
        assert (begun is not None) == (is_due and not exists)
        if is_due:
            self._due[key] = next_at
        if begun is not None:
            assert list(range(begun.since + 1, begun.upto + 1)) == self._news[key]
            self._news[key] = []
            self._rows.append(Row(begun))

    async def _lease(self, store: Store, owner: str, most: int) -> None:
        found = await store.lease_deliveries(owner, at=self._at, seconds=60, most=most)

        free = [row for row in self._first_of_each_channel() if self._is_free(row)][:most]
        assert found == [row.delivery for row in free]
        for row in free:
            row.owner, row.until = owner, self._at + 60 * SECOND
        self._held[owner] += found

    async def _put(
        self, store: Store, owner: str, state: State, seconds: float | None, release: bool
    ) -> None:
        if not self._held[owner]:
            return
        not_before = None if seconds is None else self._at + seconds * SECOND
        new = msgspec.structs.replace(self._held[owner][-1], state=state, not_before=not_before)
        done = await store.put_delivery(new, owner=owner, release=release)

        [row] = [row for row in self._rows if _is_same(row.delivery, new)]
        assert done == (row.owner == owner)
        if done:
            row.delivery = new
            row.owner = "" if release or state in ENDED else owner

    async def _wait(self, _: Store, seconds: float) -> None:
        self._at += seconds * SECOND

    async def compare(self) -> None:
        """What is stored in the end is what the list holds."""
        for store in self._stores:
            assert await store.deliveries() == [row.delivery for row in reversed(self._rows)]
            await store.close()

    def _first_of_each_channel(self) -> list[Row]:
        first: dict[str, Row] = {}
        for row in self._rows:
            if row.delivery.state not in ENDED:
                first.setdefault(row.delivery.channel, row)
        return list(first.values())

    def _is_free(self, row: Row) -> bool:
        may_be_tried = row.delivery.not_before is None or self._is_past(row.delivery.not_before, LONGEST_WAIT)
        return may_be_tried and (not row.owner or self._is_past(row.until, LONGEST_LEASE))

    def _is_past(self, time: datetime, longest: float) -> bool:
        return not self._at < time <= self._at + longest * SECOND


class Histories:
    """Contract of subscriptions and deliveries together."""

    @given(steps=st.lists(_steps, min_size=20, max_size=60))
    @settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
    async def test_whatever_happens_all_that_is_new_is_in_one_period(
        self, backend: Backend, steps: Sequence[tuple[Any, ...]]
    ) -> None:
        place = uuid4().hex
        walk = Walk([await backend.open(place), await backend.open(place)])

        for step in [*(("subscribe", key, T0) for key in KEYS), *steps]:
            await walk.go(*step)

        await walk.compare()


def _key(each: Any) -> Key:
    return each.channel, each.purpose


def _is_same(one: Delivery, other: Delivery) -> bool:
    return (_key(one), one.period) == (_key(other), other.period)
