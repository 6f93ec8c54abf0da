"""A bare Bolt app that only acknowledges, as in Bolt's documentation, for the benchmark to compare with."""

from typing import Any

from aiohttp import web
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.manifest import EVENTS_PATH
from bot.settings import SlackSettings


def bare_app(settings: SlackSettings) -> web.Application:
    """The web application of such an app."""
    app = AsyncApp(
        client=AsyncWebClient(token=settings.bot_token.value, base_url=settings.api_url),
        signing_secret=settings.signing_secret.value if settings.signing_secret else "",
    )

    @app.command("/intel")
    async def acknowledge(ack: Any) -> None:
        await ack()

    return app.web_app(path=EVENTS_PATH)
