"""A budget is one for all replicas, however many of them ask at once."""

import asyncio
import multiprocessing
from dataclasses import replace
from multiprocessing.connection import Connection as Pipe
from pathlib import Path

from bot.app import utc_now
from bot.enrichment.enricher import Enricher
from bot.organisations import Registry
from bot.providers.spec import Budget
from bot.store import open_store
from tests.enrichment.parts import REGISTRY, WORLD, digest, done, enquiry, landed, plain
from tests.strategies import HOST

REPLICAS, EACH, BUDGET = 4, 60, 50


def test_four_replicas_asked_at_once_never_overspend(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/store.db"
    asyncio.run(_made(url))

    asked = _together(url, same=False)

    assert sum(asked) == BUDGET
    assert sum(asked) == asyncio.run(_spent(url))


def test_four_replicas_asked_the_same_at_once_spend_for_one(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/store.db"
    asyncio.run(_made(url))

    asked = _together(url, same=True)

    assert sum(asked) == asyncio.run(_spent(url)) == BUDGET


def _together(url: str, *, same: bool) -> list[int]:
    """How many questions each replica asked."""
    pairs = [_METHODS.Pipe() for _ in range(REPLICAS)]
    processes = [
        _METHODS.Process(target=_run, args=(theirs, url, 0 if same else number * EACH), daemon=True)
        for number, (_, theirs) in enumerate(pairs)
    ]
    for process in processes:
        process.start()
    for ours, _ in pairs:
        assert ours.recv() == "ready"
    for ours, _ in pairs:
        ours.send("go")
    asked = [ours.recv() for ours, _ in pairs]
    for process in processes:
        process.join()
    return asked


def _run(pipe: Pipe, url: str, first: int) -> None:
    asyncio.run(_ask(pipe, url, first))


async def _ask(pipe: Pipe, url: str, first: int) -> None:
    store, source = await open_store(url), plain(budget=Budget(per_day=BUDGET))
    enricher = Enricher([source], store, _ALONE, clock=utc_now)
    await enricher.open()
    pipe.send("ready")
    await asyncio.to_thread(pipe.recv)
    question = enquiry(*map(digest, range(first, first + EACH)), by=HOST, world=_WORLD, on_purpose=True)
    await done(await enricher.enquire(question))
    await landed(enricher)
    pipe.send(len(source.asked))
    await enricher.close()
    await store.close()


async def _made(url: str) -> None:
    await (await open_store(url)).close()


async def _spent(url: str) -> int:
    store = await open_store(url)
    enricher = Enricher([plain(budget=Budget(per_day=BUDGET))], store, _ALONE, clock=utc_now)
    [standing] = await enricher.standing(HOST)
    await store.close()
    return standing.used or 0


_ALONE = Registry(host=REGISTRY.host, partners=(), caps={})  # the host has the whole budget
_WORLD = replace(WORLD, own_queries=frozenset((HOST,)))
_METHODS = multiprocessing.get_context("forkserver")
_METHODS.set_forkserver_preload(["tests.replicas.fleet"])
