"""`liaison bench enrich`: the questions are really asked, and the figures belong to them."""

import json
from dataclasses import replace

from bot.bench.enriching import NORMAL, Figures
from tests.cli.test_slack import liaison


async def test_every_part_is_measured() -> None:
    async with liaison("bench", "enrich", "--rounds", "1", "--json") as process:
        out, _ = await process.communicate()

    figures = json.loads(out)
    assert figures["upstream_calls"] == 1
    assert figures["answered"] == NORMAL
    assert figures["slower"] == figures["p99_beside_hung"] / figures["p99_alone"]
    assert 0 < figures["cached"] < figures["many"]
    assert process.returncode == bool(figures["missed_bars"])


def test_a_missed_bar_is_named() -> None:
    good = Figures(
        upstream_calls=1,
        answered=60,
        p99_alone=0.1,
        p99_beside_hung=0.12,
        many=0.3,
        plain=0.3,
        cached=0.001,
    )

    assert good.missed_bars == []
    for worse in (
        replace(good, upstream_calls=2),
        replace(good, answered=59),
        replace(good, p99_beside_hung=0.14),
        replace(good, many=0.7),
        replace(good, cached=0.006),
    ):
        assert len(worse.missed_bars) == 1
