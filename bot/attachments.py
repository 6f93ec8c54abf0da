"""Attachments: the complete list of a digest as CSV or as a STIX 2.1 bundle. Pure."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import msgspec

from bot.digests import Digest
from bot.export_formats import Sourced, as_csv, as_stix
from bot.indicators import Indicator, Kind
from bot.subscriptions import Attach
from bot.tlp import Label

MAX_BYTES = 12_000_000  # of one file, well below what the outbox takes; more goes into a second one

Writer = Callable[[Label, Iterable[Sourced]], Iterator[bytes]]
_Row = tuple[Kind, str, Sourced]

_WRITERS: dict[Attach, Writer] = {Attach.CSV: as_csv, Attach.STIX: as_stix}
_ENDINGS = {Attach.CSV: "csv", Attach.STIX: "stix.json"}
_EACH = {Attach.CSV: 100, Attach.STIX: 700}  # bytes around the facts of one row
_decode = msgspec.json.Decoder(_Row).decode


@dataclass(frozen=True)
class Attachment:
    """A file; its content begins with the label."""

    name: str
    content: bytes
    indicators: frozenset[Indicator] = frozenset()  # that it is about


def attachments(digest: Digest, *, most_bytes: int = MAX_BYTES) -> Iterator[Attachment]:
    """The complete list, in one file unless it is too long for that; nothing if it stands in the thread."""
    if not digest.is_filed or digest.files_refused:
        return
    form = digest.attach or Attach.CSV
    portions = list(_portions(digest.rows, _EACH[form], most_bytes))
    for number, portion in enumerate(portions, 1):
        part = f"-{number}-of-{len(portions)}" if len(portions) > 1 else ""
        name = f"digest-{digest.until:%Y-%m-%d-%H%M}{part}.{_ENDINGS[form]}"
        rows = (_decode(row)[2] for row in portion)
        content = b"".join(_WRITERS[form](digest.label, rows))
        yield Attachment(name, content, frozenset(Indicator(*_decode(row)[:2]) for row in portion))


def _portions(rows: Sequence[bytes], each: int, most_bytes: int) -> Iterator[list[bytes]]:
    """Rows that fit into one file; those about one indicator stay together.

    The files write the same facts with other marks around them, so that the length of rows tells theirs.
    """
    portion: list[bytes] = []
    size = 0
    for _, group in groupby(rows, key=lambda row: _decode(row)[:2]):
        same = list(group)
        more = sum(len(row) + each for row in same)
        if portion and size + more > most_bytes:
            yield portion
            portion, size = [], 0
        portion += same
        size += more
    if portion:
        yield portion
