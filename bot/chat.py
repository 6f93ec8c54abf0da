"""Ask and Reply: what a command gets and what it gives back. A command cannot post."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from bot.answers import Entry
from bot.digests import Digest
from bot.errors import BotError
from bot.services import Services, Written
from bot.sharing import Audience, Cleared, World
from bot.subscriptions import Purpose, Subscription
from bot.summaries import Summary
from bot.tlp import Label

SLASH = "/intel"
MENTION = "@Liaison"


class Surface(StrEnum):
    """Where a command was given; slash commands exist only for members of the host's workspace."""

    SLASH = "slash"
    MENTION = "mention"
    DM = "dm"
    BUTTON = "button"
    CLI = "cli"

    @property
    def prefix(self) -> str:
        """What stands before a verb there, for examples that can be typed."""
        return {"mention": f"{MENTION} ", "dm": "", "cli": "liaison "}.get(self.value, f"{SLASH} ")


@dataclass(frozen=True)
class Actor:
    """The person who asks, as confirmed by users.info; `org` may be sharing.UNKNOWN."""

    user: str
    org: str
    is_confirmed: bool = True  # False when Slack did not say who it is; then `org` is UNKNOWN
    teams: frozenset[str] = frozenset()  # home team and Grid organisation, as users.info says


@dataclass(frozen=True, kw_only=True)
class Ask:
    """One command as given."""

    verb: str
    text: str  # what stands behind the verb
    surface: Surface
    actor: Actor
    audience: Audience  # who will read the direct answer
    conversation: str | None = None  # channel id; None on the command line
    channel: Audience | None = None  # who reads that channel; the same as `audience` when answered in it
    world: World
    commands: "tuple[Command, ...]" = ()  # all of them, for help


@dataclass(frozen=True, kw_only=True)
class Lookup:
    """An answer about asked indicators."""

    entries: tuple[Entry, ...]
    cleared: Cleared  # what the entries were made of
    not_understood: tuple[str, ...] = ()  # what the asker typed that cannot be looked up
    asks_in_private: bool = False  # external services were not asked, for others read along
    asks_later: bool = False  # nor were they while the store takes no writes: it keeps their budgets
    at: datetime | None = None  # when it was asked, to tell how old findings are; None tells their dates
    is_red: bool = False  # the asker declared TLP:RED, so what services and lists say cannot be shown
    as_of: datetime | None = None  # the store's primary did not answer, so it tells what was known then
    wants_file: bool = False  # all of it belongs into a CSV file for the asker, too
    # What of it may go into that file: it stays in the direct conversation, where TLP:RED does not belong.
    lasting: "Lookup | None" = field(default=None, compare=False, repr=False)
    # While services are being asked: waits until one has answered and gives the whole answer anew, with this
    # field set as long as others are still out.
    more: "Callable[[], Awaitable[Lookup]] | None" = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, kw_only=True)
class Recent:
    """The newest assertions this audience may see."""

    period: str  # what was asked for: "24h", "7d · domain"
    cleared: Cleared
    more: bool  # there are more than are listed
    as_of: datetime | None = None  # as for a lookup


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of a notice; `code` is something to type, `text` says what it is or does."""

    text: str
    code: str = ""


@dataclass(frozen=True, kw_only=True)
class Offer:
    """A button below a notice: whoever presses it asks `text`, and reads the answer alone."""

    words: str  # "Preview…"
    text: str  # "digest preview"


@dataclass(frozen=True, kw_only=True)
class Form:
    """What somebody may fill in to set up what a channel gets by itself."""

    purpose: Purpose
    current: Subscription | None  # as it is set now
    zone: str  # that is meant without another


@dataclass(frozen=True, kw_only=True)
class Notice:
    """Words about Liaison itself: help, who, status, mistakes. Holds no data from the store."""

    title: str
    rows: tuple[Row, ...] = ()
    footer: str = ""
    label: Label = Label.CLEAR  # how far the words may travel
    offers: tuple[Offer, ...] = ()
    form: Form | None = None  # for whoever pressed an offer


@dataclass(frozen=True, kw_only=True)
class Preview:
    """What a channel would get now, for the eyes of one of its readers."""

    purpose: Purpose
    told: Written

    @property
    def audience(self) -> Audience:
        """The readers of the channel: it holds nothing that one of them may not see."""
        return self.told.audience


Reply = Lookup | Recent | Notice | Preview | Digest | Summary


def mistake(error: BotError) -> Notice:
    """A mistake as an answer; its text says what to do instead."""
    return Notice(title="that did not work", rows=tuple(Row(text=line) for line in str(error).splitlines()))


@dataclass(frozen=True, kw_only=True)
class Command:
    """A verb of Liaison; `commands/__init__.py` lists them."""

    verb: str
    usage: str  # what to type behind /intel, for example "lookup <indicators>"
    summary: str  # one line for help and the manifest
    run: Callable[[Ask, Services], Awaitable[Reply]]
    examples: tuple[str, ...] = field(default=())
    needs_writes: bool = True  # else it works while the store can only be read, from a standby


Answer = Callable[[Ask, Services], Awaitable[Reply]]  # what `commands.answer` is: all verbs behind one door
