"""The Slack app manifest, made from the commands: what an administrator pastes to create the app.

https://docs.slack.dev/reference/app-manifest/
"""

from collections.abc import Sequence

from bot.chat import SLASH, Command

NAME = "Liaison"
EVENTS_PATH = "/slack/events"
PLACEHOLDER_HOST = "https://liaison.example.org"

# Each scope with what stops working without it. The two of history would let Liaison read what people say to
# each other; it looks for its own posts only, keeps nothing else, and can do without them: then an operator
# settles by hand whether a digest arrived.
SCOPES = {
    "app_mentions:read": "hear @Liaison, the way partners ask in a shared channel",
    "channels:history": "find its own posts in a public channel when Slack did not say whether it took them",
    "channels:read": "see which organisations read a public channel before answering in it",
    "chat:write": "answer, post digests and summaries, correct or delete its own posts",
    "commands": "the slash command of the host's own people",
    "files:write": "hand out lists that are too long for a message, and the chart of a summary",
    "groups:history": "find its own posts in a private channel when Slack did not say whether it took them",
    "groups:read": "see which organisations read a private channel before answering in it",
    "im:history": "hear direct messages to Liaison, the private way for partners to ask",
    "im:read": "know a direct message from a channel",
    "im:write": "open a direct conversation: for such a list after a slash command, and to alert operators",
    "mpim:read": "see who reads a group message before answering in it",
    "users:read": "confirm which organisation a person belongs to",
}

EVENTS = {
    "app_mention": "a question in a channel",
    "message.im": "a question in a direct message",
    "channel_shared": "another organisation reads along from now on",
    "channel_unshared": "an organisation left",
    "channel_id_changed": "what was known of the old id is void",
    "member_joined_channel": "another reader",
    "member_left_channel": "one reader fewer",
}


def manifest(commands: Sequence[Command], *, socket_mode: bool = False) -> dict[str, object]:
    """The manifest as a JSON object; in Socket Mode it needs no public address."""
    address = {} if socket_mode else {"request_url": PLACEHOLDER_HOST + EVENTS_PATH}
    slash_address = {} if socket_mode else {"url": PLACEHOLDER_HOST + EVENTS_PATH}
    return {
        "display_information": {
            "name": NAME,
            "description": "Answers threat indicator lookups, within the marking of the data",
        },
        "features": {
            "app_home": {"messages_tab_enabled": True, "messages_tab_read_only_enabled": False},
            "bot_user": {"display_name": NAME, "always_online": False},
            "slash_commands": [
                {
                    "command": SLASH,
                    "description": "Ask Liaison; only you see the answer",
                    "usage_hint": " | ".join(command.usage for command in commands),
                    "should_escape": True,
                    **slash_address,
                }
            ],
        },
        "oauth_config": {"scopes": {"bot": sorted(SCOPES)}},
        "settings": {
            "event_subscriptions": {"bot_events": sorted(EVENTS), **address},
            "interactivity": {"is_enabled": True, **address},
            "org_deploy_enabled": False,
            "socket_mode_enabled": socket_mode,
            "token_rotation_enabled": False,
        },
    }
