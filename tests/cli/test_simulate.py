"""`liaison simulate`: what it refuses. A whole day is played in tests/simulation/test_day.py."""

from pathlib import Path

import pytest

from bot.assertions import Assertion
from bot.indicators import Indicator, Kind
from bot.store import open_store
from tests.cli.test_slack import liaison
from tests.simulation.days import claim


@pytest.mark.parametrize(
    ("given", "word"),
    [
        (("--organisations", "2"), "--organisations"),
        (("--days", "0"), "--days"),
        (("--replicas", "0"), "--replicas"),
        (("--speed", "fast"), "--speed"),
        (("--begins", "25:00"), "--begins"),
        (("--store", "mysql://localhost/x", "--days", "0.02"), "sqlite:///"),
    ],
    ids=lambda one: one if isinstance(one, str) else one[0],
)
async def test_what_cannot_be_is_said_at_once(given: tuple[str, ...], word: str) -> None:
    async with liaison("simulate", *given) as process:
        _, err = await process.communicate()

    assert process.returncode != 0
    assert word in err.decode()
    assert "Traceback" not in err.decode()


async def test_a_store_that_holds_something_is_left_alone(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/mine.db"
    store = await open_store(url)
    await store.add([Assertion(indicator=Indicator(Kind.DOMAIN, claim().value), source="vendor")])
    await store.close()

    async with liaison("simulate", "--store", url, "--days", "0.02") as process:
        _, err = await process.communicate()

    assert process.returncode == 1
    assert "not empty" in err.decode()
