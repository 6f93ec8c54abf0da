"""A name service for one name, as Docker's is for the replicas of a service: an address for each."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

_QUESTION = 12  # bytes before it
_ADDRESSES, _INTERNET = 1, 1


class _Names(asyncio.DatagramProtocol):
    """Answers whatever is asked with these addresses; https://www.rfc-editor.org/rfc/rfc1035#section-4"""

    def __init__(self, addresses: Sequence[str]) -> None:
        self._addresses = addresses

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        self._transport = transport  # a datagram protocol gets no other one

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        end = data.index(b"\0", _QUESTION) + 5  # the name, its type, its class
        [kind] = struct.unpack_from(">H", data, end - 4)
        found = self._addresses if kind == _ADDRESSES else ()
        head = data[:2] + struct.pack(">HHHHH", 0x8180, 1, len(found), 0, 0)
        records = b"".join(
            struct.pack(">HHHIH", 0xC00C, _ADDRESSES, _INTERNET, 1, 4) + socket.inet_aton(address)
            for address in found
        )
        self._transport.sendto(head + data[_QUESTION:end] + records, addr)


@asynccontextmanager
async def naming(addresses: Sequence[str]) -> AsyncIterator[int]:
    """Serve these addresses on a port of loopback for as long as the block runs."""
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: _Names(addresses), local_addr=("127.0.0.1", 0))
    try:
        yield int(transport.get_extra_info("sockname")[1])
    finally:
        transport.close()
