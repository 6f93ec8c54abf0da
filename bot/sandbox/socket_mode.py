"""Socket Mode: the app calls in, and what Slack sends travels over its WebSocket.

https://docs.slack.dev/apis/events-api/using-socket-mode/
"""

import asyncio
import json
import secrets
from http import HTTPStatus

from aiohttp import WSMsgType, web

from bot.sandbox.deliveries import COMMAND, EVENT, INTERACTIVE, Attempt, Delivery
from bot.sandbox.workspace import Json

MAX_CONNECTIONS = 10
_TYPES = {COMMAND: "slash_commands", EVENT: "events_api", INTERACTIVE: "interactive"}


class Sockets:
    """The WebSockets of the app, and the tickets that open one."""

    def __init__(self, app_id: str) -> None:
        self._app_id = app_id
        self._tickets: set[str] = set()
        self._connections: list[web.WebSocketResponse] = []
        self._waiting: dict[str, asyncio.Future[Json]] = {}
        self._turn = 0
        self.open = asyncio.Event()  # an app listens

    def ticket(self) -> str:
        """A one-time ticket for one connection."""
        ticket = secrets.token_urlsafe(16)
        self._tickets.add(ticket)
        return ticket

    def connected(self) -> bool:
        """An app listens."""
        return bool(self._connections)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Serve one connection of the app."""
        ticket = request.query.get("ticket", "")
        if ticket not in self._tickets:
            return web.Response(
                status=HTTPStatus.FORBIDDEN, text="This link was used already or never issued."
            )
        self._tickets.discard(ticket)
        connection = web.WebSocketResponse(heartbeat=20.0, max_msg_size=1_000_000)
        await connection.prepare(request)
        if len(self._connections) >= MAX_CONNECTIONS:
            await connection.send_json(_disconnect("too_many_websockets"))
            await connection.close()
            return connection
        await self._serve(connection)
        return connection

    async def _serve(self, connection: web.WebSocketResponse) -> None:
        self._connections.append(connection)
        self.open.set()
        try:
            await connection.send_json(self._hello())
            async for message in connection:
                if message.type is WSMsgType.TEXT:
                    self._acknowledged(message.data)
        finally:
            self._connections.remove(connection)
            if not self._connections:
                self.open.clear()

    def _hello(self) -> Json:
        return {
            "type": "hello",
            "num_connections": len(self._connections),
            "connection_info": {"app_id": self._app_id},
            "debug_info": {"host": "sandbox", "approximate_connection_time": 3600},
        }

    def _acknowledged(self, text: str) -> None:
        try:
            answer = json.loads(text)
        except ValueError:
            return
        waiting = self._waiting.get(str(answer.get("envelope_id"))) if isinstance(answer, dict) else None
        if waiting is not None and not waiting.done():
            waiting.set_result(answer.get("payload") or {})

    async def send(self, delivery: Delivery, retry: tuple[int, str] | None, seconds: float) -> Attempt:
        """Hand over to any one of the connections, wait for the acknowledgement at most so long."""
        envelope = _envelope(delivery, retry)
        connection = self._connections[self._turn % len(self._connections)]
        self._turn += 1
        waiting = asyncio.get_running_loop().create_future()
        self._waiting[envelope["envelope_id"]] = waiting
        try:
            async with asyncio.timeout(seconds):
                await connection.send_json(envelope)
                payload = await waiting
        except TimeoutError:
            return Attempt(reason="http_timeout")
        except ConnectionError:
            return Attempt(reason="connection_failed")
        finally:
            del self._waiting[envelope["envelope_id"]]
        return Attempt(reason=None, status=200, body=json.dumps(payload).encode() if payload else b"")

    async def refresh(self, reason: str = "refresh_requested") -> None:
        """Ask every connection to be replaced, as Slack does every few hours, and close it."""
        for connection in list(self._connections):
            await connection.send_json(_disconnect(reason))
            await connection.close()

    async def close(self) -> None:
        """Hang up."""
        for connection in list(self._connections):
            await connection.close()


def _envelope(delivery: Delivery, retry: tuple[int, str] | None) -> Json:
    envelope: Json = {
        "envelope_id": secrets.token_hex(16),
        "type": _TYPES[delivery.kind],
        "payload": delivery.payload,
        "accepts_response_payload": delivery.kind != EVENT,
    }
    if delivery.kind == EVENT:
        number, reason = retry or (0, "")
        envelope |= {"retry_attempt": number, "retry_reason": reason}
    return envelope


def _disconnect(reason: str) -> Json:
    return {"type": "disconnect", "reason": reason, "debug_info": {"host": "sandbox"}}
