"""An enquiry under way: what is known now, and how to wait for more of it."""

import asyncio

import pytest

from bot.enquiries import Permit
from bot.enrichment.places import BLOCKED, Answer, Place
from bot.enrichment.underway import Underway
from bot.findings import Finding, Outcome
from bot.tlp import Label
from tests.enrichment.parts import BAD, HASH, Hands, plain
from tests.strategies import NOW

FOUND = Answer(Outcome.FOUND, BAD, NOW)
OLD = Finding(indicator=HASH, provider="p1", title="P1", outcome=Outcome.FOUND, report=BAD, fetched_at=NOW)


def place(number: int, kept: Finding | None = None) -> Place:
    return Place(HASH, plain(f"p{number}").spec, Permit(True, "", Label.GREEN), kept)


def outcomes(underway: Underway) -> list[Outcome]:
    return [each.outcome for each in underway.findings]


async def soon(underway: Underway) -> bool:
    """Whether waiting for a change ends now."""
    task = asyncio.create_task(underway.changed())
    for _ in range(5):
        await asyncio.sleep(0)
    if not task.done():
        task.cancel()
        await asyncio.wait([task])
        return False
    return True


async def test_every_place_is_there_from_the_start_in_its_order() -> None:
    underway = Underway(Hands(), 1008.0)
    underway.know(place(0), BLOCKED)
    hear = underway.expect(place(1))
    underway.know(place(2), FOUND)
    underway.begin()

    assert outcomes(underway) == [Outcome.BLOCKED, Outcome.PENDING, Outcome.FOUND]
    assert not underway.is_done
    hear(FOUND)
    assert outcomes(underway) == [Outcome.BLOCKED, Outcome.FOUND, Outcome.FOUND]
    assert underway.is_done


async def test_what_was_known_at_the_start_is_no_news_and_what_comes_before_anybody_waits_is() -> None:
    underway = Underway(Hands(), 1008.0)
    underway.expect(place(0))(FOUND)
    hear, _ = underway.expect(place(1)), underway.expect(place(2))
    underway.begin()

    assert not await soon(underway)
    hear(FOUND)
    assert await soon(underway)
    assert not await soon(underway)


async def test_several_changes_are_one_to_who_comes_late() -> None:
    underway = Underway(Hands(), 1008.0)
    hears = [underway.expect(place(number)) for number in range(4)]
    underway.begin()

    for hear in hears[:3]:
        hear(FOUND)

    assert await soon(underway)
    assert outcomes(underway) == [*[Outcome.FOUND] * 3, Outcome.PENDING]
    assert not await soon(underway)


async def test_all_who_wait_hear_of_a_change() -> None:
    underway = Underway(Hands(), 1008.0)
    hear, _ = underway.expect(place(0)), underway.expect(place(1))
    underway.begin()
    waiters = [asyncio.create_task(underway.changed()) for _ in range(3)]
    await asyncio.sleep(0)

    hear(FOUND)

    await asyncio.gather(*waiters)


async def test_nobody_waits_for_what_is_done() -> None:
    underway = Underway(Hands(), 1008.0)
    underway.know(place(0), FOUND)
    underway.begin()

    assert await soon(underway)
    assert await soon(underway)


@pytest.mark.parametrize(("kept", "report"), [(None, None), (OLD, BAD)])
async def test_at_the_deadline_what_is_out_has_timed_out_and_later_answers_change_nothing(
    kept: Finding | None, report: object
) -> None:
    hands = Hands()
    underway = Underway(hands, 1008.0)
    late = underway.expect(place(1, kept))
    underway.begin()

    hands.advance(7.9)
    assert not await soon(underway)
    hands.advance(0.1)
    assert await soon(underway)

    late(FOUND)
    [finding] = underway.findings
    assert underway.is_done
    assert (finding.outcome, finding.report) == (Outcome.TIMEOUT, report)


async def test_no_timer_is_left_when_all_have_answered() -> None:
    hands = Hands()
    underway = Underway(hands, 1008.0)
    hear = underway.expect(place(0))
    underway.begin()
    assert hands.waiting == 1

    hear(FOUND)

    assert hands.waiting == 0
