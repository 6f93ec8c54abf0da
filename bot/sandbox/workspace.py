"""The sandbox's state: channels, who is in them, what was said. Rules of Slack Connect, no I/O."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from bot.sandbox.cast import Cast, Place, Team, User

Json = dict[str, Any]
MAX_MESSAGES = 10_000  # of one channel; the oldest are forgotten
MAX_TEXT = 40_000


class SlackError(Exception):
    """What Slack refuses, with its own error code; `details` goes into the answer as it is."""

    def __init__(self, code: str, **details: Any) -> None:
        super().__init__(code)
        self.code = code
        self.details: Json = details


@dataclass(frozen=True, kw_only=True)
class File:
    """An uploaded file."""

    id: str
    name: str
    title: str
    content: bytes

    @property
    def text(self) -> str:
        """The content as text, with replacement characters where it is none."""
        return self.content.decode(errors="replace")


@dataclass(frozen=True, kw_only=True)
class Message:
    """What a person sees in a conversation."""

    ts: str
    channel: str
    user: str  # who wrote it
    text: str
    blocks: tuple[Json, ...] = ()
    thread_ts: str | None = None
    only_for: str | None = None  # an ephemeral's one reader
    files: tuple[File, ...] = ()
    metadata: Json | None = None
    subtype: str | None = None
    edited: bool = False
    note: bool = False  # said by Slack itself, for example a refusal

    @property
    def ephemeral(self) -> bool:
        """Only one person sees it."""
        return self.only_for is not None

    @property
    def readable(self) -> str:
        """Everything in it that a reader could read: text, every string of the blocks, the files."""
        pieces = [self.text, *_strings(self.blocks), *(f"{file.name}\n{file.text}" for file in self.files)]
        return "\n".join(pieces)


@dataclass(kw_only=True)
class Channel:
    """A conversation; `connected`, `pending` and `limited` hold T... or E... ids."""

    id: str
    name: str
    host: str
    created: int
    kind: str = "channel"  # or "im", "mpim"
    private: bool = True
    purpose: str = ""
    members: list[str] = field(default_factory=list)
    connected: list[str] = field(default_factory=list)
    pending: list[str] = field(default_factory=list)
    limited: list[str] = field(default_factory=list)
    frozen: bool = False
    archived: bool = False
    messages: list[Message] = field(default_factory=list)
    gone: dict[str, str] = field(default_factory=dict)  # who lost access -> ts of the last thing they saw


@dataclass(frozen=True, kw_only=True)
class View:
    """An open modal."""

    id: str
    user: str
    view: Json  # as the app gave it, with block_ids filled in
    hash: str
    errors: Json = field(default_factory=dict)  # block_id -> sentence, from response_action "errors"


class Workspace:
    """All of the sandbox's Slack."""

    def __init__(self, cast: Cast, clock: Callable[[], datetime]) -> None:
        self.cast = cast
        self.clock = clock
        self.teams = {team.id: team for team in cast.teams}
        self.users = {user.id: user for user in cast.users}
        self.channels = {place.id: _opened(place, clock()) for place in cast.channels}
        self.views: dict[str, View] = {}
        self.files: dict[str, File] = {}
        self.revision = 0
        self.said: Callable[[Message], object] = lambda _: None  # told of each message and each edit
        self.opened: Callable[[View], object] = lambda _: None  # and of each modal
        self._changed = asyncio.Event()
        self._last_microsecond = 0
        self._numbers = 0

    # --- who and where ---------------------------------------------------------------------------------

    @property
    def host(self) -> Team:
        """The workspace that installed the app."""
        return self.teams[self.cast.host]

    def user(self, user: str) -> User:
        """Raises SlackError user_not_found."""
        if user not in self.users:
            raise SlackError("user_not_found")
        return self.users[user]

    def channel(self, channel: str) -> Channel:
        """Raises SlackError channel_not_found."""
        if channel not in self.channels:
            raise SlackError("channel_not_found")
        return self.channels[channel]

    def team_of(self, user: str) -> Team:
        """The workspace a person belongs to."""
        return self.teams[self.user(user).team]

    def org(self, team: str) -> str:
        """The id that channel lists use for a T... or E... id; raises SlackError team_not_found."""
        for known in self.teams.values():
            if team in (known.id, known.enterprise):
                return known.org
        raise SlackError("team_not_found")

    def external(self, user: str) -> bool:
        """Not of the host's organisation."""
        return self.team_of(user).org != self.host.org

    def stranger(self, user: str) -> bool:
        """External and in no channel with the host."""
        shared = (c for c in self.channels.values() if c.kind == "channel" and user in c.members)
        return self.external(user) and not any(shared)

    def people(self, org: str) -> list[User]:
        """The persons of an organisation (T... or E...), bots left out."""
        teams = {team.id for team in self.teams.values() if team.org == org}
        return [user for user in self.users.values() if user.team in teams and not user.is_bot]

    def shared(self, channel: Channel) -> list[str]:
        """The other organisations in a conversation: connected ones, or those of a group's members."""
        if channel.kind == "channel":
            return list(channel.connected)
        orgs = (self.team_of(member).org for member in channel.members)
        return list(dict.fromkeys(org for org in orgs if org != self.host.org))

    # --- what was said ---------------------------------------------------------------------------------

    def post(self, channel: str, user: str, text: str, **more: Any) -> Message:
        """Add a message; `more` are fields of Message. Blocks get ids where they have none."""
        place = self.channel(channel)
        blocks = self.with_ids(more.pop("blocks", ()))
        message = Message(
            ts=self.next_ts(), channel=channel, user=user, text=text[:MAX_TEXT], blocks=blocks, **more
        )
        place.messages.append(message)
        del place.messages[:-MAX_MESSAGES]
        self.said(message)
        self.touch()
        return message

    def edit(self, message: Message, *, text: str, blocks: Iterable[Json], **more: Any) -> Message:
        """Put other words in a message's place; blocks that are not given are gone."""
        changed = replace(message, text=text[:MAX_TEXT], blocks=self.with_ids(blocks), edited=True, **more)
        messages = self.channel(message.channel).messages
        messages[messages.index(message)] = changed
        self.said(changed)
        self.touch()
        return changed

    def delete(self, message: Message) -> None:
        """Take a message away."""
        self.channel(message.channel).messages.remove(message)
        self.touch()

    def take_file(self, message: Message, file: str) -> None:
        """Take a file out of a message."""
        messages = self.channel(message.channel).messages
        left = tuple(each for each in message.files if each.id != file)
        messages[messages.index(message)] = replace(message, files=left)
        self.touch()

    def find(self, channel: str, ts: str) -> Message | None:
        """The message of that time, ephemeral or not."""
        return next((m for m in self.channel(channel).messages if m.ts == ts), None)

    def seen_by(self, user: str, channel: str) -> list[Message]:
        """What a person can read there, oldest first; who lost access keeps what was said until then."""
        place = self.channel(channel)
        until = None if user in place.members else place.gone.get(user, "")
        return [m for m in place.messages if m.only_for in (None, user) and (until is None or m.ts <= until)]

    # --- who can read it -------------------------------------------------------------------------------

    def join(self, user: str, channel: str) -> None:
        """Make a person a member; raises SlackError not_connected for people of other organisations."""
        place = self.channel(channel)
        if place.kind == "channel" and self.external(user) and self.team_of(user).org not in place.connected:
            raise SlackError("not_connected")
        if user not in place.members:
            place.members.append(user)
        place.gone.pop(user, None)
        self.touch()

    def leave(self, user: str, channel: str) -> None:
        """End a membership; what was said until now stays readable."""
        place = self.channel(channel)
        place.members.remove(user)
        place.gone[user] = self.next_ts()
        self.touch()

    def invite(self, team: str, channel: str) -> str:
        """Invite an organisation; it is pending until it accepts. Gives its T... or E... id."""
        place, org = self.channel(channel), self.org(team)
        if place.kind != "channel" or org == self.org(place.host):
            raise SlackError("cannot_invite")
        if org in place.connected:
            raise SlackError("already_in_channel")
        if org not in place.pending:
            place.pending.append(org)
        self.touch()
        return org

    def accept(self, team: str, channel: str) -> str:
        """Connect an invited organisation; raises SlackError invite_not_found."""
        place, org = self.channel(channel), self.org(team)
        if org not in place.pending:
            raise SlackError("invite_not_found")
        place.pending.remove(org)
        place.connected.append(org)
        self.touch()
        return org

    def disconnect(self, team: str, channel: str) -> str:
        """Disconnect an organisation or take its invitation back; its people keep the history."""
        place, org = self.channel(channel), self.org(team)
        if org in place.pending:
            place.pending.remove(org)
        elif org in place.connected:
            place.connected.remove(org)
        else:
            raise SlackError("not_connected")
        for member in [m for m in place.members if self.team_of(m).org == org]:
            self.leave(member, channel)
        self.touch()
        return org

    def direct(self, members: Iterable[str]) -> Channel:
        """The direct conversation of exactly these members, opened when there is none yet."""
        wanted = sorted(set(members))
        for channel in self.channels.values():
            if channel.kind != "channel" and sorted(channel.members) == wanted:
                return channel
        kind, letter = ("im", "D") if len(wanted) == 2 else ("mpim", "C")
        name = "" if kind == "im" else f"mpdm-{'--'.join(self.user(m).name for m in wanted)}-1"
        created = int(self.clock().timestamp())
        opened = Channel(
            id=self.new_id(letter), name=name, host=self.host.id, created=created, kind=kind, members=wanted
        )
        self.channels[opened.id] = opened
        self.touch()
        return opened

    def rename_id(self, old: str, new: str) -> None:
        """Give a channel another id, as Slack does with some private channels when a share begins."""
        place = self.channels.pop(old)
        place.id = new
        place.messages = [replace(message, channel=new) for message in place.messages]
        self.channels[new] = place
        self.touch()

    # --- modals ----------------------------------------------------------------------------------------

    def put_view(self, user: str, view: Json, *, view_id: str | None = None) -> View:
        """Open a modal, or change the one of that id."""
        filled = {**view, "blocks": list(self.with_ids(view.get("blocks", ())))}
        new = View(id=view_id or self.new_id("V"), user=user, view=filled, hash=self.next_ts())
        self.views[new.id] = new
        self.opened(new)
        self.touch()
        return new

    def close_view(self, view_id: str) -> None:
        """Close a modal; nothing happens when it is closed already."""
        self.views.pop(view_id, None)
        self.touch()

    def views_of(self, user: str) -> list[View]:
        """The modals a person has open, the uppermost last."""
        return [view for view in self.views.values() if view.user == user]

    # --- numbers and news ------------------------------------------------------------------------------

    def next_ts(self) -> str:
        """A time stamp that nothing else has: seconds and microseconds, always rising."""
        now = int(self.clock().timestamp() * 1_000_000)
        self._last_microsecond = max(now, self._last_microsecond + 1)
        return "{}.{:06d}".format(*divmod(self._last_microsecond, 1_000_000))

    def new_id(self, letter: str) -> str:
        """An id as Slack's, not used before."""
        self._numbers += 1
        return f"{letter}0SANDBOX{self._numbers:03d}"

    def with_ids(self, blocks: Iterable[Json]) -> tuple[Json, ...]:
        """The blocks, with a block_id (and action_ids) where the app left them out."""
        filled = []
        for block in blocks:
            given = {"block_id": self.new_id("b"), **block}
            if isinstance(elements := given.get("elements"), list) and given.get("type") == "actions":
                given["elements"] = [{"action_id": self.new_id("a"), **element} for element in elements]
            filled.append(given)
        return tuple(filled)

    def touch(self) -> None:
        """Tell everyone who waits that something changed."""
        self.revision += 1
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def change(self) -> None:
        """Wait for the next change."""
        await self._changed.wait()


def _opened(place: Place, now: datetime) -> Channel:
    return Channel(
        id=place.id,
        name=place.name,
        host=place.host,
        created=int(now.timestamp()),
        private=place.private,
        purpose=place.purpose,
        members=list(place.members),
        connected=list(place.connected),
    )


def _strings(value: object) -> Iterable[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from _strings(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _strings(each)


def utc_now() -> datetime:
    """The clock that is used unless another is given."""
    return datetime.now(UTC)
