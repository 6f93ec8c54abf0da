"""Services: what commands may use, and the protocol every store keeps."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from bot.assertions import Assertion
from bot.budgets import Allowance
from bot.deliveries import Change, Delivery, Post, State
from bot.enquiries import Enquiry
from bot.errors import UnavailableError
from bot.findings import Finding, Outcome
from bot.indicators import Indicator, Kind
from bot.leases import Lease
from bot.organisations import Registry
from bot.sharing import Audience
from bot.subscriptions import Purpose, Subscribed, Subscription
from bot.tlp import Label
from bot.turns import Lane, Turn


@dataclass(frozen=True)
class Tally:
    """What became of the assertions of one `add`."""

    new: int = 0
    updated: int = 0
    unchanged: int = 0

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(self.new + other.new, self.updated + other.updated, self.unchanged + other.unchanged)


class Store(Protocol):
    """Where assertions live: one row per (source, indicator). tests/store/contract.py says what must hold.

    Nothing here decides who may see what: every reader passes the rows on to `sharing.clear`.
    """

    async def add(self, assertions: Sequence[Assertion]) -> Tally:
        """Store or merge (`assertions.merge`) them in one transaction; new rows take the next numbers."""

    async def remark(self, assertion: Assertion) -> bool:
        """Put its marking (`assertions.remark`) on the row of that source and indicator, if there is one.

        For explicit commands of the source. A row that somebody new may see takes the next number.
        """

    async def lookup(self, indicators: Sequence[Indicator], *, may_be_stale: bool = False) -> list[Assertion]:
        """All assertions about them, and about hashes that the same source says belong to the same file.

        `may_be_stale`: a standby may answer, as far as the operator allows; `read_lag` says how old that is.
        """

    def newest(
        self,
        *,
        since: datetime,
        kind: Kind | None = None,
        family: str | None = None,
        may_be_stale: bool = False,
    ) -> AsyncIterator[Sequence[Assertion]]:
        """Pages of what was stored at or after `since`, newest first; `family` ignores case."""

    def read_lag(self) -> timedelta:
        """How old the last answer that might be stale can have been; zero if the primary gave it."""

    def takes_writes(self) -> bool:
        """False while the store is known to take none and lookups go on all the same, from a standby."""

    def everything(self, *, after: int = 0) -> AsyncIterator[Sequence[Assertion]]:
        """Pages of all assertions with a sequence number above `after`, in that order."""

    async def head(self) -> int:
        """The highest sequence number given so far."""

    async def head_at(self, moment: datetime) -> int:
        """The sequence number that was given last before that moment; 0 if there was none."""

    async def claim(self, key: str, *, seconds: float) -> bool:
        """True for the first who claims this key within that time, also across restarts and processes."""

    async def findings(self, org: str, indicators: Sequence[Indicator]) -> list[Finding]:
        """The last finding of each service about each of them that was fetched for this organisation."""

    async def keep_findings(self, org: str, findings: Sequence[Finding], *, until: datetime) -> None:
        """Keep each in the place of the last one of its service and indicator; forget it at `until`."""

    async def spend(self, allowances: Sequence[Allowance], *, at: datetime) -> datetime | None:
        """Take one from each of them, or from none: then gives the time when all may have one again.

        Concurrent and later processes share what is left. `at` may jump back: that gives nothing back.
        """

    async def spent(self, allowances: Sequence[Allowance], *, at: datetime) -> list[int]:
        """How much of each is used up at that moment."""

    async def subscribe(self, subscription: Subscription, *, next_at: datetime) -> None:
        """Set it in the place of the channel's old one for that purpose, whose cursor it takes over.

        A first one begins with what is stored from now on.
        """

    async def unsubscribe(self, channel: str, purpose: Purpose) -> bool:
        """End it; False if there was none. What is on its way is still delivered."""

    async def channel_renamed(self, old: str, new: str) -> None:
        """A channel got another id: its subscriptions and deliveries go by that from now on.

        What the new id has already, it keeps. Who held a delivery of the old one holds it no more.
        """

    async def former_channels(self, channel: str) -> list[str]:
        """The ids that it had before, as `channel_renamed` was told."""

    async def subscriptions(
        self, channel: str | None = None, *, due: datetime | None = None
    ) -> list[Subscribed]:
        """All of them, or those of one channel or due by then, the next due first."""

    async def begin_delivery(
        self, subscribed: Subscribed, *, period: str, next_at: datetime
    ) -> Delivery | None:
        """Fix what the next delivery holds: move cursor and `next_at` and write its row, in one transaction.

        None if that was done meanwhile (`next_at` is no longer what `subscribed` says). None also if the
        period exists: then only `next_at` moves, and what is new waits for the period after it.
        """

    async def lease_deliveries(
        self, owner: str, *, at: datetime, seconds: float, most: int
    ) -> list[Delivery]:
        """Take unended deliveries that may be tried at that moment and that nobody holds.

        The oldest of each channel, the oldest first. Nobody gets them again before the lease is over or they
        are released. A lease or a `not_before` further ahead than LONGEST_LEASE or LONGEST_WAIT was written
        by a clock that went wrong, and holds nobody up.
        """

    async def put_delivery(self, delivery: Delivery, *, owner: str, release: bool = False) -> bool:
        """Write how far it is, if that owner still holds it; its lease stays unless released or ended."""

    async def decide_delivery(self, delivery: Delivery, *, was: State) -> bool:
        """Write what an operator decided about one that ended, if that is still its state.

        Nobody holds it: unended it waits for whoever leases it.
        """

    async def deliveries(self, channel: str | None = None, *, most: int = 100) -> list[Delivery]:
        """The latest, newest first. Of ended ones each channel keeps the newest 100 and those of 90 days."""

    async def record_post(self, post: Post) -> None:
        """Keep what a message showed, in the place of what was known of it; of a channel the newest 2,000.

        What is deleted is forgotten.
        """

    async def replace_post(self, old: Post, new: Post) -> bool:
        """Put the new one in the place of the old one, also under another `ts`, if that is still kept so.

        False if it is not, or if something else is kept under the new `ts`.
        """

    async def post(self, channel: str, ts: str) -> Post | None:
        """What is kept of that message."""

    async def posts(
        self, *, channel: str | None = None, showing: Sequence[Change] = (), most: int = 1_000
    ) -> list[Post]:
        """Messages that stand in Slack: of a channel, or that showed one of these; the newest first."""

    async def changes(self, *, after: int, most: int = 1_000) -> list[Change]:
        """What was narrowed or revoked, in the order of commits."""

    async def last_change(self) -> int:
        """The number of the last of them; 0 if there is none."""

    async def forget_changes(self, marks: Sequence[str], *, most: int = 1_000) -> int:
        """Delete the oldest changes that all of these marks have passed; gives how many.

        A mark that was never set has passed none.
        """

    async def keep_readers(self, channel: str, audience: Audience) -> None:
        """Keep who read a channel when it was looked at, in the place of the look before."""

    async def known_readers(self, channel: str) -> Audience | None:
        """Who read a channel when it was looked at last; None if that is not known.

        Others may read it now: nothing is posted without another look.
        """

    async def mark(self, name: str) -> int:
        """A number that was kept under that name; 0 before."""

    async def set_mark(self, name: str, number: int) -> None:
        """Keep a number, for example how far somebody has read `changes`."""

    async def keep(self, token: str, body: str, *, seconds: float) -> None:
        """Put a text away for so long; of very many the newest stay. Who reads the store learns no token."""

    async def kept(self, token: str) -> str | None:
        """The text that was put away under that token, if it is kept still."""

    async def take_kept(self, token: str) -> str | None:
        """The same for the last time: of several who ask one gets it."""

    async def take_turn(self, lane: Lane, channel: str) -> Turn:
        """Take part in the one pace of all replicas: count a call as made after the time that this gives.

        A turn that is not given counts for nothing: ask again after that time.
        """

    async def hold_turns(self, lane: Lane, channel: str, *, seconds: float) -> None:
        """Give no turn in that channel for so long; if another one is held, too, in none. "": in none."""

    async def take_lease(self, name: str, owner: str, *, seconds: float) -> Lease:
        """Become or stay the one who does what that name stands for, unless somebody else is."""

    async def lease(self, name: str) -> Lease:
        """Who does it, as somebody sees it who does not."""

    async def end_lease(self, name: str, owner: str, *, note: str = "", seconds: float = 0) -> None:
        """Be done with it, and leave a note for so long; nothing if somebody else has it."""

    def count_asked(self, org: str, *, at: datetime, asked: int, answered: int) -> None:
        """Count indicators that this organisation asked about, and of how many something was known.

        It is written a little later and forgotten after 100 days. Nobody waits; failures are only logged.
        """

    async def asked(self, org: str | None, *, since: datetime, until: datetime) -> tuple[int, int]:
        """How many this organisation, or everybody, asked about within that time, and how many were answered.

        Both times count as the minute they are in, which begins then.
        """

    async def close(self) -> None:
        """Finish what is under way and release the files."""


class Inquiry(Protocol):
    """One enquiry under way. Nobody needs to wait for it: services that were asked are heard to the end."""

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What is known now: one for each indicator and service that answers its kind, perhaps PENDING."""

    @property
    def is_done(self) -> bool:
        """Whether nothing is pending."""

    async def changed(self) -> None:
        """Wait until something changed; at the enquiry's deadline what is PENDING becomes TIMEOUT."""


@dataclass(frozen=True, kw_only=True)
class Standing:
    """How one service is doing, as one organisation may know it."""

    provider: str
    title: str
    is_on: bool
    used: int | None = None  # of this organisation's share of a period; None without a limit
    most: int | None = None
    period: str = "day"  # or month, or minute
    last_success: datetime | None = None
    last_error: Outcome | None = None
    last_error_at: datetime | None = None
    again_at: datetime | None = None  # left alone until then


class Enrichment(Protocol):
    """External services behind one gate."""

    async def enquire(self, enquiry: Enquiry) -> Inquiry:
        """Ask every able service that may be asked; what is kept and fresh is there at once."""

    async def remembered(self, enquiry: Enquiry) -> tuple[Finding, ...]:
        """What was found before for that organisation and may still be used; asks nobody."""

    async def standing(self, org: str) -> list[Standing]:
        """How the services are doing; of budgets only that organisation's share."""

    async def close(self) -> None:
        """Stop asking and release connections."""


class Written(Protocol):
    """A digest or a summary before it becomes a message: `digests.Digest` or `summaries.Summary`."""

    @property
    def audience(self) -> Audience:
        """Who may read it."""

    @property
    def label(self) -> Label:
        """The strictest of everything in it."""


class Digests(Protocol):
    """What channels get by themselves, written but not delivered."""

    async def preview(self, subscribed: Subscribed, readers: Audience, *, viewer: Audience) -> Written:
        """What would be delivered now to those who read the channel.

        `viewer` is the one person who will see it: what that person may not see is left out, too.
        """


class Corrections(Protocol):
    """Posts that stand in Slack, and how they are taken back."""

    async def retract(self, indicators: Sequence[Indicator], *, source: str | None, by: str) -> int:
        """Begin to take out of every post what it shows of these, for good; gives how many posts show it.

        Of that source alone, or of all of them. The wish is kept before this returns; what is wished is done
        afterwards, also after a crash. `by` is the Slack user id of whoever wishes it.
        """

    def readers_changed(self, channel: str) -> None:
        """Others read that channel now: what stands there is judged anew."""

    async def channel_renamed(self, old: str, new: str) -> None:
        """A channel got another id: its posts go by that from now on, and are judged anew."""


@dataclass(frozen=True)
class Services:
    """What a command may use."""

    store: Store
    registry: Registry
    clock: Callable[[], datetime]  # aware UTC
    enrichment: Enrichment | None = None  # None: no service is turned on
    digests: Digests | None = None  # None where nothing is delivered
    corrections: Corrections | None = None  # likewise


def require_writes(store: Store) -> None:
    """Raise UnavailableError at once while the store takes no writes: it would only after a long wait."""
    if not store.takes_writes():
        raise UnavailableError(
            "The store takes no writes just now, so only lookup, recent and help work. Try again in a minute."
        )
