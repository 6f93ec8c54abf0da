"""`liaison bench enrich`: the questions are really asked, and the figures belong to them."""

from dataclasses import replace

import pytest

from bot.bench.enriching import NORMAL, Figures, measure


@pytest.mark.timeout(100)
def test_every_part_is_measured() -> None:
    figures = measure(rounds=1)

    assert figures.upstream_calls == 1
    assert figures.answered == NORMAL
    seconds = (figures.p99_alone, figures.p99_beside_hung, figures.many, figures.plain, figures.cached)
    assert all(each > 0 for each in seconds)
    assert figures.cached < figures.many


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
