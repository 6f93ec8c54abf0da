"""A plain HTTP server for the wires, and what an error tells to whoever logs it."""

import asyncio
import ssl
import traceback
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from typing import Any, TypeVar

from aiohttp import web

from bot.providers.remote import Wire

AnyWire = TypeVar("AnyWire", bound=Wire)
KEY = "canary-key-0123456789abcdef"


class Server:
    """Answers everything in the same way, and remembers what was asked."""

    def __init__(self) -> None:
        self.url = ""
        self.asked: list[web.Request] = []
        self.bodies: list[bytes] = []
        self.peers: set[Any] = set()
        self._answer = web.Response(body=b"{}", content_type="application/json")
        self._open = asyncio.Event()
        self._open.set()
        self._reached = asyncio.Event()
        self._runner: web.AppRunner | None = None

    async def start(self, context: ssl.SSLContext | None = None) -> None:
        """Listen on a free loopback port."""
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1, handler_cancellation=True)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=context).start()
        scheme = "https" if context else "http"
        self.url = f"{scheme}://127.0.0.1:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        """Release the port."""
        if self._runner is not None:
            await self._runner.cleanup()

    def answers(self, response: web.Response) -> None:
        """From now on."""
        self._answer = response

    def hold(self) -> None:
        """Keep everybody waiting until `release`."""
        self._open.clear()

    def release(self) -> None:
        """Answer again."""
        self._open.set()

    async def reached(self) -> None:
        """Wait until somebody asked."""
        async with asyncio.timeout(5):
            await self._reached.wait()

    async def _handle(self, request: web.Request) -> web.Response:
        self.asked.append(request)
        self.bodies.append(await request.read())
        self.peers.add(request.transport and request.transport.get_extra_info("peername"))
        self._reached.set()
        await self._open.wait()
        shape = self._answer
        return web.Response(status=shape.status, body=shape.body, headers=shape.headers)


def answering(status: int, body: str, content_type: str) -> web.Response:
    """A response for `Server.answers`."""
    return web.Response(status=status, body=body.encode(), headers={"Content-Type": content_type})


@asynccontextmanager
async def running(context: ssl.SSLContext | None = None) -> AsyncIterator[Server]:
    """A server that is stopped at the end."""
    server = Server()
    await server.start(context)
    try:
        yield server
    finally:
        await server.stop()


@asynccontextmanager
async def opened(wire: AnyWire) -> AsyncIterator[AnyWire]:
    """The wire, closed at the end."""
    try:
        yield wire
    finally:
        await wire.close()


@asynccontextmanager
async def speaking(words: bytes, *, hangs_up: bool) -> AsyncIterator[str]:
    """The address of something that says these words to whoever asks, whether they are HTTP or not."""
    talks: set[asyncio.Task[None] | None] = set()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talks.add(asyncio.current_task())
        with suppress(ConnectionError):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(words)
            await writer.drain()
            if not hangs_up:
                await reader.read()  # until the other side does
            writer.close()
            await writer.wait_closed()

    listening = await asyncio.start_server(talk, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    finally:
        listening.close()
        await asyncio.gather(*filter(None, talks))


def everything_told(error: BaseException) -> str:
    """All that a log could hold of an exception: its text, its arguments, and whatever it came from."""
    return "".join(
        "".join((repr(one), str(one), repr(one.args), repr(vars(one)), *traceback.format_exception(one)))
        for one in _family(error)
    )


def _family(error: BaseException) -> Iterator[BaseException]:
    yield error
    for other in (error.__cause__, error.__context__):
        if other is not None:
            yield from _family(other)
