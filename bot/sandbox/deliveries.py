"""What Slack sends to the app: signed HTTP requests or Socket Mode envelopes, with Slack's retries.

https://docs.slack.dev/authentication/verifying-requests-from-slack/ and https://docs.slack.dev/apis/events-api/#retries
"""

import asyncio
import hashlib
import hmac
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from typing import Protocol
from urllib.parse import urlencode

import aiohttp

from bot.sandbox.faults import DELIVERY, Fault, Faults
from bot.sandbox.workspace import Json, Message

COMMAND, EVENT, INTERACTIVE = "command", "event", "interactive"
MAX_KEPT = 20_000  # deliveries remembered for whoever looks
MAX_ANSWER = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Timing:
    """How long Slack waits, in seconds; tests make these short."""

    ack: float = 3.0
    retries: tuple[float, ...] = (0.0, 60.0, 300.0)
    trigger: float = 3.0
    response_url: float = 1800.0


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """One try to hand a delivery over; `reason` is what went wrong, None when acknowledged."""

    reason: str | None
    status: int | None = None
    body: bytes = b""
    no_retry: bool = False
    raw: bytes = b""  # exactly what was signed and sent; empty for Socket Mode
    headers: dict[str, str] = field(default_factory=dict)

    def answer(self) -> Json | str | None:
        """What the app answered: a JSON object, plain text, or None for nothing."""
        text = self.body.decode(errors="replace").strip()
        if not text:
            return None
        try:
            value = json.loads(text)
        except ValueError:
            return text
        return value if isinstance(value, dict) else text


@dataclass(kw_only=True)
class Delivery:
    """Something that was sent to the app, and what became of it."""

    kind: str  # "command", "event" or "interactive"
    payload: Json
    attempts: list[Attempt] = field(default_factory=list)
    error: str | None = None  # what Slack tells the acting person: operation_timeout, dispatch_failed, ...
    shown: list[Message] = field(default_factory=list)  # what the acting person sees at once
    answer: Json = field(default_factory=dict)  # of a modal's submission

    @property
    def text(self) -> str:
        """The words that the acting person sees at once."""
        return "\n".join(message.text for message in self.shown)

    @property
    def acknowledged(self) -> bool:
        """The app took it in time."""
        return bool(self.attempts) and self.attempts[-1].reason is None


class Socket(Protocol):
    """A way to the app that needs no address of it."""

    def connected(self) -> bool:
        """An app listens."""

    async def send(self, delivery: Delivery, retry: tuple[int, str] | None, seconds: float) -> Attempt:
        """Hand over, wait for the acknowledgement at most so long."""


class Courier:
    """Signs, sends, waits, retries and remembers."""

    def __init__(
        self, *, secret: str, clock: Callable[[], datetime], timing: Timing, faults: Faults, socket: Socket
    ) -> None:
        self.request_url: str | None = None
        self.deliveries: list[Delivery] = []
        self.timing = timing
        self._secret = secret
        self._clock = clock
        self._faults = faults
        self._socket = socket
        self._session: aiohttp.ClientSession | None = None
        self._open: set[asyncio.Task[None]] = set()

    @property
    def busy(self) -> int:
        """How many deliveries are under way."""
        return len(self._open)

    async def once(self, delivery: Delivery) -> Attempt:
        """Send a command or an interaction: Slack tries these once."""
        self._remember(delivery)
        return await self._attempt(delivery, None)

    def event(self, delivery: Delivery) -> None:
        """Send an event in the background, with retries."""
        self._remember(delivery)
        self.background(self._with_retries(delivery))

    def background(self, work: Awaitable[None]) -> None:
        """Do something that counts as under way until it is done."""

        async def run() -> None:
            await work

        task = asyncio.create_task(run())
        self._open.add(task)
        task.add_done_callback(self._open.discard)

    async def verify(self, challenge: str) -> bool:
        """Ask the app's address whether it is the app's, as Slack does when it is entered."""
        ask = Delivery(
            kind=EVENT, payload={"type": "url_verification", "challenge": challenge, "token": "sandbox"}
        )
        attempt = await self._post(ask, None)
        answer = attempt.answer()
        return attempt.reason is None and challenge in (
            answer,
            isinstance(answer, dict) and answer.get("challenge"),
        )

    async def close(self) -> None:
        """Give up what is under way."""
        for task in list(self._open):
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    def _remember(self, delivery: Delivery) -> None:
        self.deliveries.append(delivery)
        if len(self.deliveries) > MAX_KEPT:
            del self.deliveries[: MAX_KEPT // 2]

    async def _with_retries(self, delivery: Delivery) -> None:
        attempt = await self._attempt(delivery, None)
        for number, delay in enumerate(self.timing.retries, start=1):
            if attempt.reason is None or attempt.no_retry:
                return
            await asyncio.sleep(delay)
            attempt = await self._attempt(delivery, (number, attempt.reason))

    async def _attempt(self, delivery: Delivery, retry: tuple[int, str] | None) -> Attempt:
        attempt = await self._faulty(delivery, retry, self._faults.take(DELIVERY))
        delivery.attempts.append(attempt)
        return attempt

    async def _faulty(
        self, delivery: Delivery, retry: tuple[int, str] | None, fault: Fault | None
    ) -> Attempt:
        kind = fault.kind if fault else None
        if kind == "error_500":
            return Attempt(reason="http_error", status=HTTPStatus.INTERNAL_SERVER_ERROR)
        if fault and kind == "slow":
            await asyncio.sleep(fault.seconds)
        attempt = await self._send(delivery, retry)
        return Attempt(reason="http_timeout", raw=attempt.raw) if kind == "drop_after_accept" else attempt

    async def _send(self, delivery: Delivery, retry: tuple[int, str] | None) -> Attempt:
        if self.request_url is not None:
            return await self._post(delivery, retry)
        if self._socket.connected():
            return await self._socket.send(delivery, retry, self.timing.ack)
        return Attempt(reason="connection_failed")

    async def _post(self, delivery: Delivery, retry: tuple[int, str] | None) -> Attempt:
        raw, content_type = encoded(delivery)
        headers = {"Content-Type": content_type, **self._signed(raw), **_retried(retry)}
        if self._session is None:
            self._session = aiohttp.ClientSession(headers={"User-Agent": "Slackbot 1.0 (Liaison's sandbox)"})
        try:
            async with (
                asyncio.timeout(self.timing.ack),
                self._session.post(
                    str(self.request_url), data=raw, headers=headers, allow_redirects=False
                ) as response,
            ):
                body = await response.content.read(MAX_ANSWER)
        except TimeoutError:
            return Attempt(reason="http_timeout", raw=raw, headers=headers)
        except aiohttp.ClientError:
            return Attempt(reason="connection_failed", raw=raw, headers=headers)
        fine = response.status == HTTPStatus.OK
        return Attempt(
            reason=None if fine else "http_error",
            status=response.status,
            body=body,
            no_retry=response.headers.get("X-Slack-No-Retry") == "1",
            raw=raw,
            headers=headers,
        )

    def _signed(self, raw: bytes) -> dict[str, str]:
        timestamp = str(int(self._clock().timestamp()))
        return {
            "X-Slack-Request-Timestamp": timestamp,
            "X-Slack-Signature": signature(self._secret, timestamp, raw),
        }


def signature(secret: str, timestamp: str, raw: bytes) -> str:
    """Slack's v0 signature over the exact bytes of a body."""
    base = b"v0:" + timestamp.encode() + b":" + raw
    return "v0=" + hmac.new(secret.encode(), base, hashlib.sha256).hexdigest()


def encoded(delivery: Delivery) -> tuple[bytes, str]:
    """The body as Slack sends it, and its content type."""
    if delivery.kind == EVENT:
        return json.dumps(delivery.payload).encode(), "application/json"
    fields = delivery.payload if delivery.kind == COMMAND else {"payload": json.dumps(delivery.payload)}
    return urlencode(fields).encode(), "application/x-www-form-urlencoded"


def _retried(retry: tuple[int, str] | None) -> dict[str, str]:
    if retry is None:
        return {}
    number, reason = retry
    return {"X-Slack-Retry-Num": str(number), "X-Slack-Retry-Reason": reason}
