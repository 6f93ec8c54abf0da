"""A slash command from end to end, beside a bare Bolt app that only acknowledges, in the same run.

Each server runs in a process of its own, with a sandbox that answers users.info and the like.
"""

import asyncio
import itertools
import random
import statistics
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing.connection import Connection as Pipe
from urllib.parse import urlencode

import aiohttp
from aiohttp import web

from bot.app import running, settle_memory, utc_now
from bot.assertions import Assertion
from bot.bench.processes import process
from bot.chat import Answer
from bot.errors import UnavailableError
from bot.indicators import Indicator, Kind
from bot.manifest import EVENTS_PATH
from bot.organisations import Organisation, Registry
from bot.sandbox.deliveries import signature
from bot.sandbox.sandbox import Sandbox
from bot.secret import Secret
from bot.services import Services
from bot.settings import SlackSettings
from bot.slack.bare import bare_app
from bot.store import open_store
from bot.tlp import Label

PART = 20_000
AT_ONCE = 16  # requests under way while throughput is measured
RATE = 100  # requests a second while latency is measured
REQUEST_SECONDS = 10.0


@dataclass(frozen=True)
class Figures:
    """Requests a second of both, and seconds that Liaison took at RATE requests a second."""

    bare: float
    liaison: float
    p50: float
    p99: float

    @property
    def ratio(self) -> float:
        """Liaison's requests a second as a part of the bare app's."""
        return self.liaison / self.bare


@dataclass(frozen=True)
class Server:
    url: str
    secret: str


def measure(answer: Answer, *, assertions: int, seconds: float, rounds: int = 3) -> Figures:
    """Measure both in turns, `rounds` times for `seconds` each, and take the medians."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/bench.db"
        asyncio.run(fill(url, assertions))
        with process(_serve_liaison, answer, url) as (_, ours), process(_serve_bare) as (_, bare):
            return asyncio.run(_compare(ours, bare, assertions, seconds, rounds))


async def _compare(ours: Server, bare: Server, assertions: int, seconds: float, rounds: int) -> Figures:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=REQUEST_SECONDS)) as session:
        clients = {name: Client(session, server, assertions) for name, server in (("us", ours), ("b", bare))}
        speeds: dict[str, list[float]] = {"us": [], "b": []}
        for client in clients.values():
            await _throughput(client, seconds / 2)  # warm up
        for _ in range(rounds):
            for name, client in clients.items():
                speeds[name].append(await _throughput(client, seconds))
        taken = sorted(await at_rate(clients["us"], seconds * rounds))
    return Figures(
        bare=statistics.median(speeds["b"]),
        liaison=statistics.median(speeds["us"]),
        p50=taken[len(taken) // 2],
        p99=taken[len(taken) * 99 // 100],
    )


class Client:
    """Sends signed slash commands, each about another hash."""

    def __init__(self, session: aiohttp.ClientSession, server: Server, assertions: int) -> None:
        self._session, self._server, self._assertions = session, server, assertions
        self._numbers = itertools.count()

    async def ask(self) -> None:
        """One command and its answer, which must be 200."""
        number = next(self._numbers)
        text = f"lookup {_hash(random.randrange(self._assertions))}"  # noqa: S311 - no secret
        raw = urlencode({**_COMMAND, "text": text, "trigger_id": f"{number}.1"}).encode()
        now = str(int(time.time()))
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "X-Slack-Request-Timestamp": now,
            "X-Slack-Signature": signature(self._server.secret, now, raw),
        }
        async with self._session.post(self._server.url, data=raw, headers=headers) as response:
            await response.read()
            if response.status != 200:
                raise UnavailableError(f"The server answered {response.status}; the figures mean nothing.")


async def _throughput(client: Client, seconds: float) -> float:
    """Requests a second with AT_ONCE under way."""
    begun, until, done = time.perf_counter(), time.perf_counter() + seconds, 0

    async def ask_on() -> None:
        nonlocal done
        while time.perf_counter() < until:
            await client.ask()
            done += 1

    await asyncio.gather(*(ask_on() for _ in range(AT_ONCE)))
    return done / (time.perf_counter() - begun)


async def at_rate(client: Client, seconds: float) -> list[float]:
    """Seconds each request took, sent RATE a second whether or not earlier ones are answered."""
    taken: list[float] = []

    async def timed(due: float) -> None:
        await client.ask()
        taken.append(time.perf_counter() - due)

    begun = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for number in range(int(seconds * RATE)):
            due = begun + number / RATE
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            group.create_task(timed(due))
    return taken


# --- the servers ---------------------------------------------------------------------------------------


async def _serve_liaison(pipe: Pipe, answer: Answer, url: str) -> None:
    async with _sandbox() as settings:
        services = Services(await open_store(url), registry(), utc_now)
        async with running(settings, services, answer) as bot:
            settle_memory()  # as `serve` does
            await _until_told(pipe, bot.url + EVENTS_PATH, settings)


async def _serve_bare(pipe: Pipe) -> None:
    async with _sandbox() as settings:
        runner = web.AppRunner(bare_app(settings), access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        await _until_told(pipe, f"http://127.0.0.1:{runner.addresses[0][1]}{EVENTS_PATH}", settings)
        await runner.cleanup()


async def _until_told(pipe: Pipe, url: str, settings: SlackSettings) -> None:
    pipe.send(Server(url, settings.signing_secret.value if settings.signing_secret else ""))
    await asyncio.get_running_loop().run_in_executor(None, pipe.recv)


@asynccontextmanager
async def _sandbox() -> AsyncIterator[SlackSettings]:
    sandbox = Sandbox()
    await sandbox.start()
    yield SlackSettings(
        bot_token=Secret(sandbox.bot_token),
        signing_secret=Secret(sandbox.signing_secret),
        api_url=sandbox.api_url,
    )
    await sandbox.stop()


# --- what they are asked -------------------------------------------------------------------------------

_COMMAND = {
    "team_id": "T0HOST",
    "channel_id": "C0KASP",
    "user_id": "U0ANA",
    "command": "/intel",
    "api_app_id": "A0LIAISON",
    "response_url": "http://127.0.0.1/unused",
}


def registry() -> Registry:
    host = Organisation(id="igci", name="Centre", teams=frozenset(("T0HOST",)))
    partner = Organisation(id="kaspersky", name="Kaspersky", teams=frozenset(("T0KASP",)), community=True)
    return Registry(host, (partner,), {})


async def fill(url: str, assertions: int) -> None:
    store = await open_store(url)
    for start in range(0, assertions, PART):
        await store.add([claim(number) for number in range(start, min(start + PART, assertions))])
    await store.close()


def claim(number: int) -> Assertion:
    return Assertion(
        indicator=Indicator(Kind.SHA256, _hash(number)),
        source="kaspersky",
        label=Label.AMBER if number % 3 else Label.GREEN,
        family="ExampleFamily",
        first_seen=datetime(2026, 1, 1, tzinfo=UTC),
        last_seen=datetime(2026, 6, 1, tzinfo=UTC),
        confidence=80,
        context="Seen in a benchmark.",
    )


def _hash(number: int) -> str:
    return f"{number:064x}"
