"""The log of changes is kept as long as somebody has to read it, and no longer."""

import pytest

from bot.delivery.changed import changes_mark
from bot.delivery.corrections import READ_UPTO
from bot.delivery.forgetting import forget_changes
from bot.delivery.scheduler import Scheduler
from tests.delivery.stage import CHANNEL, Stage, assertion


@pytest.fixture
async def logged(stage: Stage) -> Stage:
    """Two changes, a digest that was delivered, and corrections that have read both."""
    await stage.begin()
    await stage.carry_on()
    await stage.store.add([assertion(1), assertion(2)])
    await stage.store.add([assertion(1, revoked=True), assertion(2, revoked=True)])
    await stage.store.set_mark(READ_UPTO, await stage.store.last_change())
    return stage


async def test_changes_stay_until_each_digest_has_told_of_them(logged: Stage) -> None:
    store = logged.store

    assert await forget_changes(store) == 0
    await store.set_mark(changes_mark(CHANNEL), await store.last_change() - 1)
    assert await forget_changes(store) == 1
    await store.set_mark(READ_UPTO, 0)
    await store.set_mark(changes_mark(CHANNEL), await store.last_change())
    assert await forget_changes(store) == 0


async def test_what_is_on_its_way_keeps_them_where_nothing_is_set_any_more(logged: Stage) -> None:
    logged.clock.pass_by(3_600)
    await logged.begin()
    for subscribed in await logged.store.subscriptions():
        await logged.store.unsubscribe(CHANNEL, subscribed.subscription.purpose)

    assert await forget_changes(logged.store) == 0


async def test_whoever_begins_what_is_due_forgets_now_and_then(logged: Stage) -> None:
    await logged.store.set_mark(changes_mark(CHANNEL), await logged.store.last_change())

    await Scheduler(logged.store, clock=logged.clock).tick()

    assert await logged.store.changes(after=0) == []


async def test_a_digest_with_nothing_to_say_has_told_of_them_all_the_same(logged: Stage) -> None:
    logged.writing.is_empty, logged.writing.tells_upto = True, await logged.store.last_change()
    logged.clock.pass_by(3_600)
    await logged.begin()

    await logged.carry_on()

    assert await logged.store.mark(changes_mark(CHANNEL)) == await logged.store.last_change()
