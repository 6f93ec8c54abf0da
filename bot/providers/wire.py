"""HttpWire: carries questions to one service over HTTPS, and nowhere else."""

from collections.abc import Awaitable
from contextvars import ContextVar
from urllib.parse import urlencode, urlsplit

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

_asked: ContextVar[URL] = ContextVar("asked")  # what this task sends to, and nothing else


class OutsideError(aiohttp.ClientError):
    """Something else than the question was about to be sent, after a redirect."""


class Fence(aiohttp.TCPConnector):
    """Connections for the one URL that the task asks.

    A resolver that knows one name only would let redirects to addresses and other ports through.
    """

    async def connect(
        self,
        req: ClientRequest,
        traces: list[Trace],
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 - aiohttp's own signature
    ) -> Connection:
        """A connection for that URL. Raises OutsideError."""
        if req.url != _asked.get(None):
            raise OutsideError
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
            return await read(response)

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
    """The same without a slash at the end. Raises ConfigError unless it is HTTPS, or of this machine."""
    parts = urlsplit(base_url)
    plain = parts.hostname and not (parts.username or parts.password or parts.query or parts.fragment)
    if not plain or not (parts.scheme == "https" or (parts.scheme == "http" and is_local(base_url))):
        raise ConfigError(["url: must be an address such as https://api.example.org, without a key in it"])
    return base_url.rstrip("/")


def patience(seconds: float) -> aiohttp.ClientTimeout:
    """So long for an exchange, and not all of it for the connection."""
    return aiohttp.ClientTimeout(total=seconds, sock_connect=min(CONNECT_SECONDS, seconds))


def asking(base: str, request: Request) -> URL:
    """The URL of a question, to which this task may connect from now on."""
    query = f"?{urlencode(request.query)}" if request.query else ""
    url = URL(f"{base}/{request.path.removeprefix('/')}{query}", encoded=True)
    _asked.set(url)
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
    except (OutsideError, aiohttp.ClientResponseError):  # a redirect; what is not HTTP
        outcome = Outcome.BAD_ANSWER
    except (aiohttp.ClientError, OSError):
        outcome = Outcome.UNAVAILABLE
    raise NoAnswerError(outcome)


async def read(response: aiohttp.ClientResponse) -> Reply:
    """The whole reply; a body is counted as it unfolds. Raises NoAnswerError for more than MAX_BODY."""
    body = bytearray()
    async for chunk in response.content.iter_chunked(_CHUNK):
        body += chunk
        if len(body) > MAX_BODY:
            raise NoAnswerError(Outcome.BAD_ANSWER)
    headers = {name.lower(): value for name, value in response.headers.items()}
    return Reply(response.status, headers, bytes(body))
