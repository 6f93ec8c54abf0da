"""A stage for deliveries: a real store, a clock set by hand, and a channel that fails as it is told."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bot.assertions import Assertion
from bot.deliveries import ENDED, Delivery, Item
from bot.delivery.alerts import Alert
from bot.delivery.courier import Errand, Means
from bot.delivery.edition import Edition, Sheet, file
from bot.delivery.posting import (
    HistoryRefusedError,
    Letter,
    NotTakenError,
    PerhapsTakenError,
    ReadersChangedError,
    Starting,
    nothing,
)
from bot.indicators import Indicator, Kind
from bot.schedules import parse
from bot.services import Store
from bot.sharing import Audience, Reach
from bot.slack.audience import same_readers
from bot.store.sqlite import SqliteStore
from bot.subscriptions import Purpose, Subscription
from bot.tlp import Label

T0 = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)  # a Monday
CHANNEL = "C0ONE"
LEASE = 240.0
SLOW = timedelta(seconds=50)
MAX_AGE = timedelta(seconds=300)


class Killed(BaseException):
    """The process ends here."""


class Clock:
    """Aware UTC; moves when it is told."""

    def __init__(self, now: datetime = T0) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@dataclass
class Stands:
    """One message or file that can be seen."""

    ts: str
    nonce: str
    thread: str
    text: str
    readers: frozenset[str]
    is_file: bool = False


Fault = Callable[[str], str | Exception | None]


@dataclass
class Channel:
    """A `Posting` with one channel. `fault` is asked at each request what happens to it:

    an error to raise instead, "lost" (it arrives, the answer does not), "slow" (it arrives after a while, the
    answer does not), "late" (the same, but it arrives at `arrive`).
    """

    clock: Clock
    readers_now: Audience = field(
        default_factory=lambda: Audience(reach=Reach.CHANNEL, orgs=frozenset({"igci", "kaspersky"}))
    )
    fault: Fault = lambda _: None
    standing: list[Stands] = field(default_factory=list)
    under_way: list[Stands] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    lets_look: bool = True
    looks: int = 0  # at who reads it
    looked: Callable[[], Awaitable[object]] | None = None  # happens right after the last look
    nap: Callable[[], Awaitable[None]] | None = None  # between the last look and the post
    _number: int = 0
    _arrives_at: datetime = T0

    async def readers(self, conversation: str) -> Audience:
        self._request("readers")
        self.looks += 1
        return self._look()

    async def post_marked(
        self,
        conversation: str,
        letter: Letter,
        *,
        nonce: str,
        thread: str = "",
        starting: Starting,
        checking: Starting = nothing,
    ) -> str:
        await starting()
        self._check(letter)
        await self._has_looked(checking)
        if (nap := self.nap) is not None:
            self.nap = None
            await nap()
        self._seen(letter.message.text)
        return self._take("post", Stands("", nonce, thread, letter.message.text, letter.audience.orgs))

    async def find_marked(
        self, conversation: str, nonce: str, *, oldest: datetime, thread: str = ""
    ) -> list[str]:
        self._request("find")
        if not self.lets_look:
            raise HistoryRefusedError("missing_scope")
        return [
            each.ts
            for each in self.standing
            if (each.nonce, each.thread) == (nonce, thread)
            and not each.is_file
            and float(each.ts) >= oldest.timestamp()
        ]

    async def withdraw(self, conversation: str, ts: str) -> None:
        self._request("withdraw")
        self.standing = [each for each in self.standing if each.ts != ts]

    async def attach(
        self,
        conversation: str,
        name: str,
        content: bytes,
        letter: Letter,
        *,
        thread: str,
        starting: Starting,
        checking: Starting = nothing,
    ) -> str:
        await starting()
        self._check(letter)
        await self._has_looked(checking)
        self._seen(content.decode(errors="replace"))
        found = Stands("", name, thread, letter.message.text, letter.audience.orgs, is_file=True)
        return self._take("attach", found)

    async def find_attached(
        self, conversation: str, name: str, *, oldest: datetime, thread: str
    ) -> list[str]:
        self._request("find_attached")
        return [
            each.ts for each in self.standing if each.is_file and (each.nonce, each.thread) == (name, thread)
        ]

    async def withdraw_file(self, conversation: str, file_id: str, *, oldest: datetime, thread: str) -> None:
        self._request("withdraw_file")
        self.standing = [each for each in self.standing if each.ts != file_id]

    def arrive(self) -> None:
        """What was late is there now."""
        for each in self.under_way:
            self._place(each)
        self.under_way = []

    def _pass_on(self) -> None:
        if self.under_way and self.clock() >= self._arrives_at:
            self.arrive()

    def main(self) -> list[Stands]:
        return [each for each in self.standing if not each.thread]

    def beneath(self) -> list[Stands]:
        return [each for each in self.standing if each.thread]

    async def _has_looked(self, checking: Starting) -> None:
        if self.looked is not None:
            await self.looked()
        await checking()

    def _look(self) -> Audience:
        return replace(self.readers_now, read_at=self.clock())

    def _check(self, letter: Letter) -> None:
        self.looks += 1
        read_at = letter.audience.read_at or T0
        if not same_readers(letter.audience, self._look()) or abs(self.clock() - read_at) > MAX_AGE:
            raise ReadersChangedError(readers=self._look())

    def _seen(self, text: str) -> None:
        """For those who look at what is taken."""

    def _request(self, name: str) -> str | None:
        self.requests.append(name)
        self._pass_on()
        fault = self.fault(name)
        if isinstance(fault, Exception):
            raise fault
        return fault

    def _take(self, name: str, what: Stands) -> str:
        fault = self._request(name)
        if fault in ("slow", "late"):
            self.under_way.append(what)
            self._arrives_at = self.clock() + (SLOW if fault == "slow" else timedelta(days=99))
            raise PerhapsTakenError
        self._place(what)
        if fault == "lost":
            raise PerhapsTakenError
        return what.ts

    def _place(self, what: Stands) -> None:
        self._number += 1
        what.ts = f"{self.clock().timestamp():.0f}.{self._number:06}"
        self.standing.append(what)


def fails(times: int, fault: str | Exception, on: str = "post") -> Fault:
    """The first so many requests of that name fail."""
    left = [times]

    def ask(name: str) -> str | Exception | None:
        if name != on or not left[0]:
            return None
        left[0] -= 1
        return fault

    return ask


class Words:
    """A `Writing` whose words name their readers."""

    def __init__(self, *, parts: int = 0, files: int = 0, is_empty: bool = False) -> None:
        self.parts, self.files, self.is_empty = parts, files, is_empty
        self.hides_from: frozenset[str] | None = None  # nothing is new for just these
        self.tells_upto = 0
        self.then: Callable[[], None] = lambda: None  # happens as soon as it is written

    async def edition(self, delivery: Delivery, audience: Audience) -> Edition:
        is_empty = self.is_empty or audience.orgs == self.hides_from
        if is_empty and not delivery.say_nothing_new:
            return Edition(audience=audience, pieces=(), changes_upto=self.tells_upto)
        readers = ",".join(sorted(audience.orgs))
        sheets = [_sheet(f"{number} for {readers}", number) for number in range(self.parts + 1)]
        files = [
            file(
                f"{number}.csv",
                readers.encode(),
                words=_sheet("file", 50 + number),
                items=_sheet("file", 50 + number).items,
                instead=(_sheet("instead", 70),),
            )
            for number in range(self.files)
        ]
        self.then()
        return Edition(audience=audience, pieces=(*sheets, *files))


def _sheet(text: str, number: int) -> Sheet:
    return Sheet(label=Label.GREEN, text=text, items=(Item("kaspersky", indicator(number), Label.GREEN),))


@dataclass
class Heard:
    """`Alerts` that are kept."""

    alerts: list[Alert] = field(default_factory=list)

    async def tell(self, alert: Alert) -> None:
        self.alerts.append(alert)


class Counted:
    """Counts calls of anything; at the one of that number the process is killed, before or after it."""

    def __init__(self, real: Any, count: list[int], at: int, *, is_done: bool) -> None:
        self._real, self._count, self._at, self._is_done = real, count, at, is_done

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._real, name)

        async def call(*arguments: Any, **named: Any) -> Any:
            self._count[0] += 1
            kills = self._count[0] == self._at
            if kills and not self._is_done:
                raise Killed
            try:
                return await real(*arguments, **named)
            finally:
                if kills:
                    raise Killed

        return call


@dataclass
class Stage:
    """Everything a courier needs, on one store."""

    store: Store
    clock: Clock
    channel: Channel
    writing: Words
    heard: Heard = field(default_factory=Heard)
    _owners: int = 0

    def means(self, **other: Any) -> Means:
        known: dict[str, Any] = {
            "store": self.store,
            "posting": self.channel,
            "writing": self.writing,
            "alerts": self.heard,
            "clock": self.clock,
            "jitter": lambda: 1.0,
        }
        return Means(**known | other)

    async def begin(self, channel: str = CHANNEL, claims: Sequence[Assertion] = (), **known: Any) -> Delivery:
        """A delivery that is due now, with claims that were stored since the subscription."""
        subscription = Subscription(
            channel=channel,
            purpose=Purpose.DIGEST,
            schedule=parse("daily 08:00", "UTC"),
            **known,
        )
        await self.store.subscribe(subscription, next_at=self.clock())
        await self.store.add(claims)
        [subscribed] = await self.store.subscriptions(channel)
        next_at = self.clock() + timedelta(days=1)
        delivery = await self.store.begin_delivery(
            subscribed, period=self.clock().isoformat(), next_at=next_at
        )
        assert delivery is not None
        return delivery

    async def try_once(self, means: Means | None = None) -> int:
        """Whoever comes by carries what waits; gives how many that was."""
        self._owners += 1
        owner, at = f"owner {self._owners}", self.clock()
        leased = await self.store.lease_deliveries(owner, at=at, seconds=LEASE, most=9)
        for delivery in leased:
            until = at + timedelta(seconds=LEASE / 2)
            await Errand(means or self.means(), delivery, owner=owner, until=until).run()
        return len(leased)

    async def carry_on(self, *, hours: float = 30, seconds: float = 30) -> Delivery:
        """Let time pass until the last delivery ended; gives it."""
        until = self.clock() + timedelta(hours=hours)
        while (await self.last()).state not in ENDED and self.clock() < until:
            if not await self.try_once():
                self.clock.pass_by(seconds)
        return await self.last()

    async def last(self) -> Delivery:
        return (await self.store.deliveries())[0]


@asynccontextmanager
async def staged(folder: Path, **words: Any) -> AsyncIterator[Stage]:
    """A stage on a store in that folder."""
    clock = Clock()
    store = SqliteStore(folder / "store.db", clock)
    await store.open()
    try:
        yield Stage(store, clock, Channel(clock), Words(**words))
    finally:
        await store.close()


def indicator(number: int) -> Indicator:
    return Indicator(Kind.DOMAIN, f"host-{number}.example.org")


def assertion(number: int, **known: Any) -> Assertion:
    about: dict[str, Any] = {"indicator": indicator(number), "source": "kaspersky", "label": Label.GREEN}
    return Assertion(**about | known)


NOT_TAKEN = NotTakenError("the line is dead")
