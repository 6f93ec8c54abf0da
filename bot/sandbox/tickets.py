"""What comes with an interaction: trigger ids and response URLs, and how often and long they work."""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.sandbox.content import checked_blocks
from bot.sandbox.workspace import Json, Message, SlackError, Workspace

MAX_USES = 5
MAX_KEPT = 10_000


@dataclass
class _Trigger:
    user: str
    until: float
    used: bool = False


class Triggers:
    """Trigger ids: good for one modal, for three seconds."""

    def __init__(self, clock: Callable[[], datetime], seconds: float) -> None:
        self._clock = clock
        self._seconds = seconds
        self._issued: dict[str, _Trigger] = {}

    def issue(self, user: str) -> str:
        """A new trigger id of that person."""
        now = self._clock().timestamp()
        trigger = f"{int(now)}.{secrets.randbelow(10**10)}.{secrets.token_hex(16)}"
        self._issued[trigger] = _Trigger(user, now + self._seconds)
        _forget_oldest(self._issued)
        return trigger

    def exchange(self, trigger: str) -> str:
        """Whose it is; raises SlackError invalid_, exchanged_ or expired_trigger_id."""
        issued = self._issued.get(trigger)
        if issued is None:
            raise SlackError("invalid_trigger_id")
        if issued.used:
            raise SlackError("exchanged_trigger_id")
        if self._clock().timestamp() > issued.until:
            raise SlackError("expired_trigger_id")
        issued.used = True
        return issued.user


@dataclass
class _Permit:
    user: str
    channel: str
    until: float
    command: str | None  # what was typed, until it has been echoed
    original: str | None  # ts of the message that replace_original means
    thread: str | None
    uses: int = 0


class ResponseUrls:
    """Response URLs: five uses within 30 minutes, ephemeral unless said otherwise."""

    def __init__(self, workspace: Workspace, seconds: float) -> None:
        self._workspace = workspace
        self._seconds = seconds
        self._issued: dict[str, _Permit] = {}

    def issue(
        self, user: str, channel: str, *, command: str | None = None, original: Message | None = None
    ) -> str:
        """The secret part of a new response URL."""
        until = self._workspace.clock().timestamp() + self._seconds
        ts = original.ts if original else None
        token = secrets.token_urlsafe(24)
        thread = original.thread_ts if original else None
        self._issued[token] = _Permit(user, channel, until, command, ts, thread)
        _forget_oldest(self._issued)
        return token

    def use(self, token: str, body: Mapping[str, Any]) -> Message | None:
        """Do what the app asks; raises SlackError with Slack's code."""
        permit = self._issued.get(token)
        if permit is None:
            raise SlackError("invalid_token")
        if self._workspace.clock().timestamp() > permit.until:
            raise SlackError("expired_url")
        if permit.uses >= MAX_USES:
            raise SlackError("used_url")
        permit.uses += 1
        return self._answer(permit, body)

    def answer_at_once(self, token: str, body: Mapping[str, Any]) -> Message | None:
        """The same for an acknowledgement, which is no use of the URL and may be without words."""
        permit = self._issued[token]
        if body.get("text") or body.get("blocks"):
            return self._answer(permit, body)
        if body.get("response_type") == "in_channel":
            self._echo(permit)
        return None

    def _echo(self, permit: _Permit) -> None:
        """Show everyone what was typed, once, as Slack does for in_channel."""
        if permit.command is not None:
            self._workspace.post(permit.channel, permit.user, permit.command)
            permit.command = None

    def _answer(self, permit: _Permit, body: Mapping[str, Any]) -> Message | None:
        original = self._workspace.find(permit.channel, permit.original) if permit.original else None
        if body.get("delete_original"):
            if original is not None:
                self._workspace.delete(_own(self._workspace, original))
            return None
        content = _content(body)
        if body.get("replace_original") and original is not None:
            return self._workspace.edit(_own(self._workspace, original), **content)
        return self._new(permit, body, content)

    def _new(self, permit: _Permit, body: Mapping[str, Any], content: Json) -> Message:
        public = body.get("response_type") == "in_channel"
        if public:
            self._echo(permit)
        posted = self._workspace.post(
            permit.channel,
            self._workspace.cast.bot,
            **content,
            thread_ts=body.get("thread_ts") or permit.thread,
            only_for=None if public else permit.user,
        )
        permit.original = permit.original or posted.ts
        return posted


def _content(body: Mapping[str, Any]) -> Json:
    text, blocks = body.get("text") or "", checked_blocks(body.get("blocks"), "invalid_payload")
    if not isinstance(text, str):
        raise SlackError("invalid_payload")
    if not text and not blocks:
        raise SlackError("no_text")
    return {"text": text, "blocks": blocks}


def _own(workspace: Workspace, message: Message) -> Message:
    if message.user != workspace.cast.bot:
        raise SlackError("cant_update_message")
    return message


def _forget_oldest(issued: dict[str, Any]) -> None:
    while len(issued) > MAX_KEPT:
        del issued[next(iter(issued))]
