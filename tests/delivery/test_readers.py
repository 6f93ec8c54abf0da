"""Organisations come and go at any moment: nothing is posted for readers it was not cleared for."""

import asyncio
import tempfile
from collections.abc import Collection, Mapping
from datetime import date
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.deliveries import ENDED, State
from bot.delivery.compiler import Compiler
from bot.delivery.posting import Letter, NotTakenError
from bot.organisations import Organisation, Registry
from bot.sharing import UNKNOWN, Audience, Reach, may_release
from bot.subscriptions import Attach
from bot.tlp import Label
from tests.delivery.stage import CHANNEL, NOT_TAKEN, Channel, Stage, assertion, staged

ORGS = ("igci", "kaspersky", "trendmicro", "bureau", UNKNOWN)


def partner(slug: str) -> Organisation:
    return Organisation(
        id=slug,
        name=slug,
        teams=frozenset({f"T{slug}"}),
        community=slug != "bureau",
        since=date(2020, 1, 1),
        until=date(2099, 1, 1),
    )


REGISTRY = Registry(
    host=Organisation(id="igci", name="igci", teams=frozenset({"T0"})),
    partners=tuple(map(partner, ("kaspersky", "trendmicro", "bureau"))),
    caps={CHANNEL: Label.AMBER_STRICT},
)
CLAIMS = [
    assertion(0, label=Label.CLEAR),
    assertion(1, label=Label.GREEN),
    assertion(2, label=Label.AMBER, addressed_to=frozenset({"trendmicro"})),
    assertion(3, label=Label.AMBER_STRICT),
    assertion(4, label=Label.GREEN, never_to=frozenset({"trendmicro"})),
    assertion(5, label=Label.AMBER, source="trendmicro", addressed_to=frozenset({"bureau"})),
]

readers = st.builds(
    lambda orgs, fresh, pending: Audience(
        reach=Reach.CHANNEL,
        orgs=frozenset({"igci", *orgs}),
        cap=Label.AMBER_STRICT,
        fresh=fresh,
        pending_invite=pending,
    ),
    st.sets(st.sampled_from(ORGS)),
    st.sampled_from([True, True, True, False]),
    st.sampled_from([False, False, False, True]),
)


class Doors(Channel):
    """People come and go at each step; whatever is taken is held against who reads the channel just then."""

    def __init__(self, stage: Stage, moves: Mapping[int, Audience], broken: Collection[int]) -> None:
        super().__init__(stage.clock, fault=self._move)
        self._moves, self._broken, self._steps = moves, broken, 0
        self.leaks: list[str] = []
        self.missing: list[str] = []

    def _move(self, name: str) -> NotTakenError | None:
        self._steps += 1
        self.readers_now = self._moves.get(self._steps, self.readers_now)
        return NOT_TAKEN if self._steps in self._broken and name in ("post", "readers", "attach") else None

    def _check(self, letter: Letter) -> None:
        self._move("look")
        super()._check(letter)

    def _seen(self, text: str) -> None:
        world = REGISTRY.world(self.clock())
        for each in CLAIMS:
            is_in = each.indicator.value in text.replace("[.]", ".")
            if is_in != may_release(each, self.readers_now, world).release:
                (self.leaks if is_in else self.missing).append(each.indicator.value)


@given(
    first=readers,
    moves=st.dictionaries(st.integers(1, 25), readers, max_size=6),
    broken=st.sets(st.integers(1, 25), max_size=3),
)
@settings(max_examples=150)
def test_no_interleaving_shows_anybody_what_was_not_cleared_for_them(
    first: Audience, moves: Mapping[int, Audience], broken: Collection[int]
) -> None:
    async def play() -> None:
        with tempfile.TemporaryDirectory() as folder:
            async with staged(Path(folder)) as stage:
                doors = Doors(stage, moves, broken)
                doors.readers_now = first
                stage.channel = doors
                await stage.begin(claims=CLAIMS, attach=Attach.CSV)
                compiler = Compiler(stage.store, REGISTRY, clock=stage.clock)
                while (await stage.last()).state not in ENDED:
                    await stage.try_once(stage.means(writing=compiler))
                    stage.clock.pass_by(30)

                assert doors.leaks == []
                assert doors.missing == []
                assert (await stage.last()).state is State.DONE
                assert len(doors.main()) == 1

    asyncio.run(play())
