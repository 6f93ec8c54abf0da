"""Several replicas import into one PostgreSQL at the same time: nothing is lost, no reader misses a row."""

import asyncio
import random
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from bot.assertions import Assertion
from bot.store import open_store
from bot.store.sqlite import SqliteStore
from bot.tlp import Label
from tests.store.contract import bare, claim, digest, everything

WRITERS = 4
BATCHES = 12
ROOT = Path(__file__).parents[2]

_WRITER = """
import asyncio, os, sys
from bot.store import open_store
from tests.store.test_parallel_postgres import batches
async def main():
    store = await open_store(os.environ["LIAISON_STORE"])
    for batch in batches(int(sys.argv[1])):
        await store.add(batch)
    await store.close()
asyncio.run(main())
"""


def batches(writer: int) -> list[list[Assertion]]:
    """What one writer imports: values of its own, and values and files that all of them speak of."""
    chance = random.Random(writer)
    return [[_claim(chance, writer, number, n) for n in range(40)] for number in range(BATCHES)]


def _claim(chance: random.Random, writer: int, number: int, n: int) -> Assertion:
    if n % 2:
        return claim(digest(10_000 * (writer + 1) + 100 * number + n))
    shared = chance.randrange(60)
    return claim(
        digest(shared),
        label=chance.choice([Label.GREEN, Label.AMBER, Label.RED]),
        confidence=chance.randrange(100),
        file=f"file {shared // 5 if chance.random() < 0.8 else chance.randrange(12)}",
    )


def test_four_writers_lose_nothing_and_a_reader_at_the_head_misses_nothing(
    postgres: str, tmp_path: Path
) -> None:
    # given four processes that import at the same time
    asyncio.run(_make(postgres))
    environment = {"LIAISON_STORE": postgres, "PATH": "/usr/bin:/bin"}
    command = [sys.executable, "-c", _WRITER]
    writers = [subprocess.Popen([*command, str(each)], cwd=ROOT, env=environment) for each in range(WRITERS)]

    # when a reader follows the head meanwhile
    followed = asyncio.run(_follow(postgres, writers))

    # then it saw every row, and the rows are what one writer after another would have made
    assert [each.wait(60) for each in writers] == [0] * WRITERS
    rows, alone = asyncio.run(_all(postgres)), asyncio.run(_alone(tmp_path / "alone.db"))
    assert sorted(followed) == sorted(row.seq for row in rows)
    assert {_key(row): _facts(row) for row in rows} == {_key(row): _facts(row) for row in alone}
    assert _files(rows) == _files(alone)
    assert len(rows) == len({row.seq for row in rows})


async def _make(url: str) -> None:
    await (await open_store(url)).close()


async def _follow(url: str, writers: Sequence["subprocess.Popen[bytes]"]) -> set[int]:
    store = await open_store(url)
    seen, upto, ended = set[int](), 0, False
    while not ended:
        ended = all(each.poll() is not None for each in writers)
        head = await store.head()
        seen |= {row.seq for row in await everything(store, upto) if row.seq <= head}
        upto = head
    await store.close()
    return seen


async def _all(url: str) -> list[Assertion]:
    store = await open_store(url)
    rows = await everything(store)
    await store.close()
    return rows


async def _alone(path: Path) -> list[Assertion]:
    store = SqliteStore(path)
    await store.open()
    for writer in range(WRITERS):
        for batch in batches(writer):
            await store.add(batch)
    rows = await everything(store)
    await store.close()
    return rows


def _key(row: Assertion) -> tuple[str, str]:
    return row.source, row.indicator.value


def _facts(row: Assertion) -> Assertion:
    """What merging says whatever the order."""
    return msgspec.structs.replace(bare(row), confidence=None)


def _files(rows: Sequence[Assertion]) -> set[frozenset[str]]:
    """Which hashes are one file, whatever its id."""
    groups: dict[str, set[str]] = {}
    for row in rows:
        if row.file is not None:
            groups.setdefault(row.file, set()).add(row.indicator.value)
    return {frozenset(each) for each in groups.values()}
