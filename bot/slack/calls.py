"""Calls to Slack's Web API: one try that counts, a deadline on each, and Slack's refusals as our errors."""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from bot.errors import BotError, UnavailableError
from bot.settings import is_local

READ_SECONDS = 3.0  # one read may take this long
LONGEST_WAIT = 20.0  # a Retry-After beyond this is not waited for
PAUSE_SECONDS = 0.2  # before a read is tried again
TRIES = 3
POOL = 50  # connections at once to Slack

_ADVICE = {
    "not_in_channel": "Liaison is not in that conversation; invite it there with /invite and try again.",
    "channel_not_found": "Liaison cannot see that conversation; invite it there with /invite and try again.",
    "is_archived": "That channel is archived; choose another.",
    "expired_trigger_id": "That took too long for Slack to open a window; press the button again.",
    "ratelimited": "Slack asks Liaison to slow down; try again in a minute.",
    "restricted_action": "The rules of that workspace do not let Liaison post there; ask its administrators.",
}


class RefusedError(BotError):
    """Slack said no, for a reason that trying again will not change; `code` is Slack's word for it."""

    def __init__(self, code: str) -> None:
        super().__init__(_ADVICE.get(code, "Slack refused that; ask the operator of Liaison to look."))
        self.code = code


class WebApi:
    """Slack's Web API with one bot token. Never sends a write twice unless Slack said it took nothing."""

    def __init__(self, client: AsyncWebClient) -> None:
        self.client = client

    async def read(self, method: str, **arguments: str | int | bool) -> Mapping[str, Any]:
        """Ask; methods that read take no JSON. Raises RefusedError or UnavailableError."""
        async with _deadline(READ_SECONDS):
            try:
                return await self._patiently(method, READ_SECONDS, params=dict(arguments), http_verb="GET")
            except UnavailableError:  # once more: asking twice does no harm
                await asyncio.sleep(PAUSE_SECONDS)
                return await self._patiently(method, READ_SECONDS, params=dict(arguments), http_verb="GET")

    async def write(
        self, method: str, arguments: Mapping[str, object], *, seconds: float = 10.0
    ) -> Mapping[str, Any]:
        """Do; whether a write that ends in UnavailableError took place is not known."""
        async with _deadline(seconds):
            return await self._patiently(method, seconds, json=dict(arguments))

    async def _patiently(self, method: str, seconds: float, **arguments: Any) -> Mapping[str, Any]:
        until = asyncio.get_running_loop().time() + seconds
        for _ in range(TRIES):
            try:
                response = await self.client.api_call(method, **arguments)
                return response.data if isinstance(response.data, dict) else {}
            except SlackApiError as error:
                wait = _retry_after(error)
                if wait is None or asyncio.get_running_loop().time() + wait > until:
                    raise _ours(method, error) from None  # its text holds Slack's whole answer
                await asyncio.sleep(wait)
            except (aiohttp.ClientError, SlackClientError, ValueError) as error:
                raise UnavailableError("Slack did not answer; try again in a minute.") from error
        raise RefusedError("ratelimited")


def open_client(token: str, base_url: str) -> AsyncWebClient:
    """A client that never re-sends by itself: slack_sdk would repeat a post that Slack already took."""
    client = AsyncWebClient(token=token, base_url=base_url, retry_handlers=[], timeout=10)
    if is_local(base_url):
        client.proxy = None  # a proxy in the environment is for Slack, not for the sandbox
    client.session = aiohttp.ClientSession(
        timeout=aiohttp.ClientTimeout(total=30, connect=5),
        connector=aiohttp.TCPConnector(limit=POOL),
        cookie_jar=aiohttp.DummyCookieJar(),
    )
    return client


def quieten_sdk() -> None:
    """Keep message texts out of the logs: below WARNING the SDK writes requests and answers."""
    for name in ("slack_sdk", "slack_bolt"):
        logging.getLogger(name).setLevel(logging.WARNING)


@asynccontextmanager
async def _deadline(seconds: float) -> AsyncIterator[None]:
    """A wait that ends in UnavailableError."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError as error:
        raise UnavailableError("Slack did not answer in time; try again in a minute.") from error


def _retry_after(error: SlackApiError) -> float | None:
    """Seconds to wait if Slack asks for patience, which means that it took nothing; else None."""
    response = error.response
    if getattr(response, "status_code", 0) != 429:
        return None
    try:
        wait = float(response.headers.get("Retry-After", response.headers.get("retry-after", "1")))
    except ValueError:
        wait = 1.0
    return wait if 0 <= wait <= LONGEST_WAIT else None


def _ours(method: str, error: SlackApiError) -> BotError:
    response = error.response
    data = getattr(response, "data", None)
    code = str(data.get("error", "")) if isinstance(data, dict) else ""
    if getattr(response, "status_code", 0) >= 500 or not code or code in _PASSING:
        return UnavailableError("Slack has trouble right now; try again in a minute.")
    logging.getLogger(__name__).warning("slack refused %s: %s", method, _word(code))
    return RefusedError(code)


def _word(code: str) -> str:
    """Only Slack's own kind of word goes to the log."""
    return code if code.replace("_", "").isalnum() and len(code) <= 60 else "an odd answer"


_PASSING = frozenset(("internal_error", "fatal_error", "service_unavailable", "request_timeout"))
