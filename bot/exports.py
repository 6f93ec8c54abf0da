"""Export: everything one organisation may know, in an order that tells nothing about the store."""

import sqlite3
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import closing
from enum import StrEnum

import msgspec

from bot.assertions import files
from bot.export_formats import Row, Sourced, as_csv, as_jsonl, as_stix, row
from bot.services import Store
from bot.sharing import Audience, Reach, Shown, World, clear
from bot.tlp import Label


class Format(StrEnum):
    """What `liaison export --format` takes."""

    JSONL = "jsonl"
    CSV = "csv"
    STIX = "stix"


_WRITERS: dict[Format, Callable[[Label, Iterable[Sourced]], Iterator[bytes]]] = {
    Format.JSONL: as_jsonl,
    Format.CSV: as_csv,
    Format.STIX: as_stix,
}
_CHUNK = 1_000


async def run(
    store: Store,
    organisation: str,
    world: World,
    *,
    into: Format,
    write: Callable[[bytes], object],
) -> int:
    """Write what the policy releases to an export for that organisation; how many claims it were."""
    with closing(_Sorter()) as sorter:
        chunk: list[tuple[Shown, str | None]] = []
        async for one in released(store, organisation, world):
            chunk.append(one)
            if len(chunk) == _CHUNK:
                sorter.add(chunk)
                chunk = []
        sorter.add(chunk)
        for portion in _WRITERS[into](sorter.label, sorter.rows()):
            write(portion)
        return sorter.count


async def released(store: Store, organisation: str, world: World) -> AsyncIterator[tuple[Shown, str | None]]:
    """What passes the policy, each claim with the file it belongs to: `source/file`, never to be written."""
    audience = Audience(reach=Reach.EXPORT, orgs=frozenset((organisation,)))
    async for page in store.everything():
        for assertion in page:
            for shown in clear((assertion,), audience, world).shown:
                named = files(assertion)
                yield shown, f"{assertion.source}/{named[0]}" if named else None


class _Sorter:
    """Rows in the order of what is read in them, kept in a file that is gone afterwards.

    The store's own order would tell which claims of unnamed sources came together. A file is named after its
    strongest released hash, the same in every export, and only if several of its hashes are released.
    """

    def __init__(self) -> None:
        self._rows = sqlite3.connect("")  # https://sqlite.org/inmemorydb.html#temp_db
        self._rows.execute("CREATE TABLE claim (kind TEXT, value TEXT, source TEXT, row BLOB, file TEXT)")
        self.label = Label.CLEAR
        self.count = 0

    def add(self, claims: Iterable[tuple[Shown, str | None]]) -> None:
        for shown, file in claims:
            one = row(shown)
            self.label = max(self.label, shown.label)
            self.count += 1
            self._rows.execute(
                "INSERT INTO claim VALUES (?, ?, ?, ?, ?)",
                (one.kind, one.value, shown.source_name, msgspec.json.encode(one), file),
            )

    def rows(self) -> Iterator[Sourced]:
        for source, data, file in self._rows.execute(_SORTED):
            one = msgspec.json.decode(data, type=Row)
            yield Sourced(one if file is None else msgspec.structs.replace(one, file=file), source)

    def close(self) -> None:
        self._rows.close()


_SORTED = """
    SELECT source, row,
        CASE WHEN file IS NOT NULL AND count(*) OVER one_file > 1
            THEN first_value(kind || ':' || value) OVER (one_file ORDER BY length(value) DESC, value) END
    FROM claim WINDOW one_file AS (PARTITION BY file)
    ORDER BY kind, value, source, row
"""
