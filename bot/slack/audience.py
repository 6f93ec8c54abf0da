"""Audience: who will be able to read a message in a conversation, as Slack says it now.

The organisations are those in conversations.info, invited ones included, and those of every member.
Whatever is missing, odd or contradictory counts as UNKNOWN or as not fresh: then only TLP:CLEAR may be said.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from bot.chat import Actor
from bot.errors import BotError
from bot.organisations import Registry
from bot.sharing import UNKNOWN, Audience, Reach
from bot.slack.calls import WebApi
from bot.slack.identity import People, Person
from bot.slack.recall import Recall
from bot.tlp import Label

FRESH_SECONDS = 60.0
MAX_CHANNELS = 2_000  # remembered at once
MAX_MEMBERS = 1_000  # of a conversation; beyond, some of them are not known
PAGE = 200
ASKED_AT_ONCE = 10
LOG = logging.getLogger("bot.audience")

# https://docs.slack.dev/apis/slack-connect/: all may hold T... and E... ids
_CONNECTED = ("shared_team_ids", "connected_team_ids", "connected_limited_team_ids")
_INVITED = ("pending_shared", "pending_connected_team_ids")
_OWN = "internal_team_ids"  # workspaces of the host's own Grid organisation
_FLAGS = ("is_ext_shared", "is_pending_ext_shared", "is_org_shared", "is_shared", "is_frozen")


async def never_renamed(_: str) -> Sequence[str]:
    """No former ids, for whoever has no store."""
    return ()


class Audiences:
    """Who reads each conversation; known for at most a minute, and read anew before every post.

    `former` gives the ids that a channel had before: it keeps the strictest of their caps.
    """

    def __init__(
        self,
        slack: WebApi,
        people: People,
        registry: Registry,
        *,
        clock: Callable[[], datetime],
        own_user: str,
        timer: Callable[[], float] = time.monotonic,
        former: Callable[[str], Awaitable[Sequence[str]]] = never_renamed,
    ) -> None:
        self._slack, self._people, self._registry = slack, people, registry
        self._clock, self._own_user, self._former = clock, own_user, former
        self._recall = Recall(self._read, seconds=FRESH_SECONDS, size=MAX_CHANNELS, timer=timer)
        self._caps: dict[str, Label] = {}  # of channels whose id changed, until liaison.toml knows

    async def of_conversation(self, conversation: str, *, max_age: float | None = None) -> Audience:
        """Everybody who reads that channel, group message or direct message; `max_age=0` asks Slack now."""
        try:
            return await self._recall.get(conversation, max_age=max_age)
        except BotError:
            return unknown(self._clock())

    async def asked(self, conversation: str, *, max_age: float = 0) -> Audience:
        """The same, asked so long ago at most. Raises RefusedError or UnavailableError if nobody tells."""
        return await self._recall.get(conversation, max_age=max_age)

    def was_asked(self, conversation: str, *, max_age: float) -> bool:
        """Whether that is known already, and nothing was heard of a change since."""
        return self._recall.is_known(conversation, max_age=max_age)

    def of_person(self, actor: Actor) -> Audience:
        """The one reader of an ephemeral message or a modal."""
        return alone(Reach.EPHEMERAL, actor, self._clock())

    def forget(self, conversation: str) -> None:
        """Its readers changed: what was known before counts no more."""
        self._recall.forget(conversation)

    def renamed(self, old: str, new: str) -> None:
        """A channel got another id: it keeps its cap, if that is stricter than the new id's."""
        self.forget(old)
        self.forget(new)
        if len(self._caps) < MAX_CHANNELS:
            self._caps[new] = self._cap(old)
            LOG.warning("channel %s became %s; write the new id into liaison.toml", old, new)

    def _cap(self, conversation: str) -> Label:
        cap = self._registry.cap(conversation)
        return min(cap, self._caps.get(conversation, cap))

    async def _read(self, conversation: str) -> Audience:
        read_at = self._clock()  # before asking: the answer is never older than this
        answer, members, former = await asyncio.gather(
            self._slack.read("conversations.info", channel=conversation, include_num_members=True),
            self._members(conversation),
            self._former(conversation),
        )
        channel = answer.get("channel")
        if not isinstance(channel, Mapping) or channel.get("id") != conversation:
            return unknown(read_at)
        readers = audience(channel, members, self._registry)
        return replace(readers, cap=min(map(self._cap, (conversation, *former))), read_at=read_at)

    async def _members(self, conversation: str) -> list[Person]:
        """Everybody in it but Liaison itself, and one UNKNOWN for those that could not be asked about."""
        users, is_complete = await self._member_ids(conversation)
        few_at_once = asyncio.Semaphore(ASKED_AT_ONCE)

        async def ask(user: str) -> Person:
            async with few_at_once:
                try:
                    return await self._people.member(user)
                except BotError:
                    return Person(user, UNKNOWN, is_sure=False)

        people = await asyncio.gather(*(ask(user) for user in users if user != self._own_user))
        return [person for person in people if not person.is_gone] + (
            [] if is_complete else [Person("", UNKNOWN, is_sure=False)]
        )

    async def _member_ids(self, conversation: str) -> tuple[list[str], bool]:
        found: list[str] = []
        cursor = ""
        while len(found) < MAX_MEMBERS:
            arguments = {"cursor": cursor} if cursor else {}
            answer = await self._slack.read(
                "conversations.members", channel=conversation, limit=PAGE, **arguments
            )
            page, metadata = answer.get("members"), answer.get("response_metadata")
            if not isinstance(page, list) or not page:
                return found, False
            found += [user for user in page if isinstance(user, str)]
            cursor = str(metadata.get("next_cursor") or "") if isinstance(metadata, Mapping) else ""
            if not cursor:
                return found[:MAX_MEMBERS], len(found) <= MAX_MEMBERS
        return found[:MAX_MEMBERS], False


def alone(reach: Reach, actor: Actor, now: datetime) -> Audience:
    """An audience of one person."""
    return Audience(
        reach=reach,
        orgs=frozenset((actor.org,)),
        persons=frozenset((actor.user,)),
        fresh=actor.is_confirmed,
        read_at=now,
    )


def unknown(now: datetime) -> Audience:
    """The audience of a conversation that Slack would not tell about."""
    return Audience(reach=Reach.CHANNEL, orgs=frozenset((UNKNOWN,)), fresh=False, read_at=now)


def same_readers(one: Audience, other: Audience) -> bool:
    """Do both describe the same readers and limits, whenever they were read?"""
    return replace(one, read_at=None) == replace(other, read_at=None)


def audience(channel: Mapping[str, Any], members: Iterable[Person], registry: Registry) -> Audience:
    """Judge the `channel` object of conversations.info together with the members."""
    members = list(members)
    people = {person.org for person in members}
    if channel.get("is_im"):
        return _direct(channel, members)
    connected, invited, own = (_ids(channel, *names) for names in (_CONNECTED, _INVITED, (_OWN,)))
    if connected is None or invited is None or own is None or _is_odd(channel):
        return Audience(reach=Reach.CHANNEL, orgs=frozenset((UNKNOWN,)), fresh=False)
    orgs = {_of_team(team, own, registry) for team in connected | invited | own}
    is_invited = bool(invited or channel.get("is_pending_ext_shared"))
    return Audience(
        reach=Reach.MPIM if channel.get("is_mpim") else Reach.CHANNEL,
        orgs=frozenset(
            orgs | people | {registry.host.id} | ({UNKNOWN} if is_invited and not invited else set())
        ),
        fresh=_is_settled(channel, (connected | invited) - own - registry.host.teams)
        and all(person.is_sure for person in members),
        pending_invite=is_invited,
    )


def _direct(channel: Mapping[str, Any], members: list[Person]) -> Audience:
    """A direct message has one other reader, who must be the one Slack names."""
    users = frozenset(person.user for person in members)
    is_clear = users == {channel.get("user")} and all(person.is_sure for person in members)
    orgs = frozenset(person.org for person in members) if is_clear else frozenset((UNKNOWN,))
    return Audience(reach=Reach.DM, orgs=orgs, persons=users, fresh=is_clear)


def _of_team(team: str, own: frozenset[str], registry: Registry) -> str:
    """Unregistered workspaces of the host's own Grid organisation are the host; others are UNKNOWN."""
    org = registry.of_team(team)
    return registry.host.id if org == UNKNOWN and team in own else org


def _is_settled(channel: Mapping[str, Any], foreign: frozenset[str]) -> bool:
    """Is what Slack says complete and in agreement with itself?"""
    is_external = bool(channel.get("is_ext_shared") or channel.get("is_pending_ext_shared"))
    is_shared_somehow = bool(channel.get("is_shared") and not channel.get("is_org_shared"))
    is_invitation_only = bool(channel.get("is_pending_ext_shared")) and not channel.get("is_ext_shared")
    if channel.get("is_frozen"):
        return False
    if is_external or is_shared_somehow:
        return bool(foreign) or is_invitation_only
    return not foreign


def _is_odd(channel: Mapping[str, Any]) -> bool:
    return any(not isinstance(channel.get(flag, False), bool) for flag in _FLAGS)


def _ids(channel: Mapping[str, Any], *names: str) -> frozenset[str] | None:
    """The team ids of those lists together; None if one of them is no list of ids."""
    found: set[str] = set()
    for name in names:
        ids = channel.get(name) or []
        if not isinstance(ids, list) or not all(isinstance(team, str) and team for team in ids):
            return None
        found.update(ids)
    return frozenset(found)
