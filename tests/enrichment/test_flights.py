"""Questions under way: each asked once, owned by nobody who waits, and gone without a trace."""

import asyncio
from collections.abc import Sequence

import pytest

from bot.enrichment.flights import Flight, Flights, Question
from bot.enrichment.places import GONE, Answer
from bot.findings import Finding, Outcome, Report
from bot.indicators import Indicator
from bot.providers.spec import Budget
from bot.services import Inquiry
from tests.enrichment.parts import (
    BAD,
    GROUPIB,
    HASH,
    KASPERSKY,
    Bench,
    digest,
    done,
    enquiry,
    hung,
    landed,
    nothing_is_left,
    plain,
    reached,
)
from tests.strategies import HOST

QUESTION = Question(HOST, "virustotal", HASH)
FOUND = Answer(Outcome.FOUND, BAD)


class Door:
    """A source that answers when the test lets it."""

    def __init__(self) -> None:
        self.open = asyncio.Event()

    async def __call__(self, _: Indicator) -> Report | None:
        await self.open.wait()
        return BAD


async def test_fifty_who_ask_the_same_at_the_same_time_are_one_question(bench: Bench) -> None:
    source = plain(budget=Budget(per_day=500))
    enricher = await bench.open(source)

    async def ask() -> Inquiry:
        return await done(await enricher.enquire(enquiry()))

    inquiries = await asyncio.gather(*(ask() for _ in range(50)))

    assert source.asked == [HASH]
    assert {each.findings[0].outcome for each in inquiries} == {Outcome.FOUND}
    assert [each.used for each in await enricher.standing(HOST)] == [1]


async def test_who_comes_later_joins_what_is_under_way(bench: Bench) -> None:
    door = Door()
    source = plain(say=door)
    enricher = await bench.open(source)
    first = await enricher.enquire(enquiry())
    await reached(lambda: source.asked)

    second = await enricher.enquire(enquiry(on_purpose=True))
    door.open.set()

    assert (await done(second)).findings == (await done(first)).findings
    assert source.asked == [HASH]


async def test_other_organisations_services_and_values_are_other_questions(bench: Bench) -> None:
    one, other = plain("one", Door()), plain("other", Door())
    enricher = await bench.open(one, other)

    for org in (HOST, KASPERSKY):
        await enricher.enquire(enquiry(HASH, digest(2), by=org))
    await reached(lambda: len(other.asked) == 4)

    assert one.asked == other.asked == [HASH, digest(2)] * 2


async def test_what_lands_while_the_store_is_read_is_not_asked_again(bench: Bench) -> None:
    source = plain()
    enricher = await bench.open(source)
    read = bench.store.findings

    async def slow(org: str, indicators: Sequence[Indicator]) -> list[Finding]:
        found = await read(org, indicators)
        await done(first)
        await landed(enricher)
        return found

    first = await enricher.enquire(enquiry())
    await reached(lambda: source.asked)
    bench.store.findings = slow  # type: ignore[method-assign]  # a store that answers late

    second = await enricher.enquire(enquiry())

    assert second.is_done
    assert second.findings == first.findings
    assert source.asked == [HASH]


async def test_a_waiter_that_goes_away_leaves_the_question_under_way_for_the_next(bench: Bench) -> None:
    door = Door()
    source = plain(say=door)
    enricher = await bench.open(source)
    waiter = asyncio.create_task(done(await enricher.enquire(enquiry())))
    await reached(lambda: source.asked)

    waiter.cancel()
    await asyncio.wait([waiter])
    door.open.set()
    await landed(enricher)

    inquiry = await enricher.enquire(enquiry())
    assert inquiry.is_done
    assert inquiry.findings[0].report == BAD
    assert source.asked == [HASH]


async def test_who_gave_up_at_the_deadline_finds_the_answer_the_next_time(bench: Bench) -> None:
    door = Door()
    source = plain(say=door, seconds=20.0)
    enricher = await bench.open(source)
    inquiry = await enricher.enquire(enquiry())
    await reached(lambda: source.asked)

    bench.hands.advance(8.0)
    assert inquiry.findings[0].outcome is Outcome.TIMEOUT
    door.open.set()
    await landed(enricher)

    assert inquiry.findings[0].outcome is Outcome.TIMEOUT
    assert (await enricher.enquire(enquiry())).findings[0].outcome is Outcome.FOUND


async def test_closing_ends_every_question_and_tells_who_waits(bench: Bench) -> None:
    source = plain(say=hung)
    enricher = await bench.open(source)
    inquiry = await enricher.enquire(enquiry(HASH, digest(2)))
    waiter = asyncio.create_task(done(inquiry))
    await reached(lambda: len(source.asked) == 2)

    await enricher.close()
    await waiter
    after = await enricher.enquire(enquiry(digest(3)))

    assert {each.outcome for each in (*inquiry.findings, *after.findings)} == {Outcome.UNAVAILABLE}
    assert len(source.asked) == 2
    nothing_is_left(enricher, bench.hands)


async def test_a_question_that_was_cancelled_can_be_asked_again_after_a_restart(bench: Bench) -> None:
    first = await bench.open(plain(say=hung, budget=Budget(per_day=5)))
    await first.enquire(enquiry())
    await first.close()
    second = await bench.open(plain(budget=Budget(per_day=5)))

    inquiry = await done(await second.enquire(enquiry()))

    assert inquiry.findings[0].outcome is Outcome.FOUND


async def test_one_organisation_with_too_many_questions_stands_in_nobodys_way() -> None:
    flights, heard = Flights(most=2), list[Answer]()

    async def fly(flight: Flight) -> None:
        flight.land(FOUND)

    for org, number in [(HOST, 1), (HOST, 2), (HOST, 3), (HOST, 1), (GROUPIB, 1)]:
        flights.join(Question(org, "virustotal", digest(number)), fly, heard.append)
    assert heard == [GONE]
    await reached(lambda: not len(flights))
    flights.join(Question(HOST, "virustotal", digest(3)), fly, heard.append)
    await reached(lambda: not len(flights))

    assert heard == [GONE, *[FOUND] * 5]


async def test_a_flight_that_ends_without_an_answer_is_told_and_logged_without_words(
    caplog: pytest.LogCaptureFixture,
) -> None:
    flights, heard = Flights(), list[Answer]()

    async def crash(_: Flight) -> None:
        raise ZeroDivisionError("CANARY")

    flights.join(QUESTION, crash, heard.append)
    await reached(lambda: not len(flights))

    assert heard == [GONE]
    assert "ZeroDivisionError" in caplog.text
    assert "CANARY" not in caplog.text
