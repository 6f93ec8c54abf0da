"""chat.postMessage, postEphemeral, update, delete, getPermalink."""

from bot.blockkit import MAX_METADATA
from bot.sandbox import shapes
from bot.sandbox.content import checked_blocks, invalid
from bot.sandbox.methods.call import Call, Method
from bot.sandbox.workspace import Channel, Json, Message, SlackError


def _post_message(call: Call) -> Json:
    call.need("chat:write")
    place = _destination(call)
    content = _content(call)
    thread = _thread(call, place)
    posted = call.workspace.post(
        place.id, call.workspace.cast.bot, **content, thread_ts=thread, metadata=_metadata(call)
    )
    return {
        "channel": place.id,
        "ts": posted.ts,
        "message": shapes.message(call.workspace, posted, metadata=True),
    }


def _destination(call: Call) -> Channel:
    """A channel, or the direct conversation with a person when a person is named."""
    named = call.required("channel")
    if named not in call.workspace.users:
        return call.joined()
    if named == call.workspace.cast.bot or call.workspace.stranger(named):
        raise SlackError("channel_not_found")
    return call.workspace.direct([call.workspace.cast.bot, named])


def _post_ephemeral(call: Call) -> Json:
    call.need("chat:write")
    place = call.joined()
    reader = call.required("user")
    if reader not in place.members:
        raise SlackError("user_not_in_channel")
    posted = call.workspace.post(
        place.id, call.workspace.cast.bot, **_content(call), thread_ts=_thread(call, place), only_for=reader
    )
    return {"message_ts": posted.ts}


def _update(call: Call) -> Json:
    call.need("chat:write")
    place = call.joined()
    original = _original(call, place, "cant_update_message")
    content = _content(call)
    if "metadata" in call.arguments:
        content["metadata"] = _metadata(call)
    changed = call.workspace.edit(original, **content)
    shown = shapes.message(call.workspace, changed, metadata=True)
    return {"channel": place.id, "ts": changed.ts, "text": changed.text, "message": shown}


def _delete(call: Call) -> Json:
    call.need("chat:write")
    place = call.joined()
    original = _original(call, place, "cant_delete_message")
    call.workspace.delete(original)
    return {"channel": place.id, "ts": original.ts}


def _permalink(call: Call) -> Json:
    place = call.channel()
    ts = call.required("message_ts")
    message = call.workspace.find(place.id, ts)
    if message is None or message.ephemeral:
        raise SlackError("message_not_found")
    link = f"{call.base_url}/archives/{place.id}/p{ts.replace('.', '')}"
    return {"channel": place.id, "permalink": link}


def _original(call: Call, place: Channel, refusal: str) -> Message:
    message = call.workspace.find(place.id, call.required("ts"))
    if message is None or message.ephemeral:  # an ephemeral can only be changed through its response URL
        raise SlackError("message_not_found")
    if message.user != call.workspace.cast.bot:
        raise SlackError(refusal)
    return message


def _content(call: Call) -> Json:
    if call.arguments.get("attachments") or call.arguments.get("markdown_text"):  # Liaison never sends these
        raise invalid("attachments and markdown_text do not exist in the sandbox; use blocks")
    text = call.text("text") or ""
    blocks = checked_blocks(call.json("blocks", "invalid_blocks_format"), "invalid_blocks_format")
    if not text and not blocks:
        raise SlackError("no_text")
    return {"text": text, "blocks": blocks}


def _thread(call: Call, place: Channel) -> str | None:
    ts = call.text("thread_ts")
    if ts is None:
        return None
    parent = call.workspace.find(place.id, ts)
    if parent is None or parent.ephemeral or parent.thread_ts not in (None, ts):
        raise SlackError("cannot_reply_to_message")
    return ts


def _metadata(call: Call) -> Json | None:
    metadata = call.json("metadata", "metadata_must_be_sent_from_app")
    if metadata is None:
        return None
    well_formed = (
        isinstance(metadata, dict)
        and isinstance(metadata.get("event_type"), str)
        and isinstance(metadata.get("event_payload"), dict)
    )
    if not well_formed:
        raise SlackError("invalid_metadata_format")
    if len(str(metadata)) > MAX_METADATA * 4:
        raise SlackError("metadata_too_large")
    return dict(metadata)


METHODS = {
    "chat.postMessage": Method(_post_message),
    "chat.postEphemeral": Method(_post_ephemeral),
    "chat.update": Method(_update),
    "chat.delete": Method(_delete),
    "chat.getPermalink": Method(_permalink),
}
