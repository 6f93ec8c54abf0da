"""Replica: the bot as `liaison serve` runs it, in a process that can be killed, on a hurried clock."""

import asyncio
import multiprocessing
import os
import signal
from dataclasses import dataclass, replace
from multiprocessing.process import BaseProcess
from pathlib import Path
from urllib.parse import urlsplit

from bot import config, logs
from bot.app import running, settle_memory, stop_signal
from bot.chat import Answer
from bot.config import Configuration
from bot.enrichment.enricher import Enricher
from bot.errors import UnavailableError
from bot.providers import catalogue
from bot.services import Services
from bot.simulation.clock import Clock
from bot.simulation.stage import Opened
from bot.store import open_store

START_SECONDS = 60.0
STOP_SECONDS = 60.0


@dataclass(frozen=True, kw_only=True)
class Orders:
    """What a replica needs to begin."""

    number: int
    config: Path
    store: str
    opened: Opened
    clock: Clock
    log: Path
    answer: Answer


class Replica:
    """One process; `begin` may be called again after `kill`."""

    def __init__(self, orders: Orders) -> None:
        self._orders = orders
        self._process: BaseProcess | None = None

    def begin(self) -> int:
        """Start it; gives its port."""
        methods = multiprocessing.get_context("spawn")
        ours, theirs = methods.Pipe()
        process = methods.Process(target=_run, args=(theirs, self._orders), daemon=True)
        process.start()
        theirs.close()
        self._process = process
        try:
            if not ours.poll(START_SECONDS):
                raise UnavailableError("A replica did not start in time; look at its log (--folder).")
            return int(ours.recv())
        except EOFError as error:
            raise UnavailableError("A replica could not start; look at its log (--folder).") from error

    def kill(self) -> None:
        """End it at once, as kill -9 does."""
        if self._process is not None:
            self._process.kill()
            self._process.join()
            self._process = None

    def stop(self) -> None:
        """SIGTERM, as at an update."""
        if self._process is None:
            return
        self._process.terminate()
        self._process.join(STOP_SECONDS)
        if self._process.is_alive():
            self.kill()
        self._process = None

    @property
    def process(self) -> int | None:
        """Its number while it lives."""
        return self._process.pid if self._process is not None else None

    def memory(self) -> int:
        """Bytes of memory that are its own now; 0 if it is dead or that cannot be told here."""
        if self._process is None or not self._process.is_alive():
            return 0
        try:
            pages = Path(f"/proc/{self._process.pid}/statm").read_text(encoding="ascii").split()[1]
        except OSError:
            return 0
        return int(pages) * os.sysconf("SC_PAGE_SIZE")


# --- in the other process ------------------------------------------------------------------------------


def _run(pipe: object, orders: Orders) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for whoever started it
    with orders.log.open("a", encoding="utf-8") as log:
        logs.configure(log, as_json=False)
        asyncio.run(_serve(pipe, orders))


async def _serve(pipe: object, orders: Orders) -> None:
    stop = stop_signal()
    configuration = replace(config.read(orders.config), providers=orders.opened.providers)
    services = await _services(orders, configuration)
    async with running(
        orders.opened.slack,
        services,
        orders.answer,
        pause=orders.clock.rest,
        tempo=orders.clock.tempo,
    ) as bot:
        settle_memory()
        pipe.send(urlsplit(bot.url).port)  # type: ignore[attr-defined]  # a pipe has no public type
        await stop.wait()


async def _services(orders: Orders, configuration: Configuration) -> Services:
    store = await open_store(orders.store, orders.clock)
    if not configuration.providers:
        return Services(store, configuration.registry, orders.clock)
    sources = catalogue.open_sources(configuration.providers)
    enricher = Enricher(sources, store, configuration.registry, clock=orders.clock)
    await enricher.open()
    return Services(store, configuration.registry, orders.clock, enricher)
