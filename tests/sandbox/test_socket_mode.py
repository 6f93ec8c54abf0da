"""Socket Mode with slack_sdk's own client."""

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox import Sandbox
from tests.sandbox.parts import MENTION, button


class Listener:
    """An app behind a WebSocket that acknowledges and remembers."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.web = AsyncWebClient(token=sandbox.bot_token, base_url=sandbox.api_url, retry_handlers=[])
        self.requests: list[SocketModeRequest] = []
        self.silent = False
        self.client = SocketModeClient(app_token=sandbox.app_token, web_client=self.web, ping_interval=0.2)
        self.client.socket_mode_request_listeners.append(self._take)

    async def _take(self, client: AsyncBaseSocketModeClient, request: SocketModeRequest) -> None:
        self.requests.append(request)
        if self.silent:
            return
        payload = {"text": "hello"} if request.type == "slash_commands" else None
        await client.send_socket_mode_response(SocketModeResponse(request.envelope_id, payload))


@pytest.fixture
async def listener(sandbox: Sandbox) -> AsyncIterator[Listener]:
    connected = Listener(sandbox)
    await connected.client.connect()  # type: ignore[no-untyped-call]  # so in slack_sdk
    await asyncio.wait_for(sandbox.sockets.open.wait(), 5)
    yield connected
    await connected.client.close()  # type: ignore[no-untyped-call]  # so in slack_sdk


async def test_a_command_travels_and_is_answered(sandbox: Sandbox, listener: Listener) -> None:
    delivery = await sandbox.slash("U0ANA", "C0KASP", "help")
    assert (delivery.text, delivery.error) == ("hello", None)
    (request,) = listener.requests
    assert (request.type, request.payload["command"]) == ("slash_commands", "/intel")
    assert request.accepts_response_payload is True


async def test_events_and_clicks_travel_too(sandbox: Sandbox, listener: Listener) -> None:
    posted = await listener.web.chat_postMessage(channel="C0KASP", text="x", blocks=[button()])
    await sandbox.say("U0KIRA", "C0KASP", MENTION)
    await sandbox.click("U0KIRA", "C0KASP", posted["ts"], "more")
    await sandbox.settled()
    assert sorted(request.type for request in listener.requests) == ["events_api", "interactive"]


async def test_what_is_not_acknowledged_comes_again(sandbox: Sandbox, listener: Listener) -> None:
    listener.silent = True
    await sandbox.say("U0KIRA", "C0KASP", MENTION)
    await sandbox.settled(timeout=10)
    assert [request.retry_attempt for request in listener.requests] == [0, 1, 2, 3]
    assert {request.payload["event_id"] for request in listener.requests} == {
        sandbox.deliveries[0].payload["event_id"]
    }
    assert sandbox.deliveries[0].attempts[0].reason == "http_timeout"


async def test_a_client_comes_back_when_it_is_asked_to(sandbox: Sandbox, listener: Listener) -> None:
    await sandbox.sockets.refresh()
    await asyncio.wait_for(sandbox.sockets.open.wait(), 5)
    assert (await sandbox.slash("U0ANA", "C0KASP", "help")).text == "hello"


async def test_only_an_app_token_opens_a_connection(sandbox: Sandbox) -> None:
    client = AsyncWebClient(base_url=sandbox.api_url)
    with pytest.raises(SlackApiError, match="not_allowed_token_type"):
        await client.apps_connections_open(app_token=sandbox.bot_token)


async def test_a_ticket_is_good_once(sandbox: Sandbox) -> None:
    client = AsyncWebClient(base_url=sandbox.api_url)
    url = (await client.apps_connections_open(app_token=sandbox.app_token))["url"]
    async with aiohttp.ClientSession() as session:
        async with session.ws_connect(url) as socket:
            assert (await socket.receive_json())["type"] == "hello"
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await session.ws_connect(url)


async def test_an_eleventh_connection_is_turned_away(sandbox: Sandbox) -> None:
    base = sandbox.url.replace("http", "ws", 1)
    async with aiohttp.ClientSession() as session:
        sockets = [
            await session.ws_connect(f"{base}/link/?ticket={sandbox.sockets.ticket()}") for _ in range(11)
        ]
        hellos = [await socket.receive_json() for socket in sockets]
        for socket in sockets:
            await socket.close()
    assert [hello["type"] for hello in hellos] == ["hello"] * 10 + ["disconnect"]
    assert hellos[-1]["reason"] == "too_many_websockets"
