"""A store goes on by itself whatever happens to its servers: nothing is lost, every wait ends."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from itertools import count

import psycopg
import pytest

from bot.errors import UnavailableError
from bot.services import Store
from bot.store import postgres
from bot.store.threads import UNKNOWN
from tests.postgres import patroni
from tests.postgres.calls import READS, WRITES, prepare
from tests.postgres.cluster import Ground
from tests.postgres.failover import SOON, STALE, crash_and_promote, opened, taken_stock
from tests.postgres.load import Load, under_load
from tests.postgres.pair import Pair
from tests.store.contract import digest

LONGEST_PAUSE = 1.0  # seconds between two answers to lookups, as the operator was promised
_STARTS = count(1_000_000, 1_000_000)  # of the numbers of each test, on one database
PATIENCE = 4.0  # seconds that calls wait here for a database that is gone; 30 outside


@pytest.fixture(scope="module")
def pair(postgres_binaries: object) -> Iterator[Pair]:
    """Two servers, both well; a test leaves them so."""
    with Ground() as ground:
        pair = Pair.start(ground)
        yield pair
        pair.standby.crash()
        pair.primary.crash()


@pytest.fixture
async def store(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Store]:
    """A store on both, less patient than outside."""
    for role in postgres.LONGEST_WAITS:
        monkeypatch.setitem(postgres.LONGEST_WAITS, role, 2.0)
    async with opened(pair.url) as store:
        for desk in (store._writer, store._reader):
            desk._patience = PATIENCE
        yield store


@pytest.fixture
async def load(store: Store) -> AsyncIterator[Load]:
    """All kinds of calls upon that store, which have begun."""
    async with under_load(store, start=next(_STARTS)) as load:
        await _acknowledged(load, 20)
        yield load


async def _acknowledged(load: Load, more: int) -> None:
    """Wait for so many more writes and lookups. Raises TimeoutError."""
    writes, lookups = load.acknowledged + more, len(load.lookups.done) + more
    async with asyncio.timeout(SOON):
        while load.acknowledged < writes or len(load.lookups.done) < lookups:  # noqa: ASYNC110 - no events
            await asyncio.sleep(0.01)


async def test_when_the_primary_crashes_lookups_go_on_and_writes_resume(
    pair: Pair, store: Store, load: Load
) -> None:
    figures = await crash_and_promote(pair, store, load, after=1.0)
    await asyncio.to_thread(pair.rejoin)
    await _acknowledged(load, 20)

    assert figures.lost == []
    assert figures.pause < LONGEST_PAUSE
    assert figures.resumed < SOON
    assert 1.0 <= figures.oldest < STALE.total_seconds()  # answers said how old they may be
    assert set(load.refused) <= {UNKNOWN}  # of a claim whose commit the crash interrupted; nothing else


async def test_when_the_standby_is_lost_lookups_go_on_and_writes_wait_for_the_operator(
    pair: Pair, store: Store, load: Load
) -> None:
    lost = time.monotonic()
    await asyncio.to_thread(pair.standby.crash)
    await asyncio.sleep(1.0)
    pause = load.lookups.longest_pause(lost)
    await asyncio.to_thread(pair.go_on_alone)
    await _acknowledged(load, 20)
    await asyncio.to_thread(pair.return_standby)
    await _acknowledged(load, 20)

    assert pause < LONGEST_PAUSE
    assert await load.lost(store) == []


async def test_when_both_are_gone_calls_are_refused_clearly_until_they_are_back(
    pair: Pair, store: Store, load: Load
) -> None:
    await asyncio.to_thread(pair.primary.crash)
    await asyncio.to_thread(pair.standby.crash)
    async with asyncio.timeout(SOON):
        while not (load.lookups.refused and load.writes.refused):  # noqa: ASYNC110 - no events
            await asyncio.sleep(0.01)
    await asyncio.to_thread(pair.return_both)
    await _acknowledged(load, 20)

    assert await load.lost(store) == []
    assert all(words.startswith("The store ") and "ry again" in words for words in load.refused)


async def test_when_the_primary_freezes_lookups_go_on_and_the_writer_finds_the_other(
    pair: Pair, store: Store, load: Load
) -> None:
    frozen = time.monotonic()
    await asyncio.to_thread(pair.primary.freeze)
    await asyncio.to_thread(pair.promote)
    figures = await taken_stock(store, load, frozen)
    await asyncio.to_thread(pair.standby.crash)  # it must never thaw: there would be two primaries
    await asyncio.to_thread(pair.rejoin)

    assert figures.lost == []
    assert figures.pause < LONGEST_PAUSE
    assert figures.resumed < SOON


async def test_when_both_freeze_every_call_comes_to_an_end(pair: Pair, store: Store) -> None:
    await prepare(store)
    for node in (pair.primary, pair.standby):
        await asyncio.to_thread(node.freeze)
    try:
        async with asyncio.timeout(SOON):
            calls = [call(store) for call in (*READS.values(), *WRITES.values())]
            stale = store.lookup([digest(1)], may_be_stale=True)
            ends = await asyncio.gather(stale, *calls, return_exceptions=True)
    finally:
        for node in (pair.primary, pair.standby):
            await asyncio.to_thread(node.thaw)

    assert {type(end) for end in ends} == {UnavailableError}
    assert await store.lookup([digest(1)])


async def test_when_the_server_ends_its_sessions_again_and_again_nothing_is_lost(
    pair: Pair, store: Store, load: Load
) -> None:
    url = pair.primary.url()
    ended = 0
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as superuser:
        while ended < 20:
            found = await superuser.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'liaison'"
            )
            ended += found.rowcount
            await _acknowledged(load, 1)
    await _acknowledged(load, 20)

    assert await load.lost(store) == []


@pytest.fixture(scope="module")
def patroni_programs(postgres_binaries: object) -> None:
    """Patroni and etcd; without them tests are skipped, and fail in CI."""
    patroni.require()


@pytest.mark.timeout(240)  # it waits for Patroni's own rounds, which a busy machine makes longer
@pytest.mark.usefixtures("patroni_programs")
async def test_patroni_promotes_and_the_store_follows() -> None:
    with Ground() as ground:
        cluster = await asyncio.to_thread(patroni.Cluster, ground)
        crashed = cluster.primary
        async with opened(cluster.url) as store, under_load(store) as load:
            await _acknowledged(load, 20)
            moment = time.monotonic()
            await asyncio.to_thread(crashed.crash)
            await asyncio.to_thread(cluster.wait_for_primary)
            figures = await taken_stock(store, load, moment)
            crashed.start()
            await asyncio.to_thread(cluster.wait_until_whole)
            await _acknowledged(load, 20)
            lost = await load.lost(store)
        await asyncio.to_thread(cluster.stop)

    assert lost == figures.lost == []
    assert figures.pause < LONGEST_PAUSE
    assert figures.resumed < SOON
