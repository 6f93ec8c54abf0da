"""A tiny day with real bots, one of which is killed; and what the judge says if the rules had been others."""

from dataclasses import replace
from datetime import timedelta

import commands
from bot.simulation.day import Means, judged, perform
from bot.simulation.report import report
from bot.simulation.script import BEGINS, script


def test_nothing_is_leaked_lost_or_doubled_and_the_judge_would_know() -> None:
    made = script(
        seed=5,
        organisations=16,
        channels=40,
        hours=0.25,
        questions=25,
        assertions=200,
        kills=1,
        begins=BEGINS.replace(hour=5, minute=50),  # eight is near in half of Europe
    )
    means = Means(
        answer=commands.answer,
        speed=100,
        least_speed=30,  # nothing is said here about what is late
        afterwards=timedelta(minutes=12),
    )
    performed = perform(made, means)
    verdict = judged(made, performed)
    told = report(
        made, performed.heard, verdict, memory=performed.memory, seconds=performed.seconds, speed=(100, 1)
    )

    assert not told.is_failed, str(told)
    assert told.whole.asked == told.whole.answered == len(made.questions)
    assert told.whole.posted >= told.whole.due > 0
    assert 0 < max(told.whole.memory.values()) < 300_000_000
    assert told.whole.calls["posts"] > told.whole.posted

    # The same transcript, had fewer been allowed to read what was posted: every digest is a leak.
    strangers = tuple(replace(one, in_community=False, is_constituent=False) for one in made.parties)
    leaking = judged(replace(made, parties=strangers), performed)

    posts = {told.ts for told in performed.heard.told if told.nonce and "· digest" in told.head}
    assert posts
    assert {leak.told.ts for leak in leaking.leaks} & posts

    # And had one post been lost on its way, it would be missed.
    [first, *_] = [one for one in verdict.outcomes if one.says_something and one.posted is not None]
    rest = [one for one in performed.heard.told if one.place != first.room]
    lossy = replace(performed, heard=replace(performed.heard, told=rest))
    assert [one.room for one in judged(made, lossy).outcomes if one.is_lost] == [first.room]
