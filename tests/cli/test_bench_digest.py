"""`liaison bench digest`: digests are really built and posted, and the figures belong to them."""

import json
from dataclasses import replace

import pytest

from bot.bench import due
from bot.bench.digests import Figures
from tests.cli.test_slack import liaison


async def test_every_part_is_measured() -> None:
    few = ("--assertions", "20000", "--channels", "60", "--rounds", "2", "--speed", "40")
    async with liaison("bench", "digest", *few, "--json") as process:
        out, _ = await process.communicate()

    figures = json.loads(out)
    assert figures["due"]["posted"] == 60
    assert figures["due"]["taken"] > 0.99 * figures["due"]["allowed"]  # nothing is faster than the limits
    assert 60 <= figures["due"]["looks"] == dict(figures["due"]["counted"])["conversations.info"]
    assert figures["slower"] == figures["many"] / figures["few"]
    assert figures["felt"] == figures["due"]["p99_meanwhile"] / figures["due"]["p99_alone"]
    assert process.returncode == bool(figures["missed_bars"])


@pytest.mark.parametrize(
    ("channels", "seconds"),
    [
        (20, 0),  # all at once
        (60, 12),  # 60 looks, 50 of them at once, the rest at 50 a minute
        (200, 180),
        (1_000, 1_140),
    ],
)
def test_what_the_limits_take_is_reckoned_from_slacks_own(channels: int, seconds: float) -> None:
    assert due.allowed(channels) == seconds


def test_a_missed_bar_is_named() -> None:
    leaving = due.Figures(
        channels=200,
        posted=200,
        speed=20,
        allowed=180,
        taken=200,
        looks=203,
        counted=(("conversations.info", 203),),
        p99_alone=0.01,
        p99_meanwhile=0.015,
    )
    good = Figures(assertions=1_000_000, few=0.05, many=0.06, due=leaving)

    assert good.missed_bars == []
    for worse in (
        replace(good, many=0.08),
        replace(good, due=replace(leaving, taken=217)),
        replace(good, due=replace(leaving, looks=400)),
        replace(good, due=replace(leaving, p99_meanwhile=0.02)),
        replace(good, due=replace(leaving, posted=201)),
    ):
        assert len(worse.missed_bars) == 1
