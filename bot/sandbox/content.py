"""What Slack checks before it takes blocks or a view."""

import json

from bot.blockkit import problems, view_problems
from bot.sandbox.workspace import Json, SlackError

MAX_VIEW_BYTES = 250_000


def checked_blocks(blocks: object, wrong_type: str) -> list[Json]:
    """Blocks that Slack would take, [] for none; raises SlackError `wrong_type` or invalid_blocks."""
    if blocks in (None, ""):
        return []
    if not isinstance(blocks, list):
        raise SlackError(wrong_type)
    if found := problems(blocks) if blocks else []:
        raise SlackError("invalid_blocks", errors=found, response_metadata={"messages": found})
    return blocks


def checked_view(view: object) -> Json:
    """A view that Slack would take; raises SlackError invalid_arguments, view_too_large."""
    if not isinstance(view, dict):
        raise invalid("missing required field: view")
    if len(json.dumps(view)) > MAX_VIEW_BYTES:
        raise SlackError("view_too_large")
    if found := view_problems(view):
        raise invalid(*found)
    return view


def invalid(*messages: str) -> SlackError:
    """The error for arguments that make no sense."""
    return SlackError(
        "invalid_arguments", response_metadata={"messages": [f"[ERROR] {message}" for message in messages]}
    )
