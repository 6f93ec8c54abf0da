"""Digests: what one costs to build, however much is stored, and how fast many leave that are due at once."""

import asyncio
import statistics
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bot.app import settle_memory, utc_now
from bot.bench import due
from bot.bench.claims import SOURCE, claim
from bot.chat import Answer
from bot.deliveries import Delivery
from bot.delivery.compiler import Compiler
from bot.errors import UnavailableError
from bot.organisations import Organisation, Registry
from bot.services import Store
from bot.sharing import Audience, Reach
from bot.store import open_store
from bot.subscriptions import Attach, Purpose

NEW = 1_000  # assertions in each digest that is built
FEW = 10_000  # stored before, beside what is asked for
MOST_SLOWER = 1.5  # to build with many stored, beside FEW
MOST_TAKEN = 1.2  # of what the limits allow
MOST_LOOKS = 1.1  # of a digest at who reads its channel; one, and a few for those who look things up
MOST_FELT = 2.0  # lookups' p99 while digests leave, beside without
_PART = 20_000


@dataclass(frozen=True)
class Figures:
    """Medians of all rounds, in seconds; what concerns limits in seconds of Slack's clock."""

    assertions: int
    few: float  # to build a digest of NEW with FEW stored
    many: float  # the same with all `assertions`
    due: due.Figures

    @property
    def slower(self) -> float:
        """How much longer a digest takes when many are stored."""
        return self.many / self.few

    @property
    def missed_bars(self) -> list[str]:
        """What does not hold."""
        bars = {
            f"with {self.assertions:,} stored a digest takes more than {MOST_SLOWER}x": self.slower
            <= MOST_SLOWER,
            f"those due at once took more than {MOST_TAKEN}x what the limits allow": self.due.over_limits
            <= MOST_TAKEN,
            f"a digest took more than {MOST_LOOKS} looks at its readers": self.due.looks_each <= MOST_LOOKS,
            f"lookups' p99 meanwhile above {MOST_FELT}x": self.due.felt < MOST_FELT,
            f"{self.due.posted} posts for {self.due.channels} digests": self.due.posted == self.due.channels,
        }
        return [words for words, holds in bars.items() if not holds]


def measure(answer: Answer, *, assertions: int, channels: int, speed: float, rounds: int) -> Figures:
    """Measure both; `speed` is how much faster Slack's clock runs while digests leave."""
    few, many = asyncio.run(_build(assertions, rounds))
    return Figures(assertions, few, many, due.measure(answer, channels=channels, speed=speed))


async def _build(assertions: int, rounds: int) -> tuple[float, float]:
    """Seconds with FEW and with many, measured in turns."""
    with tempfile.TemporaryDirectory() as folder:
        stores = [await _filled(f"sqlite:///{folder}/{count}.db", count) for count in (FEW + 1, assertions)]
        settle_memory()
        taken: tuple[list[float], list[float]] = ([], [])
        for number in range(rounds + 1):
            for store, found in zip(stores, taken, strict=True):
                seconds = await _timed(store)
                if number:  # the first round warms the caches
                    found.append(seconds)
        for store in stores:
            await store.close()
    return statistics.median(taken[0]), statistics.median(taken[1])


async def _filled(url: str, count: int) -> Store:
    """So many assertions, and NEW ones after them."""
    store = await open_store(url)
    for start in range(0, count + NEW, _PART):
        await store.add([claim(number) for number in range(start, min(start + _PART, count + NEW))])
    return store


async def _timed(store: Store) -> float:
    """Seconds for one digest of the newest, with its file."""
    head = await store.head()
    delivery = Delivery(
        channel="C0BENCH",
        purpose=Purpose.DIGEST,
        period=utc_now().isoformat(),
        since=head - NEW,
        upto=head,
        attach=Attach.CSV,
        written_at=utc_now(),
    )
    compiler = Compiler(store, _REGISTRY, clock=utc_now)
    begun = time.perf_counter()
    edition = await compiler.edition(delivery, _READERS)
    taken = time.perf_counter() - begun
    if edition is None or len(edition.pieces) < 2:
        raise UnavailableError("The digest has no file; the figures mean nothing.")
    return taken


def _partner(slug: str) -> Organisation:
    since, until = datetime(2020, 1, 1, tzinfo=UTC).date(), (utc_now() + timedelta(days=365)).date()
    teams = frozenset((f"T0{slug.upper()}",))
    return Organisation(id=slug, name=slug, teams=teams, community=True, since=since, until=until)


_REGISTRY = Registry(
    Organisation(id="igci", name="Centre", teams=frozenset(("T0HOST",))),
    (_partner(SOURCE), _partner("kaspersky")),
    {},
)
_READERS = Audience(reach=Reach.CHANNEL, orgs=frozenset(("igci", "kaspersky")), fresh=True, read_at=utc_now())
