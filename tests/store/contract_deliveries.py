"""What every store must do for deliveries; test_contract.py runs it on each backend."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import msgspec
import pytest

from bot.deliveries import ENDED, LONGEST_LEASE, LONGEST_WAIT, Delivery, State
from bot.errors import InputError, UnavailableError
from bot.subscriptions import Purpose
from tests.store.contract import T0, Backend
from tests.store.contract_subscriptions import DAY, MINUTE, begun, leased, subscribed


def stepped(delivery: Delivery, state: State, **changed: object) -> Delivery:
    """The same, further on."""
    return msgspec.structs.replace(delivery, state=state, **changed)


class Leasing:
    """Contract of `lease_deliveries`, `put_delivery` and `deliveries`."""

    async def test_nobody_else_gets_it_before_the_lease_is_over(self, backend: Backend) -> None:
        store, other = await backend.open(), await backend.open()
        [delivery] = await begun(store, "C0ONE")

        assert await store.lease_deliveries("one", at=T0, seconds=60, most=9) == [delivery]

        for owner in ("one", "two"):
            assert await leased(other, owner, T0 + timedelta(seconds=59.999999)) == []
        assert await leased(other, "two", T0 + timedelta(seconds=60)) == [("C0ONE", "1")]

    async def test_the_oldest_come_first_and_not_more_than_wanted(self, backend: Backend) -> None:
        store = await backend.open()
        await begun(store, "C3", "C1", "C2", "C9", "C5")

        assert await leased(store, "me", most=2) == [("C3", "1"), ("C1", "1")]
        assert await leased(store, "me", most=0) == []
        assert await leased(store, "me", most=-1) == []
        assert await leased(store, "me", most=10**9) == [("C2", "1"), ("C9", "1"), ("C5", "1")]

    @pytest.mark.parametrize("end", sorted(ENDED))
    async def test_in_a_channel_one_follows_the_other(self, backend: Backend, end: State) -> None:
        store = await backend.open()
        [first] = await begun(store, "C0ONE", period="2")
        await begun(store, "C0ONE", period="1")

        assert await leased(store, "me") == [("C0ONE", "2")]
        assert await leased(store, "me") == []
        assert await store.put_delivery(stepped(first, end), owner="me")
        assert await leased(store, "me") == [("C0ONE", "1")]

    async def test_digest_and_summary_of_a_channel_keep_their_order_too(self, backend: Backend) -> None:
        store = await backend.open()
        for purpose in (Purpose.SUMMARY, Purpose.DIGEST):
            due = await subscribed(store, purpose=purpose)
            await store.begin_delivery(due, period=purpose, next_at=T0 + DAY)

        assert await leased(store, "me") == [("C0ONE", "summary")]
        assert await leased(store, "me") == []

    async def test_what_may_not_be_tried_yet_waits_and_its_channel_with_it(self, backend: Backend) -> None:
        store = await backend.open()
        [first, _] = await begun(store, "C0ONE", "C0TWO")
        await begun(store, "C0ONE", period="2")
        await leased(store, "me", most=1)

        later = stepped(first, State.COMPILED, not_before=T0 + MINUTE, tries=1)
        assert await store.put_delivery(later, owner="me", release=True)

        assert await leased(store, "me", T0 + MINUTE - timedelta(microseconds=1)) == [("C0TWO", "1")]
        assert await leased(store, "me", T0 + MINUTE) == [("C0ONE", "1")]

    async def test_how_far_it_is_comes_back_as_it_was(self, backend: Backend) -> None:
        store = await backend.open()
        [delivery] = await begun(store, "C0ONE")
        await leased(store, "me")
        full = stepped(
            delivery,
            State.SENT,
            nonce="Nonce",
            readers="ab12",
            message='{"text":"\\u0000 \U0001f480"}\0',
            started_at=T0 + timedelta(microseconds=1),
            ts="1777593600.000100",
            parts=3,
            tries=2,
            not_before=T0,
            error="TimeoutError",
        )

        assert await store.put_delivery(full, owner="me")

        assert await store.deliveries() == [full]
        assert await store.lease_deliveries("you", at=T0 + MINUTE, seconds=1, most=1) == [full]

    async def test_only_its_holder_writes_and_for_as_long_as_nobody_took_it(self, backend: Backend) -> None:
        store, other = await backend.open(), await backend.open()
        [due] = await begun(store, "C0ONE")
        compiled = stepped(due, State.COMPILED)
        assert not await store.put_delivery(compiled, owner="one")
        await leased(store, "one")

        assert not await store.put_delivery(compiled, owner="two")
        assert await store.put_delivery(compiled, owner="one")  # whatever the time: nobody took it
        assert await leased(other, "two", T0 + DAY) == [("C0ONE", "1")]
        assert not await store.put_delivery(stepped(due, State.SENDING), owner="one")

        assert await store.deliveries() == [compiled]

    async def test_what_is_put_down_is_free_at_once(self, backend: Backend) -> None:
        store = await backend.open()
        [delivery] = await begun(store, "C0ONE")
        await leased(store, "one")

        await store.put_delivery(stepped(delivery, State.COMPILED), owner="one", release=True)

        assert not await store.put_delivery(delivery, owner="one")
        assert await leased(store, "two") == [("C0ONE", "1")]

    @pytest.mark.parametrize("end", sorted(ENDED))
    async def test_what_has_ended_is_nobodys_and_stays_as_it_is(self, backend: Backend, end: State) -> None:
        store = await backend.open()
        [delivery] = await begun(store, "C0ONE")
        await leased(store, "me")
        ended = stepped(delivery, end)
        await store.put_delivery(ended, owner="me")

        assert not await store.put_delivery(delivery, owner="me")
        assert await leased(store, "me", T0 + DAY) == []
        assert await store.deliveries() == [ended]

    async def test_many_at_once_share_what_there_is(self, backend: Backend) -> None:
        stores = [await backend.open() for _ in range(4)]
        await begun(stores[0], *(f"C{n}" for n in range(60)))

        shares = await asyncio.gather(
            *(leased(store, f"owner {n}", most=7) for n, store in enumerate(stores * 4))
        )

        got = [channel for share in shares for channel, _ in share]
        assert sorted(got) == sorted(f"C{n}" for n in range(60))

    async def test_a_lease_outlives_a_restart_and_then_ends(self, backend: Backend) -> None:
        store = await backend.open()
        await begun(store, "C0ONE")
        await leased(store, "before")
        await store.close()

        again = await backend.open()

        assert await leased(again, "after") == []
        assert await leased(again, "after", T0 + MINUTE) == [("C0ONE", "1")]

    async def test_a_clock_that_ran_ahead_blocks_nothing_for_long_when_set_right(
        self, backend: Backend
    ) -> None:
        store = await backend.open()
        await begun(store, "C0ONE")
        wrong = T0 + 3650 * DAY
        await leased(store, "one", wrong)

        # Minutes may be the difference between two machines, and the holder may be at work.
        assert await leased(store, "two", wrong - timedelta(seconds=LONGEST_LEASE - 60)) == []
        assert await leased(store, "two", T0) == [("C0ONE", "1")]

    async def test_a_next_try_far_ahead_was_written_by_a_wrong_clock(self, backend: Backend) -> None:
        store = await backend.open()
        [delivery] = await begun(store, "C0ONE")
        await leased(store, "me")
        far = T0 + 3650 * DAY
        await store.put_delivery(stepped(delivery, State.DUE, not_before=far), owner="me", release=True)

        assert await leased(store, "me", far - timedelta(seconds=LONGEST_WAIT)) == []
        assert await leased(store, "me", T0) == [("C0ONE", "1")]

    async def test_a_lease_without_owner_or_without_end_is_refused(self, backend: Backend) -> None:
        store = await backend.open()
        await begun(store, "C0ONE")

        for owner, seconds in (("", 60.0), ("me", 0.0), ("me", LONGEST_LEASE + 1), ("me", float("nan"))):
            with pytest.raises(InputError):
                await store.lease_deliveries(owner, at=T0, seconds=seconds, most=1)

        assert await leased(store, "me") == [("C0ONE", "1")]

    async def test_the_latest_are_listed_newest_first(self, backend: Backend) -> None:
        store = await backend.open()
        for period in "123":
            await begun(store, "C0ONE", "C0TWO", period=period)

        def periods(found: Sequence[Delivery]) -> list[tuple[str, str]]:
            return [(each.channel, each.period) for each in found]

        assert periods(await store.deliveries(most=2)) == [("C0TWO", "3"), ("C0ONE", "3")]
        assert periods(await store.deliveries("C0ONE")) == [("C0ONE", "3"), ("C0ONE", "2"), ("C0ONE", "1")]
        assert await store.deliveries(most=-1) == []

    async def test_a_closed_store_says_so(self, backend: Backend) -> None:
        store = await backend.open()
        found = await subscribed(store)
        await store.close()

        for attempt in (
            store.subscribe(found.subscription, next_at=T0),
            store.subscriptions(),
            store.begin_delivery(found, period="1", next_at=T0),
            store.lease_deliveries("me", at=T0, seconds=1, most=1),
            store.deliveries(),
        ):
            with pytest.raises(UnavailableError, match="closed"):
                await attempt
