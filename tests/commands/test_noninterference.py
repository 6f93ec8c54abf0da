"""Whatever is hidden from the readers of a reply, the reply is the same to the byte without it."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.answer_csv import as_csv
from bot.assertions import Assertion
from bot.blocks import details_view, render, share_view, shareable
from bot.chat import Actor, Ask, Command, Lookup, Reply, Surface
from bot.enrichment.enricher import Enricher
from bot.indicators import Indicator, Kind
from bot.services import Services
from bot.sharing import UNKNOWN, Audience, Reach, World, may_release
from bot.store.sqlite import SqliteStore
from bot.tlp import Label
from commands import ALL, answer
from tests.commands.asking import REGISTRY
from tests.enrichment.parts import REGISTRY as SERVED
from tests.enrichment.parts import landed, plain
from tests.strategies import (
    HOST,
    INDICATORS,
    NOW,
    PARTNERS,
    PEOPLE,
    READERS,
    assertions,
    conversations,
    from_menus,
    worlds,
)

KINDS = frozenset(indicator.kind for indicator in INDICATORS)

TYPED = (
    "lookup " + " ".join(indicator.value for indicator in INDICATORS),
    f"lookup {INDICATORS[0].value}",
    f"enrich {INDICATORS[0].value} {INDICATORS[2].value}",
    "recent 7d",
    "recent 7d domain emotet",
    "who",
    "help",
    "status",
    "digest",
    "digest preview",
    "summary",
    f"retract {INDICATORS[0].value}",
)
HIDDEN = Assertion(indicator=INDICATORS[0], source=PARTNERS[0], label=Label.AMBER_STRICT, file="file 1")
LINKING = [  # two files that only a hidden hash makes one
    Assertion(indicator=INDICATORS[0], source=PARTNERS[0], label=Label.GREEN, file="file 1"),
    Assertion(indicator=Indicator(Kind.SHA1, "0f" * 20), source=PARTNERS[0], file="file 1"),
    Assertion(indicator=Indicator(Kind.SHA1, "0f" * 20), source=PARTNERS[0], file="file 2"),
    Assertion(indicator=INDICATORS[1], source=PARTNERS[0], label=Label.GREEN, file="file 2"),
]
PARTNER = Audience(reach=Reach.EPHEMERAL, orgs=frozenset({PARTNERS[1]}), persons=frozenset({"U0ANNA"}))
WORLD = World(host=HOST, now=NOW, in_force=frozenset(PARTNERS), community=frozenset(PARTNERS))


@settings(deadline=None, max_examples=60)
@given(stored=st.lists(assertions, max_size=8), audience=conversations, world=worlds)
@example(stored=[HIDDEN], audience=PARTNER, world=WORLD)
@example(stored=LINKING, audience=PARTNER, world=WORLD)
async def test_what_is_hidden_changes_no_byte_of_any_reply(
    stored: list[Assertion], audience: Audience, world: World
) -> None:
    async with services(stored) as full:
        rows = [row async for page in full.store.everything() for row in page]
        visible = [row for row in rows if may_release(row, audience, world).release]
        async with services(visible) as lean:
            for text in TYPED:
                if text != "status" or audience.orgs != {world.host}:  # the host may count everything
                    assert await said(full, text, audience, world) == await said(lean, text, audience, world)


@pytest.mark.parametrize("command", ALL, ids=lambda command: command.verb)
def test_every_command_is_asked_about_it(command: Command) -> None:
    assert any(text.split()[0] == command.verb for text in TYPED)


# --- with external services -----------------------------------------------------------------------------

ASKING = (
    f"lookup {INDICATORS[0].value} {INDICATORS[2].value}",
    f"enrich tlp:clear {INDICATORS[0].value} {INDICATORS[1].value}",
    f"enrich tlp:amber {INDICATORS[2].value}",
    "status",
)
private = from_menus(
    Audience,
    reach=(Reach.EPHEMERAL, Reach.DM),
    orgs=[frozenset({org}) for org in READERS],
    persons=[frozenset({person}) for person in PEOPLE],
)
AMBER = Assertion(indicator=INDICATORS[0], source=PARTNERS[0], label=Label.AMBER)


@settings(deadline=None, max_examples=40)
@given(stored=st.lists(assertions, max_size=6), audience=private, world=worlds)
@example(stored=[HIDDEN], audience=PARTNER, world=WORLD)
@example(stored=[AMBER], audience=PARTNER, world=WORLD)
@example(stored=LINKING, audience=PARTNER, world=WORLD)
async def test_what_is_hidden_from_the_asker_changes_no_question_and_no_state(
    stored: list[Assertion], audience: Audience, world: World
) -> None:
    alone = replace(audience, reach=Reach.EPHEMERAL)
    agreed = replace(world, own_queries=world.in_force | {world.host})
    async with services(stored, asks=True) as full:
        rows = [row async for page in full.store.everything() for row in page]
        seen = [row for row in rows if may_release(row, alone, world).release]
        async with services(seen, asks=True) as lean:
            for text in ASKING:
                if text != "status" or audience.orgs != {world.host}:
                    told = await grown(full, text, audience, agreed)
                    assert told == await grown(lean, text, audience, agreed)


async def test_services_are_asked_in_these_tests() -> None:
    """So that the equality above compares something."""
    agreed = replace(WORLD, own_queries=WORLD.in_force)
    green = Assertion(indicator=INDICATORS[0], source=PARTNERS[0], label=Label.GREEN)
    async with services([], asks=True) as nothing, services([green], asks=True) as something:
        for each in (nothing, something):
            await grown(each, ASKING[1], PARTNER, agreed)
        asked, fewer = questions(nothing), questions(something)

    assert len(fewer) == 5  # two indicators and three services
    assert asked == sorted([*fewer, ("clear", INDICATORS[0])])


async def grown(services: Services, text: str, audience: Audience, world: World) -> tuple[object, ...]:
    """What services were asked, the first state, the last one, the file, and what was remembered."""
    assert isinstance(services.enrichment, Enricher)
    ask = question(text, audience, world)
    first = last = await answer(ask, services)
    while isinstance(last, Lookup) and last.more is not None:
        last = await last.more()
    await landed(services.enrichment)
    again = await answer(replace(ask, surface=Surface.BUTTON, audience=everybody(audience, world)), services)
    asked = questions(services)
    file = as_csv(last.lasting) if isinstance(last, Lookup) and last.lasting else None
    return asked, pages(first), pages(last), file, pages(again)


def questions(services: Services) -> list[tuple[str, Indicator]]:
    """What each service was asked, in no order."""
    lines: dict[str, Any] = services.enrichment._lines  # type: ignore[union-attr]  # it is an Enricher
    return sorted((name, indicator) for name, line in lines.items() for indicator in line.source.asked)


def everybody(audience: Audience, world: World) -> Audience:
    """A channel that the asker and the host read."""
    return replace(audience, reach=Reach.CHANNEL, orgs=audience.orgs | {world.host})


@asynccontextmanager
async def services(stored: Sequence[Assertion], *, asks: bool = False) -> AsyncIterator[Services]:
    """A real store that holds these, in this order; with `asks`, services with different ceilings."""
    with TemporaryDirectory() as folder:
        store = SqliteStore(Path(folder) / "store.db", lambda: NOW)
        await store.open()
        await store.add(stored)
        sources = [
            plain("clear", kinds=KINDS, ceiling=Label.CLEAR, publishes=True),
            plain("amber", kinds=KINDS, ceiling=Label.AMBER, operators=frozenset({PARTNERS[1]})),
            plain("local", kinds=KINDS, ceiling=Label.CLEAR, asks_nobody=True),
        ]
        enricher = Enricher(sources, store, SERVED, clock=lambda: NOW, steady=lambda: NOW)
        await enricher.open()
        yield Services(store, REGISTRY, lambda: NOW, enricher if asks else None)
        await enricher.close()
        await store.close()


async def said(services: Services, text: str, audience: Audience, world: World) -> list[object]:
    """Everything that can be sent because of one question."""
    return pages(await answer(question(text, audience, world), services))


def question(text: str, audience: Audience, world: World) -> Ask:
    """As the Slack shell asks."""
    asker = Actor(min(audience.persons, default="U0ANNA"), min(audience.orgs, default=UNKNOWN))
    return Ask(
        verb="",
        text=text,
        surface=Surface.SLASH,
        actor=asker,
        audience=audience,
        channel=audience,
        world=world,
    )


def pages(reply: Reply) -> list[object]:
    """The reply in all its forms."""
    said: list[object] = [
        render(reply, share="token", details="token"),
        details_view(reply, private_metadata="x"),
    ]
    if isinstance(reply, Lookup):
        said.append(share_view(shareable(reply), ["somebody"], private_metadata="x"))
    return said
