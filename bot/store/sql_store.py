"""The store on any engine: one thread writes, one reads, and the event loop waits for neither."""

from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TypeVar

from bot.assertions import Assertion
from bot.budgets import Allowance
from bot.deliveries import Change, Delivery, Post, State
from bot.errors import BotError
from bot.findings import Finding
from bot.indicators import Indicator, Kind
from bot.leases import Lease
from bot.services import Tally
from bot.sharing import Audience
from bot.store import (
    adding,
    catalogue,
    changing,
    claiming,
    delivering,
    memory,
    posting,
    queries,
    readers,
    rows,
    spending,
    subscribing,
)
from bot.store.asking import Counts
from bot.store.engine import Connection, Engine, writing
from bot.store.following import Following
from bot.store.replicas import Replicas
from bot.store.threads import Desk, Turns
from bot.subscriptions import Purpose, Subscribed, Subscription
from bot.turns import Lane, Turn

READER_PATIENCE_SECONDS = 10.0  # somebody waits for the answer

T = TypeVar("T")


def now() -> datetime:
    """The time outside of tests."""
    return datetime.now(UTC)


class SqlStore:
    """`services.Store` on a database of some engine; make it with `open_store`. For one event loop."""

    def __init__(
        self, engine: Engine, clock: Callable[[], datetime] = now, *, stale: timedelta = timedelta()
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._writer = Desk(engine, "writer")
        self._reader = Desk(engine, "reader", READER_PATIENCE_SECONDS)
        self._following = Following(engine, self._writer, clock, stale) if stale else None
        self._claiming = claiming.Claims()
        self._lookups = Turns(self._reader, queries.answer)
        self._claims = Turns(self._writer, self._claim, once=True)
        self._findings = Turns(self._reader, self._recall)
        self._keeping = Turns(self._writer, self._keep)
        self._spending = Turns(self._writer, spending.spend)
        self._counts = Counts(self._writer, clock)
        self._replicas = Replicas(self._writer, self._reader, clock)

    async def open(self) -> None:
        """Make or update the tables. Raises ConfigError."""
        try:
            await self._writer.do(catalogue.refuse_copying)
        except BotError:
            await self.close()
            raise
        if self._following:
            self._following.start()

    async def add(self, assertions: Sequence[Assertion]) -> Tally:
        """Store or merge them in one transaction; a thousand at a time while others wait for the store."""
        return await self._writer.do(partial(self._add, assertions=assertions))

    async def remark(self, assertion: Assertion) -> bool:
        """Put its marking on the stored row of that source and indicator."""
        return await self._writer.do(partial(self._remark, assertion=assertion))

    async def lookup(self, indicators: Sequence[Indicator], *, may_be_stale: bool = False) -> list[Assertion]:
        """All assertions about them and about the same files; concurrent calls share one query."""
        if may_be_stale and self._following:
            return await self._following.lookup(indicators, partial(self._lookups.ask, indicators))
        return await self._lookups.ask(indicators)

    async def newest(
        self,
        *,
        since: datetime,
        kind: Kind | None = None,
        family: str | None = None,
        may_be_stale: bool = False,
    ) -> AsyncIterator[Sequence[Assertion]]:
        """Pages of what was stored since then, newest first."""
        stored_at = rows.micros(since)
        first = await self._read(partial(queries.first_since, stored_at=stored_at), may_be_stale)
        before: int | None = None
        while first is not None:
            window = queries.Window(first, before, stored_at, kind, family)
            page = await self._read(partial(queries.newest, window=window), may_be_stale)
            if page:
                yield page
            if len(page) < queries.PAGE:
                return
            before = page[-1].seq

    def read_lag(self) -> timedelta:
        """How old the last answer that might be stale can have been."""
        return self._following.lag if self._following else timedelta()

    def takes_writes(self) -> bool:
        """False while only a standby answers."""
        return self._following is None or self._following.has_primary

    async def everything(self, *, after: int = 0) -> AsyncIterator[Sequence[Assertion]]:
        """Pages of all assertions numbered above `after`, in that order."""
        while page := await self._reader.do(partial(queries.page, after=after)):
            yield page
            after = page[-1].seq

    async def head(self) -> int:
        """The highest sequence number given so far."""
        return await self._reader.do(queries.head)

    async def head_at(self, moment: datetime) -> int:
        """The sequence number that was given last before that moment; 0 if there was none."""
        return await self._reader.do(partial(queries.head_at, stored_at=rows.micros(moment)))

    async def claim(self, key: str, *, seconds: float) -> bool:
        """True for the first who claims this key within that time; concurrent claims share a transaction."""
        return await self._claims.ask(claiming.claim(key, seconds))

    async def findings(self, org: str, indicators: Sequence[Indicator]) -> list[Finding]:
        """The last finding of each service about each of them, for this organisation; services by name."""
        return await self._findings.ask(memory.question(org, indicators))

    async def keep_findings(self, org: str, findings: Sequence[Finding], *, until: datetime) -> None:
        """Keep each in the place of the last one; concurrent calls share a transaction."""
        await self._keeping.ask([memory.encode(org, each, until) for each in findings])

    async def spend(self, allowances: Sequence[Allowance], *, at: datetime) -> datetime | None:
        """Take one from each or from none, first come, first served; concurrent calls share a transaction."""
        return await self._spending.ask(spending.checked(allowances, at))

    async def spent(self, allowances: Sequence[Allowance], *, at: datetime) -> list[int]:
        """How much of each is used up at that moment."""
        return await self._reader.do(partial(spending.spent, purchase=spending.checked(allowances, at)))

    async def subscribe(self, subscription: Subscription, *, next_at: datetime) -> None:
        """Set it in the place of the old one, whose cursor it takes over; a first one begins at the head."""
        await self._writer.do(partial(subscribing.subscribe, subscription=subscription, next_at=next_at))

    async def unsubscribe(self, channel: str, purpose: Purpose) -> bool:
        """End it; False if there was none."""
        end = partial(subscribing.unsubscribe, channel=channel, purpose=purpose)
        return await self._writer.do(end, once=True)

    async def channel_renamed(self, old: str, new: str) -> None:
        """Subscriptions and deliveries of that channel go by its new id from now on."""
        await self._writer.do(partial(subscribing.rename, old=old, new=new))

    async def former_channels(self, channel: str) -> list[str]:
        """The ids that it had before."""
        return await self._replicas.former_channels(channel)

    async def subscriptions(
        self, channel: str | None = None, *, due: datetime | None = None
    ) -> list[Subscribed]:
        """All of them, or those of one channel, the next due first."""
        return await self._reader.do(partial(subscribing.subscriptions, channel=channel, due=due))

    async def begin_delivery(
        self, subscribed: Subscribed, *, period: str, next_at: datetime
    ) -> Delivery | None:
        """Fix what the next delivery holds, once for each period and only if it is still due."""
        begin = partial(delivering.begin, subscribed=subscribed, period=period, next_at=next_at)
        return await self._writer.do(begin)

    async def lease_deliveries(
        self, owner: str, *, at: datetime, seconds: float, most: int
    ) -> list[Delivery]:
        """Take the oldest of each channel, as far as they may be tried and nobody holds them."""
        lease = partial(delivering.lease, owner=owner, at=at, seconds=seconds, most=most)
        return await self._writer.do(lease)

    async def put_delivery(self, delivery: Delivery, *, owner: str, release: bool = False) -> bool:
        """Write how far it is, if that owner still holds it."""
        put = partial(delivering.put, delivery=delivery, owner=owner, release=release)
        return await self._writer.do(put, once=True)

    async def decide_delivery(self, delivery: Delivery, *, was: State) -> bool:
        """Write what an operator decided about one that ended like that."""
        return await self._writer.do(partial(delivering.decide, delivery=delivery, was=was), once=True)

    async def deliveries(self, channel: str | None = None, *, most: int = 100) -> list[Delivery]:
        """The latest, newest first."""
        return await self._reader.do(partial(delivering.latest, channel=channel, most=most))

    async def record_post(self, post: Post) -> None:
        """Keep what a message showed, in the place of what was known of it."""
        await self._writer.do(partial(posting.record, post=post))

    async def replace_post(self, old: Post, new: Post) -> bool:
        """Put the new one in the place of the old one, if that is still kept so."""
        return await self._writer.do(partial(posting.replace, old=old, new=new), once=True)

    async def post(self, channel: str, ts: str) -> Post | None:
        """What is kept of that message."""
        return await self._reader.do(partial(posting.one, channel=channel, ts=ts))

    async def posts(
        self, *, channel: str | None = None, showing: Sequence[Change] = (), most: int = 1_000
    ) -> list[Post]:
        """Messages that stand in Slack, the newest first; read a few at a time, so that lookups go on."""
        found: list[Post] = []
        numbers = await self._reader.do(partial(posting.find, channel=channel, showing=showing, most=most))
        for start in range(0, len(numbers), posting.PORTION):
            part = numbers[start : start + posting.PORTION]
            found += await self._reader.do(partial(posting.read, numbers=part))
        return found

    async def changes(self, *, after: int, most: int = 1_000) -> list[Change]:
        """What was narrowed or revoked, in the order of commits."""
        return await self._reader.do(partial(changing.changes, after=after, most=most))

    async def last_change(self) -> int:
        """The number of the last of them; 0 if there is none."""
        return await self._reader.do(changing.last)

    async def forget_changes(self, marks: Sequence[str], *, most: int = 1_000) -> int:
        """Delete the oldest that all of these marks have passed."""
        return await self._writer.do(partial(changing.forget, readers=marks, most=most))

    async def keep_readers(self, channel: str, audience: Audience) -> None:
        """Keep who read a channel at the last look."""
        await self._writer.do(partial(readers.keep, channel=channel, audience=audience))

    async def known_readers(self, channel: str) -> Audience | None:
        """Who read a channel at the last look."""
        return await self._reader.do(partial(readers.known, channel=channel))

    async def mark(self, name: str) -> int:
        """A number that was kept under that name; 0 before."""
        return await self._reader.do(partial(changing.mark, name=name))

    async def set_mark(self, name: str, number: int) -> None:
        """Keep a number in the place of the last one of that name."""
        await self._writer.do(partial(changing.set_mark, name=name, number=number))

    async def keep(self, token: str, body: str, *, seconds: float) -> None:
        """Put a text away for so long; concurrent calls share a transaction."""
        await self._replicas.keep(token, body, seconds)

    async def kept(self, token: str) -> str | None:
        """The text that was put away under that token."""
        return await self._replicas.kept(token)

    async def take_kept(self, token: str) -> str | None:
        """The same for the last time."""
        return await self._replicas.take_kept(token)

    async def take_turn(self, lane: Lane, channel: str) -> Turn:
        """A turn in the pace of all replicas; concurrent calls share a transaction."""
        return await self._replicas.take_turn(lane, channel)

    async def hold_turns(self, lane: Lane, channel: str, *, seconds: float) -> None:
        """Give no turn there for so long."""
        await self._replicas.hold_turns(lane, channel, seconds)

    async def take_lease(self, name: str, owner: str, *, seconds: float) -> Lease:
        """Become or stay the one who does it; concurrent calls share a transaction."""
        return await self._replicas.take_lease(name, owner, seconds)

    async def lease(self, name: str) -> Lease:
        """Who does it."""
        return await self._replicas.lease(name)

    async def end_lease(self, name: str, owner: str, *, note: str = "", seconds: float = 0) -> None:
        """Be done with it."""
        await self._replicas.end_lease(name, owner, note, seconds)

    def count_asked(self, org: str, *, at: datetime, asked: int, answered: int) -> None:
        """Count lookups of that organisation; written together with others, a second later at most."""
        self._counts.add(org, at, asked, answered)

    async def asked(self, org: str | None, *, since: datetime, until: datetime) -> tuple[int, int]:
        """How many were asked and answered within that time, to the minute."""
        return await self._counts.read(org, since, until)

    async def close(self) -> None:
        """Finish what is under way and close the file."""
        self._counts.flush()
        if self._following:
            await self._following.close()
        await self._reader.close()
        await self._writer.close()

    async def _read(self, work: Callable[[Connection], T], may_be_stale: bool) -> T:
        if may_be_stale and self._following:
            return await self._following.read(work, partial(self._reader.do, work))
        return await self._reader.do(work)

    def _add(self, connection: Connection, assertions: Sequence[Assertion]) -> Tally:
        return adding.add(connection, assertions, self._now())

    def _remark(self, connection: Connection, assertion: Assertion) -> bool:
        return adding.change_marking(connection, assertion, self._now())

    def _claim(self, connection: Connection, claims: Sequence[claiming.Claim]) -> list[bool | BotError]:
        return self._claiming.answer(connection, claims, self._now())

    def _recall(
        self, connection: Connection, questions: Sequence[memory.Question]
    ) -> list[list[Finding] | BotError]:
        return memory.recall(connection, questions, self._now())

    def _keep(self, connection: Connection, batches: Sequence[Sequence[memory.Row]]) -> list[BotError | None]:
        with writing(connection, "finding"):
            memory.keep(connection, batches, self._now())
        connection.wrote(len(batches))
        return [None] * len(batches)

    def _now(self) -> int:
        return rows.micros(self._clock())
