"""A tiny app for the sandbox's own tests: takes deliveries, verifies them with slack_sdk, answers as told."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

from aiohttp import web
from slack_sdk.signature import SignatureVerifier
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox import Sandbox

Body = dict[str, Any]


@dataclass(frozen=True)
class Status:
    """An answer of nothing but a status and headers."""

    code: int
    headers: dict[str, str] = field(default_factory=dict)


Answer = Body | str | Status | None
On = Callable[[Body], Awaitable[Answer]]


class StubApp:
    """An app at an HTTP address; tests set `on_command`, `on_event`, `on_interactive`."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.client = AsyncWebClient(token=sandbox.bot_token, base_url=sandbox.api_url, retry_handlers=[])
        self.headers: list[dict[str, str]] = []
        self.bodies: list[Body] = []
        self.all_genuine = True
        self.on_command: On = _nothing
        self.on_event: On = _nothing
        self.on_interactive: On = _nothing
        self._verifier = SignatureVerifier(sandbox.signing_secret)
        self._runner: web.AppRunner | None = None

    async def start(self) -> str:
        """Listen; gives the request URL."""
        app = web.Application()
        app.router.add_post("/slack/events", self._take)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        return f"http://127.0.0.1:{self._runner.addresses[0][1]}/slack/events"

    async def stop(self) -> None:
        """Release the port."""
        if self._runner is not None:
            await self._runner.cleanup()

    def events(self, kind: str) -> list[Body]:
        """The envelopes of that inner type."""
        return [body for body in self.bodies if body.get("event", {}).get("type") == kind]

    async def _take(self, request: web.Request) -> web.Response:
        raw = await request.read()
        headers = {key.lower(): value for key, value in request.headers.items()}
        self.all_genuine &= self._verifier.is_valid_request(raw, headers)
        self.headers.append(headers)
        body, answer = _read(raw, request.content_type), self.on_event
        if "command" in body:
            answer = self.on_command
        elif request.content_type != "application/json":
            answer = self.on_interactive
        self.bodies.append(body)
        if body.get("type") == "url_verification":
            return web.json_response({"challenge": body["challenge"]})
        return _response(await answer(body))


def _read(raw: bytes, content_type: str) -> Body:
    if content_type == "application/json":
        return dict(json.loads(raw))
    form = {key: values[0] for key, values in parse_qs(raw.decode(), keep_blank_values=True).items()}
    return dict(json.loads(form["payload"])) if "payload" in form else form


def _response(answer: Answer) -> web.Response:
    if isinstance(answer, Status):
        return web.Response(status=answer.code, headers=answer.headers)
    if isinstance(answer, str):
        return web.Response(text=answer)
    return web.json_response(answer) if answer is not None else web.Response()


async def _nothing(_: Body) -> Answer:
    return None


def answering(answer: Answer) -> On:
    """Always the same answer."""

    async def answer_so(_: Body) -> Answer:
        return answer

    return answer_so


def sleeping(seconds: float) -> On:
    """Too late, if Slack waits less."""

    async def sleep(_: Body) -> Answer:
        await asyncio.sleep(seconds)
        return None

    return sleep
