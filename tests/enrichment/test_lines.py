"""One service in trouble changes nothing for the others, and costs nothing that was not asked."""

import asyncio
from datetime import datetime, timedelta

import pytest

from bot.enrichment.slots import Slots
from bot.errors import UnavailableError
from bot.findings import Finding, Outcome, Report
from bot.indicators import Indicator
from bot.providers.spec import Budget, NoAnswerError
from tests.enrichment.parts import (
    HASH,
    KASPERSKY,
    TREND,
    Bench,
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
from tests.strategies import HOST, NOW, PARTNERS

SICK = frozenset(digest(number) for number in range(8))


async def sometimes(indicator: Indicator) -> Report | None:
    """Hangs for some of them."""
    return await (hung if indicator in SICK else found)(indicator)


async def test_eight_hung_questions_hold_up_no_other_at_the_same_service(bench: Bench) -> None:
    enricher = await bench.open(plain(say=sometimes))
    stuck = await enricher.enquire(enquiry(*SICK))

    inquiry = await done(await enricher.enquire(enquiry(*map(digest, range(8, 68)))))

    assert [each.outcome for each in inquiry.findings] == [Outcome.FOUND] * 60
    assert bench.hands.time() == 1000.0
    assert not stuck.is_done


async def test_a_hung_service_holds_up_no_other(bench: Bench) -> None:
    enricher = await bench.open(plain("hung", hung, at_once=1), plain("well"))

    inquiry = await enricher.enquire(enquiry(*map(digest, range(20))))
    await reached(lambda: sum(each.outcome is Outcome.FOUND for each in inquiry.findings) == 20)
    assert not inquiry.is_done
    bench.hands.advance(6.0)
    await done(inquiry)

    assert {each.outcome for each in inquiry.findings if each.provider == "hung"} == {Outcome.TIMEOUT}


async def test_no_more_than_so_many_are_asked_at_once_and_waiting_counts(bench: Bench) -> None:
    source = plain(say=hung, at_once=3, budget=Budget(per_day=100))
    enricher = await bench.open(source)

    inquiry = await enricher.enquire(enquiry(*map(digest, range(10))))
    await reached(lambda: len(source.asked) == 3)
    bench.hands.advance(6.0)
    await done(inquiry)
    await landed(enricher)

    assert len(source.asked) == 3
    assert {each.outcome for each in inquiry.findings} == {Outcome.TIMEOUT}
    [standing] = await enricher.standing(HOST)
    assert standing.used == 3


async def test_however_much_one_organisation_asks_others_are_answered_at_once(bench: Bench) -> None:
    theirs = frozenset(digest(number) for number in range(1000, 1300))

    async def slow(indicator: Indicator) -> Report | None:
        return await (hung if indicator in theirs else found)(indicator)

    source = plain(say=slow, at_once=100)
    enricher = await bench.open(source)
    await enricher.enquire(enquiry(*theirs, by=KASPERSKY))
    await reached(lambda: len(source.asked) == 75)

    for org in (HOST, TREND):
        inquiry = await done(await enricher.enquire(enquiry(*map(digest, range(60)), by=org)))
        assert {each.outcome for each in inquiry.findings} == {Outcome.FOUND}

    assert bench.hands.time() == 1000.0
    assert len(set(source.asked) & theirs) == 75


async def test_organisations_get_slots_in_turn(bench: Bench) -> None:
    slots = Slots(2)
    for org in "aa":
        await slots.acquire(org)
    got: list[str] = []

    async def wait(org: str) -> None:
        await slots.acquire(org)
        got.append(org)

    waiting = [asyncio.create_task(wait(org)) for org in "aaaabbc"]
    await asyncio.sleep(0)
    for held in "aaabca":
        slots.release(held)
        await asyncio.sleep(0)

    assert "".join(got) == "abcaba"
    waiting[3].cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    slots.release("a")
    slots.release("b")
    assert len(slots) == 2


async def test_a_slot_that_came_too_late_is_given_on(bench: Bench) -> None:
    slots = Slots(1)
    await slots.acquire("a")
    late, next_one = asyncio.create_task(slots.acquire("b")), asyncio.create_task(slots.acquire("c"))
    await asyncio.sleep(0)
    slots.release("a")
    late.cancel()

    await next_one
    assert late.cancelled()
    assert len(slots) == 0
    slots.release("c")
    assert len(slots) == 1


async def test_a_service_that_fails_is_left_alone_and_that_costs_nothing(bench: Bench) -> None:
    source = plain(say=failing(NoAnswerError(Outcome.BAD_ANSWER)), budget=Budget(per_day=100))
    enricher = await bench.open(source)
    for number in range(5):
        await done(await enricher.enquire(enquiry(digest(number))))

    [refused] = (await done(await enricher.enquire(enquiry()))).findings

    assert refused.outcome is Outcome.UNAVAILABLE
    assert refused.again_at is not None
    assert NOW + timedelta(seconds=12) <= refused.again_at <= NOW + timedelta(seconds=15)
    assert len(source.asked) == 5
    [standing] = await enricher.standing(HOST)
    assert (standing.used, standing.last_error, standing.again_at) == (
        5,
        Outcome.BAD_ANSWER,
        refused.again_at,
    )

    bench.hands.advance(15.0)
    source.say = missing
    [finding] = (await done(await enricher.enquire(enquiry()))).findings
    assert finding.outcome is Outcome.NOT_FOUND


async def test_questions_that_a_service_does_not_take_close_it_for_nobody(bench: Bench) -> None:
    """Else somebody who asks it about five names that it calls invalid would silence it for everybody."""
    source = plain(say=failing(NoAnswerError(Outcome.BAD_ANSWER, of_question=True)))
    enricher = await bench.open(source)
    await done(await enricher.enquire(enquiry(*map(digest, range(20)), by=KASPERSKY)))

    source.say = found
    [finding] = (await done(await enricher.enquire(enquiry()))).findings

    assert finding.outcome is Outcome.FOUND


async def test_who_waited_for_a_slot_until_the_service_failed_does_not_ask_it(bench: Bench) -> None:
    source = plain(say=failing(NoAnswerError(Outcome.AUTH)), at_once=1)
    enricher = await bench.open(source)

    inquiry = await done(await enricher.enquire(enquiry(HASH, digest(2), digest(3))))

    assert [each.outcome for each in inquiry.findings] == [Outcome.AUTH] * 3
    assert source.asked == [HASH]


async def test_a_trial_without_budget_is_none(bench: Bench) -> None:
    source = plain(say=failing(NoAnswerError(Outcome.AUTH)), budget=Budget(per_day=1))
    enricher = await bench.open(source)
    await done(await enricher.enquire(enquiry(on_purpose=True)))
    bench.hands.advance(600.0)

    for number in (2, 3):
        [finding] = (await done(await enricher.enquire(enquiry(digest(number), on_purpose=True)))).findings
        assert finding.outcome is Outcome.QUOTA
    assert finding.again_at == datetime(2026, 6, 2, tzinfo=NOW.tzinfo)
    assert source.asked == [HASH]


async def test_a_used_up_share_is_one_organisations_trouble_only(bench: Bench) -> None:
    source = plain(budget=Budget(per_day=25))
    enricher = await bench.open(source)

    of_partner = await done(await enricher.enquire(enquiry(*map(digest, range(5)), by=KASPERSKY)))
    of_host = await done(await enricher.enquire(enquiry(*map(digest, range(10)))))

    assert [each.outcome for each in of_partner.findings] == [Outcome.FOUND] * 2 + [Outcome.QUOTA] * 3
    assert [each.outcome for each in of_host.findings] == [Outcome.FOUND] * 10


async def test_the_reserve_is_for_questions_on_purpose(bench: Bench) -> None:
    enricher = await bench.open(plain(budget=Budget(per_day=25)))  # 15 of the host, 5 of them in reserve

    usual = await done(await enricher.enquire(enquiry(*map(digest, range(12)))))
    urgent = await done(await enricher.enquire(enquiry(*map(digest, range(20, 27)), on_purpose=True)))

    assert [each.outcome for each in usual.findings] == [Outcome.FOUND] * 10 + [Outcome.QUOTA] * 2
    assert [each.outcome for each in urgent.findings] == [Outcome.FOUND] * 5 + [Outcome.QUOTA] * 2


async def test_who_joins_on_purpose_brings_the_reserve_along(bench: Bench) -> None:
    source = plain(budget=Budget(per_day=25), at_once=1)
    enricher = await bench.open(source)
    await done(await enricher.enquire(enquiry(*map(digest, range(10)))))
    source.say = hung
    await enricher.enquire(enquiry(digest(50), on_purpose=True))  # the only slot
    await reached(lambda: len(source.asked) == 11)

    usual = await enricher.enquire(enquiry(digest(60)))
    urgent = await enricher.enquire(enquiry(digest(60), on_purpose=True))
    source.say = found
    bench.hands.advance(5.9)
    [first, *_] = [flight for flight, _ in enricher._flights._flights.values()]
    enricher._flights._flights[first.question][1].cancel()  # the slot is free again

    assert (await done(urgent)).findings[0].outcome is Outcome.FOUND
    assert (await done(usual)).findings == urgent.findings


async def test_where_there_is_too_little_for_all_partners_take_turns(bench: Bench) -> None:
    source = plain(budget=Budget(per_minute=4), fresh_found=timedelta(0))
    enricher = await bench.open(source)

    async def everybody() -> list[Finding]:
        """Each asks for more than there is."""
        inquiries = [
            await done(await enricher.enquire(enquiry(HASH, digest(2), digest(3), by=org, on_purpose=True)))
            for org in (HOST, *PARTNERS)
        ]
        await landed(enricher)
        return [finding for inquiry in inquiries for finding in inquiry.findings]

    answered = []
    for _ in range(6):
        told = await everybody()
        answered.append(sum(each.outcome is Outcome.FOUND for each in told))
        later = [each.again_at for each in told if each.outcome is Outcome.QUOTA]
        assert all(each is not None and each > bench.steady() for each in later)
        bench.steady.move(minutes=1)
    assert answered == [4, 2, 4, 2, 3, 2]  # two of them are the host's


@pytest.mark.parametrize("say", [found, missing])
async def test_without_the_store_to_count_nobody_is_asked(bench: Bench, say: object) -> None:
    source = plain(say=say, budget=Budget(per_day=5))  # type: ignore[arg-type]  # one of the two
    enricher = await bench.open(source)

    async def closed(*_: object, **__: object) -> datetime | None:
        raise UnavailableError("The store is closed.")

    bench.store.spend = closed  # type: ignore[method-assign]  # a store in trouble
    inquiry = await done(await enricher.enquire(enquiry()))

    assert inquiry.findings[0].outcome is Outcome.UNAVAILABLE
    assert source.asked == []


async def test_a_store_that_hangs_while_counting_ends_at_the_deadline_of_the_question(bench: Bench) -> None:
    source = plain(budget=Budget(per_day=5))
    enricher = await bench.open(source)

    async def stuck(*_: object, **__: object) -> datetime | None:
        await asyncio.get_running_loop().create_future()
        return None

    bench.store.spend = stuck  # type: ignore[method-assign]  # a store in trouble
    inquiry = await enricher.enquire(enquiry())
    await reached(lambda: bench.hands.waiting == 2)  # of the enquiry and of the question
    await asyncio.sleep(0)
    bench.hands.advance(6.0)

    assert (await done(inquiry)).findings[0].outcome is Outcome.UNAVAILABLE


@pytest.mark.parametrize("days", [-400, -1, 1, 400])
async def test_setting_the_wall_clock_gives_no_budget_back_nor_takes_any(bench: Bench, days: int) -> None:
    enricher = await bench.open(plain(budget=Budget(per_day=25)))  # 10 of the host's usual ones
    await done(await enricher.enquire(enquiry(*map(digest, range(8)))))

    bench.clock.move(days=days)
    inquiry = await done(await enricher.enquire(enquiry(*map(digest, range(10, 14)))))

    assert [each.outcome for each in inquiry.findings] == [Outcome.FOUND] * 2 + [Outcome.QUOTA] * 2
    assert inquiry.findings[-1].again_at == datetime(2026, 6, 2, tzinfo=NOW.tzinfo)


async def test_budgets_return_with_time_that_really_passes(bench: Bench) -> None:
    enricher = await bench.open(plain(budget=Budget(per_day=25)))
    await done(await enricher.enquire(enquiry(*map(digest, range(10)))))

    bench.steady.move(hours=12)
    [finding] = (await done(await enricher.enquire(enquiry(digest(10))))).findings

    assert finding.outcome is Outcome.FOUND
