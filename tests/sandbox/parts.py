"""Pieces that several of the sandbox's tests put together."""

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.sandbox.stub_app import Body

MENTION = "<@U0LIAISON> lookup 192.0.2.7"


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 23, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def move(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


def button(action_id: str = "more") -> Body:
    element = {
        "type": "button",
        "action_id": action_id,
        "text": {"type": "plain_text", "text": "More"},
        "value": "v1",
    }
    return {"type": "actions", "block_id": "b1", "elements": [element]}


def option(value: str) -> Body:
    return {"text": {"type": "plain_text", "text": value.title()}, "value": value}


def modal(title: str = "Share", **more: Any) -> Body:
    note = {"type": "plain_text_input", "action_id": "note", "max_length": 20}
    label = {
        "type": "static_select",
        "action_id": "label",
        "options": [option("green"), option("amber")],
        "initial_option": option("amber"),
    }
    return {
        "type": "modal",
        "callback_id": "share",
        "private_metadata": "opaque",
        "title": {"type": "plain_text", "text": title},
        "submit": {"type": "plain_text", "text": "Share"},
        "blocks": [
            {
                "type": "input",
                "block_id": "b-note",
                "label": {"type": "plain_text", "text": "Note"},
                "element": note,
            },
            {
                "type": "input",
                "block_id": "b-label",
                "label": {"type": "plain_text", "text": "Label"},
                "element": label,
            },
        ],
        **more,
    }
