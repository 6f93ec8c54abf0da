"""What whoever comes after a crash finds, and what it leaves alone."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from bot.deliveries import SETTLE_SECONDS, Post, State
from bot.delivery.edition import encode
from tests.delivery.stage import CHANNEL, Killed, Stage


async def left_sending(stage: Stage, started: timedelta) -> None:
    """A delivery whose post was started so long ago, in nobody's hands."""
    await stage.begin()
    [delivery] = await stage.store.lease_deliveries("gone", at=stage.clock(), seconds=60, most=1)
    edition = await stage.writing.edition(delivery, await stage.channel.readers(CHANNEL))
    assert edition is not None
    sending = msgspec.structs.replace(
        delivery,
        state=State.SENDING,
        nonce="nonce",
        message=encode(edition),
        started_at=stage.clock() - started,
    )
    assert await stage.store.put_delivery(sending, owner="gone", release=True)


async def test_nobody_looks_before_a_post_has_had_time_to_arrive(stage: Stage) -> None:
    await left_sending(stage, timedelta(seconds=SETTLE_SECONDS - 10))
    stage.channel.requests.clear()

    await stage.try_once()
    stage.clock.pass_by(9)
    too_early = await stage.try_once()
    seen = list(stage.channel.requests)
    stage.clock.pass_by(1)
    await stage.try_once()

    assert (too_early, seen) == (0, [])
    assert (await stage.last()).state is State.DONE


@pytest.mark.parametrize("back", [timedelta(hours=1), timedelta(days=1), timedelta(days=400)])
async def test_a_clock_that_went_back_during_a_post_costs_the_settle_time_only(
    stage: Stage, back: timedelta
) -> None:
    await left_sending(stage, -back)
    began = stage.clock()

    done = await stage.carry_on(seconds=5)

    assert done.state is State.DONE
    assert stage.clock() - began <= timedelta(seconds=SETTLE_SECONDS + 5)


@pytest.mark.parametrize("hours", [-24, -1, 1, 24])
async def test_a_post_is_found_whatever_the_clock_did_meanwhile(stage: Stage, hours: int) -> None:
    """Slack's clock is right; ours was wrong by so much when it was sent."""
    await stage.begin()
    right = stage.clock()
    stage.channel.fault = lambda name: "lost" if name == "post" else None
    await stage.try_once()
    sending = await stage.last()
    assert sending.started_at is not None
    wrong = msgspec.structs.replace(
        sending, started_at=sending.started_at + timedelta(hours=hours), not_before=None
    )
    stage.clock.pass_by(1_000)
    [leased] = await stage.store.lease_deliveries("me", at=stage.clock(), seconds=60, most=1)
    await stage.store.put_delivery(wrong, owner="me", release=True)
    assert leased.nonce

    done = await stage.carry_on()

    assert done.state is State.DONE
    assert len(stage.channel.main()) == 1
    assert stage.channel.requests.count("post") == 1
    assert right < stage.clock()


async def test_what_became_of_a_post_before_it_was_found_again_stays(stage: Stage) -> None:
    await stage.begin()
    means = stage.means(store=_KilledAfterRecord(stage.store))
    with pytest.raises(Killed):
        await stage.try_once(means)
    [post] = await stage.store.posts(channel=CHANNEL)
    corrected = msgspec.structs.replace(post, state="corrected", items=())
    await stage.store.record_post(corrected)

    done = await stage.carry_on()

    assert done.state is State.DONE
    assert await stage.store.posts(channel=CHANNEL) == [corrected]


async def test_a_post_that_is_found_again_is_to_be_judged_anew(stage: Stage) -> None:
    stage.channel.fault = lambda name: "lost" if name == "post" else None
    await stage.begin()

    await stage.carry_on()

    [post] = await stage.store.posts(channel=CHANNEL)
    assert post.state == "doubted"


class _KilledAfterRecord:
    """A store; the process ends right after its ledger took a post."""

    def __init__(self, real: Any) -> None:
        self._real = real

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    async def record_post(self, post: Post) -> None:
        await self._real.record_post(post)
        raise Killed
