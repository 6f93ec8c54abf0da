"""The app: one Slack, one store and one web server, started in order and stopped gracefully."""

import asyncio
import gc
import logging
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from aiohttp import web

from bot.chat import Answer
from bot.delivery.compiler import Compiler
from bot.delivery.corrections import Corrections
from bot.delivery.opening import correcting, delivering
from bot.errors import BotError, ConfigError
from bot.manifest import EVENTS_PATH
from bot.services import Services
from bot.settings import SlackSettings
from bot.slack.connection import Connection, connect
from bot.slack.growing import Pause
from bot.slack.keeping import random_token
from bot.slack.socket import SocketMode
from bot.tempo import REAL, Tempo

HEALTH_PATH = "/healthz"  # whether the store answers
LIFE_PATH = "/livez"  # whether Liaison does: for whoever would restart it, or leave it out, if not
HEALTH_SECONDS = 2.0
SHUTDOWN_SECONDS = 2.0  # for responses that are being written, after everything else is done
LOG = logging.getLogger("bot.app")


@dataclass(frozen=True)
class Running:
    """The bot at work: `url` is its own address."""

    connection: Connection
    url: str


async def serve(
    settings: SlackSettings,
    services: Services,
    answer: Answer,
    *,
    host: str = "127.0.0.1",
    port: int = 3000,
    say: Callable[[str], None] = print,
    tempo: Tempo = REAL,
) -> None:
    """Answer until SIGTERM or Ctrl-C, then finish what is under way. Raises ConfigError, UnavailableError."""
    stop = stop_signal()
    async with running(
        settings, services, answer, host=host, port=port, pause=tempo.rest, tempo=tempo
    ) as bot:
        settle_memory()
        if settings.signing_secret is not None:
            say(f"Liaison takes Slack's requests at {bot.url}{EVENTS_PATH}; stop it with Ctrl-C.")
            await stop.wait()
        else:
            await _serve_socket(bot.connection, stop, say)
        say("Stopping: finishing what is under way.")


@asynccontextmanager
async def running(
    settings: SlackSettings,
    services: Services,
    answer: Answer,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    token: Callable[[], str] = random_token,
    pause: Pause = asyncio.sleep,
    tempo: Tempo = REAL,
) -> AsyncIterator[Running]:
    """A bot that listens on HTTP; port 0 takes a free one.

    Leaving drains it, puts down deliveries and corrections, then closes what asks services, then the store.
    `pause` and `tempo`: see `connect`.
    """
    try:
        compiler = Compiler(
            services.store, services.registry, clock=services.clock, enrichment=services.enrichment
        )
        corrections = Corrections(services.store, services.registry, clock=services.clock, rest=tempo.rest)
        services = replace(services, digests=services.digests or compiler, corrections=corrections)
        connection = await connect(settings, services, answer, token=token, pause=pause, tempo=tempo)
        try:
            async with (
                delivering(connection, compiler),
                correcting(connection, corrections),
                _listening(connection, host, port) as url,
            ):
                yield Running(connection, url)
        finally:
            if cut_off := await connection.close():
                LOG.warning("%d answers were cut off by the stop", cut_off)
    finally:
        await _close(services)


async def _close(services: Services) -> None:
    """What asks services writes to the store until it is closed."""
    try:
        if services.enrichment is not None:
            await services.enrichment.close()
    finally:
        await services.store.close()


@asynccontextmanager
async def _listening(connection: Connection, host: str, port: int) -> AsyncIterator[str]:
    runner = web.AppRunner(
        _routes(connection),
        access_log=None,
        shutdown_timeout=SHUTDOWN_SECONDS,
        auto_decompress=False,  # the door judges the bytes as they came; Slack compresses nothing
    )
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        try:
            await site.start()
        except OSError as error:
            why = os.strerror(error.errno or 0)
            mistake = f"cannot listen on {host} port {port} ({why}); choose another with --port"
            raise ConfigError([mistake]) from error
        yield f"http://{f'[{host}]' if ':' in host else host}:{runner.addresses[0][1]}"
        await site.stop()  # no new requests; those that came are answered
        await connection.work.drain()
    finally:
        await runner.cleanup()


def _routes(connection: Connection) -> web.Application:
    app = web.Application()
    if connection.settings.signing_secret is not None:
        app.router.add_post(EVENTS_PATH, connection.http_handler())
    app.router.add_get(HEALTH_PATH, _health(connection.services))
    app.router.add_get(LIFE_PATH, _life)
    return app


async def _life(_: web.Request) -> web.Response:
    """That requests are answered at all; a lost store is no reason to be restarted."""
    return web.json_response({"status": "ok"})


def _health(services: Services) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def health(_: web.Request) -> web.Response:
        """Whether the store answers; nothing about what is in it."""
        try:
            async with asyncio.timeout(HEALTH_SECONDS):
                await services.store.head()
        except (BotError, TimeoutError):
            return web.json_response({"status": "the store does not answer"}, status=503)
        return web.json_response({"status": "ok"})

    return health


async def _serve_socket(connection: Connection, stop: asyncio.Event, say: Callable[[str], None]) -> None:
    socket = SocketMode(connection)
    try:
        await socket.open()
        say("Liaison is connected by Socket Mode; stop it with Ctrl-C.")
        watch, stopped = asyncio.ensure_future(socket.watch()), asyncio.ensure_future(stop.wait())
        await asyncio.wait((watch, stopped), return_when=asyncio.FIRST_COMPLETED)
        if watch.done():
            watch.result()  # it ends only by giving up
        watch.cancel()
    finally:
        await socket.close()


def settle_memory() -> None:
    """Leave what was loaded at the start out of garbage collection, whose pauses answers would feel."""
    gc.collect()
    gc.freeze()


def stop_signal() -> asyncio.Event:
    """Set by SIGTERM or Ctrl-C from now on."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop


def utc_now() -> datetime:
    """The clock of everything that is not a test."""
    return datetime.now(UTC)
