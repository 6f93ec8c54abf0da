"""Sources, a timer and enquiries for tests: the store is real, and nothing waits for luck."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from bot.assertions import Assertion
from bot.enquiries import NOTHING_DECLARED, Declared, Enquiry
from bot.enrichment.enricher import Enricher
from bot.findings import Report
from bot.indicators import Indicator, Kind
from bot.organisations import Organisation, Registry
from bot.providers.spec import Spec
from bot.services import Inquiry
from bot.sharing import Audience, Reach, World
from bot.store.sqlite import SqliteStore
from bot.tlp import Label
from bot.verdicts import Verdict
from tests.strategies import HOST, NOW, ORGS, PARTNERS

KASPERSKY, TREND, GROUPIB = PARTNERS[:3]
HASHES = frozenset({Kind.MD5, Kind.SHA256})
BAD = Report(verdict=Verdict.MALICIOUS, score="47/65")
WORLD = World(
    host=HOST,
    now=NOW,
    in_force=frozenset(PARTNERS),
    community=frozenset(PARTNERS),
    names={org: org for org in ORGS},
    own_queries=frozenset(ORGS),
)
REGISTRY = Registry(
    host=Organisation(id=HOST, name="Host", teams=frozenset({"T0HOST"}), enrich_own_queries=True),
    partners=tuple(
        Organisation(id=org, name=org.title(), teams=frozenset({f"T0{org.upper()}"}), enrich_own_queries=True)
        for org in PARTNERS
    ),
    caps={},
)

Say = Callable[[Indicator], Awaitable[Report | None]]


def digest(number: int) -> Indicator:
    """An invented hash."""
    return Indicator(Kind.SHA256, f"{number:064x}")


HASH = digest(1)


class Clock:
    """A wall clock that stands still until it is set."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now

    def move(self, **by: float) -> None:
        """Forwards or back, as `timedelta` takes it."""
        self.now += timedelta(**by)


@dataclass
class Call:
    """Something a timer will do."""

    when: float
    callback: Callable[[], object]
    cancelled: bool = False

    def cancel(self) -> None:
        """Never mind."""
        self.cancelled = True


class Hands:
    """A timer whose hands are moved by the test."""

    def __init__(self) -> None:
        self.now = 1000.0
        self._calls: list[Call] = []

    def time(self) -> float:
        """Seconds."""
        return self.now

    def call_at(self, when: float, callback: Callable[[], object], /) -> Call:
        """Call back at that time."""
        self._calls.append(Call(when, callback))
        return self._calls[-1]

    def advance(self, seconds: float) -> None:
        """Let time pass, and do what is due in its order."""
        self.now += seconds
        due = sorted((call for call in self._calls if call.when <= self.now), key=lambda call: call.when)
        self._calls = [call for call in self._calls if call.when > self.now]
        for call in due:
            if not call.cancelled:
                call.callback()

    @property
    def waiting(self) -> int:
        """How many calls are still to come."""
        return sum(not call.cancelled for call in self._calls)


async def found(_: Indicator) -> Report | None:
    """A source that knows everything."""
    return BAD


async def missing(_: Indicator) -> Report | None:
    """A source that knows nothing."""
    return None


async def hung(_: Indicator) -> Report | None:
    """A source that never answers."""
    await asyncio.get_running_loop().create_future()
    return None


def failing(error: Exception) -> Say:
    """A source that raises."""

    async def fail(_: Indicator) -> Report | None:
        raise error

    return fail


@dataclass
class Plain:
    """A source that says what it is told to, and remembers what it was asked."""

    name: str = "virustotal"
    say: Say = found
    spec: Spec = field(init=False)
    asked: list[Indicator] = field(default_factory=list)
    is_open: bool = False
    declared: dict[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        facts: dict[str, object] = {"title": self.name.title(), "kinds": HASHES, "ceiling": Label.GREEN}
        self.spec = Spec(name=self.name, **(facts | self.declared))  # type: ignore[arg-type]  # fields of Spec

    async def open(self) -> None:
        """Get ready."""
        self.is_open = True

    async def ask(self, indicator: Indicator) -> Report | None:
        """What it says."""
        self.asked.append(indicator)
        return await self.say(indicator)

    async def close(self) -> None:
        """Release everything."""
        self.is_open = False


def plain(name: str = "virustotal", say: Say = found, **declared: object) -> Plain:
    """A source with these fields of its Spec."""
    return Plain(name, say, declared=declared)


def enquiry(
    *indicators: Indicator,
    by: str = HOST,
    stored: Sequence[Assertion] = (),
    world: World = WORLD,
    declared: Declared = NOTHING_DECLARED,
    on_purpose: bool = False,
) -> Enquiry:
    """A question of one person."""
    return Enquiry(
        indicators=indicators or (HASH,),
        asker=Audience(reach=Reach.EPHEMERAL, orgs=frozenset({by}), persons=frozenset({"U0ANNA"})),
        world=world,
        stored=stored,
        declared=declared,
        on_purpose=on_purpose,
    )


class Bench:
    """An enricher on a real store, with hands to move and a clock to set."""

    def __init__(self, folder: Path) -> None:
        self.clock = Clock()
        self.steady = Clock()
        self.hands = Hands()
        self.store = SqliteStore(folder / "store.db", self.clock)
        self._opened: list[Enricher] = []

    async def open(self, *sources: Plain, off: dict[str, str] | None = None) -> Enricher:
        """An enricher that asks these; another one may go on with the same store."""
        await self.store.open()
        enricher = Enricher(
            sources, self.store, REGISTRY, clock=self.clock, steady=self.steady, timer=self.hands, off=off
        )
        self._opened.append(enricher)
        await enricher.open()
        return enricher

    async def close(self) -> None:
        """Close everything."""
        for enricher in self._opened:
            await enricher.close()
        await self.store.close()


async def done(inquiry: Inquiry) -> Inquiry:
    """The same, when nothing is pending."""
    while not inquiry.is_done:
        await inquiry.changed()
    return inquiry


async def reached(condition: Callable[[], object]) -> None:
    """Wait until that is so; the test's own time limit ends it."""
    while not condition():  # noqa: ASYNC110 - what is watched knows nothing of tests
        await asyncio.sleep(0.001)


async def landed(enricher: Enricher) -> None:
    """Wait until nothing is under way, so that everything is kept."""
    await reached(lambda: not len(enricher._flights))


def nothing_is_left(enricher: Enricher, hands: Hands) -> None:
    """Check that there is no task, no key, no slot taken and no timer."""
    assert len(enricher._flights) == 0
    assert not +enricher._flights._of
    assert enricher._flights._readers == []
    assert hands.waiting == 0
    for line in enricher._lines.values():
        assert len(line._slots) == line.spec.at_once
        assert not line._slots._waiting
        assert not +line._slots._held
        assert not line._breaker._trial
    assert asyncio.all_tasks() == {asyncio.current_task()}
