"""Every service in every trouble, through the real wires: what comes of it, and that it passes."""

import asyncio
import logging
import traceback
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager

import pytest

from bot.findings import Outcome, Report
from bot.indicators import Indicator, Kind
from bot.providers.hashlookup import Hashlookup
from bot.providers.malwarebazaar import MalwareBazaar
from bot.providers.opentip import OpenTip, Portal
from bot.providers.options import Options
from bot.providers.remote import Remote, Service, Wire
from bot.providers.spec import NoAnswerError, Source
from bot.providers.threatfox import ThreatFox
from bot.providers.urlhaus import URLhaus
from bot.providers.virustotal import VirusTotal
from bot.providers.vt_wire import VtWire
from bot.providers.wire import HttpWire
from bot.sandbox.services import Fakes, Trouble, start_all
from bot.sandbox.services.knowledge import DISPUTED, MALICIOUS
from bot.secret import Secret
from tests.providers.replies import assert_bounded

DEADLINE = 0.4  # seconds
SLACK = 1.0  # seconds that a busy machine may add

PROVIDERS = ("virustotal", "opentip", "portal", "hashlookup", "malwarebazaar", "threatfox", "urlhaus")

# What comes of each trouble, whichever service is in it.
EXPECTED = {
    Trouble.QUOTA: Outcome.QUOTA,  # 429, of Kaspersky 403
    Trouble.AUTH: Outcome.AUTH,
    Trouble.MALFORMED: Outcome.BAD_ANSWER,
    Trouble.HTML: Outcome.BAD_ANSWER,
    Trouble.SERVER_ERROR: Outcome.UNAVAILABLE,
    Trouble.UNAVAILABLE_JSON: Outcome.UNAVAILABLE,
    Trouble.EMPTY_204: Outcome.UNAVAILABLE,
    Trouble.SLOW: Outcome.FOUND,  # late, but in time
    Trouble.HUNG: Outcome.TIMEOUT,
    Trouble.DRIP: Outcome.TIMEOUT,
    Trouble.RESET: Outcome.UNAVAILABLE,
    Trouble.CUT_OFF: Outcome.UNAVAILABLE,
    Trouble.OVERSIZED: Outcome.BAD_ANSWER,
    Trouble.BOMB: Outcome.BAD_ANSWER,
    Trouble.HOSTILE: Outcome.FOUND,  # right, only nothing to be shown as it stands
    Trouble.REDIRECT: Outcome.BAD_ANSWER,  # and never followed
    Trouble.WRONG_TYPES: Outcome.BAD_ANSWER,
}


@pytest.fixture
async def fakes() -> AsyncIterator[Fakes]:
    started = await start_all()
    for fake in started.all:
        fake.slow_seconds = 0.05
        fake.retry_after = 77
    yield started
    await started.stop()


def fake_of(provider: str) -> str:
    """The portal is OpenTIP behind other paths."""
    return "opentip" if provider == "portal" else provider


def remote(provider: str, fakes: Fakes) -> Source:
    """The provider as the operator runs it, with the fake in the place of the real service."""
    fake = fakes[fake_of(provider)]
    options = Options(key=Secret(fake.key), url=fake.url)
    services: dict[str, Callable[[Options], Service]] = {
        "virustotal": VirusTotal,
        "opentip": OpenTip,
        "portal": Portal,
        "hashlookup": Hashlookup,
        "malwarebazaar": MalwareBazaar,
        "threatfox": ThreatFox,
        "urlhaus": URLhaus,
    }
    wire: Wire = HttpWire(fake.url)
    if provider == "virustotal":
        wire = VtWire(Secret(fake.key), fake.url)
    return Remote(services[provider](options), wire)


@asynccontextmanager
async def opened(provider: str, fakes: Fakes) -> AsyncIterator[Source]:
    source = remote(provider, fakes)
    await source.open()
    try:
        yield source
    finally:
        await source.close()


def known_to(provider: str) -> Indicator:
    """A file that the fake knows."""
    return Indicator(Kind.SHA256, DISPUTED if provider == "hashlookup" else MALICIOUS)


async def asked(source: Source, indicator: Indicator) -> tuple[Outcome, Report | None, NoAnswerError | None]:
    """What came of one question within the deadline that the caller sets."""
    try:
        async with asyncio.timeout(DEADLINE):
            report = await source.ask(indicator)
    except NoAnswerError as error:
        return error.outcome, None, error
    except TimeoutError:
        return Outcome.TIMEOUT, None, None
    return (Outcome.NOT_FOUND if report is None else Outcome.FOUND), report, None


def family(error: BaseException) -> Iterator[BaseException]:
    """An exception and all that it was made of."""
    yield error
    for other in (error.__cause__, error.__context__):
        if other is not None:
            yield from family(other)


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("trouble", Trouble)
async def test_each_trouble_has_one_outcome_and_passes(
    fakes: Fakes, provider: str, trouble: Trouble, caplog: pytest.LogCaptureFixture
) -> None:
    fake, indicator = fakes[fake_of(provider)], known_to(provider)
    caplog.set_level(logging.DEBUG)
    async with opened(provider, fakes) as source:
        fake.trouble = trouble
        began = asyncio.get_running_loop().time()
        outcome, report, error = await asked(source, indicator)
        took = asyncio.get_running_loop().time() - began
        fake.trouble = None
        again, right, _ = await asked(source, indicator)

    assert outcome is EXPECTED[trouble]
    assert took < DEADLINE + SLACK
    if report is not None:
        assert_bounded(report)
    if error is not None:
        told = "".join(traceback.format_exception(error)) + "".join(map(repr, family(error)))
        assert fake.key not in told
        assert indicator.value not in told
    assert fake.key not in caplog.text
    assert indicator.value not in caplog.text
    assert (again, right is not None) == (Outcome.FOUND, True)
    assert fakes.trap.calls == []
    assert fakes.mistakes == []


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("trouble", [Trouble.QUOTA, Trouble.UNAVAILABLE_JSON])
async def test_what_the_service_says_about_when_is_passed_on(
    fakes: Fakes, provider: str, trouble: Trouble
) -> None:
    fakes[fake_of(provider)].trouble = trouble
    async with opened(provider, fakes) as source:
        _, _, error = await asked(source, known_to(provider))

    assert error is not None
    assert error.again_in == 77


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_a_question_given_up_leaves_nothing_half_done(fakes: Fakes, provider: str) -> None:
    fake, indicator = fakes[fake_of(provider)], known_to(provider)
    fake.trouble = Trouble.HUNG
    async with opened(provider, fakes) as source:
        questions = [asyncio.create_task(source.ask(indicator)) for _ in range(8)]
        async with asyncio.timeout(5):
            while len(fake.calls) < 8:  # noqa: ASYNC110 - the fake counts, it does not tell
                await asyncio.sleep(0.005)
        for question in questions:
            question.cancel()
        ended = await asyncio.gather(*questions, return_exceptions=True)
        fake.trouble = None
        outcome, _, _ = await asked(source, indicator)

    assert [type(one) for one in ended] == [asyncio.CancelledError] * 8
    assert outcome is Outcome.FOUND
