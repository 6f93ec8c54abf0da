"""One call of the Web API: its arguments, read as Slack reads them, and what it may touch."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bot.sandbox.content import invalid
from bot.sandbox.socket_mode import Sockets
from bot.sandbox.tickets import Triggers
from bot.sandbox.workspace import Channel, Json, SlackError, Workspace

_KIND_SCOPES = {"im": "im", "mpim": "mpim"}


@dataclass(frozen=True, kw_only=True)
class Call:
    """A call that passed the checks of token and rate."""

    arguments: Mapping[str, Any]  # a form's fields, or the members of a JSON body
    workspace: Workspace
    triggers: Triggers
    sockets: Sockets
    scopes: frozenset[str]
    base_url: str

    def text(self, name: str) -> str | None:
        """An argument, None when it is missing or empty; raises SlackError if it is no string."""
        value = self.arguments.get(name)
        if value is None or value == "":
            return None
        if not isinstance(value, str | int | float) or isinstance(value, bool):
            raise invalid(f"{name} must be a string")
        return str(value)

    def required(self, name: str) -> str:
        """An argument that must be there."""
        value = self.text(name)
        if value is None:
            raise invalid(f"missing required field: {name}")
        return value

    def flag(self, name: str) -> bool:
        """A yes or no, as JSON or as a form field."""
        return self.arguments.get(name) in (True, 1, "1", "true", "True")

    def whole(self, name: str, *, default: int, high: int) -> int:
        """A whole number from 1 to `high`."""
        value = self.text(name) or str(default)
        if not value.isascii() or not value.isdigit() or not 1 <= int(value[:9]) <= high:
            raise SlackError(f"invalid_{name}")
        return int(value)

    def json(self, name: str, error: str) -> Any:
        """A structured argument: itself in a JSON body, a JSON string in a form; None when missing."""
        value = self.arguments.get(name)
        if value is None or value == "":
            return None
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value)
        except ValueError:
            raise SlackError(error) from None

    def channel(self, name: str = "channel") -> Channel:
        """The channel that an argument names, if the bot can see it; raises SlackError channel_not_found."""
        place = self.workspace.channel(self.required(name))
        if self.workspace.cast.bot not in place.members and (place.private or place.kind != "channel"):
            raise SlackError("channel_not_found")
        return place

    def inside(self, name: str = "channel") -> Channel:
        """The same, if the bot is a member; raises not_in_channel."""
        place = self.channel(name)
        if self.workspace.cast.bot not in place.members:
            raise SlackError("not_in_channel")
        return place

    def joined(self, name: str = "channel") -> Channel:
        """The same, if it may write, too; raises is_archived."""
        place = self.inside(name)
        if place.archived or place.frozen:
            raise SlackError("is_archived")
        return place

    def need(self, *scopes: str) -> None:
        """Raise SlackError missing_scope unless the token has one of these."""
        if not self.scopes.intersection(scopes):
            raise SlackError("missing_scope", needed=scopes[0], provided=",".join(sorted(self.scopes)))

    def need_for(self, place: Channel, what: str) -> None:
        """The scope for this kind of conversation: `what` is read or history."""
        kind = _KIND_SCOPES.get(place.kind) or ("groups" if place.private else "channels")
        self.need(f"{kind}:{what}")


@dataclass(frozen=True)
class Method:
    """A method, and the kind of token it takes."""

    run: Callable[[Call], Json]
    app_token: bool = False
