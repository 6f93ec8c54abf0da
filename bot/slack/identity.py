"""Identity: which organisation a Slack user belongs to, as Slack itself says it now.

No single property tells it: the home team, the Grid organisation, `is_stranger` and the guest flags count
together (https://docs.slack.dev/apis/slack-connect/). Who is not surely known is UNKNOWN, never the host.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bot.chat import Actor
from bot.errors import BotError
from bot.organisations import Registry
from bot.sharing import UNKNOWN
from bot.slack.calls import WebApi
from bot.slack.recall import Recall

ACTOR_SECONDS = 60.0  # how old the knowledge of who acts may be
# A member's home organisation all but never changes. Slack takes about 100 users.info a minute: if each
# minute asked anew, a channel of more members than that would never be known.
MEMBER_SECONDS = 600.0
MAX_PEOPLE = 10_000


@dataclass(frozen=True)
class Person:
    """What users.info says about one user: `teams` are its home team and Grid organisation."""

    user: str
    org: str
    teams: frozenset[str] = frozenset()
    is_bot: bool = False
    is_gone: bool = False  # deactivated
    is_sure: bool = True  # False where Slack did not say, or said something odd


class People:
    """Every user of Slack that Liaison has to do with, asked for once a minute at most."""

    def __init__(
        self, slack: WebApi, registry: Registry, *, timer: Callable[[], float] = time.monotonic
    ) -> None:
        self._slack, self._registry = slack, registry
        self._recall = Recall(self._read, seconds=MEMBER_SECONDS, size=MAX_PEOPLE, timer=timer)

    async def actor(self, user: str, team: str | None = None) -> Actor:
        """Who acts. `team` is what the payload says; if users.info says otherwise the actor is UNKNOWN."""
        try:
            person = await self._recall.get(user, max_age=ACTOR_SECONDS)
        except BotError:
            return Actor(user, UNKNOWN, is_confirmed=False)
        return Actor(user, acting_for(person, team, self._registry), teams=person.teams)

    async def member(self, user: str) -> Person:
        """Who can read along. Raises BotError if Slack does not say."""
        return await self._recall.get(user)

    async def _read(self, user: str) -> Person:
        answer = await self._slack.read("users.info", user=user)
        return person(user, answer.get("user"), self._registry)


def acting_for(person: Person, team: str | None, registry: Registry) -> str:
    """The organisation a person may act for; `team` is the payload's claim, if it makes one."""
    if person.is_bot or person.is_gone:
        return UNKNOWN
    if team is not None and team not in person.teams and registry.of_team(team) != person.org:
        return UNKNOWN
    return person.org


def person(user: str, info: object, registry: Registry) -> Person:
    """Read the `user` object of users.info; anything odd about it makes the person UNKNOWN."""
    if not isinstance(info, Mapping) or info.get("id") != user:
        return Person(user, UNKNOWN, is_sure=False)
    grid = info.get("enterprise_user")
    ids = (info.get("team_id"), grid.get("enterprise_id") if isinstance(grid, Mapping) else None)
    teams = frozenset(team for team in ids if isinstance(team, str) and team)
    return Person(
        user,
        _organisation(user, info, teams, registry),
        teams,
        is_bot=bool(info.get("is_bot")) or user == "USLACKBOT",
        is_gone=bool(info.get("deleted")),
    )


def _organisation(user: str, info: Mapping[str, Any], teams: frozenset[str], registry: Registry) -> str:
    if info.get("is_stranger"):
        return UNKNOWN
    if info.get("is_restricted") or info.get("is_ultra_restricted"):
        return registry.of_guest(user)  # a guest works for someone else than the workspace
    known = {registry.of_team(team) for team in teams} - {UNKNOWN}
    return known.pop() if len(known) == 1 else UNKNOWN
