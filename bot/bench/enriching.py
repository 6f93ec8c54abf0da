"""Enrichment beside plain requests: the real wires, against fake services in a process of their own."""

import asyncio
import hashlib
import itertools
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection as Pipe

import aiohttp
from aiohttp import web

from bot.app import settle_memory, utc_now
from bot.bench.processes import process
from bot.enquiries import Declared, Enquiry
from bot.enrichment.enricher import Enricher
from bot.errors import UnavailableError
from bot.findings import Outcome
from bot.indicators import Indicator, Kind
from bot.organisations import Organisation, Registry
from bot.providers.catalogue import open_sources
from bot.providers.options import Options
from bot.sandbox.services.asked import Answer
from bot.sandbox.services.fakes import Fakes, start_all
from bot.sandbox.services.virustotal import VirusTotal
from bot.secret import Secret
from bot.sharing import Audience, Reach
from bot.store import open_store
from bot.tlp import Label, Pap

NAMES = ("virustotal", "opentip", "hashlookup", "malwarebazaar", "threatfox", "urlhaus")
LATENCY = 0.05  # seconds of every service
SAME, HUNG, NORMAL, MANY = 50, 8, 60, 100  # questions of each part
CACHED = 200  # questions answered from what is kept
MOST_SECONDS = 0.6  # for MANY hashes at all services
MOST_CACHED = 0.005
MOST_SLOWER = 1.3  # p99 beside hung questions, as a multiple of p99 without
_NO_LIMIT = 10**6
_HUNG = frozenset(hashlib.sha256(f"hung {number}".encode()).hexdigest() for number in range(HUNG))


@dataclass(frozen=True)
class Figures:
    """Medians of all rounds; times in seconds."""

    upstream_calls: int  # of one service, for SAME identical questions at once
    answered: int  # of NORMAL questions beside HUNG ones, the fewest in any round
    p99_alone: float
    p99_beside_hung: float
    many: float  # MANY hashes in one message
    plain: float  # as many plain requests at once, without Liaison
    cached: float

    @property
    def slower(self) -> float:
        """How much longer the others take when some hang."""
        return self.p99_beside_hung / self.p99_alone

    @property
    def missed_bars(self) -> list[str]:
        """What does not hold."""
        bars = {
            f"{SAME} identical questions at once made {self.upstream_calls} calls, not 1": self.upstream_calls
            == 1,
            f"only {self.answered} of {NORMAL} were answered beside {HUNG} that hang": self.answered
            == NORMAL,
            f"p99 beside hung questions above {MOST_SLOWER}x": self.slower <= MOST_SLOWER,
            f"{MANY} hashes took more than {MOST_SECONDS} s": self.many < MOST_SECONDS,
            f"a cached answer took more than {MOST_CACHED * 1000:.0f} ms": self.cached < MOST_CACHED,
        }
        return [words for words, holds in bars.items() if not holds]


def measure(rounds: int) -> Figures:
    """Start the services, then measure all parts in turns."""
    with process(_serve) as (pipe, addresses):
        return asyncio.run(_measure(pipe, addresses, rounds))


async def _measure(pipe: Pipe, addresses: "_Addresses", rounds: int) -> Figures:
    found: dict[str, list[float]] = {
        part: [] for part in ("same", "answered", "alone", "beside", "many", "plain")
    }
    async with _enricher(addresses) as enricher:
        settle_memory()
        for number in range(rounds + 1):
            parts = await _round(enricher, pipe, addresses)
            if number:  # the first round warms connections and caches
                for part, figure in parts.items():
                    found[part].append(figure)
        known = _hashes(1)
        await _answered(enricher, known)
        cached = [await _timed(enricher, known) for _ in range(CACHED)]
    return Figures(
        upstream_calls=int(max(found["same"])),
        answered=int(min(found["answered"])),
        p99_alone=statistics.median(found["alone"]),
        p99_beside_hung=statistics.median(found["beside"]),
        many=statistics.median(found["many"]),
        plain=statistics.median(found["plain"]),
        cached=statistics.median(cached),
    )


async def _round(enricher: Enricher, pipe: Pipe, addresses: "_Addresses") -> dict[str, float]:
    [same] = _hashes(1)
    await asyncio.gather(*(_answered(enricher, [same]) for _ in range(SAME)))
    alone = await _each(enricher, _hashes(NORMAL))
    hung = [asyncio.create_task(_answered(enricher, [Indicator(Kind.SHA256, one)])) for one in _HUNG]
    await asyncio.sleep(2 * LATENCY)  # until they are stuck
    beside = await _each(enricher, _hashes(NORMAL))
    for task in hung:
        task.cancel()
    await asyncio.gather(*hung, return_exceptions=True)
    many = await _timed(enricher, _hashes(MANY))
    return {
        "same": _calls(pipe, same.value),
        "answered": len(beside),
        "alone": _p99(alone),
        "beside": _p99(beside),
        "many": many,
        "plain": await _plain(addresses),
    }


async def _each(enricher: Enricher, asked: Sequence[Indicator]) -> list[float]:
    """Seconds of each question, all at once; those that were not answered by every service are left out."""

    async def one(indicator: Indicator) -> float | None:
        begun = time.perf_counter()
        return time.perf_counter() - begun if await _answered(enricher, [indicator]) else None

    return [each for each in await asyncio.gather(*map(one, asked)) if each is not None]


async def _timed(enricher: Enricher, asked: Sequence[Indicator]) -> float:
    begun = time.perf_counter()
    if not await _answered(enricher, asked):
        raise UnavailableError("A service did not answer; the figures mean nothing.")
    return time.perf_counter() - begun


async def _answered(enricher: Enricher, asked: Sequence[Indicator]) -> bool:
    """Ask one question to its end; whether every service answered."""
    inquiry = await enricher.enquire(_enquiry(asked))
    while not inquiry.is_done:
        await inquiry.changed()
    heard = {finding.outcome for finding in inquiry.findings}
    return len(inquiry.findings) == len(NAMES) * len(asked) and heard <= {Outcome.FOUND, Outcome.NOT_FOUND}


async def _plain(addresses: "_Addresses") -> float:
    """As many requests, as many at once, with nothing around them."""
    url, key = addresses["virustotal"]
    connector = aiohttp.TCPConnector(limit=MANY * len(NAMES))

    async with aiohttp.ClientSession(connector=connector, headers={"X-Apikey": key}) as session:

        async def one(indicator: Indicator) -> None:
            async with session.get(f"{url}/api/v3/files/{indicator.value}") as response:
                await response.read()

        begun = time.perf_counter()
        await asyncio.gather(*map(one, _hashes(MANY * len(NAMES))))
        return time.perf_counter() - begun


def _p99(taken: Sequence[float]) -> float:
    return sorted(taken)[len(taken) * 99 // 100]


# --- what is asked -------------------------------------------------------------------------------------

_NUMBERS = itertools.count()
_HOST = Organisation(id="igci", name="Centre", teams=frozenset({"T0HOST"}), enrich_own_queries=True)
_REGISTRY = Registry(_HOST, (), {})
_ANA = Audience(reach=Reach.EPHEMERAL, orgs=frozenset({"igci"}), persons=frozenset({"U0ANA"}))


def _hashes(count: int) -> list[Indicator]:
    """Hashes that nobody asked about before."""
    numbers = itertools.islice(_NUMBERS, count)
    return [Indicator(Kind.SHA256, hashlib.sha256(str(each).encode()).hexdigest()) for each in numbers]


def _enquiry(asked: Sequence[Indicator]) -> Enquiry:
    return Enquiry(
        indicators=tuple(asked),
        asker=_ANA,
        world=_REGISTRY.world(utc_now()),
        stored=(),
        declared=Declared(Label.CLEAR, Pap.CLEAR),
    )


@asynccontextmanager
async def _enricher(addresses: "_Addresses") -> AsyncIterator[Enricher]:
    options = {
        name: Options(
            url=url,
            key=Secret(key),
            per_minute=_NO_LIMIT,
            per_day=_NO_LIMIT,
            per_month=_NO_LIMIT,
        )
        for name, (url, key) in addresses.items()
    }
    with tempfile.TemporaryDirectory() as folder:
        store = await open_store(f"sqlite:///{folder}/bench.db")
        enricher = Enricher(open_sources(options), store, _REGISTRY, clock=utc_now)
        await enricher.open()
        yield enricher
        await enricher.close()
        await store.close()


# --- the services --------------------------------------------------------------------------------------

_Addresses = dict[str, tuple[str, str]]  # name -> URL and key


class _HangingVirusTotal(VirusTotal):
    """Never answers about some hashes."""

    async def _deliver(self, request: web.Request, answer: Answer) -> web.StreamResponse:
        if request.path.rpartition("/")[2] in _HUNG:
            await asyncio.Event().wait()
        return await super()._deliver(request, answer)


async def _serve(pipe: Pipe) -> None:
    fakes = await _started()
    pipe.send({name: (fakes[name].url, fakes[name].key) for name in NAMES})
    while value := await asyncio.get_running_loop().run_in_executor(None, pipe.recv):
        pipe.send(max(sum(call.value == value for call in fakes[name].calls) for name in NAMES))
    await fakes.stop()


async def _started() -> Fakes:
    fakes = await start_all(Fakes(virustotal=_HangingVirusTotal()))
    for fake in fakes.all:
        fake.latency = LATENCY
    return fakes


def _calls(pipe: Pipe, value: str) -> int:
    """The most calls that one service got about it."""
    pipe.send(value)
    return int(pipe.recv())
