"""Measure importing beside plain `sqlite3.executemany` of the same rows into the same tables."""

import asyncio
import json
import multiprocessing
import resource
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from bot import imports
from bot.assertions import Assertion
from bot.bench.claims import SOURCE, claim
from bot.errors import UnavailableError
from bot.feeds.parsed import Defaults
from bot.services import Store
from bot.store import open_store, rows
from bot.store.engine import writing
from bot.store.sqlite_connection import connect

BAR = 0.4  # of the rows a second of the plain statement
PART = 10_000  # rows in a transaction of the plain statement, and of Store.add on its own
_INSERT = f"INSERT INTO assertion ({rows.COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608 (constants)
_DEADLINE_SECONDS = 3600.0


@dataclass(frozen=True)
class Run:
    """One measurement."""

    rows_per_second: float
    extra_bytes: int  # of memory at the peak, above what it took to start


@dataclass(frozen=True)
class Figures:
    """The medians of all rounds."""

    assertions: int
    plain: Run  # executemany of finished rows
    add: Run  # Store.add of finished assertions
    whole: Run  # liaison import of a file of JSON lines

    @property
    def missed_bars(self) -> list[str]:
        """What is slower than it may be."""
        bar = BAR * self.plain.rows_per_second
        both = {"Store.add": self.add, "import": self.whole}
        return [
            f"{name} below {BAR} of executemany" for name, run in both.items() if run.rows_per_second < bar
        ]


def measure(assertions: int, rounds: int) -> Figures:
    """Measure all three in turns, each time in a process of its own."""
    found: dict[str, list[Run]] = {"plain": [], "add": [], "whole": []}
    works: dict[str, Callable[[Path, int], float]] = {"plain": _plain, "add": _add, "whole": _whole}
    with tempfile.TemporaryDirectory() as folder:
        _write(Path(folder) / "claims.jsonl", assertions)
        for number in range(rounds):
            for name, work in works.items():
                place = Path(folder) / f"{name}{number}"
                found[name].append(_alone(work, place, assertions))
    return Figures(assertions=assertions, **{name: _median(runs) for name, runs in found.items()})


def _median(runs: Sequence[Run]) -> Run:
    return Run(statistics.median(run.rows_per_second for run in runs), max(run.extra_bytes for run in runs))


def _alone(work: Callable[[Path, int], float], place: Path, assertions: int) -> Run:
    """Do it in a new process, so that its memory can be told from ours."""
    methods = multiprocessing.get_context("spawn")
    ours, theirs = methods.Pipe(duplex=False)
    process = methods.Process(target=_report, args=(work, place, assertions, theirs))
    process.start()
    theirs.close()
    try:
        if not ours.poll(_DEADLINE_SECONDS):
            raise UnavailableError("The benchmark did not end within an hour; try fewer assertions.")
        run: Run = ours.recv()
    except EOFError as error:
        raise UnavailableError(
            "A process of the benchmark ended early; is there enough memory and disk?"
        ) from error
    finally:
        process.kill()
        process.join()
    return run


def _report(work: Callable[[Path, int], float], place: Path, assertions: int, pipe: Any) -> None:
    place.mkdir()
    before = _peak_bytes()
    seconds = work(place, assertions)
    pipe.send(Run(assertions / seconds, _peak_bytes() - before))


def _peak_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _plain(place: Path, assertions: int) -> float:
    """Only the statement and its commits count; the rows are made outside of the measured time."""
    asyncio.run(_on_store(place, _nothing))
    connection, spent, stored_at = connect(place / "store.db"), 0.0, rows.micros(datetime.now(UTC))
    for part in _parts(assertions):
        ready = [_row(number, stored_at) for number in part]
        begun = time.perf_counter()
        with writing(connection):
            connection.executemany(_INSERT, ready)
        spent += time.perf_counter() - begun
    connection.close()
    return spent


def _row(number: int, stored_at: int) -> rows.Row:
    made = claim(number)
    return rows.encode(made, rows.key(made.indicator), number + 1, stored_at)


def _add(place: Path, assertions: int) -> float:
    async def add(store: Store) -> float:
        spent = 0.0
        for part in _parts(assertions):
            ready = [claim(number) for number in part]
            begun = time.perf_counter()
            await store.add(ready)
            spent += time.perf_counter() - begun
        return spent

    return asyncio.run(_on_store(place, add))


def _whole(place: Path, assertions: int) -> float:
    async def read(store: Store) -> float:
        begun = time.perf_counter()
        summary = await imports.run([place.with_name("claims.jsonl")], Defaults(SOURCE), store)
        if summary.tally.new != assertions:
            raise UnavailableError("The import took less than all; the figures mean nothing.")
        return time.perf_counter() - begun

    return asyncio.run(_on_store(place, read))


async def _on_store(place: Path, work: Callable[[Store], Awaitable[float]]) -> float:
    store = await open_store(f"sqlite:///{place / 'store.db'}")
    try:
        return await work(store)
    finally:
        await store.close()


async def _nothing(store: Store) -> float:
    return float(await store.head())


def _parts(assertions: int) -> Iterator[range]:
    for start in range(0, assertions, PART):
        yield range(start, min(start + PART, assertions))


def _write(file: Path, assertions: int) -> None:
    with file.open("wb") as lines:
        lines.writelines(_line(claim(number)) for number in range(assertions))


def _line(assertion: Assertion) -> bytes:
    facts = msgspec.to_builtins(assertion)
    del facts["source"]
    line = {**facts.pop("indicator"), **facts, "label": str(assertion.label)}
    return json.dumps(line).encode() + b"\n"
