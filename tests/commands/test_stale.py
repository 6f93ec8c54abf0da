"""Answers that a standby gave say of when they are; the words do not depend on what is stored."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from bot.cli.lookup import as_text
from bot.lookups import OLD, look_up
from bot.services import Services
from bot.sharing import Audience, Reach
from bot.store import following
from bot.store.postgres import PostgresEngine
from bot.store.postgres_address import read
from bot.store.sql_store import SqlStore
from tests.commands.asking import DOMAIN, MD5, NOW, REGISTRY, claim, said
from tests.commands.conftest import Clock

WORDS = "⚠️ The store's primary does not answer: this is as of 02:53 UTC."


@pytest.fixture
async def services(postgres: str, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Services]:
    """A store whose primary is not heard of any more: its heart beats once."""
    monkeypatch.setattr(following, "BEAT_SECONDS", 3_600.0)
    store = SqlStore(PostgresEngine(read(postgres, {})), clock, stale=timedelta(minutes=10))
    await store.open()
    await store.add([claim()])  # behind the first beat
    yield Services(store, REGISTRY, clock)
    await store.close()


@pytest.mark.parametrize(
    "question", [f"lookup {DOMAIN.value}", f"lookup {MD5.value}", "recent", "recent 1h ip"]
)
async def test_an_old_answer_says_of_when_it_is(services: Services, clock: Clock, question: str) -> None:
    clock.now = NOW + timedelta(minutes=7)

    assert any(WORDS in each for each in await said(services, question))


@pytest.mark.parametrize("lag", [timedelta(), OLD])
async def test_an_answer_of_now_does_not(services: Services, clock: Clock, lag: timedelta) -> None:
    clock.now = NOW + lag

    assert not any("primary" in each for each in await said(services, f"lookup {DOMAIN.value}"))


async def test_so_does_one_on_the_command_line(services: Services, clock: Clock) -> None:
    clock.now = NOW + timedelta(minutes=7)
    audience = Audience(reach=Reach.EPHEMERAL, orgs=frozenset({"igci"}), read_at=NOW)

    answer = await look_up([DOMAIN], audience, REGISTRY.world(NOW), services.store)

    assert WORDS in as_text(answer)
