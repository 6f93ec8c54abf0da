"""Bolt: the Slack app itself, without those of its parts that stand in front of it or beside it here."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response
from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.authorization.async_authorize import AsyncAuthorize
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient

from bot.errors import BotError, ConfigError
from bot.slack.calls import TokenRefusedError, WebApi
from bot.slack.once import OnlyOnce
from bot.slack.seen import Seen
from bot.slack.work import guarded, report

DISPATCH_SECONDS = 15.0  # longer than a claim may take
LOG = logging.getLogger("bot.bolt")


class Installed(AsyncAuthorize):
    """The one installation there is, known from the start: no request waits for auth.test."""

    def __init__(self, identity: Mapping[str, Any]) -> None:
        self._result = AuthorizeResult.from_auth_test_response(
            bot_token="asked-for-nowhere",  # noqa: S106 - Bolt wants one; the outbox has its own client
            auth_test_response=identity,
        )

    async def __call__(self, **_: Any) -> AuthorizeResult:
        """Every request belongs to it: the door lets in only what was signed for this app."""
        return self._result


async def who_am_i(slack: WebApi) -> Mapping[str, Any]:
    """What auth.test says. Raises ConfigError for a wrong token, UnavailableError."""
    try:
        return await slack.write("auth.test", {})
    except TokenRefusedError as error:
        raise ConfigError(
            ["SLACK_BOT_TOKEN: Slack does not take it (any more); copy it again from OAuth & Permissions"]
        ) from error


def bolt_app(identity: Mapping[str, Any], seen: Seen, *, base_url: str) -> AsyncApp:
    """An app without listeners. Listeners run inside the request, so that none is left behind at a stop."""
    app = AsyncApp(
        name="liaison",
        logger=logging.getLogger("slack_bolt"),  # else Bolt logs at the root's level: whole answers at DEBUG
        client=AsyncWebClient(base_url=base_url, retry_handlers=[]),
        authorize=Installed(identity),
        signing_secret="",
        request_verification_enabled=False,  # the door in front judges the raw bytes
        ssl_check_enabled=False,
        attaching_function_token_enabled=False,
        process_before_response=True,
    )
    app.middleware(OnlyOnce(seen))
    app.error(_failed)
    return app


def receiver(app: AsyncApp) -> Callable[[web.Request, str], Awaitable[web.Response]]:
    """Hand a verified request to Bolt. What cannot be read is answered with 400."""

    async def receive(request: web.Request, text: str) -> web.Response:
        try:
            asked = AsyncBoltRequest(body=text, query=request.query_string, headers=dict(request.headers))
        except (ValueError, TypeError, AttributeError, LookupError, RecursionError):
            return web.Response(status=400)
        try:
            answer = await guarded(app.async_dispatch(asked), DISPATCH_SECONDS)
        except BotError:
            return web.Response(status=503)
        return await to_aiohttp_response(answer)

    return receive


async def _failed(error: Exception, body: Mapping[str, Any]) -> BoltResponse:
    """A mistake in a listener: the person learns its number, Slack that it need not try again."""
    words = report(error)
    if isinstance(body, Mapping) and body.get("command"):
        return BoltResponse(status=200, body={"response_type": "ephemeral", "text": f"TLP:CLEAR · {words}"})
    return BoltResponse(status=200)
