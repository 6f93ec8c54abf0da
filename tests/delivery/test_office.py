"""Couriers are sent as long as the office is open, a few at a time, and stop between two steps."""

import asyncio
from datetime import timedelta
from pathlib import Path

from bot.deliveries import State
from bot.delivery.office import Office
from bot.delivery.posting import Letter, Starting, nothing
from bot.schedules import parse
from bot.store.sqlite import SqliteStore
from bot.subscriptions import Purpose, Subscription
from tests.delivery.stage import NOT_TAKEN, T0, Channel, Stage, fails


async def subscribe(stage: Stage, number: int) -> None:
    for each in range(number):
        subscription = Subscription(
            channel=f"C{each:04}", purpose=Purpose.DIGEST, schedule=parse("daily 08:00", "UTC")
        )
        await stage.store.subscribe(subscription, next_at=T0 + timedelta(microseconds=each))


async def until_ended(stage: Stage, number: int) -> None:
    while await _ended(stage) < number:  # noqa: ASYNC110 - another office may end them
        await asyncio.sleep(0.01)


async def _ended(stage: Stage) -> int:
    return [each.state for each in await stage.store.deliveries(most=1_000)].count(State.DONE)


class Slow(Channel):
    """Takes its time for each post, and counts how many come at once."""

    at_once = 0
    most = 0

    async def post_marked(
        self,
        conversation: str,
        letter: Letter,
        *,
        nonce: str,
        thread: str = "",
        starting: Starting,
        checking: Starting = nothing,
    ) -> str:
        self.at_once += 1
        self.most = max(self.most, self.at_once)
        try:
            await asyncio.sleep(0.002)
            return await super().post_marked(
                conversation, letter, nonce=nonce, thread=thread, starting=starting, checking=checking
            )
        finally:
            self.at_once -= 1


async def test_many_that_are_due_at_once_are_posted_once_each_by_a_few_couriers(stage: Stage) -> None:
    stage.clock.now = T0 + timedelta(seconds=1)
    stage.channel = Slow(stage.clock)
    await subscribe(stage, 200)
    office = Office(stage.means(), couriers=8)

    office.open()
    await until_ended(stage, 200)
    await office.close()

    assert len(stage.channel.main()) == 200
    assert 1 < stage.channel.most <= 8


async def test_two_offices_share_the_work(tmp_path: Path, stage: Stage) -> None:
    stage.clock.now = T0 + timedelta(seconds=1)
    await subscribe(stage, 60)
    other = SqliteStore(tmp_path / "store.db", stage.clock)
    await other.open()
    offices = [Office(stage.means()), Office(stage.means(store=other))]

    for office in offices:
        office.open()
    await until_ended(stage, 60)
    for office in offices:
        await office.close()
    await other.close()

    assert len(stage.channel.main()) == 60
    assert {each.nonce for each in stage.channel.main()} == {
        each.nonce for each in await stage.store.deliveries()
    }


async def test_a_stop_puts_down_what_is_under_way_for_whoever_comes_next(stage: Stage) -> None:
    stage.clock.now = T0 + timedelta(seconds=1)
    await subscribe(stage, 1)
    stuck = asyncio.Event()

    async def nap() -> None:
        stuck.set()
        await asyncio.Event().wait()

    stage.channel.nap = nap
    office = Office(stage.means(), close_seconds=0.05)
    office.open()
    await stuck.wait()

    await office.close()
    left = await stage.last()
    done = await stage.carry_on(seconds=5)

    assert left.state is State.SENDING
    assert done.state is State.DONE
    assert len(stage.channel.main()) == 1
    assert stage.clock() - T0 < timedelta(seconds=70)  # the settle time, not the lease


async def test_trouble_with_the_store_does_not_end_the_work(stage: Stage) -> None:
    stage.clock.now = T0 + timedelta(seconds=1)
    await subscribe(stage, 1)
    ask = fails(2, NOT_TAKEN, "subscriptions")

    class Shaky:
        def __getattr__(self, name: str) -> object:
            if isinstance(error := ask(name), Exception):
                raise error
            return getattr(stage.store, name)

    async def no_rest(seconds: float) -> None:
        await asyncio.sleep(0.001)

    office = Office(stage.means(store=Shaky()), rest=no_rest)
    office.open()
    await until_ended(stage, 1)
    await office.close()

    assert len(stage.channel.main()) == 1
