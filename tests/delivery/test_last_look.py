"""A delivery is written for the readers of the last time, and sent only if claims and readers still fit."""

from dataclasses import replace
from itertools import cycle

import pytest

from bot.assertions import Assertion
from bot.deliveries import State
from bot.sharing import Audience, Reach
from bot.tlp import Label
from tests.delivery.stage import CHANNEL, Stage, assertion

OTHERS = Audience(reach=Reach.CHANNEL, orgs=frozenset({"igci", "kaspersky", "trendmicro"}))


async def test_whoever_comes_next_looks_at_the_readers_once(stage: Stage) -> None:
    await stage.begin()
    await stage.try_once()
    stage.channel.looks = 0
    stage.clock.pass_by(3_600)
    await stage.begin()

    await stage.try_once(stage.means())  # after a restart, or somewhere else

    assert stage.channel.looks == 1
    assert len(stage.channel.main()) == 2


async def test_others_than_the_last_time_get_what_is_theirs(stage: Stage) -> None:
    await stage.begin()
    await stage.try_once()
    stage.channel.readers_now, stage.channel.looks = OTHERS, 0
    stage.clock.pass_by(3_600)
    await stage.begin()

    await stage.try_once()

    assert [each.text for each in stage.channel.main()][1:] == ["0 for igci,kaspersky,trendmicro"]
    assert stage.channel.looks == 2  # it is written for those of the first one
    assert await stage.store.known_readers(CHANNEL) == replace(OTHERS, read_at=stage.clock())


async def test_nothing_new_is_never_concluded_from_the_readers_of_the_last_time(stage: Stage) -> None:
    await stage.begin()
    await stage.try_once()
    stage.channel.readers_now = OTHERS
    stage.writing.hides_from = frozenset({"igci", "kaspersky"})
    stage.clock.pass_by(3_600)
    await stage.begin()

    await stage.try_once()

    assert (await stage.last()).state is State.DONE


async def test_readers_of_whom_slack_was_not_sure_are_not_supposed_the_next_time(stage: Stage) -> None:
    stage.channel.readers_now = replace(OTHERS, fresh=False)
    await stage.begin()

    await stage.try_once()

    assert (await stage.last()).state is State.DONE
    assert await stage.store.known_readers(CHANNEL) is None


@pytest.mark.parametrize("number", [0, 1, 50], ids=["message", "thread", "file"])
async def test_what_is_withdrawn_before_a_post_has_it_written_anew(long_stage: Stage, number: int) -> None:
    """The first message counts what is in all of it."""
    await long_stage.store.add([assertion(number)])
    await long_stage.begin()
    withdrawn: list[Assertion] = [assertion(number, revoked=True)]
    written: list[int] = []

    async def withdraw() -> None:
        if withdrawn:
            await long_stage.store.add([withdrawn.pop()])

    long_stage.writing.then = lambda: written.append(1)
    long_stage.channel.looked = withdraw

    done = await long_stage.carry_on()

    assert done.state is State.DONE
    assert len(written) == 2
    assert len(long_stage.channel.standing) == 4
    assert (
        long_stage.channel.looks == 6
    )  # two for the first message, one for each of the others, one at first


async def test_what_is_withdrawn_elsewhere_changes_nothing(stage: Stage) -> None:
    await stage.store.add([assertion(7)])
    await stage.begin()
    await stage.store.add([assertion(7, revoked=True)])

    await stage.try_once()

    assert stage.channel.requests == ["readers", "post"]


async def test_claims_that_change_all_the_time_make_it_wait(stage: Stage) -> None:
    await stage.store.add([assertion(0)])
    await stage.begin()
    labels = cycle((Label.AMBER, Label.AMBER_STRICT, Label.RED))

    async def restrict() -> None:
        await stage.store.remark(assertion(0, label=Label.CLEAR))
        await stage.store.remark(assertion(0, label=next(labels)))

    stage.channel.looked = restrict

    await stage.try_once()

    waiting = await stage.last()
    assert (waiting.state, waiting.error) == (State.COMPILED, "ClaimsChangedError")
    assert waiting.not_before is not None
    assert not stage.channel.standing
