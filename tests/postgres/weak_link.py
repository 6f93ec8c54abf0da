"""A link to a server that breaks at a chosen moment: before a message arrives, or before its answer does."""

import asyncio
from contextlib import suppress
from enum import Enum, auto

_CHUNK = 1 << 20  # bytes
_NO_ANSWER = 0.2  # seconds
_GOODBYE = 5.0


class Cut(Enum):
    """Where the link breaks."""

    BEFORE = auto()  # the server never hears the message
    AFTER = auto()  # it does what the message says; nobody hears its answer


class WeakLink:
    """Passes on all that is said to a port of loopback; `port` is its own."""

    def __init__(self) -> None:
        self.port = 0
        self.messages = 0  # from clients, since the last `arm`
        self._cut: tuple[int, Cut] | None = None
        self._target = 0
        self._server: asyncio.Server | None = None
        self._links: set[asyncio.Task[None]] = set()

    async def open(self, target: int) -> None:
        """Begin to listen."""
        self._target = target
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    def arm(self, message: int = 0, cut: Cut = Cut.BEFORE) -> None:
        """Break once, at that message from now on, counted from 1; 0: never."""
        self.messages = 0
        self._cut = (message, cut) if message else None

    async def close(self) -> None:
        """Stop listening; wait for the end of links, which clients have closed."""
        if self._server is not None:
            self._server.close()
        if self._links:
            await asyncio.wait(self._links, timeout=_GOODBYE)

    async def _accept(self, here: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        link = asyncio.current_task()
        assert link is not None
        self._links.add(link)
        link.add_done_callback(self._links.discard)
        there, forth = await asyncio.open_connection("127.0.0.1", self._target)
        answers = asyncio.create_task(_pass_on(there, back))
        try:
            with suppress(ConnectionError):
                while said := await here.read(_CHUNK):
                    cut = self._count()
                    if cut:
                        answers.cancel()
                        await asyncio.gather(answers, return_exceptions=True)
                    if cut is not Cut.BEFORE:
                        forth.write(said)
                    if cut is Cut.AFTER:
                        await _heard(there)
                    if cut:
                        break
        finally:
            answers.cancel()
            for writer in (back, forth):
                writer.transport.abort()

    def _count(self) -> Cut | None:
        self.messages += 1
        if self._cut is None or self._cut[0] != self.messages:
            return None
        cut, self._cut = self._cut[1], None
        return cut


async def _pass_on(there: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while said := await there.read(_CHUNK):
            back.write(said)
            await back.drain()
        back.close()


async def _heard(there: asyncio.StreamReader) -> None:
    """Wait for an answer, which tells that it was done; a part of a longer message has none."""
    with suppress(TimeoutError):
        async with asyncio.timeout(_NO_ANSWER):
            await there.read(_CHUNK)
