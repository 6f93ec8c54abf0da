"""What every store must do for subscriptions; test_contract.py runs it on each backend."""

import asyncio
from datetime import UTC, datetime, time, timedelta

import msgspec
import pytest

from bot.deliveries import Delivery
from bot.errors import InputError
from bot.indicators import Kind
from bot.schedules import At, Days, Every, Schedule
from bot.services import Store
from bot.subscriptions import Attach, Filters, Purpose, Subscribed, Subscription
from tests.store.contract import T0, Backend, claim, everything

DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
DAILY = Schedule(At(Days.DAILY, time(8)), "Asia/Singapore")


def daily(channel: str = "C0ONE", purpose: Purpose = Purpose.DIGEST) -> Subscription:
    """An invented subscription."""
    return Subscription(channel=channel, purpose=purpose, schedule=DAILY)


async def subscribed(
    store: Store, channel: str = "C0ONE", purpose: Purpose = Purpose.DIGEST, next_at: datetime = T0
) -> Subscribed:
    """That channel's subscription, set or set again."""
    await store.subscribe(daily(channel, purpose), next_at=next_at)
    return await subscription(store, channel, purpose)


async def subscription(store: Store, channel: str = "C0ONE", purpose: Purpose = Purpose.DIGEST) -> Subscribed:
    """That channel's subscription as it is now."""
    found = await store.subscriptions(channel)
    return next(each for each in found if each.subscription.purpose is purpose)


async def begun(store: Store, *channels: str, period: str = "1") -> list[Delivery]:
    """Deliveries of these channels, one after the other."""
    found = [
        await store.begin_delivery(await subscribed(store, channel), period=period, next_at=T0)
        for channel in channels
    ]
    return [delivery for delivery in found if delivery is not None]


async def leased(store: Store, owner: str, at: datetime = T0, most: int = 100) -> list[tuple[str, str]]:
    """Channels and periods of what that owner gets for a minute."""
    found = await store.lease_deliveries(owner, at=at, seconds=60, most=most)
    return [(each.channel, each.period) for each in found]


class Subscribing:
    """Contract of `subscribe`, `unsubscribe` and `subscriptions`."""

    @pytest.mark.parametrize(
        "wanted",
        [
            daily(),
            Subscription(
                channel="C0TWO",
                purpose=Purpose.SUMMARY,
                schedule=Schedule(Every(6), "Pacific/Chatham"),
                filters=Filters(
                    kinds=frozenset(Kind),
                    families=frozenset({"эмотет", "a\0\"'b"}),
                    sources=frozenset({"kaspersky", "partner 1"}),
                    min_confidence=0,
                ),
                attach=Attach.STIX,
                say_nothing_new=True,
                set_by="U0ANNA",
            ),
        ],
        ids=["nothing chosen", "everything chosen"],
    )
    async def test_a_subscription_comes_back_as_it_was(self, backend: Backend, wanted: Subscription) -> None:
        store = await backend.open()
        next_at = datetime(2026, 10, 25, 1, 0, 0, 1, tzinfo=UTC)

        await store.subscribe(wanted, next_at=next_at)
        await store.close()

        again = await backend.open()
        assert await again.subscriptions() == [Subscribed(subscription=wanted, since=0, next_at=next_at)]

    async def test_a_first_one_begins_with_what_is_stored_from_now_on(self, backend: Backend) -> None:
        store = await backend.open()
        await store.add([claim(1), claim(2)])

        assert (await subscribed(store)).since == 2

    async def test_set_again_it_keeps_its_cursor(self, backend: Backend) -> None:
        store = await backend.open()
        await subscribed(store)
        await store.add([claim(1)])

        changed = Subscription(
            channel="C0ONE", purpose=Purpose.DIGEST, schedule=Schedule(Every(1), "UTC"), set_by="U0BEN"
        )
        await store.subscribe(changed, next_at=T0 + DAY)

        assert await store.subscriptions() == [Subscribed(subscription=changed, since=0, next_at=T0 + DAY)]

    async def test_after_its_end_a_new_one_begins_anew(self, backend: Backend) -> None:
        store = await backend.open()
        await subscribed(store)
        await store.add([claim(1)])

        assert await store.unsubscribe("C0ONE", Purpose.DIGEST)
        assert not await store.unsubscribe("C0ONE", Purpose.DIGEST)
        assert await store.subscriptions() == []

        assert (await subscribed(store)).since == 1

    async def test_a_channel_with_a_new_id_keeps_all_that_is_due(self, backend: Backend) -> None:
        store = await backend.open()
        await subscribed(store)
        await store.add([claim(1)])
        [due] = await begun(store, "C0ONE")
        await store.add([claim(2)])
        assert await leased(store, "old") == [("C0ONE", "1")]

        await store.channel_renamed("C0ONE", "C0NEW")
        await store.channel_renamed("C0ONE", "C0NEW")  # Slack says everything twice now and then
        await store.channel_renamed("C0NEW", "C0NEW")

        assert await store.subscriptions("C0ONE") == []
        [moved] = await store.subscriptions("C0NEW")
        assert (moved.subscription, moved.since) == (daily("C0NEW"), 1)
        renamed = msgspec.structs.replace(due, channel="C0NEW")
        assert await store.deliveries("C0NEW") == [renamed]
        assert not await store.put_delivery(due, owner="old")
        assert not await store.put_delivery(renamed, owner="old")
        assert await leased(store, "new") == [("C0NEW", "1")]

    async def test_what_the_new_id_of_a_channel_has_it_keeps(self, backend: Backend) -> None:
        store = await backend.open()
        await subscribed(store, "C0NEW")
        await store.add([claim(1)])
        await subscribed(store, "C0ONE")

        await store.channel_renamed("C0ONE", "C0NEW")

        [left] = await store.subscriptions()
        assert (left.subscription.channel, left.since) == ("C0NEW", 0)

    async def test_each_purpose_of_a_channel_is_by_itself(self, backend: Backend) -> None:
        store = await backend.open()
        await subscribed(store, purpose=Purpose.DIGEST)
        await store.add([claim(1)])
        await subscribed(store, purpose=Purpose.SUMMARY, next_at=T0 + DAY)

        await store.unsubscribe("C0ONE", Purpose.DIGEST)

        [left] = await store.subscriptions("C0ONE")
        assert (left.subscription.purpose, left.since, left.next_at) == (Purpose.SUMMARY, 1, T0 + DAY)

    async def test_the_next_due_comes_first(self, backend: Backend) -> None:
        store = await backend.open()
        for hours, channel in ((3, "C0ONE"), (1, "C0TWO"), (2, "C0SIX")):
            await subscribed(store, channel, next_at=T0 + timedelta(hours=hours))

        assert [each.subscription.channel for each in await store.subscriptions()] == [
            "C0TWO",
            "C0SIX",
            "C0ONE",
        ]
        assert [each.subscription.channel for each in await store.subscriptions("C0SIX")] == ["C0SIX"]

    @pytest.mark.parametrize(("late", "found"), [(-1, 0), (0, 1), (1, 2), (2, 2)])
    async def test_those_due_by_a_moment_can_be_asked_for(
        self, backend: Backend, late: int, found: int
    ) -> None:
        store = await backend.open()
        for number, channel in enumerate(("C0ONE", "C0TWO")):
            await subscribed(store, channel, next_at=T0 + number * MINUTE)

        due = await store.subscriptions(due=T0 + late * MINUTE)

        assert due == (await store.subscriptions())[:found]

    async def test_what_cannot_be_kept_is_refused(self, backend: Backend) -> None:
        store = await backend.open()

        for bad, next_at in (
            (daily(), datetime(2026, 5, 1)),  # noqa: DTZ001 (on purpose)
            (daily("C\0"), T0),
            (daily("C\ud800"), T0),
        ):
            with pytest.raises(InputError):
                await store.subscribe(bad, next_at=next_at)

        assert await store.subscriptions() == []


class Beginning:
    """Contract of `begin_delivery`."""

    async def test_it_holds_what_was_stored_since_the_one_before(self, backend: Backend) -> None:
        store = await backend.open()
        first = await subscribed(store)
        await store.add([claim(1), claim(2)])

        one = await store.begin_delivery(first, period="1", next_at=T0 + DAY)
        await store.add([claim(3)])
        second = await subscription(store)
        two = await store.begin_delivery(second, period="2", next_at=T0 + 2 * DAY)

        zone = first.subscription.schedule.zone
        assert one == Delivery(
            channel="C0ONE", purpose=Purpose.DIGEST, period="1", since=0, upto=2, zone=zone
        )
        assert (second.since, second.next_at) == (2, T0 + DAY)
        assert two == msgspec.structs.replace(one, period="2", since=2, upto=3)
        assert await store.deliveries() == [two, one]

    async def test_of_several_who_find_it_due_one_begins(self, backend: Backend) -> None:
        stores = [await backend.open() for _ in range(5)]
        due = [await subscribed(stores[0], f"C{n}") for n in range(20)]
        await stores[0].add([claim(1)])

        begun = await asyncio.gather(
            *(
                store.begin_delivery(each, period=f"seen by {number}", next_at=T0 + DAY)
                for each in due
                for number, store in enumerate(stores)
            )
        )

        winners = [delivery for delivery in begun if delivery is not None]
        assert sorted(each.channel for each in winners) == sorted(f"C{n}" for n in range(20))
        assert {(each.since, each.upto) for each in winners} == {(0, 1)}
        assert len(await stores[1].deliveries()) == 20

    @pytest.mark.parametrize("becomes", ["ended", "set to another time", "ended, and set to another time"])
    async def test_nothing_begins_of_what_was_changed_meanwhile(self, backend: Backend, becomes: str) -> None:
        store = await backend.open()
        found = await subscribed(store)

        if "ended" in becomes:
            await store.unsubscribe("C0ONE", Purpose.DIGEST)
        if "set" in becomes:
            await subscribed(store, next_at=T0 + MINUTE)

        assert await store.begin_delivery(found, period="1", next_at=T0 + DAY) is None
        assert await store.deliveries() == []

    async def test_one_may_begin_out_of_turn(self, backend: Backend) -> None:
        store = await backend.open()
        found = await subscribed(store, next_at=T0 + DAY)
        await store.add([claim(1)])

        now = await store.begin_delivery(found, period="now", next_at=found.next_at)
        await store.add([claim(2)])
        later = await store.begin_delivery(found, period="later", next_at=T0 + 2 * DAY)

        assert now is not None
        assert later is not None
        assert (now.since, now.upto, later.since, later.upto) == (0, 1, 1, 2)

    async def test_a_period_that_exists_is_skipped_and_its_news_wait_for_the_next(
        self, backend: Backend
    ) -> None:
        store = await backend.open()
        await begun(store, "C0ONE", period="1")
        found = await subscribed(store)
        await store.add([claim(1)])

        assert await store.begin_delivery(found, period="1", next_at=T0 + DAY) is None

        next_one = await subscription(store)
        assert (next_one.since, next_one.next_at) == (0, T0 + DAY)
        second = await store.begin_delivery(next_one, period="2", next_at=T0 + 2 * DAY)
        assert second is not None
        assert (second.since, second.upto) == (0, 1)

    async def test_a_period_is_of_one_channel_and_purpose(self, backend: Backend) -> None:
        store = await backend.open()
        due = [
            await subscribed(store, channel, purpose) for channel in ("C0ONE", "C0TWO") for purpose in Purpose
        ]

        for each in due:
            assert await store.begin_delivery(each, period="1", next_at=T0 + DAY) is not None

    async def test_what_is_begun_is_still_delivered_after_the_end(self, backend: Backend) -> None:
        store = await backend.open()
        await begun(store, "C0ONE")

        await store.unsubscribe("C0ONE", Purpose.DIGEST)

        assert await leased(store, "me") == [("C0ONE", "1")]

    async def test_while_others_import_everything_is_in_one_period(self, backend: Backend) -> None:
        one, two, poster = [await backend.open() for _ in range(3)]
        at, told = (await subscribed(poster)).next_at, list[int]()

        async def write(store: Store, source: str) -> None:
            for start in range(0, 200, 4):
                await store.add([claim(n, source) for n in range(start, start + 4)])

        async def post() -> None:
            nonlocal at
            found = await subscription(poster)
            at += MINUTE
            delivery = await poster.begin_delivery(found, period=at.isoformat(), next_at=at)
            assert delivery is not None
            new = await everything(poster, after=delivery.since)
            told.extend(row.seq for row in new if row.seq <= delivery.upto)

        writing = asyncio.gather(write(one, "kaspersky"), write(two, "trendmicro"))
        while not writing.done():
            await post()
        await writing
        await post()

        assert told == list(range(1, 401))
