"""Balancer: one address for several replicas; whoever does not answer is passed over. Plain TCP."""

import asyncio
from contextlib import suppress
from itertools import count

BLOCK = 65_536
CONNECT_SECONDS = 1.0


class Balancer:
    """Passes each connection on to the next replica that takes it."""

    def __init__(self) -> None:
        self._ports: dict[int, int] = {}  # by number of the replica
        self._turns = count()
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.Task[None]] = set()

    async def start(self) -> int:
        """Listen on a free loopback port; gives it."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Hang up."""
        if self._server is not None:
            self._server.close()
        for task in list(self._open):
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    def put(self, replica: int, port: int | None) -> None:
        """Where that replica listens now; None: nowhere."""
        if port is None:
            self._ports.pop(replica, None)
        else:
            self._ports[replica] = port

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        piping = asyncio.ensure_future(self._pass_on(reader, writer))
        self._open.add(piping)
        piping.add_done_callback(self._open.discard)
        with suppress(asyncio.CancelledError):
            await piping

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if (there := await self._connect()) is not None:
                await _pipe(reader, writer, *there)
        finally:
            writer.close()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        ports, turn = list(self._ports.values()), next(self._turns)
        for number in range(len(ports)):
            port = ports[(turn + number) % len(ports)]
            with suppress(OSError, TimeoutError):
                async with asyncio.timeout(CONNECT_SECONDS):
                    return await asyncio.open_connection("127.0.0.1", port)
        return None


async def _pipe(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    their_reader: asyncio.StreamReader,
    their_writer: asyncio.StreamWriter,
) -> None:
    """Both ways, until one side hangs up."""
    ways = [
        asyncio.ensure_future(_copy(reader, their_writer)),
        asyncio.ensure_future(_copy(their_reader, writer)),
    ]
    try:
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)
        their_writer.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while block := await reader.read(BLOCK):
            writer.write(block)
            await writer.drain()
