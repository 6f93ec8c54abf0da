"""Many digests due at once: how long limits hold them up, and what those feel who look things up meanwhile.

Slack is the sandbox with its limits, in a process of its own. Its clock and those that keep the limits may
run faster than real time; processors do not, so that lookups feel digests more often than in real time.
"""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection as Pipe
from tempfile import TemporaryDirectory

import aiohttp
import msgspec
from aiohttp import web

from bot.app import settle_memory, utc_now
from bot.bench.processes import process
from bot.bench.slash import Client, Server, at_rate, claim, fill, registry
from bot.chat import Answer
from bot.deliveries import ENDED
from bot.delivery.alerts import OperatorAlerts
from bot.delivery.compiler import Compiler
from bot.delivery.courier import Means
from bot.delivery.office import Office
from bot.delivery.through_slack import ThroughSlack
from bot.errors import UnavailableError
from bot.manifest import EVENTS_PATH
from bot.sandbox.alone import Alone, own_sandbox
from bot.sandbox.cast import Cast, Place, Team, User
from bot.schedules import parse
from bot.secret import Secret
from bot.services import Services
from bot.settings import SlackSettings
from bot.sharing import Audience, Reach
from bot.slack.connection import Connection, connect
from bot.slack.posts import Paces, Posts
from bot.store import open_store
from bot.subscriptions import Purpose, Subscription
from bot.tempo import Hurried
from bot.tlp import Label

STORED, NEW = 20_000, 9  # assertions; the new ones fit into one message
ALONE_SECONDS = 5.0  # of lookups before and after
PATIENCE_SECONDS = 3_600.0
# https://docs.slack.dev/apis/web-api/rate-limits/: a minute, and what is let through at once
LOOKS = 1  # at the readers of each channel, right before a post that was written for those of the last time
INFO_PER_MINUTE, INFO_BURST = 50, 50  # conversations.info, tier 3
MEMBERS_PER_MINUTE, MEMBERS_BURST = 100, 100  # conversations.members, tier 4
POSTS_PER_MINUTE, POSTS_BURST = 240, 20


@dataclass(frozen=True)
class Figures:
    """Seconds of Slack's clock, and of real time for those who look things up."""

    channels: int
    posted: int
    speed: float
    allowed: float  # what the limits take at least
    taken: float
    looks: int  # at who reads a channel, those for lookups included
    counted: tuple[tuple[str, int], ...]  # all calls by method
    p99_alone: float
    p99_meanwhile: float

    @property
    def over_limits(self) -> float:
        """How long it took, as a multiple of what the limits take."""
        return self.taken / self.allowed

    @property
    def looks_each(self) -> float:
        """How many looks a digest took."""
        return self.looks / self.channels

    @property
    def felt(self) -> float:
        """How much longer lookups take."""
        return self.p99_meanwhile / self.p99_alone


def allowed(channels: int) -> float:
    """Seconds that Slack's limits take at least for one post in each channel."""
    looks = LOOKS * channels
    return max(
        _drained(looks, INFO_PER_MINUTE, INFO_BURST),
        _drained(looks, MEMBERS_PER_MINUTE, MEMBERS_BURST),
        _drained(channels, POSTS_PER_MINUTE, POSTS_BURST),
    )


def _drained(calls: int, per_minute: int, burst: int) -> float:
    return max(0, calls - burst) * 60 / per_minute


def measure(answer: Answer, *, channels: int, speed: float) -> Figures:
    """Have a digest due in each channel, and look things up before, meanwhile and after."""
    clock = Hurried(speed)
    with (
        own_sandbox(cast=_cast(channels), clock=clock, strict_rates=True) as slack,
        TemporaryDirectory() as folder,
    ):
        url = f"sqlite:///{folder}/bench.db"
        asyncio.run(_prepare(url, channels))
        with process(_serve, answer, url, _settings(slack), clock, channels) as (_, server):
            alone, meanwhile, begun = asyncio.run(_look_up(server, clock))
        calls = slack.calls()
        posted = [each for number in range(channels) for each in slack.posted(_channel(number))]
    ended = max(float(each.ts) for each in posted)
    return Figures(
        channels=channels,
        posted=len(posted),
        speed=speed,
        allowed=allowed(channels),
        taken=ended - begun,
        looks=calls.get("conversations.info", 0),
        counted=tuple(sorted(calls.items())),
        p99_alone=_p99(alone),
        p99_meanwhile=_p99(meanwhile),
    )


async def _look_up(server: Server, clock: Hurried) -> tuple[list[float], list[float], float]:
    """Seconds of lookups without and with digests, and when the digests began to leave."""
    timeout = aiohttp.ClientTimeout(total=30)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        client = Client(session, server, STORED)
        base = server.url.removesuffix(EVENTS_PATH)
        await at_rate(client, 1.0)  # warm up
        alone = await at_rate(client, ALONE_SECONDS)
        begun = clock().timestamp()
        await _asked(session, f"{base}/begin")
        meanwhile: list[float] = []
        while not await _asked(session, f"{base}/done"):
            if clock().timestamp() - begun > PATIENCE_SECONDS:
                raise UnavailableError("The digests did not leave in an hour; the figures mean nothing.")
            meanwhile += await at_rate(client, 1.0)
        return [*alone, *await at_rate(client, ALONE_SECONDS)], meanwhile, begun


async def _asked(session: aiohttp.ClientSession, url: str) -> bool:
    async with session.get(url) as response:
        return bool(await response.json())


def _p99(taken: list[float]) -> float:
    return sorted(taken)[len(taken) * 99 // 100]


# --- Slack ---------------------------------------------------------------------------------------------


def _cast(channels: int) -> Cast:
    people = (("U0ANA", "ana", "T0HOST"), ("U0KIRA", "kira", "T0KASP"), ("U0LIAISON", "liaison", "T0HOST"))
    teams = (("T0HOST", True), ("T0KASP", False))
    names = ("C0KASP", *(_channel(number) for number in range(channels)))
    return Cast(
        host="T0HOST",
        bot="U0LIAISON",
        teams=tuple(
            Team(id=team, name=team, domain=team.lower(), installed=installed) for team, installed in teams
        ),
        users=tuple(
            User(id=user, name=name, real_name=name, team=team, is_bot=name == "liaison")
            for user, name, team in people
        ),
        channels=tuple(
            Place(
                id=name,
                name=name.lower(),
                host="T0HOST",
                members=tuple(user for user, *_ in people),
                connected=("T0KASP",),
            )
            for name in names
        ),
    )


def _channel(number: int) -> str:
    return f"C0BENCH{number:04}"


def _settings(slack: Alone) -> SlackSettings:
    return SlackSettings(
        bot_token=Secret(slack.bot_token), signing_secret=Secret(slack.signing_secret), api_url=slack.api_url
    )


# --- the bot -------------------------------------------------------------------------------------------


async def _prepare(url: str, channels: int) -> None:
    """What is new, and a digest of it that is due in each channel."""
    await fill(url, STORED)
    store = await open_store(url)
    readers = Audience(reach=Reach.CHANNEL, orgs=frozenset(("igci", "kaspersky")))
    for number in range(channels):
        schedule = parse("daily 08:00", "UTC")
        subscription = Subscription(channel=_channel(number), purpose=Purpose.DIGEST, schedule=schedule)
        await store.subscribe(subscription, next_at=datetime.now(UTC) - timedelta(seconds=1))
        await store.keep_readers(_channel(number), readers)  # as whoever turned it on was seen to be read
    new = (claim(number) for number in range(STORED, STORED + NEW))
    await store.add([msgspec.structs.replace(one, label=Label.GREEN) for one in new])
    await store.close()


async def _serve(
    pipe: Pipe, answer: Answer, url: str, settings: SlackSettings, clock: Hurried, channels: int
) -> None:
    """Answer lookups; deliver as soon as it is told to."""
    services = Services(await open_store(url), registry(), utc_now)
    connection = await connect(settings, services, answer)
    office = _office(connection, clock)
    runner = web.AppRunner(_routes(connection, office, channels), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    settle_memory()
    secret = settings.signing_secret.value if settings.signing_secret else ""
    pipe.send(Server(f"http://127.0.0.1:{runner.addresses[0][1]}{EVENTS_PATH}", secret))
    await asyncio.get_running_loop().run_in_executor(None, pipe.recv)
    await office.close()
    await runner.cleanup()
    await connection.close()
    await services.store.close()


def _office(connection: Connection, clock: Hurried) -> Office:
    """The product's own, with limits that are kept by that clock."""
    services = connection.services
    posts = Posts(
        connection.slack,
        connection.audiences,
        own_user="U0LIAISON",
        clock=services.clock,
        paces=Paces.kept(clock.tempo),
    )
    means = Means(
        store=services.store,
        posting=ThroughSlack(posts),
        writing=Compiler(services.store, services.registry, clock=services.clock),
        alerts=OperatorAlerts(None, connection.seen.claim),
        clock=services.clock,
    )
    return Office(means, rest=clock.rest)


def _routes(connection: Connection, office: Office, channels: int) -> web.Application:
    """Slack's requests, a word to begin, and whether all of it is delivered."""
    store = connection.services.store

    async def begin(_: web.Request) -> web.Response:
        office.open()
        return web.json_response(True)

    async def done(_: web.Request) -> web.Response:
        ended = [each for each in await store.deliveries(most=channels) if each.state in ENDED]
        return web.json_response(len(ended) == channels)

    app = web.Application()
    app.router.add_post(EVENTS_PATH, connection.http_handler())
    app.router.add_get("/begin", begin)
    app.router.add_get("/done", done)
    return app
