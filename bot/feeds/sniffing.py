"""Which format a file is in, from its content first and its name second."""

import csv
import re
from enum import StrEnum

import msgspec

from bot.errors import InputError
from bot.feeds import csv_file, strict_json
from bot.feeds.csv_columns import columns
from bot.feeds.decoding import decode
from bot.feeds.strict_json import Span

HEAD = 1 << 16  # bytes from which JSON lines are told from other JSON


class Format(StrEnum):
    """What `liaison import --format` takes."""

    AUTO = "auto"
    STIX = "stix"
    MISP = "misp"
    CSV = "csv"
    TEXT = "text"
    JSONL = "jsonl"


_STIX_KEYS = frozenset(("objects", "bundle", "spec_version", "pattern"))
_MISP_KEYS = frozenset(("Event", "response", "Attribute", "Object"))
_JSON = re.compile(rb'\s*+(?:\{\s*+["}]|\[\s*+[{\]])')  # not the [link] that a Markdown file begins with
_FOREIGN = {
    b"PK\x03\x04": "an archive or office document; unpack it, or save it as CSV or text",
    b"%PDF": "a PDF; save it as text",
    b"7z\xbc\xaf": "an archive; unpack it",
    b"Rar!": "an archive; unpack it",
    b"BZh": "packed with bzip2; unpack it",
    b"\xfd7zXZ": "packed with xz; unpack it",
    b"SQLite format 3": "a database; export it",
    b"<?xml": "XML (STIX 1, OpenIOC), which is not read; convert it to STIX 2.1",
    b"<stix:": "STIX 1, which is not read; convert it to STIX 2.1",
}


def has_lines(name: str, head: bytes) -> bool:
    """Whether this begins like Liaison's own JSON lines: one object a line."""
    if name.lower().removesuffix(".gz").endswith((".jsonl", ".ndjson")):
        return True
    line = head.removeprefix(b"\xef\xbb\xbf").lstrip().partition(b"\n")[0]
    if not line.startswith(b"{"):
        return False
    try:
        keys = msgspec.json.decode(line, type=dict[str, msgspec.Raw])
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return False
    return "kind" in keys and "value" in keys


def sniff(name: str, data: bytes) -> Format:
    """The format of a whole file that is not JSON lines. Raises InputError with what to do instead."""
    for start, advice in _FOREIGN.items():
        if data.startswith(start):
            raise InputError(advice)
    document = strict_json.document(data)
    if _JSON.match(document):
        return _json_format(document)
    name = name.lower().removesuffix(".gz")
    return Format.CSV if name.endswith((".csv", ".tsv")) or _has_header(data) else Format.TEXT


def _json_format(document: bytes) -> Format:
    span = strict_json.root(document)
    if strict_json.is_array(document, span):
        span = next(strict_json.elements(document, span), span)
    keys = _keys(document, span)
    if keys & _MISP_KEYS or {"info", "uuid"} <= keys:
        return Format.MISP
    if keys & _STIX_KEYS or {"type", "id"} <= keys:
        return Format.STIX
    raise InputError("JSON, but neither STIX nor MISP; with --format text what stands in it is searched")


def _keys(document: bytes, span: Span) -> frozenset[str]:
    if not strict_json.is_object(document, span):
        return frozenset()
    return frozenset(strict_json.members(document, span))


def _has_header(data: bytes) -> bool:
    text = decode(data[:HEAD])
    sign = csv_file.delimiter(text)
    first = next(iter(text.splitlines()), "")
    return sign is not None and columns(next(csv.reader([first[:10_000]], delimiter=sign), [])) is not None
