"""Channels, people, messages and modals as Slack's JSON shows them to the app's bot."""

from datetime import datetime
from zoneinfo import ZoneInfo

from bot.sandbox.cast import Guest, User
from bot.sandbox.workspace import Channel, File, Json, Message, View, Workspace


def channel(workspace: Workspace, place: Channel) -> Json:
    """The object of conversations.info. https://docs.slack.dev/reference/objects/conversation-object/"""
    common = {
        "id": place.id,
        "created": place.created,
        "is_archived": place.archived,
        "is_im": place.kind == "im",
        "is_mpim": place.kind == "mpim",
        "is_org_shared": False,
        "is_frozen": place.frozen,
        "context_team_id": workspace.host.id,
        "updated": place.created * 1000,
    }
    if place.frozen:
        common["frozen_reason"] = "connection_severed"
    if place.kind == "im":
        other = next(member for member in place.members if member != workspace.cast.bot)
        return {**common, "user": other, "is_open": True, "is_user_deleted": False, "priority": 0}
    return {**common, **_named(workspace, place), **_readers(workspace, place)}


def _named(workspace: Workspace, place: Channel) -> Json:
    topic = {"value": "", "creator": "", "last_set": 0}
    return {
        "name": place.name,
        "name_normalized": place.name,
        "is_channel": place.kind == "channel",
        "is_group": False,
        "is_private": place.private,
        "is_general": False,
        "is_member": workspace.cast.bot in place.members,
        "unlinked": 0,
        "creator": place.members[0] if place.members else "",
        "topic": topic,
        "purpose": {**topic, "value": place.purpose},
        "previous_names": [],
        "num_members": len(place.members),
    }


def _readers(workspace: Workspace, place: Channel) -> Json:
    """Which organisations read it: a grid organisation appears as E..., others as T..."""
    connected = workspace.shared(place)
    host = workspace.org(place.host)
    return {
        "is_shared": bool(connected),
        "is_ext_shared": bool(connected),
        "is_pending_ext_shared": bool(place.pending),
        "conversation_host_id": host,
        "shared_team_ids": [host, *connected],
        "internal_team_ids": [host],
        "connected_team_ids": connected,
        "connected_limited_team_ids": list(place.limited),
        "pending_shared": list(place.pending),
        "pending_connected_team_ids": list(place.pending),
    }


def user(workspace: Workspace, person: User) -> Json:
    """The object of users.info. https://docs.slack.dev/reference/objects/user-object/"""
    team = workspace.teams[person.team]
    external = workspace.external(person.id)
    seen: Json = {
        "id": person.id,
        "team_id": person.team,
        "name": person.name,
        "deleted": person.deleted,
        "real_name": person.real_name,
        "is_admin": False,
        "is_owner": False,
        "is_primary_owner": False,
        "is_restricted": person.guest is not Guest.NO,
        "is_ultra_restricted": person.guest is Guest.SINGLE_CHANNEL,
        "is_bot": person.is_bot,
        "is_app_user": False,
        "updated": 0,
        **_zone(workspace.clock(), person.tz),
        "profile": {
            "title": person.title,
            "real_name": person.real_name,
            "real_name_normalized": person.real_name,
            "display_name": person.real_name,
            "display_name_normalized": person.real_name,
            "team": team.org,
        },
    }
    if external:
        seen["is_stranger"] = workspace.stranger(person.id)
    if team.enterprise:
        seen["enterprise_user"] = {
            "id": person.id,
            "enterprise_id": team.enterprise,
            "enterprise_name": team.name,
            "is_admin": False,
            "is_owner": False,
            "teams": [team.id],
        }
    return seen


def _zone(now: datetime, name: str) -> Json:
    local = now.astimezone(ZoneInfo(name))
    offset = local.utcoffset()
    return {
        "tz": name,
        "tz_label": local.tzname(),
        "tz_offset": int(offset.total_seconds()) if offset is not None else 0,
    }


def message(workspace: Workspace, said: Message, *, metadata: bool = False) -> Json:
    """A message of history and payloads. https://docs.slack.dev/reference/events/message/"""
    author = workspace.user(said.user)
    shown: Json = {
        "type": "message",
        "ts": said.ts,
        "user": said.user,
        "team": workspace.team_of(said.user).org,
        "text": said.text,
    }
    optional: Json = {
        "subtype": said.subtype,
        "blocks": list(said.blocks),
        "thread_ts": said.thread_ts,
        "edited": {"user": said.user, "ts": said.ts} if said.edited else None,
        "files": [file(each, said.user) for each in said.files],
        "metadata": said.metadata if metadata else None,
        "bot_id": workspace.cast.bot_id if author.is_bot else None,
        "app_id": workspace.cast.app_id if author.is_bot else None,
    }
    return {**shown, **{key: value for key, value in optional.items() if value}, **_thread(workspace, said)}


def _thread(workspace: Workspace, parent: Message) -> Json:
    replies = [
        m
        for m in workspace.channel(parent.channel).messages
        if m.thread_ts == parent.ts and not m.ephemeral and m.ts != parent.ts
    ]
    if not replies:
        return {}
    users = list(dict.fromkeys(reply.user for reply in replies))
    return {
        "thread_ts": parent.ts,
        "reply_count": len(replies),
        "reply_users": users,
        "reply_users_count": len(users),
        "latest_reply": replies[-1].ts,
    }


def file(uploaded: File, owner: str) -> Json:
    """A file object. https://docs.slack.dev/reference/objects/file-object/"""
    return {
        "id": uploaded.id,
        "name": uploaded.name,
        "title": uploaded.title,
        "mimetype": "text/plain",
        "filetype": uploaded.name.rpartition(".")[2] or "text",
        "user": owner,
        "size": len(uploaded.content),
        "mode": "hosted",
        "is_external": False,
    }


def view(workspace: Workspace, modal: View, values: Json | None = None) -> Json:
    """A modal as views.open answers and view_submission carries it."""
    given = modal.view
    return {
        "id": modal.id,
        "team_id": workspace.team_of(modal.user).id,
        "app_id": workspace.cast.app_id,
        "app_installed_team_id": workspace.host.id,
        "bot_id": workspace.cast.bot_id,
        "type": given["type"],
        "title": given["title"],
        "submit": given.get("submit"),
        "close": given.get("close"),
        "blocks": given["blocks"],
        "private_metadata": given.get("private_metadata", ""),
        "callback_id": given.get("callback_id", ""),
        "external_id": given.get("external_id", ""),
        "state": {"values": values or {}},
        "hash": modal.hash,
        "clear_on_close": bool(given.get("clear_on_close")),
        "notify_on_close": bool(given.get("notify_on_close")),
        "previous_view_id": None,
        "root_view_id": modal.id,
    }
