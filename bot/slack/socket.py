"""Socket Mode: Liaison calls Slack, for places without a public address; Slack recommends HTTP otherwise.

https://docs.slack.dev/apis/events-api/using-socket-mode/
"""

import asyncio
import logging
import time

from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_sdk.errors import SlackApiError

from bot.errors import ConfigError, UnavailableError
from bot.settings import is_local
from bot.slack.connection import Connection

CONNECT_SECONDS = 15.0
PING_SECONDS = 10.0
SILENCE_SECONDS = 60.0  # without a pong: connect anew
GIVE_UP_SECONDS = 120.0  # the process ends, and whoever supervises it starts it again
CHECK_SECONDS = 5.0
LOG = logging.getLogger("bot.socket")


class SocketMode:
    """One WebSocket to Slack, watched: the SDK's own opinion of its health has been wrong before."""

    def __init__(self, connection: Connection, *, check_seconds: float = CHECK_SECONDS) -> None:
        token, api_url = connection.settings.app_token, connection.settings.api_url
        if token is None:
            raise ConfigError(["SLACK_APP_TOKEN: is needed for Socket Mode"])
        self._handler = AsyncSocketModeHandler(
            connection.app, token.value, web_client=connection.slack.client, ping_interval=PING_SECONDS
        )
        if is_local(api_url):
            self._handler.client.proxy = None
        self._check_seconds = check_seconds

    async def open(self) -> None:
        """Call Slack. Raises UnavailableError."""
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                client = self._handler.client
                client.wss_uri = (
                    await client.issue_new_wss_url()
                )  # connecting would retry a wrong token for ever
                await self._handler.connect_async()  # type: ignore[no-untyped-call]  # untyped in Bolt
        except TimeoutError as error:
            raise UnavailableError("Slack did not open a socket in time; try again in a minute.") from error
        except SlackApiError:
            raise ConfigError(
                ["SLACK_APP_TOKEN: Slack does not take it; it needs connections:write"]
            ) from None

    async def watch(self) -> None:
        """Reconnect after a silence. Raises UnavailableError when that does not help."""
        heard = time.monotonic()
        while True:
            await asyncio.sleep(self._check_seconds)
            if await self.is_alive():
                heard = time.monotonic()
            elif time.monotonic() - heard > GIVE_UP_SECONDS:
                raise UnavailableError("Slack's socket stays silent; starting again may help.")
            elif time.monotonic() - heard > SILENCE_SECONDS:
                await self._again()

    async def is_alive(self) -> bool:
        """Did Slack answer a ping lately?"""
        client = self._handler.client
        last = client.last_ping_pong_time
        is_quiet = last is not None and time.time() - last > SILENCE_SECONDS
        return bool(await client.is_connected()) and not is_quiet

    async def close(self) -> None:
        """Hang up; Slack sends nothing more."""
        await self._handler.close_async()  # type: ignore[no-untyped-call]  # untyped in Bolt

    async def _again(self) -> None:
        LOG.warning("the socket is silent; connecting anew")
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                await self._handler.client.connect_to_new_endpoint(force=True)
        except TimeoutError:
            LOG.warning("no new socket in time")
