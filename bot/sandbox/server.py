"""The sandbox over HTTP: the page, the Web API, response URLs, uploads, the WebSocket; loopback only."""

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from ipaddress import ip_address

from aiohttp import web

from bot.sandbox.page import Page
from bot.sandbox.socket_mode import Sockets
from bot.sandbox.web_api import WebApi

MAX_BODY = 21_000_000
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def application(api: WebApi, sockets: Sockets, page: Page) -> web.Application:
    """All routes behind the guard."""
    app = web.Application(client_max_size=MAX_BODY, middlewares=[_guard])
    app.add_routes(
        [
            web.post("/api/{method}", api.method),
            web.get("/api/{method}", api.method),
            web.post("/response/{token}", api.response_url),
            web.post("/upload/v1/{file}", api.upload),
            web.get("/link/", sockets.handle),
            *page.routes(),
        ]
    )
    return app


@web.middleware
async def _guard(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse other names for this machine (DNS rebinding) and requests of other web pages."""
    if not _is_loopback(request.host):
        return web.Response(
            status=HTTPStatus.MISDIRECTED_REQUEST, text="Open the sandbox as http://127.0.0.1."
        )
    origin = request.headers.get("Origin")
    if origin is not None and origin != f"http://{request.host}":
        return web.Response(status=HTTPStatus.FORBIDDEN, text="Another web page cannot use the sandbox.")
    response = await handler(request)
    if not response.prepared:
        response.headers.update(HEADERS)
    return response


def _is_loopback(host: str) -> bool:
    name = host.rpartition(":")[0] if not host.endswith("]") and ":" in host else host
    if name == "localhost":
        return True
    try:
        return ip_address(name.strip("[]")).is_loopback
    except ValueError:
        return False
