"""Slack refuses, wants patience, or loses answers while posts are corrected: all of it ends clearly, once."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.delivery.posting import (
    LockedOutError,
    NotTakenError,
    RateLimitedError,
    RefusedError,
    UneditableError,
)
from tests.delivery.board import HOST, claim
from tests.delivery.mending import Scene, mending


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    async with mending(tmp_path) as scene:
        yield scene


async def test_what_cannot_be_edited_any_more_is_deleted(scene: Scene) -> None:
    there = await scene.shows(HOST, claim(1), claim(2))
    scene.board.fault = lambda request, _: (
        UneditableError("edit_window_closed") if request == "correct" else None
    )

    await scene.mark(1, revoked=True)
    await scene.settle(minutes=1)

    assert there not in scene.board.standing


async def test_what_is_gone_already_is_done(scene: Scene) -> None:
    await scene.shows(HOST, claim(1))
    scene.board.standing.clear()
    scene.board.fault = lambda request, _: (
        UneditableError("message_not_found") if request in ("correct", "withdraw") else None
    )

    await scene.mark(1, revoked=True)
    await scene.settle(minutes=1)

    assert await scene.states() == []
    assert not [word for word in scene.told if "does not let Liaison" in word]


@pytest.mark.parametrize("code", ["is_archived", "not_in_channel", "cant_delete_message"])
async def test_what_slack_refuses_for_good_is_left_to_the_operators_once(scene: Scene, code: str) -> None:
    await scene.shows(HOST, claim(1), claim(2))
    scene.board.fault = lambda request, channel: (
        RefusedError(code) if channel == HOST and request in ("correct", "withdraw", "post") else None
    )

    await scene.mark(1, revoked=True)
    await scene.settle(minutes=40)

    assert await scene.states() == ["unreachable"]
    assert len([word for word in scene.told if "does not let Liaison change or delete it" in word]) == 1


async def test_a_channel_that_is_out_of_sight_is_left_to_the_operators_once(scene: Scene) -> None:
    await scene.shows(HOST, claim(1))
    scene.board.fault = lambda request, _: RefusedError("channel_not_found")

    await scene.mark(1, revoked=True)
    await scene.settle(minutes=40)

    assert await scene.states() == ["unreachable"]
    assert len(scene.told) == 1


@pytest.mark.parametrize(
    "error",
    [RateLimitedError(30), NotTakenError("later"), LockedOutError("token_revoked")],
    ids=lambda error: type(error).__name__,
)
@pytest.mark.parametrize("request_named", ["readers", "correct", "post"])
async def test_weather_passes_and_the_work_is_done_once(
    scene: Scene, error: Exception, request_named: str
) -> None:
    there = await scene.shows(HOST, claim(1), claim(2))
    left = [3]

    def fault(request: str, _: str) -> Exception | None:
        if request != request_named or not left[0]:
            return None
        left[0] -= 1
        return error

    scene.board.fault = fault
    await scene.mark(1, revoked=True)
    await scene.settle(minutes=40)

    assert there.names == {2}
    assert await scene.states() == ["corrected"]
    assert len(scene.board.notes(HOST)) == 1


async def test_weather_that_stays_for_days_is_left_to_the_operators(scene: Scene) -> None:
    await scene.shows(HOST, claim(1))
    scene.board.fault = lambda request, _: NotTakenError("dead") if request == "withdraw" else None

    await scene.mark(1, revoked=True)
    await scene.settle(minutes=26 * 60, seconds=300)

    assert await scene.states() == ["unreachable"]


@pytest.mark.parametrize("fault", ["lost", "slow"])
async def test_a_note_whose_answer_is_lost_is_looked_for_and_not_said_twice(scene: Scene, fault: str) -> None:
    await scene.shows(HOST, claim(1), claim(2))
    faults = [fault]
    scene.board.fault = lambda request, _: faults.pop() if request == "post" and faults else None

    await scene.mark(1, revoked=True)
    await scene.settle(minutes=10)

    assert len(scene.board.notes(HOST)) == 1
    assert await scene.states() == ["corrected"]
