"""What every store must do to stay small, and what it remembers of readers; test_contract.py runs it."""

from datetime import datetime, timedelta
from uuid import uuid4

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.deliveries import ENDED, Delivery, State
from bot.services import Store
from bot.sharing import UNKNOWN, Audience, Reach
from bot.tlp import Label
from tests.store.contract import T0, Backend, Clock, claim
from tests.store.contract_deliveries import stepped
from tests.store.contract_subscriptions import DAY, begun, leased, subscribed

READERS = Audience(
    reach=Reach.CHANNEL,
    orgs=frozenset({"igci", "kaspersky", UNKNOWN}),
    persons=frozenset({"U1"}),
    cap=Label.AMBER,
    pending_invite=True,
    read_at=T0,
)


async def due_each(store: Store, times: int, apart: timedelta, *, first: datetime = T0) -> list[str]:
    """Deliveries that ended, with their periods so far apart; gives the periods that are kept."""
    for number in range(times):
        [delivery] = await begun(store, "C0ONE", period=(first + number * apart).isoformat())
        await leased(store, "me")
        await store.put_delivery(stepped(delivery, State.DONE), owner="me")
    return [each.period for each in reversed(await store.deliveries("C0ONE", most=1_000))]


class Forgetting:
    """Contract of how long deliveries and changes stay."""

    async def test_of_ended_deliveries_the_newest_of_a_channel_stay(self, backend: Backend) -> None:
        store = await backend.open()
        [other] = await begun(store, "C0TWO", period=(T0 - 900 * DAY).isoformat())

        kept = await due_each(store, 104, 30 * DAY)

        assert kept == [(T0 + number * 30 * DAY).isoformat() for number in range(4, 104)]
        assert await store.deliveries("C0TWO") == [other]

    async def test_nothing_is_forgotten_that_a_clock_set_back_could_make_due_again(
        self, backend: Backend
    ) -> None:
        store = await backend.open()

        kept = await due_each(store, 104, 0.8 * DAY)

        assert len(kept) == 104
        assert await begun(store, "C0ONE", period=kept[0]) == []

    async def test_what_has_not_ended_stays_however_old_it_is(self, backend: Backend) -> None:
        store = await backend.open()
        [waiting] = await begun(store, "C0ONE", period=(T0 - 900 * DAY).isoformat())
        await leased(store, "me")
        later = stepped(waiting, State.COMPILED)
        await store.put_delivery(later, owner="me")
        for number in range(101):
            await begun(store, "C0ONE", period=(T0 + number * DAY).isoformat())

        assert (await store.deliveries("C0ONE", most=1_000))[-1] == later

    async def test_changes_go_when_everybody_who_reads_them_has_passed_them(self, backend: Backend) -> None:
        store = await backend.open()
        assert await store.last_change() == 0
        await store.add([claim(number) for number in range(6)])
        await store.add([claim(number, revoked=True) for number in range(6)])
        numbers = [each.number for each in await store.changes(after=0)]
        await store.set_mark("one", numbers[3])
        await store.set_mark("two", numbers[4])

        assert await store.last_change() == numbers[-1]
        assert await store.forget_changes(["one", "two", "never set"]) == 0
        assert await store.forget_changes([]) == 0
        assert await store.forget_changes(["one", "two"], most=1) == 1
        assert await store.forget_changes(["one", "two"]) == 3
        assert await store.forget_changes(["one", "two"]) == 0
        assert [each.number for each in await store.changes(after=0)] == numbers[4:]

    async def test_numbers_of_forgotten_changes_are_not_given_again(self, backend: Backend) -> None:
        store = await backend.open()
        await store.add([claim(1), claim(2)])
        await store.add([claim(1, revoked=True)])
        last = await store.last_change()
        await store.set_mark("one", last)
        assert await store.forget_changes(["one"]) == 1

        await store.add([claim(2, revoked=True)])

        assert [each.number > last for each in await store.changes(after=last)] == [True]


class Deciding:
    """Contract of `decide_delivery`."""

    @pytest.mark.parametrize("end", [State.PARKED, State.UNCERTAIN])
    async def test_what_ended_is_taken_up_again(self, backend: Backend, end: State) -> None:
        store = await backend.open()
        ended = await self._ended(store, end)

        assert await store.decide_delivery(stepped(ended, State.DUE), was=end)

        [again] = await store.lease_deliveries("other", at=T0, seconds=60, most=9)
        assert again == stepped(ended, State.DUE)

    async def test_of_two_operators_one_decides(self, backend: Backend) -> None:
        store = await backend.open()
        ended = await self._ended(store, State.PARKED)

        assert await store.decide_delivery(stepped(ended, State.DROPPED), was=State.PARKED)

        assert not await store.decide_delivery(stepped(ended, State.DUE), was=State.PARKED)
        assert [each.state for each in await store.deliveries()] == [State.DROPPED]
        assert await leased(store, "me") == []

    @pytest.mark.parametrize("state", sorted(set(State) - ENDED))
    async def test_what_is_under_way_is_left_alone(self, backend: Backend, state: State) -> None:
        store = await backend.open()
        [delivery] = await begun(store, "C0ONE")
        await leased(store, "me")
        await store.put_delivery(stepped(delivery, state), owner="me")

        assert not await store.decide_delivery(stepped(delivery, State.DROPPED), was=state)

    async def _ended(self, store: Store, end: State) -> Delivery:
        [delivery] = await begun(store, "C0ONE")
        await leased(store, "me")
        ended = stepped(delivery, end, error="RefusedError: is_archived")
        assert await store.put_delivery(ended, owner="me")
        return ended


class KnowingReaders:
    """Contract of `keep_readers` and `known_readers`."""

    async def test_the_last_look_counts_also_after_a_restart(self, backend: Backend) -> None:
        store = await backend.open()
        assert await store.known_readers("C0ONE") is None
        await store.keep_readers("C0ONE", msgspec.convert({"reach": "channel", "orgs": ["igci"]}, Audience))
        await store.keep_readers("C0ONE", READERS)

        other = await backend.open()

        assert await other.known_readers("C0ONE") == READERS
        assert await other.known_readers("C0TWO") is None

    async def test_who_reads_a_channel_with_a_new_name_is_not_supposed(self, backend: Backend) -> None:
        store = await backend.open()
        await subscribed(store)
        await store.keep_readers("C0ONE", READERS)

        await store.channel_renamed("C0ONE", "C0TWO")

        assert await store.known_readers("C0ONE") is None
        assert await store.known_readers("C0TWO") is None


class HeadsOfMoments:
    """Contract of `head_at` when the clock jumps."""

    @given(st.lists(st.integers(-90, 90), min_size=1, max_size=8))
    @settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    async def test_no_later_moment_has_a_lower_head_and_nothing_since_then_is_left_out(
        self, backend: Backend, jumps: list[int]
    ) -> None:
        clock = Clock()
        store = await backend.open(uuid4().hex, clock=clock)
        stored: list[datetime] = []
        for number, jump in enumerate(jumps):
            clock.move(seconds=jump)
            stored.append(clock())
            await store.add([claim(number)])
        moments = sorted({*stored, *(each + timedelta(microseconds=1) for each in stored)})

        heads = [await store.head_at(moment) for moment in moments]

        assert heads == sorted(heads)
        for moment, head in zip(moments, heads, strict=True):
            assert all(at < moment for at in stored[:head])
