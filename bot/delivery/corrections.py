"""Corrections: watches what was posted, and has corrected what its readers may see no longer.

Three things can happen to a post: a source changes what it showed, somebody else comes to read the channel,
or somebody wishes it taken back. The first is read from the store's log of changes, the second from Slack's
events, which can get lost: so every channel is looked at now and then, too, and all of them after a start.

Of several replicas one looks for all of them; what another one hears, an event or a wish, it follows itself.
"""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from weakref import WeakValueDictionary

import msgspec

from bot import amends
from bot.deliveries import LONGEST_WAIT, Amending, Change, Post
from bot.delivery.alerts import LOG
from bot.delivery.amending import Thread
from bot.delivery.books import (
    MOST_POSTS,
    PENDING,
    Correcting,
    OvertakenError,
    Tell,
    Tools,
    WaitError,
    is_open,
    joined,
    looked_up,
    random_nonce,
)
from bot.delivery.posting import LockedOutError, RateLimitedError, RefusedError
from bot.errors import BotError
from bot.indicators import Indicator
from bot.logs import log_mistake
from bot.organisations import Registry
from bot.providers import catalogue
from bot.services import Store

READ_UPTO = "corrections"  # the mark of how far the log of changes was read
TICK_SECONDS = 5.0
BATCH = 500  # changes
AT_ONCE = 8  # threads
SURVEY = timedelta(minutes=10)  # how often all channels with posts are listed, and each is looked at
LATE = timedelta(minutes=10)  # for so long posts come into the ledger that were written before a change
AGAIN = timedelta(seconds=30)  # between looks for them
MOST_LATE = 50  # batches of changes that are looked for again
DUTY = "corrections"  # the lease of the replica that looks for all
DUTY_SECONDS = 30.0  # after its last round another one takes over
ALONE_SECONDS = (
    60.0  # that one thread is left to one replica; who takes longer finds out that it was overtaken
)
TRIES = 5  # to write at a post what others write, too
FIRST_WAIT, MOST_WAIT = 2.0, 900.0  # seconds
LOCKED_OUT_WAIT = 300.0
PATIENCE, FEWEST_TRIES = timedelta(hours=24), 10
CLOSE_SECONDS = 10.0

Rest = Callable[[float], Awaitable[None]]
Place = tuple[str, str]  # channel and root of a thread


@dataclass
class _Trial:
    """A thread that waits."""

    at: datetime
    tries: int = 0
    failing_since: datetime | None = None


@dataclass
class _Late:
    """Changes for which posts may still come into the ledger."""

    began_at: datetime
    again_at: datetime
    changes: Sequence[Change]
    are_wished: bool = False
    seen: set[Place] = field(default_factory=set)


class Corrections:
    """`services.Corrections`, and the work that follows; `rest` waits so many seconds.

    It takes wishes from the start, and works as soon as it has tools.
    """

    def __init__(
        self, store: Store, registry: Registry, *, clock: Callable[[], datetime], rest: Rest = asyncio.sleep
    ) -> None:
        self._store, self._registry, self._clock, self._rest = store, registry, clock, rest
        self._tools: Tools
        self._trials: dict[Place, _Trial] = {}
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._moved: dict[str, None] = {}  # channels whose readers changed
        self._looked_at: dict[str, datetime | None] = {}  # all channels with posts
        self._late: list[_Late] = []
        self._surveyed_at: datetime | None = None
        self._name = secrets.token_hex(8)
        self._news = asyncio.Event()
        self._loop: asyncio.Task[None] | None = None

    def equip(self, posting: Correcting, tell: Tell, *, nonce: Callable[[], str] = random_nonce) -> None:
        """Say through what to work, and how to bring words without data to the host's operators."""
        self._tools = Tools(
            store=self._store,
            posting=posting,
            registry=self._registry,
            clock=self._clock,
            tell=tell,
            nonce=nonce,
        )

    def open(self) -> None:
        """Begin to work."""
        self._loop = asyncio.create_task(self._work())

    async def close(self) -> None:
        """Stop between steps; what is not finished goes on after the restart."""
        if self._loop is not None:
            self._loop.cancel()
            with suppress(asyncio.CancelledError, TimeoutError):
                async with asyncio.timeout(CLOSE_SECONDS):
                    await self._loop
        with suppress(BotError):
            await self._store.end_lease(DUTY, self._name)

    def readers_changed(self, channel: str) -> None:
        """Slack says that others read that channel now; it is looked at soon."""
        self._moved[channel] = None
        self._news.set()

    async def channel_renamed(self, old: str, new: str) -> None:
        """A channel got another id, as happens when a share begins: its posts go by that from now on."""
        async with self._lock(old), self._lock(new):
            for post in await self._store.posts(channel=old, most=MOST_POSTS) if old != new else ():
                await self._store.record_post(_moved_to(post, old, new))
                await self._store.record_post(msgspec.structs.replace(post, items=(), state="deleted"))
        self.readers_changed(new)

    async def retract(self, indicators: Sequence[Indicator], *, source: str | None, by: str) -> int:
        """Write down at every post that shows them that it must not; gives how many those are."""
        LOG.info("%s wishes %d indicators taken back", by, len(indicators))
        sources = [source] if source is not None else await self._all_sources(indicators)
        wish = [Change(0, each, indicator) for each in sources for indicator in indicators]
        return await self._doubt(self._remember(wish, are_wished=True))

    async def _all_sources(self, indicators: Sequence[Indicator]) -> list[str]:
        """Everybody who can have said something of them, services included."""
        registry = self._registry
        organisations = (each.id for each in (registry.host, *registry.partners))
        known = (source for source, _ in await looked_up(self._store, indicators))
        services = (f"{amends.SERVICE}{name}" for name in catalogue.NAMES)
        return list(dict.fromkeys((*organisations, *known, *services)))

    # --- looking ---------------------------------------------------------------------------------------

    async def round(self) -> bool:
        """One look at everything, and some work; gives whether more is due."""
        if await self._is_on_duty():
            await self._survey()
            await self._read_changes()
        await self._look_for_late_ones()
        await self._look_at_channels()
        return await self._amend()

    async def _is_on_duty(self) -> bool:
        """Whether this replica looks for all; whoever begins to, lists everything anew."""
        lease = await self._store.take_lease(DUTY, self._name, seconds=DUTY_SECONDS)
        if not lease.is_ours:
            self._surveyed_at, self._looked_at = None, {}
        return lease.is_ours

    async def _survey(self) -> None:
        """List all channels with posts, and what was under way before a crash."""
        now = self._clock()
        if self._surveyed_at is not None and timedelta() <= now - self._surveyed_at < SURVEY:
            return
        posts = await self._store.posts(most=MOST_POSTS)
        self._looked_at = {each.channel: self._looked_at.get(each.channel) for each in posts if each.items}
        for post in posts:
            if post.state in PENDING or post.amending is not None:
                self._queue(post)
        self._surveyed_at = now

    async def _read_changes(self) -> None:
        """Doubt every post that shows what was narrowed or revoked since the last look."""
        store = self._store
        after = await store.mark(READ_UPTO)
        while changes := await store.changes(after=after, most=BATCH):
            await self._doubt(self._remember(changes))
            after = changes[-1].number
            await store.set_mark(READ_UPTO, after)

    def _remember(self, changes: Sequence[Change], *, are_wished: bool = False) -> _Late:
        now = self._clock()
        late = _Late(began_at=now, again_at=now + AGAIN, changes=changes, are_wished=are_wished)
        self._late = [*self._late[-MOST_LATE + 1 :], late]
        return late

    async def _look_for_late_ones(self) -> None:
        """A post that was on its way during a change comes into the ledger after it."""
        now = self._clock()
        self._late = [each for each in self._late if timedelta() <= now - each.began_at < LATE]
        for late in self._late:
            if now >= late.again_at:
                late.again_at = now + AGAIN
                await self._doubt(late)

    async def _doubt(self, late: _Late) -> int:
        """Write at each post that it must be judged anew, and why; gives how many those are.

        What gets its `ts` meanwhile is found again under that. Raises UnavailableError.
        """
        before = len(late.seen)
        for _ in range(TRIES):
            found = await self._store.posts(showing=late.changes, most=MOST_POSTS)
            fresh = {(each.channel, each.ts) for each in found if _is_meant(each, late)} - late.seen
            for channel in dict.fromkeys(channel for channel, _ in sorted(fresh)):
                async with self._lock(channel):
                    late.seen |= await self._doubt_in(channel, late, fresh)
            if fresh <= late.seen:
                return len(late.seen) - before
        raise OvertakenError

    async def _doubt_in(self, channel: str, late: _Late, fresh: set[Place]) -> set[Place]:
        """Those of one channel, as far as nobody else writes them right now."""
        done = set[Place]()
        for post in await self._store.posts(channel=channel, showing=late.changes, most=MOST_POSTS):
            place = channel, post.ts
            if place in fresh and await self._store.replace_post(post, _doubted(post, late)):
                done.add(place)
                self._queue(post)
        return done

    async def _look_at_channels(self) -> None:
        """Those whose readers changed, and one of the others that was not looked at for long."""
        moved, self._moved = list(self._moved), {}
        now = self._clock()
        old = [
            each for each, at in self._looked_at.items() if at is None or not timedelta() <= now - at < SURVEY
        ]
        old.sort(key=lambda each: self._looked_at[each] or _NEVER)
        for channel in dict.fromkeys((*moved, *old[:1])):
            self._looked_at[channel] = now
            try:
                await self._look_at(channel)
            except LockedOutError:
                return
            except BotError:
                self._moved[channel] = None  # again in the next round

    async def _look_at(self, channel: str) -> None:
        """Have every thread amended that shows what those who read it now may not see. Raises BotError."""
        posts = [
            each
            for each in await self._store.posts(channel=channel, most=MOST_POSTS)
            if each.items and is_open(each)
        ]
        if not posts:
            return
        try:
            audience = await self._tools.posting.readers(channel)
        except LockedOutError:
            raise
        except RefusedError:
            return  # nobody can tell, and nothing can be done there; whoever changes a post alerts operators
        stored = await looked_up(self._store, (item.indicator for each in posts for item in each.items))
        world = self._registry.world(self._clock())
        for post in posts:
            if amends.judge(post, stored, audience, world).is_affected:
                self._queue(post)

    # --- working ---------------------------------------------------------------------------------------

    def _queue(self, post: Post) -> None:
        place = (post.channel, amends.root(post))
        self._trials.setdefault(place, _Trial(self._clock()))
        self._news.set()

    async def _amend(self) -> bool:
        """Some of the threads that are due; gives whether others are."""
        now = self._clock()
        due = [place for place, trial in self._trials.items() if trial.at <= now or trial.at - now > _LONGEST]
        await asyncio.gather(*(self._try(place) for place in due[:AT_ONCE]))
        return len(due) > AT_ONCE

    async def _try(self, place: Place) -> None:
        async with self._lock(place[0]):
            name = f"posts of {place[0]}"
            lease = await self._store.take_lease(name, self._name, seconds=ALONE_SECONDS)
            trial = self._trials.pop(place)  # whoever queues it from now on has found something new
            if not lease.is_ours:
                self._later(place, trial, self._clock() + timedelta(seconds=lease.seconds))
                return
            await self._try_alone(place, trial)
            with suppress(BotError):
                await self._store.end_lease(name, self._name)

    async def _try_alone(self, place: Place, trial: _Trial) -> None:
        thread = Thread(self._tools, *place)
        try:
            await thread.amend()
        except WaitError as error:
            self._later(place, trial, error.until)
        except Exception as error:  # noqa: BLE001 - a mistake of ours must not end all other corrections
            if not isinstance(error, BotError):
                log_mistake(LOG, error)
            await self._failed(place, trial, thread, error)

    async def _failed(self, place: Place, trial: _Trial, thread: Thread, error: Exception) -> None:
        """Wait longer and longer; after a day an operator must look."""
        now = self._clock()
        since = min(trial.failing_since or now, now)
        if now - since >= PATIENCE and trial.tries >= FEWEST_TRIES:
            with suppress(BotError):
                await thread.give_up()
                return
        trial.tries, trial.failing_since = trial.tries + 1, since
        self._later(place, trial, now + timedelta(seconds=_wait(trial.tries, error)))

    def _later(self, place: Place, trial: _Trial, at: datetime) -> None:
        other = self._trials.get(place)
        trial.at = at if other is None else min(at, other.at)
        self._trials[place] = trial

    def _lock(self, channel: str) -> asyncio.Lock:
        """The posts of a channel are written by one at a time."""
        return self._locks.setdefault(channel, asyncio.Lock())

    async def _work(self) -> None:
        while True:
            self._news.clear()
            is_more_due = False
            try:
                is_more_due = await self.round()
            except BotError:
                LOG.warning("what was posted could not be looked at")
            except Exception as error:  # noqa: BLE001 - the next look may do better
                log_mistake(LOG, error)
            if not is_more_due:
                await self._until_next()

    async def _until_next(self) -> None:
        """Rest for a tick, or until something happens."""
        waits = [asyncio.ensure_future(self._rest(TICK_SECONDS)), asyncio.ensure_future(self._news.wait())]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in waits:
                each.cancel()


def _is_meant(post: Post, late: _Late) -> bool:
    """A note says how it was, which nobody takes back by wish."""
    return not late.are_wished or post.purpose != amends.NOTE


def _doubted(post: Post, late: _Late) -> Post:
    """The same, to be judged anew; what was posted after a change shows it as it is."""
    doing = post.amending or Amending()
    keys = {(each.source, each.indicator) for each in late.changes}
    about = [item for item in post.items if amends.key(item) in keys]
    if late.are_wished:
        doing = msgspec.structs.replace(doing, wished=joined(doing.wished, about))
    elif post.posted_at <= late.began_at:
        doing = msgspec.structs.replace(doing, changed=joined(doing.changed, about))
    state = post.state if post.state in PENDING else "doubted"
    return msgspec.structs.replace(post, state=state, amending=doing)


def _moved_to(post: Post, old: str, new: str) -> Post:
    """The same in the channel's new name, and so are its notes."""
    doing = post.amending
    if doing is not None:
        notes = (
            msgspec.structs.replace(each, channel=new) if each.channel == old else each
            for each in doing.notes
        )
        doing = msgspec.structs.replace(doing, notes=tuple(notes))
    return msgspec.structs.replace(post, channel=new, amending=doing)


def _wait(tries: int, error: Exception) -> float:
    if isinstance(error, LockedOutError):
        return LOCKED_OUT_WAIT
    wait = min(MOST_WAIT, FIRST_WAIT * 2.0 ** min(tries - 1, 20))
    return min(LONGEST_WAIT, error.seconds + wait) if isinstance(error, RateLimitedError) else wait


_NEVER = datetime.min.replace(tzinfo=UTC)
_LONGEST = timedelta(seconds=LONGEST_WAIT)
