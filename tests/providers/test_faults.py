"""Every service in every trouble, through the real wires: what comes of it, and that it passes."""

import asyncio
import logging
import traceback
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest

from bot.findings import Outcome, Report
from bot.indicators import Indicator, Kind
from bot.providers.catalogue import open_sources
from bot.providers.opentip import Portal
from bot.providers.options import Options
from bot.providers.remote import Remote
from bot.providers.spec import NoAnswerError, Source
from bot.providers.trend import Trend
from bot.providers.wire import HttpWire
from bot.sandbox.services import Fakes, Trouble, start_all
from bot.sandbox.services.knowledge import DISPUTED, MALICIOUS
from bot.secret import Secret
from tests.providers.replies import assert_bounded

DEADLINE = 0.4  # seconds, for what would take for ever
PATIENCE = 10.0  # seconds, for what only a busy machine makes late
ENDLESS = (Trouble.HUNG, Trouble.DRIP)

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
    options = options_of(fake_of(provider), fakes)
    if provider == "portal":  # known by its address, which a fake cannot have
        return Remote(Portal(options), HttpWire(fakes.opentip.url))
    [source] = open_sources({provider: options})
    return source


def options_of(name: str, fakes: Fakes) -> Options:
    return Options(key=Secret(fakes[name].key), url=fakes[name].url)


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


def patience(trouble: Trouble | None) -> float:
    return DEADLINE if trouble in ENDLESS else PATIENCE


async def asked(
    source: Source, indicator: Indicator, trouble: Trouble | None = None
) -> tuple[Outcome, Report | None, NoAnswerError | None]:
    """What came of one question within the deadline that the caller sets."""
    try:
        async with asyncio.timeout(patience(trouble)):
            report = await source.ask(indicator)
    except NoAnswerError as error:
        return error.outcome, None, error
    except TimeoutError:
        return Outcome.TIMEOUT, None, None
    return (Outcome.NOT_FOUND if report is None else Outcome.FOUND), report, None


def told_by(error: BaseException | None) -> str:
    """All that a careless log could write about it."""
    if error is None:
        return ""
    return "".join(traceback.format_exception(error)) + "".join(map(repr, family(error)))


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
        outcome, report, error = await asked(source, indicator, trouble)
        took = asyncio.get_running_loop().time() - began
        fake.trouble = None
        again, right, _ = await asked(source, indicator)

    assert outcome is EXPECTED[trouble]
    assert took < patience(trouble) + 1.0
    if report is not None:
        assert_bounded(report)
    told = caplog.text + told_by(error)
    assert fake.key not in told
    assert indicator.value not in told
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


# --- Trend: not the question meets the trouble, but the reading of the list -------------------------------


class Nap:
    """What `Trend` does between two readings, for as long as the test wants."""

    def __init__(self) -> None:
        self._asleep, self._awake = asyncio.Event(), asyncio.Event()

    async def __call__(self, _: float) -> None:
        self._asleep.set()
        await self._awake.wait()
        self._awake.clear()

    async def begun(self) -> None:
        """Wait until it sleeps."""
        async with asyncio.timeout(PATIENCE):
            await self._asleep.wait()
        self._asleep.clear()

    def end(self) -> None:
        """Wake it."""
        self._awake.set()


@pytest.mark.parametrize("trouble", Trouble)
async def test_a_list_that_cannot_be_read_is_no_absence_and_is_read_again(
    fakes: Fakes, trouble: Trouble, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    nap, indicator = Nap(), known_to("trend")
    trend = Trend(options_of("trend", fakes), HttpWire(fakes.trend.url, seconds=patience(trouble)), sleep=nap)
    fakes.trend.trouble = trouble
    await trend.open()
    try:
        await nap.begun()
        outcome, report, error = await asked(trend, indicator)
        fakes.trend.trouble = None
        nap.end()
        await nap.begun()
        again, _, _ = await asked(trend, indicator)
    finally:
        await trend.close()

    is_read = trouble in (Trouble.SLOW, Trouble.HOSTILE)
    assert outcome is (Outcome.FOUND if is_read else Outcome.UNAVAILABLE)
    if report is not None:
        assert_bounded(report)
    told = caplog.text + told_by(error)
    assert fakes.trend.key not in told
    assert indicator.value not in told
    assert again is Outcome.FOUND
    assert fakes.trap.calls == []
    assert fakes.mistakes == []
