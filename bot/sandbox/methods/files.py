"""files.getUploadURLExternal, the upload itself, files.completeUploadExternal, files.delete."""

from dataclasses import replace

from bot.sandbox import shapes
from bot.sandbox.content import checked_blocks, invalid
from bot.sandbox.methods.call import Call, Method
from bot.sandbox.workspace import Channel, File, Json, SlackError, Workspace

MAX_BYTES = 20_000_000


def _announce(call: Call) -> Json:
    call.need("files:write")
    name = call.required("filename")
    length = call.whole("length", default=0, high=MAX_BYTES)
    uploaded = File(id=call.workspace.new_id("F"), name=name, title=name, content=b"")
    call.workspace.files[uploaded.id] = uploaded
    return {"upload_url": f"{call.base_url}/upload/v1/{uploaded.id}?length={length}", "file_id": uploaded.id}


def receive(workspace: Workspace, file_id: str, length: int, content: bytes) -> None:
    """Take the bytes of an announced file; raises SlackError when they are not what was announced."""
    announced = workspace.files.get(file_id)
    if announced is None or announced.content:
        raise SlackError("file_not_found")
    if len(content) != length:
        raise SlackError("file_update_failed")
    workspace.files[file_id] = replace(announced, content=content)


def _complete(call: Call) -> Json:
    call.need("files:write")
    wanted = call.json("files", "invalid_arguments")
    if not isinstance(wanted, list) or not wanted:
        raise invalid("missing required field: files")
    files = tuple(_ready(call.workspace, each) for each in wanted)
    place = call.joined("channel_id") if call.text("channel_id") else None
    if place is not None:
        _share(call, place, files)
    for each in files:
        del call.workspace.files[each.id]  # an upload is completed once
    return {"files": [shapes.file(each, call.workspace.cast.bot) for each in files]}


def _ready(workspace: Workspace, wanted: object) -> File:
    file_id = wanted.get("id") if isinstance(wanted, dict) else None
    uploaded = workspace.files.get(str(file_id))
    if uploaded is None or not uploaded.content:
        raise SlackError("file_not_found")
    return replace(
        uploaded, title=str(wanted.get("title") or uploaded.name) if isinstance(wanted, dict) else ""
    )


def _share(call: Call, place: Channel, files: tuple[File, ...]) -> None:
    thread = call.text("thread_ts")
    if thread is not None and call.workspace.find(place.id, thread) is None:
        raise SlackError("invalid_thread_ts")
    blocks = checked_blocks(call.json("blocks", "invalid_blocks_format"), "invalid_blocks_format")
    call.workspace.post(
        place.id,
        call.workspace.cast.bot,
        call.text("initial_comment") or "",
        blocks=blocks,
        thread_ts=thread,
        files=files,
    )


def _delete(call: Call) -> Json:
    """The bot deletes what it uploaded: the file is gone from every message, the words beside it stay."""
    call.need("files:write")
    wanted = call.required("file")
    holders = [
        message
        for channel in call.workspace.channels.values()
        for message in channel.messages
        if any(each.id == wanted for each in message.files)
    ]
    if not holders and call.workspace.files.pop(wanted, None) is None:
        raise SlackError("file_not_found")
    if any(message.user != call.workspace.cast.bot for message in holders):
        raise SlackError("cant_delete_file")
    for message in holders:
        call.workspace.take_file(message, wanted)
    return {}


METHODS = {
    "files.getUploadURLExternal": Method(_announce),
    "files.completeUploadExternal": Method(_complete),
    "files.delete": Method(_delete),
}
