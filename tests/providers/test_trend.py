"""Trend's list is held here, read again and again, and nobody is asked about a value."""

import asyncio
import logging
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from bot.findings import Outcome
from bot.indicators import Indicator, Kind
from bot.providers.options import Options
from bot.providers.remote import Reply, Request
from bot.providers.spec import NoAnswerError
from bot.providers.suspicious_objects import PATH
from bot.providers.trend import Trend
from bot.providers.wire import HttpWire
from bot.sandbox.services.trend import TrendVisionOne
from bot.sandbox.services.troubles import Trouble
from bot.secret import Secret
from bot.tlp import Label
from bot.verdicts import Verdict
from tests.providers.lists import (
    ELSEWHERE,
    HOUR,
    KEY,
    NOW,
    Nap,
    Script,
    address,
    facts,
    failure,
    in_turn,
    listed,
    made,
    page,
)
from tests.providers.replies import assert_bounded, reply


@pytest.fixture
async def fake() -> AsyncIterator[TrendVisionOne]:
    service = TrendVisionOne({str(n): listed(address(n)) for n in range(1, 52)})
    await service.start()
    yield service
    assert service.mistakes == []
    await service.stop()


@pytest.fixture
def nap() -> Nap:
    return Nap()


def through_http(fake: TrendVisionOne, nap: Nap) -> Trend:
    options = Options(key=Secret(fake.key), url=fake.url)
    return made(HttpWire(fake.url, connections=1, seconds=0.5), nap, options=options)


# What is answered.


async def test_a_question_is_answered_from_the_list_and_nobody_is_asked(
    fake: TrendVisionOne, nap: Nap
) -> None:
    source = through_http(fake, nap)
    await source.open()
    await nap.begins()

    found, missing = await source.ask(address(1)), await source.ask(ELSEWHERE)

    assert found is not None
    assert (found.verdict, facts(found)["list of"]) == (Verdict.MALICIOUS, "2026-06-01 12:00 UTC")
    assert missing is None
    assert [call.path for call in fake.calls] == [PATH]
    await source.close()


async def test_a_list_of_several_pages_is_read_whole(fake: TrendVisionOne, nap: Nap) -> None:
    fake.records = {str(n): listed(Indicator(Kind.IPV4, f"198.51.{n // 200}.{n % 200}")) for n in range(450)}
    source = through_http(fake, nap)
    await source.open()
    await nap.begins()

    assert await source.ask(Indicator(Kind.IPV4, "198.51.2.49")) is not None
    assert [call.value for call in fake.calls] == ["0", "200", "400"]
    await source.close()


async def test_what_it_declares() -> None:
    spec = made(Script(in_turn()), Nap()).spec

    assert (spec.name, spec.asks_nobody, spec.label) == ("trend", True, Label.AMBER)
    assert spec.kinds == {
        *(Kind.SHA1, Kind.SHA256, Kind.IPV4, Kind.IPV6, Kind.DOMAIN, Kind.URL, Kind.EMAIL),
    }
    assert Kind.MD5 not in spec.kinds  # the list holds none, so there would never be an answer
    assert made(Script(in_turn()), Nap(), options=Options(label=Label.GREEN)).spec.label is Label.GREEN


async def test_before_the_first_list_there_is_no_answer(nap: Nap) -> None:
    source = made(Script(in_turn(Reply(503, {}, b""), page(address(1)))), nap)

    assert await failure(source) is Outcome.UNAVAILABLE
    await source.open()
    await nap.begins()
    assert await failure(source) is Outcome.UNAVAILABLE
    await nap.wake()
    assert await source.ask(ELSEWHERE) is None
    await source.close()


async def test_opening_waits_for_nothing_far_away(nap: Nap) -> None:
    class Hung(Script):
        async def send(self, request: Request) -> Reply:
            await asyncio.Event().wait()
            return self.answer(request)

    wire = Hung(in_turn())
    source = made(wire, nap)

    async with asyncio.timeout(5):
        await source.open()
        await asyncio.sleep(0)
        assert await failure(source) is Outcome.UNAVAILABLE
        await source.close()
    assert wire.is_closed


async def test_closing_without_opening_is_no_mistake(nap: Nap) -> None:
    wire = Script(in_turn())

    await made(wire, nap).close()

    assert wire.is_closed


# Reading again.


async def test_the_list_is_read_again_at_every_interval_and_replaced_as_a_whole(nap: Nap) -> None:
    source = made(Script(in_turn(page(address(1)), page(address(2)))), nap)
    await source.open()

    assert await nap.begins() == 3600.0
    assert await source.ask(address(1)) is not None
    assert await nap.wake() == 3600.0

    assert await source.ask(address(1)) is None
    assert facts(await source.ask(address(2)))["list of"] == "2026-06-01 13:00 UTC"
    await source.close()


@pytest.mark.parametrize(("jitter", "waited"), [(0.0, 3240.0), (1.0, 3960.0)])
async def test_not_everybody_reads_in_the_same_second(nap: Nap, jitter: float, waited: float) -> None:
    wire = Script(in_turn(page()))
    source = Trend(Options(key=KEY), wire, clock=nap.clock, sleep=nap.sleep, jitter=lambda: jitter)
    await source.open()

    assert await nap.begins() == pytest.approx(waited)
    await source.close()


async def test_failures_are_followed_by_longer_and_longer_waits_and_success_ends_them(nap: Nap) -> None:
    down = Reply(500, {}, b"")
    source = made(Script(in_turn(*[down] * 9, page(), down)), nap)
    await source.open()

    waits = [await nap.begins()] + [await nap.wake() for _ in range(10)]

    assert waits == [30.0, 60.0, 120.0, 240.0, 480.0, 960.0, 1920.0, 3600.0, 3600.0, 3600.0, 30.0]
    await source.close()


HARMLESS = {Trouble.SLOW, Trouble.HOSTILE}  # a whole list all the same


@pytest.mark.parametrize(
    "trouble", [one for one in Trouble if one not in HARMLESS], ids=lambda one: str(one.name)
)
async def test_whatever_goes_wrong_the_last_good_list_stays(
    fake: TrendVisionOne, nap: Nap, trouble: Trouble, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    source = through_http(fake, nap)
    await source.open()
    await nap.begins()
    fake.trouble, fake.retry_after, fake.elsewhere = trouble, 7200, fake.url

    waited = await nap.wake()

    assert waited == (7200.0 if trouble in (Trouble.QUOTA, Trouble.UNAVAILABLE_JSON) else 30.0)
    assert facts(await source.ask(address(1)))["list of"] == "2026-06-01 12:00 UTC"
    assert fake.key not in caplog.text
    assert "192.0.2." not in caplog.text
    await source.close()


async def test_hostile_texts_on_the_list_stay_short_and_sendable(fake: TrendVisionOne, nap: Nap) -> None:
    fake.records = {"1": {**listed(address(1)), "description": "of the tenant"}}
    fake.trouble = Trouble.HOSTILE
    source = through_http(fake, nap)
    await source.open()
    await nap.begins()

    report = await source.ask(address(1))

    assert report is not None
    assert_bounded(report)
    await source.close()


async def test_half_a_list_never_takes_the_place_of_a_whole_one(nap: Nap) -> None:
    wire = Script(
        in_turn(page(address(1)), page(address(2), following="skipToken=2"), NoAnswerError(Outcome.TIMEOUT))
    )
    source = made(wire, nap)
    await source.open()
    await nap.begins()

    await nap.wake()

    assert await source.ask(address(1)) is not None
    assert await source.ask(address(2)) is None
    assert wire.asked[-1] == f"{PATH}?skipToken=2"
    await source.close()


async def test_a_list_of_which_nothing_can_be_read_is_no_list(nap: Nap) -> None:
    source = made(Script(in_turn(page(address(1)), reply({"items": [{"kind": "ip"}]}))), nap)
    await source.open()
    await nap.begins()

    assert await nap.wake() == 30.0
    assert await source.ask(address(1)) is not None
    await source.close()


async def test_an_old_list_says_so_and_does_not_speak_of_what_it_does_not_hold(nap: Nap) -> None:
    down = Reply(500, {}, b"")
    source = made(Script(in_turn(page(address(1)), *[down] * 20)), nap)
    await source.open()
    await nap.begins()

    nap.now = NOW + 3 * HOUR
    assert facts(await source.ask(address(1)))["list of"] == "2026-06-01 12:00 UTC"
    assert await source.ask(ELSEWHERE) is None
    nap.now += timedelta(seconds=1)

    assert facts(await source.ask(address(1)))["list of"] == (
        "2026-06-01 12:00 UTC (old: a newer one could not be read)"
    )
    assert await failure(source) is Outcome.UNAVAILABLE
    await source.close()


async def test_an_entry_expires_also_between_two_readings(nap: Nap) -> None:
    answer = {"items": [{**listed(address(1)), "expiredDateTime": "2026-06-01T12:30:00Z"}]}
    source = made(Script(in_turn(reply(answer))), nap)
    await source.open()
    await nap.begins()
    before = await source.ask(address(1))
    nap.now += timedelta(minutes=30)
    after = await source.ask(address(1))

    assert [each and each.verdict for each in (before, after)] == [Verdict.MALICIOUS, Verdict.UNKNOWN]
    await source.close()


async def test_a_mistake_of_ours_does_not_end_the_reading(nap: Nap, caplog: pytest.LogCaptureFixture) -> None:
    source = made(Script(in_turn(ZeroDivisionError("CANARY"), page(address(1)))), nap)
    await source.open()

    assert await nap.begins() == 30.0
    await nap.wake()
    assert await source.ask(address(1)) is not None
    assert "ZeroDivisionError" in caplog.text
    assert "CANARY" not in caplog.text
    await source.close()
