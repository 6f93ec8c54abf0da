"""`liaison bench slash` measures both sides and says whether the bar holds."""

import json

from bot.bench.slash import Figures
from tests.cli.test_slack import liaison


async def test_both_are_measured_in_one_run() -> None:
    async with liaison("bench", "slash", "--assertions", "100", "--seconds", "0.2", "--json") as process:
        out, _ = await process.communicate()

    figures = json.loads(out)
    assert figures["ratio"] == figures["liaison_per_second"] / figures["bare_per_second"]
    assert 0 < figures["p50_seconds"] <= figures["p99_seconds"]
    assert process.returncode == (figures["ratio"] < 0.4)


def test_the_ratio_is_ours_by_theirs() -> None:
    assert Figures(bare=1000, liaison=450, p50=0.001, p99=0.002).ratio == 0.45
