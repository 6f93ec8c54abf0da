"""The process is killed before and after each step of a correction; whoever comes next ends it."""

import asyncio
from pathlib import Path

import pytest

from bot.tlp import Label
from tests.delivery.board import HOST, OWN, claim, indicator
from tests.delivery.mending import Scene, mending
from tests.delivery.stage import Counted, Killed

FAULTS = ("nothing", "lost", "slow")
WHATS = ("revoked", "emptied", "joined", "wished")


async def prepare(scene: Scene, what: str) -> None:
    """Posts in a thread, one of them for everybody, and a channel of the source."""
    await scene.shows(OWN, claim(9))
    first = claim(1) if what == "emptied" else claim(2)
    there = await scene.shows(HOST, claim(1), first)
    await scene.shows(HOST, claim(1), thread=there.ts)
    await scene.shows(HOST, claim(4, "igci"), thread=there.ts)
    await scene.shows(HOST, claim(3, label=Label.CLEAR), thread=there.ts)


async def happens(scene: Scene, what: str) -> None:
    if what == "wished":
        await scene.corrections.retract([indicator(1)], source="kaspersky", by="U0OPS")
    elif what == "joined":
        scene.board.joins(HOST, "academy")
        scene.corrections.readers_changed(HOST)
    else:
        await scene.mark(1, revoked=True)


async def killed_at(scene: Scene, what: str, number: int, *, is_done: bool) -> bool:
    """Work until the call of that number to store, board or operators; False if there were fewer."""
    count = [0]
    if what != "wished":
        await happens(scene, what)
    scene.restart(
        store=Counted(scene.store, count, number, is_done=is_done),
        posting=Counted(scene.board, count, number, is_done=is_done),
    )
    try:
        if what == "wished":
            await happens(scene, what)
        if what == "joined":
            scene.corrections.readers_changed(HOST)
        await scene.settle(minutes=3, seconds=30)
    except Killed:
        return True
    return False


@pytest.mark.parametrize("is_done", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("what", WHATS)
async def test_killed_at_any_step_it_ends_as_if_nothing_had_been(
    tmp_path: Path, what: str, fault: str, is_done: bool
) -> None:
    wanted = await ending(tmp_path / "whole", what, fault, 0, is_done=is_done)
    assert wanted is not None
    number = 1
    while (found := await ending(tmp_path / str(number), what, fault, number, is_done=is_done)) is not None:
        assert found == wanted, number
        number += 1 if fault == "nothing" else 5
    assert number > 12


async def ending(folder: Path, what: str, fault: str, number: int, *, is_done: bool) -> object:
    """What stands and what is in the ledger in the end; None if there is no such step."""
    await asyncio.to_thread(folder.mkdir)
    async with mending(folder, readers=("kaspersky", "trendmicro")) as scene:
        await prepare(scene, what)
        faults = [fault]
        scene.board.fault = lambda request, _: faults.pop() if request == "post" and faults else None
        was_killed = await killed_at(scene, what, number, is_done=is_done)
        if number and not was_killed:
            return None
        scene.restart()
        if what == "wished":
            await happens(scene, what)  # whoever wished it was told nothing, and wishes it again
        await scene.settle(seconds=60)
        stands = sorted(
            (each.channel, bool(each.thread), tuple(sorted(each.names)), each.text.splitlines()[0])
            for each in scene.board.standing
        )
        ledger = sorted((each.channel, each.state, len(each.items)) for each in await scene.store.posts())
        assert all(each.amending is None for each in await scene.store.posts())
        assert scene.told
        return stands, ledger
