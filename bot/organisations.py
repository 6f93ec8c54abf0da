"""Organisations: who the host and its partners are, and which Slack team belongs to whom."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from bot.sharing import DEFAULT_CAP, UNKNOWN, World
from bot.tlp import UNMARKED, Label


@dataclass(frozen=True)
class Member:
    """A person by Slack's ids; a user id is unique within its team only."""

    user: str
    team: str  # T... or E...


@dataclass(frozen=True, kw_only=True)
class Organisation:
    """The host or a partner."""

    id: str  # a slug: lower-case letters, digits and dashes
    name: str
    teams: frozenset[str]  # Slack ids, T... or E...
    guests: frozenset[str] = (
        frozenset()
    )  # Slack user ids of its people who are guests in the host's workspace
    alias: str | None = None  # what other partners read instead of its name
    community: bool = False
    constituent: bool = False
    default_label: Label = UNMARKED  # for its unmarked data
    named_to: frozenset[str] = frozenset()  # who else may read its name
    enrich_own_queries: bool = False  # its own questions may go to external services
    stewards: frozenset[Member] = frozenset()  # who sets digests and summaries; the host's are its operators
    since: date | None = None  # its agreement, both days included, UTC; the host has none
    until: date | None = None


@dataclass(frozen=True)
class Registry:
    """Every organisation Liaison knows, and the caps of channels."""

    host: Organisation
    partners: tuple[Organisation, ...]
    caps: Mapping[str, Label]  # channel id -> the strictest label it may carry
    timezone: str = "UTC"  # IANA name, of schedules without a zone

    def organisation(self, slug: str) -> Organisation | None:
        """The organisation of that slug, in force or not."""
        return next((org for org in (self.host, *self.partners) if org.id == slug), None)

    def of_team(self, team: str) -> str:
        """The slug a Slack team id belongs to, else UNKNOWN."""
        return next((org.id for org in (self.host, *self.partners) if team in org.teams), UNKNOWN)

    def of_guest(self, user: str) -> str:
        """The home organisation registered for a guest, else UNKNOWN."""
        return next((org.id for org in self.partners if user in org.guests), UNKNOWN)

    def is_steward(self, slug: str, user: str, teams: Collection[str]) -> bool:
        """Whether the organisation named the person of these teams a steward, the host an operator."""
        org = self.organisation(slug)
        return org is not None and any(Member(user, team) in org.stewards for team in teams)

    def known_as(self, word: str) -> frozenset[str]:
        """The slugs of organisations that go by that word: a slug, or how a slug or a name begins a word."""
        return frozenset(
            org.id
            for org in (self.host, *self.partners)
            if _goes_by(word, org.id) or _goes_by(word, org.name)
        )

    def cap(self, channel: str) -> Label:
        """The strictest label a channel may carry."""
        return self.caps.get(channel, DEFAULT_CAP)

    def world(self, now: datetime) -> World:
        """The organisations as the release policy needs them at that moment (aware UTC)."""
        partners = [org for org in self.partners if _in_force(org, now)]
        everyone = (self.host, *self.partners)
        return World(
            host=self.host.id,
            now=now,
            in_force=frozenset(org.id for org in partners),
            community=frozenset(org.id for org in partners if org.community),
            constituents=frozenset(org.id for org in partners if org.constituent),
            names={org.id: org.name for org in everyone},
            aliases={org.id: org.alias for org in everyone if org.alias is not None},
            named_to={org.id: org.named_to for org in everyone},
            own_queries=frozenset(org.id for org in (self.host, *partners) if org.enrich_own_queries),
        )


def _goes_by(word: str, name: str) -> bool:
    words = re.findall(r"[^\W_]+", name.casefold())
    return any(each.startswith(word) for each in (*words, "".join(words)))


def _in_force(org: Organisation, now: datetime) -> bool:
    today = now.date()
    return (org.since is None or org.since <= today) and (org.until is None or today <= org.until)
