"""Replicas: the whole bot, each in a process of its own that can be killed, on one store and one sandbox."""

import asyncio
import logging
import multiprocessing
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection as Pipe
from multiprocessing.process import BaseProcess
from typing import Any

import commands
from bot.app import running, utc_now
from bot.enrichment.enricher import Enricher
from bot.manifest import EVENTS_PATH
from bot.secret import Secret
from bot.services import Services
from bot.settings import SlackSettings
from bot.slack import posts as slack_posts
from bot.slack.socket import SocketMode
from bot.store import open_store
from bot.tempo import REAL, Hurried
from tests.enrichment.parts import Plain
from tests.slack.conftest import registry

START_SECONDS = 60.0
STOP_SECONDS = 20.0
PATIENCE_SECONDS = 1.0  # in the place of POST_SECONDS where a clock is hurried, so that lost replies are lost


@dataclass(frozen=True, kw_only=True)
class Order:
    """What a replica works with. `clock` is that of everything; `source` is the one service that it asks."""

    store: str
    api_url: str
    bot_token: str
    signing_secret: str = ""
    app_token: str = ""
    clock: Hurried | None = None
    source: Plain | None = None

    @property
    def settings(self) -> SlackSettings:
        return SlackSettings(
            bot_token=Secret(self.bot_token),
            signing_secret=Secret(self.signing_secret) if self.signing_secret else None,
            app_token=Secret(self.app_token) if self.app_token else None,
            api_url=self.api_url,
        )


@dataclass
class Replica:
    """One of them; `url` is where it takes what Slack sends."""

    process: BaseProcess
    pipe: Pipe
    url: str = ""

    def wait(self) -> None:
        """Until it works."""
        assert self.pipe.poll(START_SECONDS), "a replica did not start in time"
        self.url = self.pipe.recv() + EVENTS_PATH

    def kill(self) -> None:
        """-9."""
        self.process.kill()
        self.process.join()
        self.pipe.close()

    def stop(self) -> None:
        """As a supervisor stops it."""
        if self.process.is_alive():
            self.pipe.send(None)
            self.process.join(STOP_SECONDS)
        self.kill()


@dataclass
class Fleet:
    """All replicas on one store."""

    order: Order
    alive: list[Replica] = field(default_factory=list)

    def start(self) -> Replica:
        """One more, which begins to work a moment later: see `Replica.wait`."""
        ours, theirs = _METHODS.Pipe()
        process = _METHODS.Process(target=_run, args=(theirs, self.order), daemon=True)
        process.start()
        theirs.close()
        replica = Replica(process, ours)
        self.alive.append(replica)
        return replica

    def kill(self, replica: Replica) -> None:
        """-9."""
        self.alive.remove(replica)
        replica.kill()


@contextmanager
def fleet(order: Order, size: int) -> Iterator[Fleet]:
    """So many replicas at work for as long as the block runs."""
    made = Fleet(order)
    try:
        for _ in range(size):
            made.start()
        for each in made.alive:
            each.wait()
        yield made
    finally:
        for each in made.alive:
            each.stop()


# --- in a replica --------------------------------------------------------------------------------------


def _run(pipe: Pipe, order: Order) -> None:
    logging.disable()
    asyncio.run(_serve(pipe, order))
    os._exit(0)


async def _serve(pipe: Pipe, order: Order) -> None:
    if order.clock is not None:
        slack_posts.POST_SECONDS = PATIENCE_SECONDS
    async with _services(order) as services:
        tempo = REAL if order.clock is None else order.clock.tempo
        async with running(order.settings, services, commands.answer, pause=tempo.rest, tempo=tempo) as bot:
            socket = SocketMode(bot.connection) if order.app_token else None
            if socket is not None:
                await socket.open()
            pipe.send(bot.url)
            await asyncio.get_running_loop().run_in_executor(None, _told_to_stop, pipe)
            if socket is not None:
                await socket.close()


@asynccontextmanager
async def _services(order: Order) -> AsyncIterator[Services]:
    clock = order.clock or utc_now
    store = await open_store(order.store, clock)
    enricher: Any = None
    if order.source is not None:
        enricher = Enricher([order.source], store, registry(), clock=clock)
        await enricher.open()
    yield Services(store, registry(), clock, enricher)


def _told_to_stop(pipe: Pipe) -> None:
    try:
        pipe.recv()
    except EOFError:  # whoever started us has gone
        return


_METHODS = multiprocessing.get_context("forkserver")  # a fork of a process that has imported everything
_METHODS.set_forkserver_preload(["tests.replicas.fleet"])
