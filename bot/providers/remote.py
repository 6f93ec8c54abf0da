"""A remote service: a pure description of question and answer, and the wire that carries both."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from bot.findings import Outcome, Report
from bot.indicators import Indicator
from bot.providers.spec import NoAnswerError, Spec

MAX_BODY = 4_000_000  # bytes of one answer
MAX_PARTS = 50_000  # objects and lists in it: a million empty ones would keep everybody waiting
# Not understood, too large, too long: such as names under `.onion`, and URLs of 3,000 characters.
_REFUSED_QUESTION = frozenset({400, 413, 414, 422})


@dataclass(frozen=True, kw_only=True)
class Request:
    """One question over HTTP; `path` is relative to the service's base URL and sent as it stands."""

    method: str = "GET"
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)  # they hold the key
    form: Mapping[str, str] | None = None
    json: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Reply:
    """What came back: header names in lower case, at most MAX_BODY bytes of body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Service(Protocol):
    """A provider as pure functions, tested on samples."""

    @property
    def spec(self) -> Spec:
        """What it declares."""

    def request(self, indicator: Indicator) -> Request:
        """How to ask about an indicator of one of its kinds."""

    def read(self, indicator: Indicator, reply: Reply) -> Report | None:
        """What the reply says; None if the service knows nothing. Raises NoAnswerError."""


class Wire(Protocol):
    """Carries a request to one service and nowhere else."""

    async def send(self, request: Request) -> Reply:
        """The reply, whatever its status. Raises NoAnswerError."""

    async def close(self) -> None:
        """Close its connections."""


@dataclass(frozen=True)
class Remote:
    """A service behind its wire: a `spec.Source`."""

    service: Service
    wire: Wire

    @property
    def spec(self) -> Spec:
        """What it declares."""
        return self.service.spec

    async def open(self) -> None:
        """Nothing to do: connections are made when they are needed."""

    async def ask(self, indicator: Indicator) -> Report | None:
        """Ask and read. Raises NoAnswerError."""
        return self.service.read(indicator, await self.wire.send(self.service.request(indicator)))

    async def close(self) -> None:
        """Close the wire."""
        await self.wire.close()


def refuse_errors(reply: Reply, *, quota: frozenset[int] = frozenset({429})) -> None:
    """Raise NoAnswerError for a status that carries no report; 404 is left to the caller."""
    if reply.status in quota:
        raise NoAnswerError(Outcome.QUOTA, retry_after(reply))
    if reply.status in (401, 403):
        raise NoAnswerError(Outcome.AUTH)
    if reply.status >= 500 or reply.status == 204:
        raise NoAnswerError(Outcome.UNAVAILABLE, retry_after(reply))
    if reply.status not in (200, 404):
        raise NoAnswerError(Outcome.BAD_ANSWER, of_question=reply.status in _REFUSED_QUESTION)


def retry_after(reply: Reply) -> float | None:
    """The seconds of `Retry-After`, if it holds a number (RFC 9110, 10.2.3); at most a day."""
    value = reply.headers.get("retry-after", "").strip()
    return min(float(value), 86_400.0) if value.isascii() and value.isdigit() and len(value) < 10 else None


def decoded(reply: Reply) -> dict[str, Any]:
    """The body as a JSON object. Raises NoAnswerError: HTML, half an answer and lists cannot be read."""
    parts = reply.body.count(b"{") + reply.body.count(b"[")
    try:  # not with msgspec: it refuses a whole answer for half a character in the name of a file
        value = json.loads(reply.body) if parts <= MAX_PARTS else None
    except (ValueError, RecursionError):
        value = None  # and not raised here: the error holds the whole answer, also as a context
    if not isinstance(value, dict):
        raise NoAnswerError(Outcome.BAD_ANSWER)
    return value
