"""Liaison's own JSON lines, one assertion a line: what `liaison export` writes and machines send.

Made for millions of lines: a line costs a few microseconds, and the file is never in memory as a whole.
"""

import io
from collections.abc import Iterator
from datetime import UTC, datetime
from operator import attrgetter
from typing import Annotated, Protocol

import msgspec
from msgspec import UNSET, Meta, UnsetType

from bot.assertions import MAX_TAGS, NOBODY, Assertion
from bot.errors import InputError
from bot.feeds import marking, strict_json
from bot.feeds.marking import Marking
from bot.feeds.parsed import MAX_NAME, Defaults, Parsed, Rejected, clean, name, names, reason
from bot.feeds.strict_json import Span
from bot.indicators import Kind, canonical
from bot.tlp import Label

MAX_LINE = 1_000_000  # bytes
_BLOCK = 1 << 18
_SHORT = 1_000  # bytes; no remark in a shorter line is too long
_MARKS = frozenset("tTpPｔＴｐＰ")  # what a tag that is a marking begins with
_BLANKS = b" \t\r\n"
_MAX_MARKINGS = 1_000  # spellings remembered

_Time = Annotated[datetime, Meta(tz=True)]
_Name = Annotated[
    str, Meta(pattern=r"\A[A-Za-z0-9][A-Za-z0-9_.-]{0,63}\Z")
]  # an organisation, service, person
_Names = Annotated[frozenset[_Name], Meta(max_length=1_000)]
_File = Annotated[str, Meta(pattern=r"\A[ -~]{1,200}\Z")]


class Readable(Protocol):
    """Bytes in portions; none at the end."""

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes."""


class Line(msgspec.Struct, forbid_unknown_fields=True):
    """One line; null and absent are the same."""

    kind: Kind
    value: str
    label: str | UnsetType | None = UNSET
    addressed_to: _Names | UnsetType | None = UNSET
    only_orgs: _Names | UnsetType | None = UNSET
    never_to: _Names | UnsetType | None = UNSET
    persons: _Names | UnsetType | None = UNSET
    pap: str | UnsetType | None = UNSET
    not_before: _Time | UnsetType | None = UNSET
    not_after: _Time | UnsetType | None = UNSET
    first_seen: _Time | UnsetType | None = UNSET
    last_seen: _Time | UnsetType | None = UNSET
    confidence: Annotated[int, Meta(ge=0, le=100)] | UnsetType | None = UNSET
    family: str | UnsetType | None = UNSET
    tags: tuple[str, ...] | UnsetType | None = UNSET
    context: str | UnsetType | None = UNSET
    revoked: bool | UnsetType | None = UNSET
    to_ids: bool | UnsetType | None = UNSET
    quarantined: bool | UnsetType | None = UNSET
    file: _File | UnsetType | None = UNSET


KEYS = Line.__struct_fields__
_RARE = (
    "addressed_to",
    "only_orgs",
    "never_to",
    "persons",
    "not_before",
    "not_after",
    "to_ids",
    "revoked",
    "quarantined",
    "file",
)
_rare = attrgetter(*_RARE)
_NONE_RARE = (UNSET,) * len(_RARE)


def parse(data: bytes, defaults: Defaults) -> Iterator[Parsed]:
    """Every line of a file that is in memory."""
    return parse_stream(io.BytesIO(data), defaults)


def parse_stream(stream: Readable, defaults: Defaults) -> Iterator[Parsed]:
    """Every line of a file; one that cannot be taken is named by its number. Raises what reading raises."""
    reader = _Reader(defaults)
    for number, line in _lines(stream):
        try:
            if len(line) > MAX_LINE:
                raise InputError(f"longer than {MAX_LINE:,} bytes")
            if line and not line.isspace():
                yield reader.read(line)
        except (InputError, msgspec.DecodeError, UnicodeError, RecursionError, OverflowError) as error:
            yield Rejected(f"line {number}", reason(error))


class _Reader:
    def __init__(self, defaults: Defaults) -> None:
        self._source = defaults.source
        self._default = defaults.label
        self._decode = msgspec.json.Decoder(Line).decode
        self._markings: dict[tuple[object, ...], tuple[Marking, Label]] = {}

    def read(self, data: bytes) -> Assertion:
        """The assertion in one line. Raises InputError or msgspec.DecodeError."""
        line = self._decode(data)
        _refuse_repeated_keys(data, line)
        marked, label = self._marked(line)
        plain = _is_plain(data, line)
        usual = Assertion(
            indicator=canonical(line.kind, line.value),
            source=self._source,
            label=label,
            pap=marked.pap,
            first_seen=_utc(line.first_seen),
            last_seen=_utc(line.last_seen),
            confidence=None if line.confidence is UNSET else line.confidence,
            family=(line.family if plain else name(line.family)) or None,
            tags=(line.tags if plain else names(line.tags)) if line.tags else (),
            context=(line.context if plain else clean(line.context)) or None,
            quarantined=marked.unread,
        )
        return usual if _rare(line) == _NONE_RARE else _with_rare(usual, line)

    def _marked(self, line: Line) -> tuple[Marking, Label]:
        """Its marking, tags included, and the label that follows; there are few different ones in a file."""
        marks = tuple([tag for tag in line.tags if tag[:1] in _MARKS]) if line.tags else ()
        key = (line.label, line.pap, marks)
        found = self._markings.get(key)
        if found is None:
            label = None if line.label is UNSET else line.label
            pap = None if line.pap is UNSET else line.pap
            marked = marking.of_label(label) | marking.of_pap(pap) | marking.of_tags(marks)
            found = marked, marked.resolved(self._default)
            if len(self._markings) < _MAX_MARKINGS:
                self._markings[key] = found
        return found


def _with_rare(usual: Assertion, line: Line) -> Assertion:
    """With what few lines say; asking each line for all of it would take longer than the rest."""
    return msgspec.structs.replace(
        usual,
        addressed_to=line.addressed_to or NOBODY,
        only_orgs=None if line.only_orgs is UNSET else line.only_orgs,
        never_to=line.never_to or NOBODY,
        persons=line.persons or NOBODY,
        not_before=_utc(line.not_before),
        not_after=_utc(line.not_after),
        to_ids=line.to_ids is not False,
        revoked=line.revoked is True,
        quarantined=usual.quarantined or line.quarantined is True,
        file=line.file or None,
    )


def _is_plain(data: bytes, line: Line) -> bool:
    """Whether its texts need no cleaning and no cutting, as nearly all do."""
    if len(data) > _SHORT or b"\\" in data or b"\x7f" in data or not data.isascii():
        return False
    if line.family and len(line.family) > MAX_NAME:
        return False
    return not line.tags or (len(line.tags) <= MAX_TAGS and max(map(len, line.tags)) <= MAX_NAME)


def _refuse_repeated_keys(data: bytes, line: Line) -> None:
    """Of two labels in one line neither is believed.

    The decoder takes the last one. Every key ends with `":`, blanks aside, and so do only few other things:
    as many of them as keys that it saw means that there are no others; else the line is read once more,
    slowly. Raises InputError.
    """
    seen = len(KEYS) - msgspec.structs.astuple(line).count(UNSET)
    if data.translate(None, _BLANKS).count(b'":') != seen:
        strict_json.value(data, Span(0, len(data)))


def _utc(time: datetime | UnsetType | None) -> datetime | None:
    if time is UNSET or time is None:
        return None
    return time if time.tzinfo is UTC else time.astimezone(UTC)


def _lines(stream: Readable) -> Iterator[tuple[int, bytes]]:
    """Numbered lines; of one that is too long only the beginning is kept."""
    number, rest, skipping = 0, b"", False
    while block := stream.read(_BLOCK):
        lines = (rest + block).split(b"\n")
        rest = lines.pop()
        for line in lines:
            number += 1
            if skipping:
                skipping = False
                yield number, b"x" * (MAX_LINE + 1)
            else:
                yield number, line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line
        if skipping or len(rest) > MAX_LINE:
            skipping, rest = True, b""
    if skipping or rest:
        yield number + 1, b"x" * (MAX_LINE + 1) if skipping else rest
