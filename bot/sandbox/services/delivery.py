"""How an answer goes over the network: whole, byte by byte, or not to its end."""

import asyncio
from contextlib import suppress
from html import escape

from aiohttp import web

from bot.sandbox.services.asked import Answer


def whole(answer: Answer) -> web.Response:
    """All of it at once."""
    headers = {**answer.headers, "Content-Type": answer.content_type}
    return web.Response(status=answer.status, body=answer.payload, headers=headers)


async def drip(request: web.Request, answer: Answer, seconds: float) -> web.StreamResponse:
    """One byte after the other, that far apart."""
    body = answer.payload or b" "
    response = _promised(answer, len(body))
    with suppress(ConnectionError):  # nobody waited for the end
        await response.prepare(request)
        for place in range(len(body)):
            await response.write(body[place : place + 1])
            await asyncio.sleep(seconds)
    return response


async def cut_off(request: web.Request, answer: Answer) -> web.StreamResponse:
    """The first half of what the header promises."""
    body = answer.payload or b"{}"
    response = _promised(answer, len(body))
    with suppress(ConnectionError):
        await response.prepare(request)
        await response.write(body[: len(body) // 2])
    hang_up(request)
    return response


def hang_up(request: web.Request) -> None:
    """Cut the connection."""
    if request.transport is not None:
        request.transport.abort()


def careless_page(request: web.Request) -> Answer:
    """A web page that shows the whole question, key included, to whoever logs it."""
    headers = "".join(f"<li>{escape(name)}: {escape(value)}</li>" for name, value in request.headers.items())
    words = f"<h1>Please verify that you are human</h1>{escape(str(request.rel_url))}<ul>{headers}</ul>"
    return Answer(200, f"<html><body>{words}</body></html>", "text/html")


def _promised(answer: Answer, length: int) -> web.StreamResponse:
    response = web.StreamResponse(status=answer.status, headers={"Content-Type": answer.content_type})
    response.content_length = length
    return response
