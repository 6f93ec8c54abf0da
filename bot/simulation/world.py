"""World: who and what a simulated day is made of, as frozen values. Pure; shares nothing with the bot."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

HOST = "centre"
HOST_TEAM = "T0HOST"
BOT = "U0LIAISON"
CLEAR, GREEN, AMBER, STRICT, RED = "TLP:CLEAR", "TLP:GREEN", "TLP:AMBER", "TLP:AMBER+STRICT", "TLP:RED"
LABELS = (CLEAR, GREEN, AMBER, STRICT, RED)  # from wide to narrow
UNREADABLE = "TLP:PURPLE"


@dataclass(frozen=True, kw_only=True)
class Person:
    """Somebody in Slack; a guest works in the host's workspace for `home`, "" if nobody registered where."""

    user: str
    team: str
    home: str  # slug
    zone: str
    is_guest: bool = False


@dataclass(frozen=True, kw_only=True)
class Party:
    """The host or a partner; `since` and `until` are the days of its agreement, both included."""

    slug: str
    name: str
    team: str
    zone: str
    enterprise: str = ""
    is_vendor: bool = False
    in_community: bool = False
    is_constituent: bool = False
    default_label: str = ""  # of its unmarked data
    since: date | None = None
    until: date | None = None

    @property
    def org(self) -> str:
        """The id that Slack's lists of a channel use for it."""
        return self.enterprise or self.team


@dataclass(frozen=True, kw_only=True)
class Room:
    """A channel as the day begins."""

    id: str
    name: str
    members: tuple[str, ...]
    connected: tuple[str, ...]  # slugs
    zone: str
    cap: str = GREEN


@dataclass(frozen=True, kw_only=True)
class Subscribed:
    """What a channel gets by itself; `clock` is hours and minutes there, None for every six hours of UTC."""

    room: str
    purpose: str  # digest or summary
    words: str
    zone: str
    clock: tuple[int, int] | None = None
    attach: str = ""


@dataclass(frozen=True, kw_only=True)
class Claim:
    """One source's claim; `family` is a word that no claim of another marking or batch has."""

    kind: str
    value: str
    source: str
    label: str  # "" for none
    family: str
    addressed_to: frozenset[str] = frozenset()
    only_orgs: frozenset[str] | None = None
    never_to: frozenset[str] = frozenset()
    persons: frozenset[str] = frozenset()
    not_before: datetime | None = None
    not_after: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Something that a source sends at once. `revokes` and `narrows` are claims that it sent before."""

    at: datetime
    source: str
    claims: tuple[Claim, ...] = ()
    revokes: tuple[Claim, ...] = ()
    narrows: tuple[Claim, ...] = ()  # to TLP:AMBER+STRICT


@dataclass(frozen=True, kw_only=True)
class Question:
    """Somebody asks; `surface` is slash, mention or dm."""

    number: int
    at: datetime
    user: str
    room: str
    surface: str
    verb: str
    values: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Move:
    """Who reads a channel changes: invite, accept, disconnect (of a team), join or leave (of a person)."""

    at: datetime
    act: str
    who: str
    room: str


@dataclass(frozen=True, kw_only=True)
class Trouble:
    """Something goes wrong for a while: `provider`, `errors` (of Slack), `limits` (429 for everything)."""

    at: datetime
    until: datetime
    what: str


@dataclass(frozen=True, kw_only=True)
class Kill:
    """A replica dies and comes back."""

    at: datetime
    back_at: datetime
    replica: int


@dataclass(frozen=True, kw_only=True)
class Script:
    """All that happens between two moments, the same for the same seed."""

    seed: int
    begins: datetime
    ends: datetime
    parties: tuple[Party, ...]  # the host first
    people: tuple[Person, ...]
    rooms: tuple[Room, ...]
    subscribed: tuple[Subscribed, ...]
    stored: tuple[Batch, ...]  # before channels subscribed
    batches: tuple[Batch, ...]
    questions: tuple[Question, ...]
    moves: tuple[Move, ...]
    troubles: tuple[Trouble, ...]
    kills: tuple[Kill, ...]

    @property
    def homes(self) -> Mapping[str, str]:
        """The organisation of each person, "" for those that nobody registered."""
        return {person.user: person.home for person in self.people}
