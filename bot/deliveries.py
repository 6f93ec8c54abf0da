"""Deliveries: one row for each digest or summary that is due, from the moment it is due until it is read.

Due -> compiled -> sending -> sent, each step committed before the next begins, so that a crash loses nothing
and a second try can tell whether the first one arrived: by the nonce in the message's metadata. Pure.
"""

from datetime import datetime
from enum import StrEnum

import msgspec

from bot.indicators import Indicator, Kind
from bot.subscriptions import Attach, Filters, Purpose
from bot.tlp import Label

SETTLE_SECONDS = 60.0  # how long a post may be under way inside Slack; above three times our deadline
ANSWER_SECONDS = 180.0  # how long an answer may be under way: the patience of its maker, then in Slack
FIGURES = "figures:"  # in the place of a source: figures over what all who read them then could see
LONGEST_LEASE = 900.0  # seconds; nobody may hold a delivery longer without asking again
LONGEST_WAIT = 86_400.0  # seconds; `not_before` of a delivery lies no further ahead
INTENDED = "intended "  # before the nonce, in the place of a `ts` that nobody knows yet


class State(StrEnum):
    """How far a delivery is."""

    DUE = "due"  # the period is fixed, nothing is written yet
    COMPILED = "compiled"  # message and readers are stored
    SENDING = "sending"  # one post may be under way since `started_at`
    SENT = "sent"  # its `ts` is known; parts and files may follow
    DONE = "done"
    EMPTY = "empty"  # nothing was new, nothing was said
    UNCERTAIN = "uncertain"  # Slack does not let us look whether it arrived: an operator decides
    PARKED = "parked"  # Slack refuses for good: an operator decides
    DROPPED = "dropped"  # an operator let it go: nobody makes up for it


ENDED = frozenset({State.DONE, State.EMPTY, State.UNCERTAIN, State.PARKED, State.DROPPED})


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """One (channel, purpose, period), unique in the store. Times are aware UTC."""

    channel: str
    purpose: Purpose
    period: str  # the moment it was due, ISO 8601; unique for its channel and purpose
    since: int  # assertions with since < seq <= upto
    upto: int
    filters: Filters = Filters()
    attach: Attach | None = None
    say_nothing_new: bool = False
    zone: str = "UTC"  # IANA name; these four as they were set when it was due
    written_at: datetime | None = None  # the first time: what it tells ends there
    state: State = State.DUE
    nonce: str = ""  # opaque and random; in the metadata of the post
    readers: str = ""  # digest of the audience that it was compiled for
    message: str = ""  # JSON of what is posted and what it shows: `delivery.edition`
    started_at: datetime | None = None  # of the post that may be under way
    ts: str = ""
    parts: int = 0  # of the thread that were posted
    resent: bool = False  # a post that was not found was sent again: should it come late, it is one too many
    tries: int = 0  # since it last got on
    failing_since: datetime | None = None
    not_before: datetime | None = None  # next try
    error: str = ""  # class of the last error, for operators


class Item(msgspec.Struct, frozen=True):
    """One assertion that a post showed, and under which label."""

    source: str
    indicator: Indicator
    label: Label


def figures(label: Label) -> Item:
    """What a post shows that counts claims it does not name: `Post.entitled` says for whom that is."""
    return Item(FIGURES, Indicator(Kind.DOMAIN, ""), label)


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """A message about a correction, said once."""

    channel: str
    thread: str = ""
    nonce: str  # in its metadata
    source: str = ""  # whom it tells of their own entries; without it, those who read the post
    about: tuple[Item, ...] = ()
    wished: tuple[Item, ...] = ()  # of those it is about, taken back by wish: not named to readers again
    changed: tuple[Item, ...] = ()  # of those it is about, changed by their sources
    cause: str = ""  # why it tells a source: changed, wished or readers; several have no name
    started_at: datetime | None = None  # since then it may be under way
    names: tuple[Item, ...] = ()  # of those it is about, if it is under way
    is_said: bool = False


class Amending(msgspec.Struct, frozen=True, kw_only=True):
    """What is being done about a post."""

    wished: tuple[Item, ...] = ()  # taken out although the policy would let it stand
    changed: tuple[Item, ...] = ()  # their sources changed them
    readers: tuple[str, ...] = ()  # organisations that could read what is being taken out
    notes: tuple[Note, ...] = ()  # of the post that speaks for its whole thread
    are_sources_told: bool = False  # those that can be have a note among these
    is_host_told: bool = False


class Post(msgspec.Struct, frozen=True, kw_only=True):
    """A message that stands in Slack, kept so that it can be corrected or retracted."""

    channel: str
    ts: str  # or the id of a file, which is a post of its own; see `is_intended`
    thread: str = ""  # ts of the message it stands beneath
    purpose: str  # of the delivery; "answer" and "share" for others
    period: str = ""
    posted_at: datetime
    readers: tuple[str, ...] = ()  # organisations that could read it then
    items: tuple[Item, ...] = ()
    entitled: tuple[str, ...] = ()  # organisations that might read its figures, too: `sharing.entitled`
    files: tuple[str, ...] = ()  # Slack ids of files that came with it
    # intended, shown, doubted (to be judged anew), correcting, corrected, deleting, deleted, unreachable
    state: str = "shown"
    amending: Amending | None = None  # until it is done
    nonce: str = ""  # of an answer, in its metadata
    busy_until: datetime | None = None  # until then somebody else may be changing the message

    @property
    def is_intended(self) -> bool:
        """Whether it may be under way or stand there, under a `ts` that nobody knows yet."""
        return self.ts.startswith(INTENDED)


class Change(msgspec.Struct, frozen=True):
    """A stored assertion that fewer may see than before, or that was revoked."""

    number: int  # in commit order
    source: str
    indicator: Indicator
