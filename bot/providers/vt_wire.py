"""VtWire: carries questions to VirusTotal through vt-py, its own client.

Of vt-py only `get_async` is used, which hands over what came back: its other calls read bodies of any size
and raise errors whose `repr` holds the key (tests/providers/test_vt_py.py). Redirects, which vt-py follows
with the key, end at the fence.
"""

import vt

from bot.providers.remote import Reply, Request
from bot.providers.wire import AGENT, CEILING_SECONDS, Fence, answered, asking, checked_base, read
from bot.secret import Secret

_PREFIX = "api/v3"  # which vt-py puts before each path


class VtWire:
    """A `remote.Wire` for GET requests without a query."""

    def __init__(
        self, key: Secret, base_url: str, *, connections: int = 100, seconds: float = CEILING_SECONDS
    ) -> None:
        self._key = key
        self._base = checked_base(base_url)
        self._connections = connections
        self._seconds = seconds
        self._client: vt.Client | None = None

    async def send(self, request: Request) -> Reply:
        """The reply, whatever its status. Raises NoAnswerError."""
        return await answered(self._exchange(request))

    async def close(self) -> None:
        """Close its connections."""
        client, self._client = self._client, None
        if client is not None:
            await client.close_async()

    async def _exchange(self, request: Request) -> Reply:
        asking(f"{self._base}/{_PREFIX}", request)
        response = await self._opened().get_async("/{}", request.path)
        try:
            return await read(response, [self._key.value])
        finally:
            response.release()

    def _opened(self) -> vt.Client:
        """The client; vt-py wants it made in the running loop."""
        if self._client is None:
            self._client = vt.Client(
                self._key.value,
                agent=AGENT,
                host=self._base,
                timeout=self._seconds,
                connector=Fence(limit=self._connections),
            )
        return self._client
