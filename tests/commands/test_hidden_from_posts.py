"""Previews and settings tell nothing of what a reader may not see, nor of what other channels get."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.assertions import Assertion
from bot.chat import Actor, Ask, Surface
from bot.delivery.compiler import Compiler
from bot.organisations import Registry
from bot.services import Services
from bot.sharing import Audience, Reach, World, may_release
from bot.store.sqlite import SqliteStore
from bot.subscribing import parse
from bot.subscriptions import Purpose
from bot.tlp import Label
from commands import answer
from tests.commands.asking import REGISTRY
from tests.commands.test_noninterference import pages
from tests.strategies import HOST, INDICATORS, NOW, PARTNERS, READERS, assertions, from_menus, subsets, worlds

CHANNEL, OTHER = "C0CHANNEL", "C0OTHER"
TYPED = ("digest", "digest preview", "digest show", "summary", "summary preview", "digest now", "digest off")
channels = from_menus(
    Audience,
    reach=(Reach.CHANNEL,),
    orgs=subsets(READERS, least=1),
    cap=(Label.GREEN, Label.AMBER, Label.AMBER_STRICT),
)
BOTH = Audience(reach=Reach.CHANNEL, orgs=frozenset({HOST, *PARTNERS[:2]}), cap=Label.AMBER)
WORLD = World(host=HOST, now=NOW, in_force=frozenset(PARTNERS), community=frozenset(PARTNERS))
TO_ONE = Assertion(
    indicator=INDICATORS[0],
    source=HOST,
    label=Label.AMBER,
    addressed_to=frozenset(PARTNERS[:1]),
    family="one",
)
TO_ALL = Assertion(indicator=INDICATORS[2], source=PARTNERS[0], label=Label.GREEN, family="all")


class Fixed(Registry):
    """A registry whose world is given."""

    world_now: World

    def world(self, now: datetime) -> World:
        return self.world_now


def registry(world: World) -> Registry:
    made = Fixed(REGISTRY.host, REGISTRY.partners, {})
    object.__setattr__(made, "world_now", world)
    return made


@settings(deadline=None, max_examples=40)
@given(
    stored=st.lists(assertions, max_size=6), channel=channels, world=worlds, person=st.sampled_from(READERS)
)
@example(stored=[TO_ONE, TO_ALL], channel=BOTH, world=WORLD, person=PARTNERS[0])
@example(stored=[TO_ONE, TO_ALL], channel=BOTH, world=WORLD, person=PARTNERS[1])
async def test_what_a_reader_may_not_see_changes_no_byte(
    stored: list[Assertion], channel: Audience, world: World, person: str
) -> None:
    """Not for the channel, and not for the one who looks."""
    viewer = Audience(reach=Reach.EPHEMERAL, orgs=frozenset({person}), persons=frozenset({"U0ANNA"}))
    async with services(stored, world) as full:
        rows = [row async for page in full.store.everything() for row in page]
        seen = [
            row for row in rows if all(may_release(row, each, world).release for each in (channel, viewer))
        ]
        await _set_up(full, OTHER, "families hidden")  # another channel has what this one has not
        async with services(seen, world) as lean:
            for text in TYPED:
                assert await said(full, text, channel, viewer, world) == await said(
                    lean, text, channel, viewer, world
                ), text


async def test_a_preview_holds_something_in_these_tests() -> None:
    viewer = Audience(reach=Reach.EPHEMERAL, orgs=frozenset({PARTNERS[0]}), persons=frozenset({"U0ANNA"}))
    async with services([TO_ONE, TO_ALL], WORLD) as served:
        told = str(await said(served, "digest preview", BOTH, viewer, WORLD))

    assert "TLP:GREEN · preview of the digest: 1 new indicator" in told
    assert "c2[.]example[.]org" in told


async def said(
    services: Services, text: str, channel: Audience, viewer: Audience, world: World
) -> list[object]:
    [org] = viewer.orgs
    ask = Ask(
        verb="",
        text=text,
        surface=Surface.SLASH,
        actor=Actor("U0ANNA", org),
        audience=viewer,
        conversation=CHANNEL,
        channel=channel,
        world=world,
    )
    return pages(await answer(ask, services))


@asynccontextmanager
async def services(stored: Sequence[Assertion], world: World) -> AsyncIterator[Services]:
    """A store where a digest and a summary were set up before all this came in."""
    with TemporaryDirectory() as folder:
        store = SqliteStore(Path(folder) / "store.db", lambda: NOW)
        await store.open()
        known = registry(world)
        compiler = Compiler(store, known, clock=lambda: NOW)
        served = Services(store, known, lambda: NOW, digests=compiler)
        for purpose in Purpose:
            await _set_up(served, CHANNEL, "", purpose)
        await store.add(stored)
        yield served
        await store.close()


async def _set_up(services: Services, channel: str, text: str, purpose: Purpose = Purpose.DIGEST) -> None:
    subscription = parse(text, channel=channel, purpose=purpose, default_zone="UTC")
    await services.store.subscribe(subscription, next_at=NOW + timedelta(hours=1))
