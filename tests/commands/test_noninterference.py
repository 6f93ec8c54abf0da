"""Whatever is hidden from the readers of a reply, the reply is the same to the byte without it."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.assertions import Assertion
from bot.blocks import details_view, render, share_view, shareable
from bot.chat import Actor, Ask, Command, Lookup, Surface
from bot.indicators import Indicator, Kind
from bot.services import Services
from bot.sharing import UNKNOWN, Audience, Reach, World, may_release
from bot.store.sqlite import SqliteStore
from bot.tlp import Label
from commands import ALL, answer
from tests.commands.asking import REGISTRY
from tests.strategies import HOST, INDICATORS, NOW, PARTNERS, assertions, conversations, worlds

TYPED = (
    "lookup " + " ".join(indicator.value for indicator in INDICATORS),
    f"lookup {INDICATORS[0].value}",
    f"enrich {INDICATORS[0].value} {INDICATORS[2].value}",
    "recent 7d",
    "recent 7d domain emotet",
    "who",
    "help",
    "status",
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


@asynccontextmanager
async def services(stored: Sequence[Assertion]) -> AsyncIterator[Services]:
    """A real store that holds these, in this order."""
    with TemporaryDirectory() as folder:
        store = SqliteStore(Path(folder) / "store.db", lambda: NOW)
        await store.open()
        await store.add(stored)
        yield Services(store, REGISTRY, lambda: NOW)
        await store.close()


async def said(services: Services, text: str, audience: Audience, world: World) -> list[object]:
    """Everything that can be sent because of one question."""
    asker = Actor(min(audience.persons, default="U0ANNA"), min(audience.orgs, default=UNKNOWN))
    ask = Ask(
        verb="",
        text=text,
        surface=Surface.SLASH,
        actor=asker,
        audience=audience,
        channel=audience,
        world=world,
    )
    reply = await answer(ask, services)
    said: list[object] = [
        render(reply, share="token", details="token"),
        details_view(reply, private_metadata="x"),
    ]
    if isinstance(reply, Lookup):
        said.append(share_view(shareable(reply), ["somebody"], private_metadata="x"))
    return said
