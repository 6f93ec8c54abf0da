"""Verify: the door in front of Bolt, which judges the raw bytes of a request before anything parses them.

Bolt parses before it verifies and takes a replayed request again; Slack's rules are at
https://docs.slack.dev/authentication/verifying-requests-from-slack/
"""

import asyncio
import hashlib
import hmac
import re
from collections.abc import Awaitable, Callable
from datetime import datetime
from enum import Enum
from http import HTTPStatus

from aiohttp import web

from bot.errors import BotError
from bot.secret import Secret
from bot.slack.seen import Seen

MAX_BODY_BYTES = 256 * 1024
BODY_SECONDS = 5.0  # a body must arrive within this
WINDOW_SECONDS = 300  # how far a timestamp may be from now
REPLAY_SECONDS = 600.0  # a signature is remembered for longer than its timestamp can be accepted

_TIMESTAMP = re.compile(r"[0-9]{10}", re.ASCII)

Genuine = Callable[[web.Request, str], Awaitable[web.Response]]


class Verdict(Enum):
    """What a request is."""

    GENUINE = "signed by Slack, the first time"
    REPEATED = "signed by Slack, and seen before"
    FORGED = "not signed by Slack, or too long ago"


class Verifier:
    """Slack's signature over the exact bytes, and each signature once."""

    def __init__(
        self,
        secret: Secret,
        *,
        seen: Seen,
        clock: Callable[[], datetime],
    ) -> None:
        self._key = secret.value.encode()
        self._seen, self._clock = seen, clock

    async def judge(self, timestamps: list[str], signatures: list[str], body: bytes) -> Verdict:
        """Did Slack sign this body in the last minutes, and is it the first time that it comes?"""
        if len(timestamps) != 1 or len(signatures) != 1 or not self._is_recent(timestamps[0]):
            return Verdict.FORGED
        expected = signed(self._key, timestamps[0], body)
        if not hmac.compare_digest(expected, signatures[0].encode(errors="surrogateescape")):
            return Verdict.FORGED
        key = "request " + hashlib.sha256(expected).hexdigest()
        is_event = body.startswith(b"{")  # the rest are forms
        claim = self._seen.claim if is_event else self._seen.claim_what_comes_once
        return Verdict.GENUINE if await claim(key, REPLAY_SECONDS) else Verdict.REPEATED

    def _is_recent(self, timestamp: str) -> bool:
        if not _TIMESTAMP.fullmatch(timestamp):
            return False
        return abs(self._clock().timestamp() - int(timestamp)) <= WINDOW_SECONDS


def signed(key: bytes, timestamp: str, body: bytes) -> bytes:
    """Slack's v0 signature."""
    base = b"v0:" + timestamp.encode() + b":" + body
    return b"v0=" + hmac.new(key, base, hashlib.sha256).hexdigest().encode()


def door(verifier: Verifier, genuine: Genuine) -> Callable[[web.Request], Awaitable[web.Response]]:
    """The handler of requests: what Slack did not send gets 400, 401, 408 or 413; the rest goes on."""

    async def handle(request: web.Request) -> web.Response:
        try:
            async with asyncio.timeout(BODY_SECONDS):
                body = await _body(request)
        except (ConnectionError, web.RequestPayloadError):  # hung up, or no HTTP
            return _refuse(HTTPStatus.BAD_REQUEST)
        except TimeoutError:
            return _refuse(HTTPStatus.REQUEST_TIMEOUT)
        if body is None:
            return _refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        timestamps = request.headers.getall("X-Slack-Request-Timestamp", [])
        signatures = request.headers.getall("X-Slack-Signature", [])
        try:
            verdict = await verifier.judge(timestamps, signatures, body)
        except BotError:
            return _refuse(HTTPStatus.SERVICE_UNAVAILABLE)  # without its memory the door stays shut
        if verdict is Verdict.REPEATED and "X-Slack-Retry-Num" in request.headers:
            return web.Response()  # a retry within the same second has the same signature; it is in hand
        if verdict is not Verdict.GENUINE:
            return _refuse(HTTPStatus.UNAUTHORIZED)
        try:
            text = body.decode()
        except UnicodeDecodeError:
            return _refuse(HTTPStatus.BAD_REQUEST)
        return await genuine(request, text)

    return handle


async def _body(request: web.Request) -> bytes | None:
    """The bytes as sent, or None if they are too many."""
    if request.content_length is not None and request.content_length > MAX_BODY_BYTES:
        return None
    chunks = bytearray()
    async for chunk in request.content.iter_chunked(MAX_BODY_BYTES):
        chunks += chunk
        if len(chunks) > MAX_BODY_BYTES:
            return None
    return bytes(chunks)


def _refuse(status: HTTPStatus) -> web.Response:
    return web.Response(status=status, text=status.phrase)
