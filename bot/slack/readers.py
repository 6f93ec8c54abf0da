"""Readers: who reads a channel, asked once from the command line."""

from collections.abc import Callable
from datetime import datetime

from bot.organisations import Registry
from bot.settings import SlackSettings
from bot.sharing import Audience
from bot.slack.audience import Audiences
from bot.slack.bolt import who_am_i
from bot.slack.calls import WebApi, open_client, quieten_sdk
from bot.slack.identity import People


async def readers_of_channel(
    settings: SlackSettings, registry: Registry, channel: str, clock: Callable[[], datetime]
) -> Audience:
    """Everybody who reads it, as Slack says it now.

    Raises ConfigError if Slack refuses the token, RefusedError, UnavailableError.
    """
    quieten_sdk()
    slack = WebApi(open_client(settings.bot_token.value, settings.api_url))
    try:
        identity = await who_am_i(slack)
        own_user = str(identity.get("user_id", ""))
        people = People(slack, registry)
        return await Audiences(slack, people, registry, clock=clock, own_user=own_user).asked(channel)
    finally:
        if slack.client.session is not None:
            await slack.client.session.close()
