"""The Web API over HTTP: form and JSON bodies, tokens, rates, faults, Slack's error codes."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from aiohttp import web

from bot.sandbox.faults import RESPONSE_URL, Fault, Faults
from bot.sandbox.methods import METHODS
from bot.sandbox.methods.call import Call, Method
from bot.sandbox.methods.files import receive
from bot.sandbox.rates import Rates
from bot.sandbox.socket_mode import Sockets
from bot.sandbox.tickets import ResponseUrls, Triggers
from bot.sandbox.workspace import Json, SlackError, Workspace

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
MAX_KEPT = 20_000  # calls remembered for whoever looks
SCOPES = frozenset(
    [
        *("app_mentions:read", "chat:write", "commands", "files:write", "users:read"),
        *("channels:read", "channels:history", "groups:read", "groups:history"),
        *("im:read", "im:write", "im:history", "mpim:read", "mpim:write", "mpim:history"),
    ]
)


@dataclass(frozen=True)
class Recorded:
    """A call that the app made: a Web API method, "upload" or "response_url"."""

    method: str
    arguments: Mapping[str, Any]  # without the token; empty when a fault refused it unread
    error: str | None  # Slack's code or the fault's kind, None when it went well


class WebApi:
    """Answers the app's calls."""

    def __init__(
        self,
        *,
        workspace: Workspace,
        triggers: Triggers,
        response_urls: ResponseUrls,
        sockets: Sockets,
        faults: Faults,
        tokens: tuple[str, str],
        scopes: frozenset[str] = SCOPES,
    ) -> None:
        self.calls: list[Recorded] = []
        self.served = 0
        self.in_flight = 0
        self.rates: Rates | None = None
        self.base_url = ""
        self.called: Callable[[Recorded], object] = lambda _: None  # told of each call
        self._workspace = workspace
        self._triggers = triggers
        self._response_urls = response_urls
        self._sockets = sockets
        self._faults = faults
        self._bot_token, self._app_token = tokens
        self._scopes = scopes

    async def method(self, request: web.Request) -> web.StreamResponse:
        """POST or GET /api/{method}."""
        name = request.match_info["method"]
        return await self._guarded(request, name, self._call)

    async def response_url(self, request: web.Request) -> web.StreamResponse:
        """POST /response/{token}."""
        return await self._guarded(request, RESPONSE_URL, self._respond)

    async def upload(self, request: web.Request) -> web.StreamResponse:
        """POST /upload/v1/{file}: the bytes of an announced file."""
        return await self._guarded(request, "upload", self._receive)

    async def _guarded(self, request: web.Request, name: str, serve: Handler) -> web.StreamResponse:
        """Serve a request under the faults that are switched on, counted as in flight."""
        self.in_flight += 1
        self.served += 1
        try:
            fault = self._faults.take(name)
            if fault is not None and (refusal := await _before(fault, request)) is not None:
                self._record(name, {}, fault.code or fault.kind)
                return refusal
            if fault is not None and fault.kind == "overtaken":
                await request.read()  # it has arrived: whoever hangs up now does not stop it
                await self._faults.overtaken(name, fault.seconds)
            response = await serve(request)
            if fault is not None:
                await _after(fault, request)
            return response
        finally:
            self.in_flight -= 1

    async def _call(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["method"]
        arguments: Json = {}
        try:
            arguments, token = await _arguments(request)
            answer = self._run(name, arguments, token)
        except SlackError as error:
            self._record(name, arguments, error.code)
            return _refusal(error)
        self._record(name, arguments, None)
        self._faults.done(name)
        return web.json_response({"ok": True, **answer}, headers=self._scope_headers())

    def _run(self, name: str, arguments: Json, token: str | None) -> Json:
        method = METHODS.get(name)
        if method is None:
            raise SlackError("unknown_method", req_method=name)
        self._check_token(token, method)
        if self.rates and (seconds := self.rates.wait(name, str(arguments.get("channel", "")))):
            raise SlackError("ratelimited", retry_after=seconds)
        call = Call(
            arguments=arguments,
            workspace=self._workspace,
            triggers=self._triggers,
            sockets=self._sockets,
            scopes=self._scopes,
            base_url=self.base_url,
        )
        return method.run(call)

    def _check_token(self, token: str | None, method: Method) -> None:
        if token is None:
            raise SlackError("not_authed")
        if token not in (self._bot_token, self._app_token):
            raise SlackError("invalid_auth")
        if (token == self._app_token) != method.app_token:
            raise SlackError("not_allowed_token_type")

    def _scope_headers(self) -> dict[str, str]:
        return {"X-OAuth-Scopes": ",".join(sorted(self._scopes))}

    async def _respond(self, request: web.Request) -> web.StreamResponse:
        body: Json = {}
        try:
            body = await _json_object(request)
            self._response_urls.use(request.match_info["token"], body)
        except SlackError as error:
            self._record(RESPONSE_URL, body, error.code)
            gone = error.code in ("used_url", "expired_url", "invalid_token")
            status = HTTPStatus.NOT_FOUND if gone else HTTPStatus.BAD_REQUEST
            return web.json_response({"ok": False, "error": error.code, **error.details}, status=status)
        self._record(RESPONSE_URL, body, None)
        return web.Response(text="ok")

    async def _receive(self, request: web.Request) -> web.StreamResponse:
        file_id, length = request.match_info["file"], request.query.get("length", "")
        content = await _uploaded(request)
        try:
            receive(self._workspace, file_id, int(length) if length.isdecimal() else -1, content)
        except SlackError as error:
            self._record("upload", {"file": file_id}, error.code)
            return web.Response(status=HTTPStatus.BAD_REQUEST, text=error.code)
        self._record("upload", {"file": file_id}, None)
        return web.Response(text=f"OK - {len(content)}")

    def _record(self, method: str, arguments: Mapping[str, Any], error: str | None) -> None:
        recorded = Recorded(method, arguments, error)
        self.calls.append(recorded)
        self.called(recorded)
        if len(self.calls) > MAX_KEPT:
            del self.calls[: MAX_KEPT // 2]


async def _before(fault: Fault, request: web.Request) -> web.StreamResponse | None:
    """What happens before the work: an answer that ends the matter, or None."""
    if fault.kind == "drop_before":
        _hang_up(request)
        return web.Response()
    if fault.kind == "error_500":
        return web.Response(
            status=HTTPStatus.INTERNAL_SERVER_ERROR, text="internal error", content_type="text/html"
        )
    if fault.kind == "rate_limited":
        return _refusal(SlackError("ratelimited", retry_after=max(1, round(fault.seconds))))
    if fault.kind == "token_revoked":
        return _refusal(SlackError("token_revoked"))
    if fault.kind == "refused":
        return _refusal(SlackError(fault.code))
    if fault.kind == "slow":
        await request.read()  # it has arrived: whoever hangs up now does not stop it
        await asyncio.sleep(fault.seconds)
    return None


async def _after(fault: Fault, request: web.Request) -> None:
    """What happens after the work, before the answer."""
    if fault.kind == "drop_after_accept":
        _hang_up(request)
    if fault.kind == "lost_reply":
        await asyncio.sleep(fault.seconds)


def _hang_up(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.abort()


def _refusal(error: SlackError) -> web.Response:
    body = {"ok": False, "error": error.code, **error.details}
    if error.code == "ratelimited":
        headers = {"Retry-After": str(body.pop("retry_after"))}
        return web.json_response(body, status=HTTPStatus.TOO_MANY_REQUESTS, headers=headers)
    return web.json_response(body)


async def _arguments(request: web.Request) -> tuple[Json, str | None]:
    """The arguments from query and body, and the token, which a JSON body cannot carry."""
    arguments: Json = dict(request.query)
    if request.content_type == "application/json":
        arguments |= await _json_object(request)
        arguments.pop("token", None)
    else:
        arguments |= {key: value for key, value in (await request.post()).items() if isinstance(value, str)}
    token = arguments.pop("token", None)
    bearer = request.headers.get("Authorization", "").removeprefix("Bearer ").strip()
    return arguments, bearer or token


async def _json_object(request: web.Request) -> Json:
    try:
        body = json.loads(await request.read() or b"{}")
    except ValueError:
        raise SlackError("invalid_json") from None
    if not isinstance(body, dict):
        raise SlackError("json_not_object")
    return body


async def _uploaded(request: web.Request) -> bytes:
    """The bytes as they are, or of the first file of a form."""
    if not request.content_type.startswith("multipart/"):
        return await request.read()
    for value in (await request.post()).values():
        if isinstance(value, web.FileField):
            return value.file.read()
    return b""
