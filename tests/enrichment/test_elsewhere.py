"""What one replica asks no other asks at the same time, and what one hears all know."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any

import pytest

from bot.enrichment.elsewhere import EXTRA_SECONDS, LONGEST_NAP
from bot.enrichment.enricher import Enricher
from bot.findings import Finding, Outcome, Report
from bot.indicators import Indicator
from bot.providers.spec import Budget, NoAnswerError
from bot.services import Inquiry
from bot.store.sqlite import SqliteStore
from tests.enrichment.parts import (
    BAD,
    HASH,
    REGISTRY,
    Clock,
    Hands,
    Plain,
    digest,
    done,
    enquiry,
    failing,
    found,
    hung,
    landed,
    missing,
    plain,
    reached,
)
from tests.strategies import HOST, PARTNERS


class Replicas:
    """Several enrichers, each with a store of its own on the same file."""

    def __init__(self, folder: Path) -> None:
        self.clock, self.hands = Clock(), Hands()
        self._path = folder / "store.db"
        self._open: list[tuple[Enricher, SqliteStore]] = []

    async def add(self, source: Plain) -> Enricher:
        store = SqliteStore(self._path, self.clock)
        await store.open()
        enricher = Enricher(
            [source], store, REGISTRY, clock=self.clock, steady=self.clock, timer=self.hands, deadline=1e6
        )
        self._open.append((enricher, store))
        await enricher.open()
        return enricher

    async def pass_by(self, seconds: float) -> None:
        """Let so much time pass, a little at a time, and everybody do what they do in it."""
        for _ in range(round(seconds / LONGEST_NAP)):
            self.clock.move(seconds=LONGEST_NAP)
            self.hands.advance(LONGEST_NAP)
            await asyncio.sleep(0.01)

    async def until_done(self, *inquiries: Inquiry) -> None:
        while not all(each.is_done for each in inquiries):
            await self.pass_by(LONGEST_NAP)

    async def close(self) -> None:
        for enricher, store in self._open:
            await enricher.close()
            await store.close()


@pytest.fixture
async def replicas(tmp_path: Path) -> AsyncIterator[Replicas]:
    made = Replicas(tmp_path)
    yield made
    await made.close()


class Door:
    """A source that answers, or fails, when the test lets it."""

    def __init__(self, error: Exception | None = None) -> None:
        self.open, self._error = asyncio.Event(), error

    async def __call__(self, _: Indicator) -> Report | None:
        await self.open.wait()
        if self._error is not None:
            raise self._error
        return BAD


async def test_four_replicas_asked_the_same_at_once_ask_once(replicas: Replicas) -> None:
    door = Door()
    sources = [plain(say=door, budget=Budget(per_day=500)) for _ in range(4)]
    enrichers = [await replicas.add(source) for source in sources]

    inquiries = [await each.enquire(enquiry()) for each in enrichers]
    await reached(lambda: sum(len(source.asked) for source in sources))
    await replicas.pass_by(1)
    door.open.set()
    await replicas.until_done(*inquiries)

    assert sum(len(source.asked) for source in sources) == 1
    assert [each.findings[0].outcome for each in inquiries] == [Outcome.FOUND] * 4
    assert [each.findings[0].report for each in inquiries] == [BAD] * 4
    assert [each.used for each in await enrichers[0].standing(HOST)] == [1]


async def test_a_failure_is_told_to_those_who_wait_and_not_repeated(replicas: Replicas) -> None:
    door = Door(NoAnswerError(Outcome.BAD_ANSWER))
    first, second = plain(say=door), plain(say=found)
    one, other = await replicas.add(first), await replicas.add(second)

    ours = await one.enquire(enquiry())
    await reached(lambda: first.asked)
    theirs = await other.enquire(enquiry())
    await replicas.pass_by(1)
    door.open.set()
    await replicas.until_done(ours, theirs)

    assert {each.findings[0].outcome for each in (ours, theirs)} == {Outcome.BAD_ANSWER}
    assert second.asked == []
    again = await other.enquire(enquiry())
    await replicas.until_done(again)
    assert again.findings[0].outcome is Outcome.FOUND


async def test_what_another_replica_has_just_found_is_not_asked(replicas: Replicas) -> None:
    first, second = plain(), plain()
    one, other = await replicas.add(first), await replicas.add(second)
    other._store.findings = _empty_once(other)  # type: ignore[assignment,method-assign]  # read before it was kept
    await done(await one.enquire(enquiry()))
    await landed(one)

    inquiry = await done(await other.enquire(enquiry()))

    assert inquiry.findings[0].report == BAD
    assert second.asked == []


def _empty_once(
    enricher: Enricher,
) -> Callable[[str, Sequence[Indicator]], Coroutine[Any, Any, list[Finding]]]:
    read, calls = enricher._store.findings, list[str]()

    async def findings(org: str, indicators: Sequence[Indicator]) -> list[Finding]:
        calls.append(org)
        return [] if len(calls) == 1 else await read(org, indicators)

    return findings


async def test_who_dies_while_asking_is_replaced_when_its_time_is_over(replicas: Replicas) -> None:
    first, second = plain(say=hung, seconds=10.0), plain(seconds=10.0)
    one, other = await replicas.add(first), await replicas.add(second)
    await one.enquire(enquiry())
    await reached(lambda: first.asked)
    one._elsewhere.end = _nothing  # type: ignore[assignment,method-assign]  # a killed process says no goodbye
    await one.close()

    inquiry = await other.enquire(enquiry())
    await replicas.pass_by(10 + EXTRA_SECONDS - 1)
    assert not inquiry.is_done
    assert second.asked == []
    await replicas.until_done(inquiry)

    assert second.asked == [HASH]
    assert inquiry.findings[0].outcome is Outcome.FOUND


async def _nothing(*_: object) -> None:
    """It is not said."""


async def test_who_stops_hands_its_questions_over_at_once(replicas: Replicas) -> None:
    first, second = plain(say=hung), plain()
    one, other = await replicas.add(first), await replicas.add(second)
    await one.enquire(enquiry())
    await reached(lambda: first.asked)

    await one.close()

    assert (await done(await other.enquire(enquiry()))).findings[0].outcome is Outcome.FOUND


async def test_another_organisations_question_is_asked_at_the_same_time(replicas: Replicas) -> None:
    first, second = plain(say=hung), plain(say=missing)
    one, other = await replicas.add(first), await replicas.add(second)
    await one.enquire(enquiry())
    await reached(lambda: first.asked)

    theirs = await done(await other.enquire(enquiry(by=PARTNERS[0])))

    assert theirs.findings[0].outcome is Outcome.NOT_FOUND


async def test_who_has_nothing_to_spend_keeps_nobody_from_spending_the_reserve(replicas: Replicas) -> None:
    sources = [plain(budget=Budget(per_day=10)) for _ in range(2)]
    one, other = [await replicas.add(source) for source in sources]
    for number in range(2, 6):  # the host's usual share
        await done(await one.enquire(enquiry(digest(number))))
    asked = len(sources[0].asked)

    refused, granted = await asyncio.gather(one.enquire(enquiry()), other.enquire(enquiry(on_purpose=True)))
    await replicas.until_done(refused, granted)

    assert asked == 4
    assert granted.findings[0].outcome is Outcome.FOUND


async def test_the_patience_a_service_asks_of_one_is_had_by_all(replicas: Replicas) -> None:
    first = plain(say=failing(NoAnswerError(Outcome.QUOTA, again_in=120.0)))
    second = plain()
    one, other = await replicas.add(first), await replicas.add(second)
    await done(await one.enquire(enquiry()))
    await landed(one)

    [told] = (await done(await other.enquire(enquiry(digest(2))))).findings

    assert told.outcome is Outcome.QUOTA
    assert second.asked == []
    await landed(other)
    replicas.clock.move(seconds=121)
    replicas.hands.advance(121)
    assert (await done(await other.enquire(enquiry(digest(2))))).findings[0].outcome is Outcome.FOUND


async def test_without_the_stores_leases_each_replica_asks(replicas: Replicas) -> None:
    source = plain()
    enricher = await replicas.add(source)
    await done(await enricher.enquire(enquiry()))
    await landed(enricher)
    _, store = replicas._open[0]

    async def broken(*_: object, **__: object) -> None:
        await store.close()
        await store.head()

    store.take_lease = broken  # type: ignore[assignment,method-assign]  # a store that fails
    inquiry = await done(await enricher.enquire(enquiry(digest(2))))

    assert inquiry.findings[0].outcome is Outcome.FOUND
