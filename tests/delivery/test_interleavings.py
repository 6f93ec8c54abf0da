"""Whatever happens in whatever order: nobody is sent what is not for them, nor is it left where they read.

Organisations join and leave while a digest is written, before it is posted and after; sources add, revoke and
mark anew; corrections look whenever they look. Every step runs on a real store, with real couriers.
"""

import asyncio
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.assertions import Assertion
from bot.deliveries import Delivery
from bot.delivery.compiler import Compiler
from bot.delivery.courier import Errand, Means
from bot.delivery.edition import Edition
from bot.schedules import parse
from bot.sharing import UNKNOWN, Audience, may_release
from bot.subscriptions import Purpose, Subscription
from bot.tlp import Label
from tests.delivery.board import HOST, OTHER, Standing, claim, indicator, registry
from tests.delivery.mending import Scene, mending
from tests.delivery.stage import Heard

ORGS = ("kaspersky", "trendmicro", "academy", UNKNOWN)
SOURCES = ("kaspersky", "trendmicro", "igci")
LEASE = 240.0
STALE = timedelta(seconds=300)  # so old may a claim be when a correction is written of it

Step = tuple[object, ...]

_channels = st.sampled_from((HOST, OTHER))
_numbers = st.integers(1, 6)
_readers = st.tuples(st.sampled_from(("join", "leave")), _channels, st.sampled_from(ORGS))
_markings = st.one_of(
    st.tuples(st.just("label"), _numbers, st.sampled_from(Label)),
    st.tuples(st.just("revoke"), _numbers),
    st.tuples(st.just("exclude"), _numbers, st.sampled_from(ORGS[:3])),
)
_adding = st.tuples(st.just("add"), st.lists(_numbers, min_size=1, max_size=4), st.sampled_from(Label))
_steps = st.one_of(
    _adding,
    _markings,
    _readers,
    st.tuples(st.just("digest"), _channels),
    st.tuples(st.just("correct")),
    st.tuples(st.just("wait"), st.sampled_from((20, 90, 700))),
)
_BEFORE: tuple[Step, ...] = (("add", [1, 2, 3], Label.GREEN), ("digest", HOST), ("digest", OTHER))
# What happens between two requests, and before which one of them.
_between = st.dictionaries(st.integers(0, 40), st.one_of(_markings, _readers), max_size=6)


class Interrupted:
    """A compiler; things happen right before and right after it writes."""

    def __init__(self, real: Compiler, before: Callable[[str], Awaitable[object]]) -> None:
        self._real, self._before = real, before

    async def edition(self, delivery: Delivery, audience: Audience) -> Edition:
        await self._before("write")
        edition = await self._real.edition(delivery, audience)
        await self._before("written")
        return edition


class Play:
    """One sequence of steps, and what must never be seen meanwhile."""

    def __init__(self, scene: Scene, between: dict[int, Step]) -> None:
        self.scene, self._between = scene, between
        self._requests = 0
        self.wrong: list[object] = []  # what was sent and must not
        self._versions: dict[int, list[tuple[datetime, Assertion]]] = {}
        self._means = Means(
            store=scene.store,
            posting=scene.board,
            writing=Interrupted(Compiler(scene.store, registry(), clock=scene.clock), self._in_between),
            alerts=Heard(),
            clock=scene.clock,
            jitter=lambda: 1.0,
        )
        scene.board.before = self._in_between
        scene.board.accepted = self._check_sent

    async def take(self, step: Step) -> None:
        match step:
            case ("digest", str(channel)):
                await self._digest(channel)
            case ("correct",):
                await self.scene.corrections.round()
            case ("wait", int(seconds)):
                self.scene.clock.pass_by(seconds)
            case ("add", list(numbers), Label() as label):
                await self._keep([claim(each, SOURCES[each % 3], label) for each in numbers])
            case ("join" | "leave" as what, str(channel), str(org)):
                board = self.scene.board
                (board.joins if what == "join" else board.leaves)(channel, org)
                if self.scene.clock().second % 2:  # of some of it Slack says nothing
                    self.scene.corrections.readers_changed(channel)
            case (str(what), int(number), *more):
                await self._mark(what, number, *more)

    async def end(self) -> None:
        """Nothing more happens, and time passes."""
        self._between = {}
        for _ in range(30):
            await self._carry()
            while await self.scene.corrections.round():
                pass
            self.scene.clock.pass_by(61)

    async def leaks(self) -> list[tuple[Standing, int]]:
        """What stands there and may not, or under too low a label."""
        found = []
        world = registry().world(self.scene.clock())
        for there in self.scene.board.standing:
            audience = self.scene.board.readers_now[there.channel]
            label = next(each for each in reversed(Label) if there.text.startswith(f"{each} "))
            for number in there.names:
                [one] = await self.scene.store.lookup([indicator(number)])
                if not may_release(one, audience, world).release or one.label > label:
                    found.append((there, number))
        return found

    def _check_sent(self, sent: Standing) -> None:
        """Whoever reads the channel at that very moment may see it, as its source says at that very moment.

        A correction shows what stands there anyway: as it was when it was written.
        """
        now, world = self.scene.clock(), registry().world(self.scene.clock())
        audience = self.scene.board.readers_now[sent.channel]
        stale = STALE if sent.edits or "correction" in sent.text.splitlines()[0] else timedelta()
        for number in sent.names:
            known = self._versions[number]
            ends = [*(at for at, _ in known[1:]), now]
            recent = [one for (_, one), end in zip(known, ends, strict=True) if now - end <= stale]
            recent = recent if stale else recent[-1:]
            is_told = stale or not recent[-1].revoked or "withdrawn" in sent.text.lower()
            if not is_told or not any(may_release(one, audience, world).release for one in recent):
                self.wrong.append((sent.text.splitlines()[0], number, recent))  # raised, it ends in a log

    async def _in_between(self, _: str) -> None:
        step = self._between.pop(self._requests, None)
        self._requests += 1
        if step is not None:
            await self.take(step)

    async def _keep(self, claims: Sequence[Assertion]) -> None:
        await self.scene.store.add(claims)
        await self._remember()

    async def _mark(self, what: str, number: int, *more: object) -> None:
        if not (known := await self.scene.store.lookup([indicator(number)])):
            return
        marking: dict[str, object] = {"revoked": True}
        if what == "label":
            marking = {"label": more[0]}
        elif what == "exclude":
            marking = {"never_to": frozenset(more)}
        await self.scene.store.remark(msgspec.structs.replace(known[0], **marking))
        await self._remember()

    async def _remember(self) -> None:
        for number in range(1, 7):
            for one in await self.scene.store.lookup([indicator(number)]):
                versions = self._versions.setdefault(number, [])
                if not versions or versions[-1][1] != one:
                    versions.append((self.scene.clock(), one))

    async def _digest(self, channel: str) -> None:
        """What is new is due now."""
        store, now = self.scene.store, self.scene.clock()
        subscription = Subscription(
            channel=channel, purpose=Purpose.DIGEST, schedule=parse("daily 08:00", "UTC")
        )
        known = await store.subscriptions(channel)
        if not known:
            await store.subscribe(subscription, next_at=now)
            known = await store.subscriptions(channel)
        next_at = max(now, known[0].next_at) + timedelta(seconds=1)
        await store.begin_delivery(known[0], period=now.isoformat(), next_at=next_at)
        await self._carry()

    async def _carry(self) -> None:
        at = self.scene.clock()
        for delivery in await self.scene.store.lease_deliveries(
            f"owner {self._requests}", at=at, seconds=LEASE, most=9
        ):
            until = at + timedelta(seconds=LEASE / 2)
            await Errand(self._means, delivery, owner=f"owner {self._requests}", until=until).run()


async def played(folder: Path, steps: Sequence[Step], between: dict[int, Step]) -> tuple[int, list[object]]:
    """How much was said, and what leaks in the end."""
    async with mending(folder) as scene:
        play = Play(scene, dict(between))
        for channel in (HOST, OTHER):
            await play.take(("digest", channel))  # from now on
        scene.clock.pass_by(1)
        for step in (*_BEFORE, *steps):
            await play.take(step)
            scene.clock.pass_by(1)
        await play.end()
        leaks: list[object] = [*play.wrong, *await play.leaks()]
        assert all(each.amending is None for each in await scene.store.posts())
        return len(scene.board.standing), leaks


@settings(max_examples=60, deadline=None)
@given(st.lists(_steps, min_size=4, max_size=25), _between)
def test_whatever_happens_nothing_stands_in_the_end_that_its_readers_may_not_see(
    steps: list[Step], between: dict[int, Step]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        _, leaks = asyncio.run(played(Path(folder), steps, between))

    assert leaks == []


@pytest.mark.parametrize("step", [("revoke", 1), ("label", 1, Label.RED), ("exclude", 1, "trendmicro")])
@pytest.mark.parametrize("request_", range(6, 12))  # of the two digests that say something
def test_at_whatever_step_something_is_revoked_or_restricted_it_is_not_said_any_more(
    tmp_path: Path, step: Step, request_: int
) -> None:
    said, leaks = asyncio.run(played(tmp_path, [], {request_: step}))

    assert said >= 2
    assert leaks == []


def test_that_play_says_something(tmp_path: Path) -> None:
    steps: list[Step] = [("revoke", 1)]

    said, leaks = asyncio.run(played(tmp_path, steps, {}))

    assert said == 5  # two digests, a note beneath each, and a word to the source in its own channel
    assert leaks == []
