"""What was given up, or may have arrived unseen, waits for an operator, who takes it up or lets it go."""

from pathlib import Path
from typing import Any

import pytest

from bot.deliveries import SETTLE_SECONDS, Delivery, State
from bot.delivery.alerts import Alert, Trouble
from bot.delivery.deciding import told, waiting
from bot.delivery.posting import RefusedError
from bot.delivery.retrying import dropped, taken_up
from bot.errors import UsageError
from bot.subscriptions import Purpose
from tests.delivery.stage import CHANNEL, Stage, fails, staged


def delivery(state: State, period: str = "1", **known: Any) -> Delivery:
    return Delivery(
        channel=CHANNEL, purpose=Purpose.DIGEST, period=period, since=0, upto=1, state=state, **known
    )


PARKED, UNCERTAIN, DONE = delivery(State.PARKED), delivery(State.UNCERTAIN), delivery(State.DONE)
BEGUN = delivery(State.PARKED, ts="1.000100")
SUMMARY = Delivery(channel=CHANNEL, purpose=Purpose.SUMMARY, period="1", since=0, upto=1)


@pytest.mark.parametrize(
    ("newest_first", "which"),
    [
        ([PARKED], 0),
        ([PARKED, PARKED], 0),
        ([SUMMARY, PARKED], 1),
        ([DONE, UNCERTAIN], 1),
        ([DONE, PARKED, UNCERTAIN], 2),  # what was given up was made up for
        ([DONE, BEGUN], 1),  # but not where a part of it stands
    ],
)
def test_the_latest_that_nothing_made_up_for_waits(newest_first: list[Delivery], which: int) -> None:
    assert waiting(newest_first, Purpose.DIGEST) is newest_first[which]


@pytest.mark.parametrize(
    ("newest_first", "why"),
    [
        ([], "waits for an operator"),
        ([DONE, PARKED], "waits for an operator"),
        ([delivery(State.EMPTY), PARKED], "waits for an operator"),
        ([delivery(State.DROPPED)], "waits for an operator"),
        ([SUMMARY], "waits for an operator"),
        ([delivery(State.SENDING), UNCERTAIN], "is on its way"),
    ],
)
def test_what_does_not_wait_is_said(newest_first: list[Delivery], why: str) -> None:
    with pytest.raises(UsageError, match=why):
        waiting(newest_first, Purpose.DIGEST)


async def decided(stage: Stage, *, is_retried: bool = True) -> Delivery:
    found = waiting(await stage.store.deliveries(CHANNEL), Purpose.DIGEST)
    assert await stage.store.decide_delivery(
        taken_up(found) if is_retried else dropped(found), was=found.state
    )
    return await stage.carry_on()


async def test_what_was_given_up_is_delivered_once_where_the_reason_is_gone(stage: Stage) -> None:
    stage.channel.fault = fails(1, RefusedError("is_archived"))
    await stage.begin()
    await stage.carry_on()

    done = await decided(stage)

    assert (done.state, done.error) == (State.DONE, "")
    assert [each.ts for each in stage.channel.main()] == [done.ts]


async def test_it_goes_on_behind_what_stands_there(tmp_path: Path) -> None:
    async with staged(tmp_path, parts=3) as stage:
        left = fails(1, RefusedError("restricted_action"))
        stage.channel.fault = lambda name: left(name) if len(stage.channel.standing) == 2 else None
        await stage.begin()
        parked = await stage.carry_on()

        done = await decided(stage)

        assert (parked.state, done.state) == (State.PARKED, State.DONE)
        assert [each.text for each in stage.channel.standing] == [
            f"{number} for igci,kaspersky" for number in range(4)
        ]


async def test_what_had_arrived_unseen_is_taken_away_where_liaison_may_look_by_then(stage: Stage) -> None:
    stage.channel.fault = fails(1, "lost")
    stage.channel.lets_look = False
    await stage.begin()
    uncertain = await stage.carry_on()
    assert len(stage.channel.main()) == 1
    stage.clock.pass_by(3 * 86_400)
    stage.channel.lets_look = True

    done = await decided(stage)

    assert (uncertain.state, done.state) == (State.UNCERTAIN, State.DONE)
    assert [each.ts for each in stage.channel.main()] == [done.ts]


async def test_where_it_may_not_look_it_may_stand_there_twice_and_that_is_told(stage: Stage) -> None:
    stage.channel.fault = fails(1, "lost")
    stage.channel.lets_look = False
    await stage.begin()
    uncertain = await stage.carry_on()

    done = await decided(stage)

    assert done.state is State.DONE
    assert len(stage.channel.main()) == 2
    assert [each.trouble for each in stage.heard.alerts] == [Trouble.UNCERTAIN, Trouble.PERHAPS_TWICE]
    assert "stands there twice" in told(uncertain, is_retried=True)


async def test_what_is_let_go_is_not_delivered_and_the_next_one_comes(stage: Stage) -> None:
    stage.channel.fault = fails(1, RefusedError("is_archived"))
    await stage.begin()
    await stage.carry_on()

    let_go = await decided(stage, is_retried=False)
    stage.clock.pass_by(SETTLE_SECONDS)
    await stage.begin()
    await stage.carry_on()

    assert let_go.state is State.DROPPED
    assert len(stage.channel.main()) == 1


@pytest.mark.parametrize("trouble", [Trouble.PARKED, Trouble.UNCERTAIN])
def test_operators_are_told_what_to_type(trouble: Trouble) -> None:
    words = str(Alert(trouble, SUMMARY))

    assert f"`liaison summary --channel {CHANNEL} --retry`" in words
    assert f"`liaison summary --channel {CHANNEL} --drop`" in words
