"""The bodies that Slack sends: commands, events, interactions, with the teams as Slack Connect has them."""

from typing import Any

from bot.sandbox import shapes
from bot.sandbox.cast import Team
from bot.sandbox.workspace import Channel, Json, Message, View, Workspace

TOKEN = "sandbox-verification-token"  # noqa: S105 - the deprecated token of Slack's payloads; it proves nothing
_DIRECT_NAMES = {"im": "directmessage", "mpim": "mpdm"}


def command(
    workspace: Workspace,
    *,
    user: str,
    channel: Channel,
    command: str,
    text: str,
    trigger_id: str,
    response_url: str,
) -> Json:
    """The form of a slash command. https://docs.slack.dev/interactivity/implementing-slash-commands/"""
    team = workspace.team_of(user)
    body = {
        "token": TOKEN,
        "team_id": team.id,
        "team_domain": team.domain,
        "channel_id": channel.id,
        "channel_name": _DIRECT_NAMES.get(channel.kind)
        or ("privategroup" if channel.private else channel.name),
        "user_id": user,
        "user_name": workspace.user(user).name,
        "command": command,
        "text": text,
        "api_app_id": workspace.cast.app_id,
        "is_enterprise_install": "false",
        "response_url": response_url,
        "trigger_id": trigger_id,
    }
    grid = {"enterprise_id": team.enterprise, "enterprise_name": team.name} if team.enterprise else {}
    return {**body, **grid}


def event(workspace: Workspace, inner: Json, *, channel: Channel | None, team: str | None = None) -> Json:
    """The envelope of the Events API; `team` is the outer team_id, which Slack fills with either side's.

    https://docs.slack.dev/apis/events-api/#callback-field
    """
    stamp = workspace.next_ts()
    external = channel is not None and bool(workspace.shared(channel))
    return {
        "token": TOKEN,
        "team_id": team or workspace.host.id,
        "context_team_id": workspace.host.id,
        "context_enterprise_id": workspace.host.enterprise,
        "api_app_id": workspace.cast.app_id,
        "event": {**inner, "event_ts": inner.get("ts", stamp)},
        "type": "event_callback",
        "event_id": workspace.new_id("Ev"),
        "event_time": int(float(stamp)),
        "authorizations": [
            {
                "enterprise_id": workspace.host.enterprise,
                "team_id": workspace.host.id,
                "user_id": workspace.cast.bot,
                "is_bot": True,
                "is_enterprise_install": False,
            }
        ],
        "is_ext_shared_channel": external,
        "event_context": f"4-{stamp}",
    }


def said(workspace: Workspace, message: Message, kind: str) -> Json:
    """The event for something a person said: `kind` is app_mention or message."""
    channel = workspace.channel(message.channel)
    team = workspace.team_of(message.user)
    inner: Json = {
        "type": kind,
        "user": message.user,
        "text": message.text,
        "ts": message.ts,
        "channel": message.channel,
        "client_msg_id": f"sandbox-{message.ts}",
        **_speaker(workspace, team),
    }
    if kind == "message":
        inner["channel_type"] = channel.kind
    if message.thread_ts:
        inner |= {"thread_ts": message.thread_ts, "parent_user_id": _parent(workspace, message)}
    outer = team.id if workspace.external(message.user) and not team.enterprise else None
    return event(workspace, inner, channel=channel, team=outer)


def _speaker(workspace: Workspace, team: Team) -> Json:
    """Whose team stands where, as recorded from Slack: a grid organisation's E... id beside our team."""
    if team.org == workspace.host.org:
        return {"team": team.id}
    shown = team.org
    return {
        "team": workspace.host.id if team.enterprise else team.id,
        "user_team": shown,
        "source_team": shown,
        "user_profile": {"team": shown},
    }


def _parent(workspace: Workspace, message: Message) -> str:
    parent = workspace.find(message.channel, message.thread_ts or "")
    return parent.user if parent else message.user


def block_actions(
    workspace: Workspace,
    *,
    user: str,
    trigger_id: str,
    action: Json,
    state: Json,
    message: Message,
    response_url: str,
) -> Json:
    """A click in a message. https://docs.slack.dev/reference/interaction-payloads/block_actions-payload/"""
    channel = workspace.channel(message.channel)
    container = {
        "type": "message",
        "message_ts": message.ts,
        "channel_id": message.channel,
        "is_ephemeral": message.ephemeral,
    }
    if message.thread_ts:
        container["thread_ts"] = message.thread_ts
    body = {
        **_interaction(workspace, "block_actions", user, workspace.host),
        "trigger_id": trigger_id,
        "container": container,
        "channel": {
            "id": channel.id,
            "name": _DIRECT_NAMES.get(channel.kind) or ("privategroup" if channel.private else channel.name),
        },
        "state": {"values": state},
        "response_url": response_url,
        "actions": [{**action, "action_ts": workspace.next_ts()}],
    }
    if not message.ephemeral:  # Slack leaves it out of ephemeral messages
        body["message"] = shapes.message(workspace, message)
    return body


def view_actions(workspace: Workspace, view: View, *, trigger_id: str, action: Json, state: Json) -> Json:
    """A choice in an open modal."""
    return {
        **_interaction(workspace, "block_actions", view.user, workspace.host),
        "trigger_id": trigger_id,
        "container": {"type": "view", "view_id": view.id},
        "view": shapes.view(workspace, view, state),
        "actions": [{**action, "action_ts": workspace.next_ts()}],
    }


def view_submission(workspace: Workspace, view: View, *, trigger_id: str, values: Json) -> Json:
    """A submitted modal; `team` is the acting person's own team, not the one that installed the app."""
    return {
        **_interaction(workspace, "view_submission", view.user, workspace.team_of(view.user)),
        "trigger_id": trigger_id,
        "view": shapes.view(workspace, view, values),
        "response_urls": [],
    }


def view_closed(workspace: Workspace, view: View) -> Json:
    """A modal that was closed without submitting, for apps that asked to know."""
    return {
        **_interaction(workspace, "view_closed", view.user, workspace.team_of(view.user)),
        "view": shapes.view(workspace, view),
        "is_cleared": False,
    }


def _interaction(workspace: Workspace, kind: str, user: str, team: Team) -> dict[str, Any]:
    person = workspace.user(user)
    grid = {"enterprise_id": team.enterprise, "enterprise_name": team.name} if team.enterprise else {}
    return {
        "type": kind,
        "user": {"id": user, "username": person.name, "name": person.name, "team_id": person.team},
        "api_app_id": workspace.cast.app_id,
        "token": TOKEN,
        "team": {"id": team.id, "domain": team.domain, **grid},
        "enterprise": {"id": team.enterprise, "name": team.name} if team.enterprise else None,
        "is_enterprise_install": False,
    }
