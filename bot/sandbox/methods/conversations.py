"""conversations.info, members, open, history, replies."""

import base64
import binascii
from collections.abc import Sequence
from typing import TypeVar

from bot.sandbox import shapes
from bot.sandbox.methods.call import Call, Method
from bot.sandbox.workspace import Json, Message, SlackError

Item = TypeVar("Item")


def _info(call: Call) -> Json:
    place = call.channel()
    call.need_for(place, "read")
    return {"channel": shapes.channel(call.workspace, place)}


def _members(call: Call) -> Json:
    place = call.channel()
    call.need_for(place, "read")
    page, cursor = _page(call, place.members, high=1000)
    return {"members": page, "response_metadata": {"next_cursor": cursor}}


def _open(call: Call) -> Json:
    call.need("im:write", "mpim:write")
    if call.text("channel"):
        return {"no_op": True, "already_open": True, "channel": _opened(call, call.channel().id)}
    wanted = [user.strip() for user in call.required("users").split(",") if user.strip()]
    for user in wanted:
        _can_be_written_to(call, user)
    if len(wanted) > 1:
        call.need("mpim:write")
    place = call.workspace.direct([call.workspace.cast.bot, *wanted])
    return {"channel": _opened(call, place.id)}


def _can_be_written_to(call: Call, user: str) -> None:
    person = call.workspace.user(user)
    if person.deleted:
        raise SlackError("user_disabled")
    if person.is_bot:
        raise SlackError("cannot_dm_bot")
    if call.workspace.stranger(user):
        raise SlackError("user_not_visible")


def _opened(call: Call, channel: str) -> Json:
    return (
        shapes.channel(call.workspace, call.workspace.channel(channel))
        if call.flag("return_im")
        else {"id": channel}
    )


def _history(call: Call) -> Json:
    place = call.inside()
    call.need_for(place, "history")
    said = [m for m in place.messages if not m.ephemeral and m.thread_ts in (None, m.ts)]
    page, cursor = _page(call, _between(call, said)[::-1], high=999)
    return _messages(call, page, cursor)


def _replies(call: Call) -> Json:
    place = call.inside()
    call.need_for(place, "history")
    ts = call.required("ts")
    thread = [m for m in place.messages if not m.ephemeral and ts in (m.ts, m.thread_ts)]
    if not thread or thread[0].ts != ts:
        raise SlackError("thread_not_found")
    page, cursor = _page(call, _between(call, thread), high=1000)
    return _messages(call, page, cursor)


def _between(call: Call, messages: list[Message]) -> list[Message]:
    oldest, latest = call.text("oldest") or "0", call.text("latest") or "9999999999"
    try:
        low, high = float(oldest), float(latest)
    except ValueError:
        raise SlackError("invalid_ts_oldest") from None
    if call.flag("inclusive"):
        return [m for m in messages if low <= float(m.ts) <= high]
    return [m for m in messages if low < float(m.ts) < high]


def _messages(call: Call, page: Sequence[Message], cursor: str) -> Json:
    metadata = call.flag("include_all_metadata")
    answer: Json = {
        "messages": [shapes.message(call.workspace, m, metadata=metadata) for m in page],
        "has_more": bool(cursor),
        "pin_count": 0,
    }
    return {**answer, "response_metadata": {"next_cursor": cursor}} if cursor else answer


def _page(call: Call, items: Sequence[Item], *, high: int) -> tuple[Sequence[Item], str]:
    """Some items and the cursor of the next page, which is empty at the end."""
    limit = call.whole("limit", default=100, high=high)
    start = _start(call.text("cursor"))
    rest = start + limit < len(items)
    return items[start : start + limit], base64.b64encode(
        f"next:{start + limit}".encode()
    ).decode() if rest else ""


def _start(cursor: str | None) -> int:
    if cursor is None:
        return 0
    try:
        word, _, number = base64.b64decode(cursor, validate=True).decode().partition(":")
        if word == "next":
            return int(number)
    except (binascii.Error, ValueError):
        pass
    raise SlackError("invalid_cursor")


METHODS = {
    "conversations.info": Method(_info),
    "conversations.members": Method(_members),
    "conversations.open": Method(_open),
    "conversations.history": Method(_history),
    "conversations.replies": Method(_replies),
}
