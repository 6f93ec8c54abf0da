"""The process is killed before and after each of its steps; whoever comes next brings it to its end, once."""

from pathlib import Path

import pytest

from bot.deliveries import State
from tests.delivery.stage import CHANNEL, NOT_TAKEN, Counted, Fault, Killed, Stage, fails, staged

MOST_STEPS = 60
FAULTS: dict[str, tuple[str | Exception, str]] = {
    "nothing": ("", "nothing"),
    "an answer that gets lost": ("lost", "post"),
    "a post that comes late": ("slow", "post"),
    "a dead line": (NOT_TAKEN, "post"),
    "a file that comes late": ("slow", "attach"),
}


def fault_named(name: str) -> Fault:
    fault, on = FAULTS[name]
    return fails(1, fault, on)


async def killed_at(stage: Stage, number: int, *, is_done: bool) -> bool:
    """Work until the call of that number to store or channel; False if there were fewer."""
    count = [0]
    means = stage.means(
        store=Counted(stage.store, count, number, is_done=is_done),
        posting=Counted(stage.channel, count, number, is_done=is_done),
    )
    try:
        for _ in range(MOST_STEPS):
            if not await stage.try_once(means):
                stage.clock.pass_by(30)
    except Killed:
        return True
    return False


@pytest.mark.parametrize("is_done", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("fault", FAULTS)
async def test_killed_at_any_step_all_of_it_stands_there_once(
    tmp_path: Path, fault: str, is_done: bool
) -> None:
    for number in range(1, MOST_STEPS):
        folder = tmp_path / str(number)
        folder.mkdir()
        async with staged(folder, parts=2, files=1) as stage:
            stage.channel.fault = fault_named(fault)
            await stage.begin()
            if not await killed_at(stage, number, is_done=is_done):
                assert number > 15
                return

            done = await stage.carry_on()

            readers = "for igci,kaspersky"
            texts = [each.text for each in stage.channel.standing]
            assert done.state is State.DONE, (number, done)
            assert texts == [f"0 {readers}", f"1 {readers}", f"2 {readers}", "file"], number
            posts = await stage.store.posts(channel=CHANNEL)
            assert {post.ts for post in posts} == {each.ts for each in stage.channel.standing}, number
            assert not stage.heard.alerts, number
    pytest.fail("it never ended")


@pytest.mark.parametrize("second", range(1, 14))
async def test_killed_twice_it_still_stands_there_once(tmp_path: Path, second: int) -> None:
    for first in range(1, 10):
        folder = tmp_path / str(first)
        folder.mkdir()
        async with staged(folder, parts=1) as stage:
            stage.channel.fault = fails(1, "lost")
            await stage.begin()
            await killed_at(stage, first, is_done=True)
            await killed_at(stage, second, is_done=False)

            done = await stage.carry_on()

            assert done.state is State.DONE
            assert [each.text for each in stage.channel.standing] == [
                "0 for igci,kaspersky",
                "1 for igci,kaspersky",
            ]
