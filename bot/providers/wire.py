"""HttpWire: carries questions to one service over HTTPS, and nowhere else."""

from collections.abc import Awaitable, Iterable
from contextvars import ContextVar
from http import HTTPStatus
from urllib.parse import urlencode

import aiohttp
from aiohttp.client_reqrep import ClientRequest
from aiohttp.connector import Connection
from aiohttp.tracing import Trace
from yarl import URL

from bot.errors import ConfigError
from bot.findings import Outcome
from bot.providers.remote import MAX_BODY, Reply, Request
from bot.providers.spec import NoAnswerError
from bot.settings import is_local

AGENT = "liaison"
CEILING_SECONDS = 30.0  # of one exchange; the caller's own deadline is shorter
CONNECT_SECONDS = 5.0
_CHUNK = 65_536  # bytes
_KEYED = frozenset({"auth-key", "authorization", "x-api-key"})
_SHORTEST_KEY = 8  # characters; a shorter word may well stand in an answer by chance

_ATTEMPTS = 2  # aiohttp sends once more if a connection that it kept turns out to be dead


class OutsideError(aiohttp.RedirectClientError):
    """Something else than the question was about to be sent, after a redirect."""


class _Question:
    """The one URL that a task asks for, and how often it still may."""

    def __init__(self, url: URL) -> None:
        self.url = url
        self.attempts = _ATTEMPTS


_asked: ContextVar[_Question] = ContextVar("asked")


class Fence(aiohttp.TCPConnector):
    """Connections for the question of the task that wants one, whatever its client makes of a redirect.

    A resolver that knows one name only would let redirects to addresses and other ports through.
    """

    async def connect(
        self,
        req: ClientRequest,
        traces: list[Trace],
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 - aiohttp's own signature
    ) -> Connection:
        """A connection for that question. Raises OutsideError."""
        question = _asked.get(None)
        if question is None or req.url != question.url or not question.attempts:
            raise OutsideError
        question.attempts -= 1
        return await super().connect(req, traces, timeout)


class HttpWire:
    """A `remote.Wire`. Obeys no redirect, keeps no cookie, uses no proxy, and checks certificates."""

    def __init__(self, base_url: str, *, connections: int = 100, seconds: float = CEILING_SECONDS) -> None:
        self._base = checked_base(base_url)
        self._connections = connections
        self._timeout = patience(seconds)
        self._session: aiohttp.ClientSession | None = None

    async def send(self, request: Request) -> Reply:
        """The reply, whatever its status. Raises NoAnswerError."""
        return await answered(self._exchange(request))

    async def close(self) -> None:
        """Close its connections."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def _exchange(self, request: Request) -> Reply:
        url = asking(self._base, request)
        async with self._opened().request(
            request.method,
            url,
            headers=request.headers,
            data=request.form,
            json=request.json,
            allow_redirects=False,
        ) as response:
            return await read(response, _keys(request))

    def _opened(self) -> aiohttp.ClientSession:
        """The session; aiohttp wants it made in the running loop."""
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=Fence(limit=self._connections),
                timeout=self._timeout,
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"User-Agent": AGENT},
            )
        return self._session


def checked_base(base_url: str) -> str:
    """The same in normal form. Raises ConfigError unless it is HTTPS, or of this machine."""
    try:
        url = URL(base_url)
        is_safe = url.scheme == "https" or (url.scheme == "http" and is_local(base_url))
    except ValueError:
        url, is_safe = URL(), False
    if not (is_safe and url.host) or url.user or url.password or url.query_string or url.fragment:
        raise ConfigError(["url: must be an address such as https://api.example.org, without a key in it"])
    return str(url).rstrip("/")


def patience(seconds: float) -> aiohttp.ClientTimeout:
    """So long for an exchange, and not all of it for the connection."""
    return aiohttp.ClientTimeout(total=seconds, sock_connect=min(CONNECT_SECONDS, seconds))


def asking(base: str, request: Request) -> URL:
    """The URL of a question, to which this task may connect from now on."""
    query = f"?{urlencode(request.query)}" if request.query else ""
    url = URL(f"{base}/{request.path.removeprefix('/')}{query}", encoded=True)
    _asked.set(_Question(url))
    return url


async def answered(exchange: Awaitable[Reply]) -> Reply:
    """The reply, or what went wrong as NoAnswerError.

    It is raised outside the `except` clauses: aiohttp's errors hold the headers of the request, and with them
    the key, and would stay in its `__context__`.
    """
    try:
        return await exchange
    except TimeoutError:
        outcome = Outcome.TIMEOUT
    except (aiohttp.RedirectClientError, aiohttp.ClientResponseError):  # the latter: what is not HTTP
        outcome = Outcome.BAD_ANSWER
    except (aiohttp.ClientError, OSError):
        outcome = Outcome.UNAVAILABLE
    raise NoAnswerError(outcome)


async def read(response: aiohttp.ClientResponse, keys: Iterable[str]) -> Reply:
    """The whole reply; a body is counted as it unfolds.

    Raises NoAnswerError for more than MAX_BODY, and for one that quotes a key: what services say is shown.
    """
    body = bytearray()
    async for chunk in response.content.iter_chunked(_CHUNK):
        body += chunk
        if len(body) > MAX_BODY:
            raise NoAnswerError(Outcome.BAD_ANSWER)
    quoted = (key for key in keys if len(key) >= _SHORTEST_KEY and key.encode() in body)
    if response.status == HTTPStatus.OK and any(quoted):  # the words of an error are shown to nobody
        raise NoAnswerError(Outcome.BAD_ANSWER)
    headers = {name.lower(): value for name, value in response.headers.items()}
    return Reply(response.status, headers, bytes(body))


def _keys(request: Request) -> list[str]:
    """The keys among the headers of a request, without the word before them."""
    return [value.split()[-1] for name, value in request.headers.items() if name.lower() in _KEYED and value]
