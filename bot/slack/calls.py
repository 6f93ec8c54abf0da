"""Calls to Slack's Web API: one try that counts, a deadline on each, and Slack's refusals as our errors."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from bot.errors import BotError, UnavailableError
from bot.settings import is_local

READ_SECONDS = 3.0  # one read may take this long
UNSAID_WAIT = 30.0  # when Slack asks for patience and gives no sensible Retry-After
MAX_WAIT = 3_600.0  # a longer Retry-After is not sensible
PAUSE_SECONDS = 0.2  # before a read is tried again
UPLOAD_SECONDS = 30.0
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


class TokenRefusedError(RefusedError):
    """Slack does not take the token (any more): nothing gets through until the operator sets another."""


class RateLimitedError(UnavailableError):
    """Slack took nothing and wants to be left alone for `seconds`."""

    def __init__(self, seconds: float) -> None:
        super().__init__(_ADVICE["ratelimited"])
        self.seconds = seconds


class NotTakenError(UnavailableError):
    """Nothing reached Slack: it can be tried again without a look at what stands there."""

    def __init__(self) -> None:
        super().__init__("Slack could not be reached; try again in a minute.")


class PerhapsTakenError(UnavailableError):
    """The request was on its way when something broke: Slack may have done it, now or in a while."""

    def __init__(self) -> None:
        super().__init__("Slack did not answer; try again in a minute.")


class WebApi:
    """Slack's Web API with one bot token. Never sends a write twice unless Slack said it took nothing."""

    def __init__(
        self, client: AsyncWebClient, *, rest: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        self.client, self._rest = client, rest

    async def read(self, method: str, **arguments: str | int | bool) -> Mapping[str, Any]:
        """Ask; methods that read take no JSON. Raises RefusedError or UnavailableError."""
        async with _deadline(READ_SECONDS):
            try:
                return await self._patiently(method, READ_SECONDS, params=dict(arguments), http_verb="GET")
            except RateLimitedError:
                raise
            except UnavailableError:  # once more: asking twice does no harm
                await asyncio.sleep(PAUSE_SECONDS)
                return await self._patiently(method, READ_SECONDS, params=dict(arguments), http_verb="GET")

    async def write(
        self, method: str, arguments: Mapping[str, object], *, seconds: float = 10.0
    ) -> Mapping[str, Any]:
        """Do; whether a write that ends in UnavailableError took place is not known."""
        async with _deadline(seconds):
            return await self._patiently(method, seconds, json=dict(arguments))

    async def once(self, method: str, *, seconds: float, **arguments: Any) -> Mapping[str, Any]:
        """Do or ask with one request and no second; `json` or `params` and `http_verb` as the SDK has them.

        Raises RefusedError, RateLimitedError, NotTakenError, PerhapsTakenError.
        """
        try:
            async with asyncio.timeout(seconds):
                response = await self.client.api_call(method, **arguments)
        except SlackApiError as error:
            raise _ours(method, error) from None  # its text holds Slack's whole answer
        except _UNSENT as error:
            raise NotTakenError from error
        except (TimeoutError, aiohttp.ClientError, SlackClientError, ValueError) as error:
            raise PerhapsTakenError from error
        return response.data if isinstance(response.data, dict) else {}

    async def upload(self, url: str, content: bytes) -> None:
        """Bring the content of an announced file, which nobody sees yet. Raises as `post_to`."""
        headers = {"Content-Type": "application/octet-stream"}
        status = await self.post_to("files", url, seconds=UPLOAD_SECONDS, data=content, headers=headers)
        if status != 200:
            raise RefusedError(f"upload_{status}")

    async def post_to(self, host: str, url: str, *, seconds: float, **body: Any) -> int:
        """Once, and only to where Slack's own addresses of that kind lead; gives the status.

        Raises RefusedError, UnavailableError.
        """
        client = self.client
        if client.session is None or not is_slacks(host, url, client.base_url):
            raise RefusedError(f"invalid_{host}_url")
        try:
            async with (
                asyncio.timeout(seconds),
                client.session.post(url, allow_redirects=False, proxy=client.proxy, **body) as response,
            ):
                status = response.status
        except (aiohttp.ClientError, TimeoutError) as error:
            raise UnavailableError("Slack did not take the answer; ask again.") from error
        if status >= 500 or status == 429:
            raise UnavailableError("Slack did not take the answer; ask again.")
        return status

    async def _patiently(self, method: str, seconds: float, **arguments: Any) -> Mapping[str, Any]:
        until = asyncio.get_running_loop().time() + seconds
        tries = 0
        while True:
            try:
                return await self.once(method, seconds=seconds, **arguments)
            except RateLimitedError as error:
                tries += 1
                if tries == TRIES or asyncio.get_running_loop().time() + error.seconds > until:
                    raise
                await self._rest(error.seconds)


def open_client(token: str, base_url: str) -> AsyncWebClient:
    """A client that never re-sends by itself: slack_sdk would repeat a post that Slack already took."""
    client = AsyncWebClient(token=token, base_url=base_url, retry_handlers=[], timeout=10)
    if is_local(base_url):
        client.proxy = None  # a proxy in the environment is for Slack, not for the sandbox
    client.session = aiohttp.ClientSession(
        timeout=aiohttp.ClientTimeout(total=30, connect=5),
        connector=aiohttp.TCPConnector(limit=POOL),
        cookie_jar=aiohttp.DummyCookieJar(),
        trace_configs=[_no_redirects()],
    )
    return client


def _no_redirects() -> aiohttp.TraceConfig:
    """Slack's Web API redirects nobody: a post must not be made a second time, or anywhere else."""

    async def refuse(_: object, __: object, redirect: aiohttp.TraceRequestRedirectParams) -> None:
        redirect.response.close()
        raise aiohttp.ClientError("a redirect")

    config = aiohttp.TraceConfig()
    config.on_request_redirect.append(refuse)
    return config


def is_slacks(host: str, url: str, base_url: str) -> bool:
    """Whether an address is one of hooks.slack.com or files.slack.com, or of the sandbox if that is Slack."""
    parts, base = urlsplit(url), urlsplit(base_url)
    if is_local(base_url):
        return (parts.scheme, parts.netloc) == (base.scheme, base.netloc)
    return parts.scheme == "https" and parts.netloc == f"{host}.{base.netloc}"


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


def _ours(method: str, error: SlackApiError) -> BotError:
    response = error.response
    data, status = getattr(response, "data", None), getattr(response, "status_code", 0)
    code = str(data.get("error", "")) if isinstance(data, dict) else ""
    if status == 429 or code in _TOO_MANY:
        return RateLimitedError(_retry_after(response))
    if status >= 500 or not code or code in _PASSING:
        return PerhapsTakenError()
    logging.getLogger(__name__).warning("slack refused %s: %s", method, _word(code))
    return TokenRefusedError(code) if code in _WRONG_TOKEN else RefusedError(code)


def _retry_after(response: Any) -> float:
    """Seconds to wait before the next try."""
    try:
        wait = float(response.headers.get("Retry-After", response.headers.get("retry-after", "")))
    except ValueError:
        return UNSAID_WAIT
    return wait if 0 <= wait <= MAX_WAIT else UNSAID_WAIT


def _word(code: str) -> str:
    """Only Slack's own kind of word goes to the log."""
    return code if code.replace("_", "").isalnum() and len(code) <= 60 else "an odd answer"


_WRONG_TOKEN = frozenset(("invalid_auth", "not_authed", "token_revoked", "token_expired", "account_inactive"))
_TOO_MANY = frozenset(("ratelimited", "rate_limited"))
# Of the first two Slack says that some aspect of the operation may have succeeded before the error.
_PASSING = frozenset(("internal_error", "fatal_error", "service_unavailable", "request_timeout"))
_UNSENT = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.ClientHttpProxyError)
