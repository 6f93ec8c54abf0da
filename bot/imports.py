"""Import: files and folders -> parsers -> the store, in portions; what cannot be taken is listed."""

import asyncio
import gzip
import io
import os
import stat
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from bot.assertions import Assertion
from bot.errors import InputError
from bot.feeds import csv_file, jsonl, misp, stix, text
from bot.feeds.jsonl import Readable
from bot.feeds.parsed import Defaults, Parsed, Rejected, reason
from bot.feeds.sniffing import HEAD, Format, has_lines, sniff
from bot.feeds.strict_json import MAX_BYTES
from bot.services import Store, Tally

CHUNK = 10_000  # assertions in one transaction: 0.2-0.4 s, which the claims of a running bot wait for
MAX_LISTED = 1_000  # refusals listed of one file
MAX_UNPACKED = 2_000_000_000  # bytes of a packed file of JSON lines; everything else ends at MAX_BYTES
_BLOCK = 1 << 20  # bytes
_GZIP = b"\x1f\x8b"
_PARSERS = {
    Format.STIX: stix.parse,
    Format.MISP: misp.parse,
    Format.CSV: csv_file.parse,
    Format.TEXT: text.parse,
    Format.JSONL: jsonl.parse,
}
_FEED_INDEX = ("manifest.json", "hashes.csv")  # of a MISP feed; the hashes in it are those of values


@dataclass(frozen=True)
class Refusal:
    """What was not taken: the file, the place in it, and why."""

    file: str
    where: str
    reason: str


@dataclass
class Summary:
    """What became of an import."""

    read: int = 0  # assertions, repetitions included
    tally: Tally = field(default_factory=Tally)
    quarantined: int = 0
    rejected: list[Refusal] = field(default_factory=list)


Progress = Callable[[int], None]  # told how many bytes of the files were read


async def run(
    paths: Iterable[Path],
    defaults: Defaults,
    store: Store,
    *,
    chosen: Format = Format.AUTO,
    progress: Progress = lambda _: None,
) -> Summary:
    """Import files and folders; stopped anywhere and run again, it ends the same."""
    summary, intake = Summary(), _Intake(store)
    for path in files(paths):
        listed = 0
        for portion in _portions(_parsed(path, defaults, chosen, progress)):
            assertions = [item for item in portion if isinstance(item, Assertion)]
            await intake.add(assertions)
            summary.read += len(assertions)
            summary.quarantined += sum(assertion.quarantined for assertion in assertions)
            refused = [item for item in portion if isinstance(item, Rejected)]
            room = max(MAX_LISTED - listed, 0)
            summary.rejected += [Refusal(str(path), item.where, item.reason) for item in refused[:room]]
            listed += len(refused)
        if listed > MAX_LISTED:
            summary.rejected.append(Refusal(str(path), "…", f"{listed - MAX_LISTED:,} more, not listed"))
    summary.tally = await intake.finished()
    return summary


class _Intake:
    """Hands portions to the store in order; one is being stored while the next is read."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._tally = Tally()
        self._under_way: asyncio.Task[Tally] | None = None

    async def add(self, assertions: Sequence[Assertion]) -> None:
        await self.finished()
        if assertions:
            self._under_way = asyncio.create_task(self._stored(assertions))
            await asyncio.sleep(0)  # so that it begins

    async def finished(self) -> Tally:
        """What became of everything that was added."""
        if self._under_way is not None:
            self._tally += await self._under_way
            self._under_way = None
        return self._tally

    async def _stored(self, assertions: Sequence[Assertion]) -> Tally:
        return await self._store.add(assertions)


def files(paths: Iterable[Path]) -> Iterator[Path]:
    """The files to read, folders walked in order; hidden ones and links inside of folders are left out."""
    for path in paths:
        yield from _walked(path) if path.is_dir() else (path,)


def _walked(folder: Path) -> Iterator[Path]:
    closed: list[OSError] = []  # folders that may not be read; they are named when they are opened
    for place, folders, names in os.walk(folder, onerror=closed.append, followlinks=False):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        skipped = _FEED_INDEX if "manifest.json" in names else ()
        for name in sorted(names):
            path = Path(place, name)
            if not name.startswith(".") and name not in skipped and not path.is_symlink():
                yield path
    yield from (Path(error.filename) for error in closed)


def _parsed(path: Path, defaults: Defaults, chosen: Format, progress: Progress) -> Iterator[Parsed]:
    """Everything in one file. Never raises for what stands in it."""
    try:
        with _opened(path) as file:
            yield from _read(_unpacked(file, progress), path.name, defaults, chosen)
    except InputError as error:
        yield Rejected("file", reason(error))
    except (OSError, EOFError, zlib.error) as error:
        yield Rejected("file", reason(f"cannot be read: {getattr(error, 'strerror', None) or error}"))


def _read(stream: Readable, name: str, defaults: Defaults, chosen: Format) -> Iterator[Parsed]:
    head = stream.read(HEAD)
    if chosen is Format.JSONL or (chosen is Format.AUTO and has_lines(name, head)):
        yield from jsonl.parse_stream(_Chained(head, stream), defaults)
        return
    data = _whole(head, stream)
    known = sniff(name, data) if chosen is Format.AUTO else chosen
    yield from _PARSERS[known](data, defaults)


def _whole(head: bytes, stream: Readable) -> bytes:
    data = io.BytesIO()
    size = data.write(head)
    while block := stream.read(_BLOCK):
        size += data.write(block)
        if size > MAX_BYTES:
            raise InputError(f"larger than {MAX_BYTES:,} bytes; split it, or convert it to JSON lines")
    return data.getvalue()


def _opened(path: Path) -> BinaryIO:
    """A regular file, opened. Pipes and devices, which may never end, are refused before they block."""
    file = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    if stat.S_ISREG(os.fstat(file).st_mode):
        return os.fdopen(file, "rb")
    os.close(file)
    raise InputError("not a regular file")


class _Watched(io.RawIOBase):
    """A file that tells how much of it was read."""

    def __init__(self, file: BinaryIO, progress: Progress) -> None:
        self._file = file
        self._progress = progress

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        block = self._file.read(size)
        self._progress(len(block))
        return block


class _Unpacked:
    """What a gzip file holds, up to a limit: a small file can hold terabytes."""

    def __init__(self, packed: gzip.GzipFile) -> None:
        self._packed = packed
        self._left = MAX_UNPACKED

    def read(self, size: int, /) -> bytes:
        block = self._packed.read(size)
        self._left -= len(block)
        if self._left < 0:
            raise InputError(f"larger than {MAX_UNPACKED:,} bytes when unpacked; split it")
        return block


class _Chained:
    """The beginning that was read already, and then the rest."""

    def __init__(self, head: bytes, rest: Readable) -> None:
        self._head = head
        self._rest = rest

    def read(self, size: int, /) -> bytes:
        if self._head:
            head, self._head = self._head, b""
            return head
        return self._rest.read(size)


def _unpacked(file: BinaryIO, progress: Progress) -> Readable:
    packed = file.read(2) == _GZIP
    file.seek(0)
    watched = _Watched(file, progress)
    return _Unpacked(gzip.GzipFile(fileobj=watched)) if packed else watched


def _portions(items: Iterator[Parsed]) -> Iterator[Sequence[Parsed]]:
    while portion := tuple(islice(items, CHUNK)):
        yield portion
