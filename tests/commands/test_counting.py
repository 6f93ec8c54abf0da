"""What people ask is counted for summaries: once a question, and for the organisation of whoever asked."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.chat import Actor, Lookup, Surface
from bot.errors import UnavailableError
from bot.findings import Outcome
from bot.services import Services
from bot.sharing import UNKNOWN
from bot.tlp import Label
from commands import answer
from tests.commands.asking import DOMAIN, HOST, KASPERSKY, MD5, NOW, STRANGER, TREND, ask, claim, reply
from tests.commands.test_enrich import AGREED, with_script
from tests.enriching import Script

BOTH = f"lookup {DOMAIN.value} {MD5.value} {MD5.value}"


async def counted(services: Services, org: str | None = None) -> tuple[int, int]:
    return await services.store.asked(org, since=NOW, until=NOW + timedelta(minutes=1))


async def enriched(services: Services, surface: Surface = Surface.DM) -> Lookup:
    question = ask(f"enrich {MD5.value}", by=KASPERSKY, surface=surface)
    told = await answer(replace(question, world=AGREED.world(NOW)), services)
    assert isinstance(told, Lookup)
    return told


@pytest.mark.parametrize("surface", [Surface.SLASH, Surface.MENTION, Surface.DM])
async def test_what_is_typed_is_counted_for_the_organisation_of_the_asker(
    services: Services, surface: Surface
) -> None:
    await services.store.add([claim(DOMAIN)])

    await reply(services, BOTH, by=KASPERSKY, surface=surface)

    assert await counted(services, "kaspersky") == (2, 1)
    assert await counted(services) == (2, 1)


@pytest.mark.parametrize("surface", [Surface.BUTTON, Surface.CLI])
async def test_buttons_and_the_command_line_are_not(services: Services, surface: Surface) -> None:
    assert isinstance(await reply(services, BOTH, surface=surface), Lookup)

    script = Script()
    told = await enriched(with_script(services, script), Surface.BUTTON)
    script.answer()
    while told.more is not None:
        told = await told.more()

    assert await counted(services) == (0, 0)


@pytest.mark.parametrize(
    "by", [STRANGER, Actor("U0LAPSED", "lapsed"), Actor("U0", UNKNOWN, is_confirmed=False)], ids=str
)
async def test_who_is_not_known_is_not(services: Services, by: Actor) -> None:
    await reply(services, BOTH, by=by, surface=Surface.DM)

    assert await counted(services) == (0, 0)


async def test_mistakes_are_not(services: Services) -> None:
    await reply(services, "lookup nothing")
    await reply(services, " ".join(["lookup", *(f"host{place}.example" for place in range(501))]))

    assert await counted(services) == (0, 0)


async def test_hidden_counts_like_absent(services: Services) -> None:
    await services.store.add([claim(DOMAIN, label=Label.AMBER_STRICT)])

    await reply(services, BOTH, by=TREND)
    await reply(services, BOTH, by=HOST)
    await reply(services, BOTH, by=KASPERSKY)

    assert await counted(services, "trendmicro") == (2, 0)
    assert await counted(services) == (6, 2)


@pytest.mark.parametrize(
    ("outcome", "answered"), [(Outcome.FOUND, 1), (Outcome.NOT_FOUND, 0), (Outcome.TIMEOUT, 0)]
)
async def test_what_a_service_finds_later_is_counted_once(
    services: Services, outcome: Outcome, answered: int
) -> None:
    script = Script()
    told = await enriched(with_script(services, script))
    assert await counted(services) == (1, 0)

    for service in script.services:
        assert told.more is not None
        script.answer(service, outcome=outcome)
        told = await told.more()

    assert told.more is None
    assert await counted(services, "kaspersky") == (1, answered)


async def test_an_answer_comes_also_if_nothing_can_be_counted(services: Services, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "store.db")) as other:
        other.execute("DROP TABLE asked")
        other.commit()

    assert isinstance(await reply(services, BOTH), Lookup)
    with pytest.raises(UnavailableError):
        await counted(services)
    assert isinstance(await reply(services, BOTH), Lookup)
