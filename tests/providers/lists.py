"""Parts for tests of Trend's list: a sleep that ends when told, a scripted wire, pages."""

import asyncio
import hashlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.findings import Outcome, Report
from bot.indicators import Indicator, Kind
from bot.providers.options import Options
from bot.providers.remote import Reply, Request, Wire
from bot.providers.spec import NoAnswerError
from bot.providers.suspicious_objects import PATH
from bot.providers.trend import BASE_URL, Trend
from bot.secret import Secret
from tests.providers.replies import reply

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
SHA256 = Indicator(Kind.SHA256, hashlib.sha256(b"invented sample").hexdigest())
ELSEWHERE = Indicator(Kind.IPV4, "192.0.2.99")  # on no list
KEY = Secret("CANARY-of-a-token")


def address(number: int) -> Indicator:
    return Indicator(Kind.IPV4, f"192.0.2.{number}")


def listed(indicator: Indicator) -> dict[str, Any]:
    return {"type": "ip", "ip": indicator.value, "riskLevel": "high", "inExceptionList": False}


class Nap:
    """A sleep that lasts until `wake`, and a clock that it moves."""

    def __init__(self) -> None:
        self.now = NOW
        self._began: asyncio.Queue[float] = asyncio.Queue()
        self._ends: asyncio.Queue[None] = asyncio.Queue()

    def clock(self) -> datetime:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self._began.put_nowait(seconds)
        await self._ends.get()
        self.now += timedelta(seconds=seconds)

    async def begins(self) -> float:
        """The seconds of the next sleep, as soon as it begins."""
        async with asyncio.timeout(10):
            return await self._began.get()

    async def wake(self) -> float:
        """The same after ending the present one."""
        self._ends.put_nowait(None)
        return await self.begins()


class Script:
    """A wire that gives what each question has coming, or what `answer` makes of it."""

    def __init__(self, answer: Callable[[Request], Reply]) -> None:
        self.answer = answer
        self.asked: list[str] = []
        self.is_closed = False

    async def send(self, request: Request) -> Reply:
        assert (request.method, request.headers) == ("GET", {"Authorization": f"Bearer {KEY.value}"})
        assert not request.query
        self.asked.append(request.path)
        return self.answer(request)

    async def close(self) -> None:
        self.is_closed = True


def in_turn(*replies: Reply | Exception) -> Callable[[Request], Reply]:
    left: Iterator[Reply | Exception] = iter(replies)

    def answer(_: Request) -> Reply:
        given = next(left)
        if isinstance(given, Exception):
            raise given
        return given

    return answer


def page(*indicators: Indicator, following: str | None = None) -> Reply:
    answer: dict[str, Any] = {"items": [listed(each) for each in indicators]}
    if following is not None:
        answer["nextLink"] = f"{BASE_URL}{PATH}?{following}"
    return reply(answer)


def made(wire: Wire, nap: Nap, **more: Any) -> Trend:
    options = more.pop("options", Options(key=KEY))
    return Trend(options, wire, clock=nap.clock, sleep=nap.sleep, jitter=lambda: 0.5, **more)


async def failure(source: Trend, indicator: Indicator = ELSEWHERE) -> Outcome:
    with pytest.raises(NoAnswerError) as caught:
        await source.ask(indicator)
    return caught.value.outcome


def facts(report: Report | None) -> dict[str, str]:
    assert report is not None
    return dict(report.facts)
