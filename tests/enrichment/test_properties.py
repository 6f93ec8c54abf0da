"""What asking services promises for whatever hypothesis can think of, on real stores."""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.assertions import Assertion
from bot.enquiries import Declared, Enquiry
from bot.enrichment.enricher import Enricher
from bot.findings import Finding, Outcome, Report
from bot.indicators import Indicator, Kind
from bot.providers.spec import Budget, NoAnswerError
from bot.services import Inquiry
from bot.sharing import Audience, Reach, World
from bot.store.sqlite import SqliteStore
from bot.tlp import Label, Pap
from bot.verdicts import Verdict
from tests.enrichment.parts import (
    BAD,
    HASHES,
    REGISTRY,
    Clock,
    Hands,
    Plain,
    done,
    enquiry,
    landed,
    nothing_is_left,
    plain,
)
from tests.policy_reference import releases
from tests.strategies import (
    HOST,
    INDICATORS,
    ORGS,
    PARTNERS,
    assertions,
    from_menus,
    mostly,
    subsets,
    worlds,
)

KASPERSKY, TREND = PARTNERS[:2]
few = settings(max_examples=60)  # each of them opens stores
KINDS = HASHES | {Kind.DOMAIN}


def question(
    stored: list[Assertion],
    by: str,
    world: World,
    agreed: frozenset[str],
    declared: Declared,
    indicators: tuple[Indicator, ...],
    on_purpose: bool,
) -> Enquiry:
    in_force = agreed & (world.in_force | {world.host})  # as a registry would say
    return enquiry(
        *indicators,
        by=by,
        stored=stored,
        world=replace(world, own_queries=in_force),
        declared=declared,
        on_purpose=on_purpose,
    )


declarations = from_menus(
    Declared, label=mostly([None, Label.CLEAR], tuple(Label)), pap=mostly([None, None, Pap.CLEAR], tuple(Pap))
)
questions = st.builds(
    question,
    stored=st.lists(assertions, max_size=3),
    by=st.sampled_from(ORGS),
    world=worlds,
    agreed=st.sampled_from(mostly([frozenset(ORGS)], subsets(ORGS, least=3))),
    declared=declarations,
    indicators=st.permutations(INDICATORS).map(tuple),
    on_purpose=st.booleans(),
)


@pytest.fixture(scope="module")
def template() -> Iterator[Path]:
    """An empty store to copy: making one anew takes twenty times as long."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "store.db"
        asyncio.run(_make(path))
        yield path


async def _make(path: Path) -> None:
    store = SqliteStore(path)
    await store.open()
    await store.close()


@dataclass
class Scene:
    """Services of all sorts, and everything they are asked, in order."""

    enricher: Enricher
    sources: Sequence[Plain]
    asked: list[tuple[str, Indicator]]
    hands: Hands

    async def answer(self, enquiry: Enquiry) -> tuple[Finding, ...]:
        """The findings in the end."""
        inquiry = await done(await self.enricher.enquire(enquiry))
        await landed(self.enricher)
        return inquiry.findings


@asynccontextmanager
async def scene(template: Path) -> AsyncIterator[Scene]:
    """A new store, and an enricher with services of every kind."""
    asked: list[tuple[str, Indicator]] = []
    sources = [
        source("virustotal", asked, budget=Budget(per_minute=4, per_day=12)),
        source("opentip", asked, publishes=True, operators=frozenset({KASPERSKY}), ceiling=Label.CLEAR),
        source("portal", asked, operators=frozenset({KASPERSKY, TREND}), ceiling=Label.RED, at_once=1),
        source("hashlookup", asked, ceiling=Label.AMBER, label=Label.CLEAR),
        source("bloom", asked, asks_nobody=True),
    ]
    clock, hands = Clock(), Hands()
    with tempfile.TemporaryDirectory() as folder:
        store = SqliteStore(Path(shutil.copy(template, folder)), clock)
        await store.open()
        enricher = Enricher(sources, store, REGISTRY, clock=clock, steady=clock, timer=hands)
        await enricher.open()
        try:
            yield Scene(enricher, sources, asked, hands)
        finally:
            await enricher.close()
            await store.close()


def source(name: str, asked: list[tuple[str, Indicator]], **declared: object) -> Plain:
    """A service that knows domains and MD5 hashes, each in its own way."""

    async def say(indicator: Indicator) -> Report | None:
        asked.append((name, indicator))
        known = indicator.kind is not Kind.SHA256
        return Report(verdict=Verdict.MALICIOUS, score=f"{name} {indicator.kind}") if known else None

    return plain(name, say, kinds=KINDS, **declared)


def audience(source: Plain) -> Audience:
    """Who learns of a question, said once more and independently of `Spec.audience`."""
    spec = source.spec
    return Audience(
        reach=Reach.PROVIDER,
        orgs=frozenset({spec.name, *spec.operators}),
        max_label=spec.ceiling,
        active=spec.publishes,
    )


# What is hidden from the asker.


@few
@given(questions)
def test_what_is_hidden_changes_no_question_no_order_and_no_finding(template: Path, full: Enquiry) -> None:
    lean = replace(full, stored=[one for one in full.stored if releases(one, full.asker, full.world)])

    async def ask(enquiry: Enquiry) -> tuple[object, ...]:
        async with scene(template) as services:
            first = await services.enricher.enquire(enquiry)
            start = first.findings
            end = (await done(first)).findings
            await landed(services.enricher)
            again = await services.answer(enquiry)
            remembered = await services.enricher.remembered(enquiry)
            standing = await services.enricher.standing(enquiry.org)
            return services.asked, start, end, again, remembered, standing

    assert asyncio.run(ask(full)) == asyncio.run(ask(lean))


@few
@given(questions)
def test_nothing_is_asked_above_a_ceiling_or_against_what_the_asker_sees(
    template: Path, enquiry: Enquiry
) -> None:
    async def ask() -> None:
        async with scene(template) as services:
            findings = await services.answer(enquiry)
            sources = {each.name: each for each in services.sources}
            terms = Assertion(indicator=INDICATORS[0], source=HOST, label=sources["bloom"].spec.label)
            hears = releases(terms, enquiry.asker, enquiry.world)
            for name, indicator in services.asked:
                if name != "bloom":
                    check(sources[name], indicator)
            for finding in findings:
                assert (finding.outcome is Outcome.BLOCKED) == bool(finding.reason)
                if finding.provider == "bloom":
                    assert (finding.outcome is Outcome.BLOCKED) != hears

    def check(source: Plain, indicator: Indicator) -> None:
        """The claims on other hashes of the same file are left to the tests of the gate."""
        seen = [
            one
            for one in enquiry.stored
            if one.indicator == indicator and releases(one, enquiry.asker, enquiry.world)
        ]
        least = Label.GREEN if not seen else Label.CLEAR
        declared = least if enquiry.declared.label is None else enquiry.declared.label
        assert enquiry.org in enquiry.world.own_queries
        assert max([declared, *(one.label for one in seen)]) <= min(source.spec.ceiling, Label.AMBER)
        assert all(releases(one, audience(source), enquiry.world) for one in seen)
        assert enquiry.declared.pap is not Pap.RED

    asyncio.run(ask())


# What others did before.


@few
@given(questions, st.lists(st.sampled_from(ORGS), min_size=1, max_size=3))
def test_what_others_asked_before_changes_nothing_for_this_organisation(
    template: Path, mine: Enquiry, before: list[str]
) -> None:
    askers = [replace(mine.asker, orgs=frozenset({org})) for org in before if org != mine.org]
    others = [replace(mine, asker=asker) for asker in askers]

    async def ask(first: Sequence[Enquiry]) -> tuple[object, ...]:
        async with scene(template) as services:
            for each in first:
                await services.answer(each)
            under_way = [await services.enricher.enquire(each) for each in first]
            inquiry = await services.enricher.enquire(mine)
            start = inquiry.findings
            await done(inquiry)
            for other in under_way:
                await done(other)
            await landed(services.enricher)
            standing = [] if mine.org == HOST else await services.enricher.standing(mine.org)
            return start, inquiry.findings, await services.enricher.remembered(mine), standing

    assert asyncio.run(ask(others)) == asyncio.run(ask([]))


# Whatever happens, nothing is left.


End = Report | BaseException | None


class Wild:
    """A service whose answers come in any order, or never."""

    def __init__(self) -> None:
        self.out: list[asyncio.Future[Report | None]] = []

    async def __call__(self, _: Indicator) -> Report | None:
        self.out.append(asyncio.get_running_loop().create_future())
        return await self.out[-1]

    def answer(self, number: int, how: End) -> None:
        """End one of the questions that are out."""
        self.out = [each for each in self.out if not each.done()]
        if not self.out:
            return
        future = self.out[number % len(self.out)]
        if isinstance(how, asyncio.CancelledError):
            future.cancel()
        elif isinstance(how, BaseException):
            future.set_exception(how)
        else:
            future.set_result(how)


ends: list[End] = [
    BAD,
    None,
    ValueError(),
    asyncio.CancelledError(),  # of something inside the service's client
    *(NoAnswerError(outcome, again_in) for outcome in Outcome for again_in in (None, 5.0)),
]
happenings = st.lists(
    st.tuples(
        st.sampled_from(["ask", "ask", "answer", "answer", "answer", "wait", "go away", "turn"]),
        st.integers(0, 9),
        st.sampled_from(ends),
    ),
    max_size=40,
)


class Play:
    """Does to an enricher whatever happens."""

    def __init__(self, services: Scene) -> None:
        self._services = services
        self._waiters: list[asyncio.Task[Inquiry]] = []
        self._wild = [Wild(), Wild()]
        for source, say in zip(services.sources, self._wild, strict=False):
            source.say = say

    def happen(self, what: str, number: int, how: End) -> None:
        """One thing."""
        if what == "ask":
            self._waiters.append(asyncio.create_task(self._ask(number)))
        elif what == "answer":
            self._wild[number % 2].answer(number, how)
        elif what == "wait":
            self._services.hands.advance(number * 2.0)
        elif what == "go away" and self._waiters:
            self._waiters[number % len(self._waiters)].cancel()

    async def close(self) -> None:
        """Stop everything that is under way."""
        await self._services.enricher.close()
        await asyncio.gather(*self._waiters, return_exceptions=True)

    async def finish(self) -> None:
        """Let everything end by itself."""
        while len(self._services.enricher._flights) or not all(each.done() for each in self._waiters):
            for each in self._wild:
                each.answer(0, BAD)
            await asyncio.sleep(0.0001)

    async def _ask(self, number: int) -> Inquiry:
        asked = enquiry(*INDICATORS[: 1 + number % 3], by=ORGS[number % 4])
        return await done(await self._services.enricher.enquire(asked))


@few
@given(happenings, st.booleans())
def test_whatever_happens_no_task_no_key_and_no_slot_is_left(
    template: Path, happening: list[tuple[str, int, End]], closes: bool
) -> None:
    async def play() -> None:
        async with scene(template) as services:
            game = Play(services)
            for each in happening:
                game.happen(*each)
                await asyncio.sleep(0)
            await (game.close() if closes else game.finish())
            nothing_is_left(services.enricher, services.hands)

    asyncio.run(play())
