"""Strict JSON for untrusted documents: bad objects are named and refused alone, the rest is still read.

The document is first only split, by a scanner that knows strings and brackets and keeps no tree. Each
piece is then parsed on its own. So one bad object costs nothing but itself, and a bundle of 25 MB costs
little more memory than its bytes.
"""

import codecs
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from bot.errors import InputError

MAX_BYTES = 50_000_000
MAX_PIECE = 8_000_000  # bytes of one object; parsed, hostile ones take twenty times that
MAX_DEPTH = 64
MAX_DIGITS = 40  # more than any number in STIX or MISP has
_HOPELESS_DEPTH = 10_000  # from here on the rest of the document is not looked at


@dataclass(frozen=True)
class Span:
    """A piece of a document: the bytes from `start` up to `end`."""

    start: int
    end: int


class MalformedError(InputError):
    """The document breaks off or breaks the grammar; nothing behind that place can be told apart."""


# Possessive throughout: no step is ever tried twice, so hostile text costs linear time.
_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"', re.DOTALL)
_TO_BRACKET = re.compile(rb'(?:[^"{}\[\]]++|"(?:[^"\\]++|\\.)*+")*+[{}\[\]]', re.DOTALL)
_SEPARATORS = re.compile(rb"[\s,]*+")  # a forgotten or a trailing comma loses nothing
_COLON = re.compile(rb"\s*+:\s*+")
_SCALAR = re.compile(rb'[^\s,\[\]{}":]++')
_TRAILING_COMMA = re.compile(rb'("(?:[^"\\]++|\\.)*+(?:"|\\?\Z))|,(?=\s*+[}\]])', re.DOTALL)
_OPENING, _CLOSING = b"{[", b"}]"


def document(data: bytes) -> bytes:
    """The same document in UTF-8 without byte order mark. Raises InputError if it is too large."""
    if len(data) > MAX_BYTES:
        raise InputError(f"larger than {MAX_BYTES:,} bytes; split it, or convert it to JSON lines")
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        data = data.decode("utf-16", "replace").encode()
    return data.removeprefix(codecs.BOM_UTF8)


def root(data: bytes) -> Span:
    """The one value of a document. Raises MalformedError for none, for half of one, and for two."""
    start = _after_separators(data, 0)
    end = _end(data, start)
    rest = _SEPARATORS.match(data, end)
    if rest is not None and rest.end() < len(data):
        raise MalformedError(f"something stands behind the end of the document at byte {rest.end():,}")
    return Span(start, end)


def is_object(data: bytes, span: Span) -> bool:
    """Whether the piece begins like an object."""
    return data[span.start : span.start + 1] == b"{"


def is_array(data: bytes, span: Span) -> bool:
    """Whether the piece begins like an array."""
    return data[span.start : span.start + 1] == b"["


def members(data: bytes, span: Span) -> dict[str, Span]:
    """Split an object into its members. Raises MalformedError, also when a key stands twice."""
    found: dict[str, Span] = {}
    position = _after_separators(data, span.start + 1)
    while data[position : position + 1] != b"}":
        key = _STRING.match(data, position)
        colon = _COLON.match(data, key.end()) if key else None
        if key is None or colon is None:
            raise MalformedError(f"not JSON at byte {position:,}")
        text = _parse(key[0])
        value = Span(colon.end(), _end(data, colon.end()))
        if text in found:
            raise MalformedError(f'the key "{text}" stands twice at byte {position:,}')
        found[text] = value
        position = _after_separators(data, value.end)
    return found


def elements(data: bytes, span: Span) -> Iterator[Span]:
    """Split an array into its elements. Raises MalformedError when the rest cannot be told apart."""
    position = _after_separators(data, span.start + 1)
    while data[position : position + 1] != b"]":
        end = _end(data, position)
        yield Span(position, end)
        position = _after_separators(data, end)


def value(data: bytes, span: Span) -> Any:
    """Parse one piece.

    Raises InputError for what is not strict JSON: NaN, huge numbers, repeated keys, deep nesting.
    """
    if span.end - span.start > MAX_PIECE:
        raise InputError(f"one object larger than {MAX_PIECE:,} bytes")
    piece = data[span.start : span.end]
    deep = piece.count(b"{") + piece.count(b"[") > MAX_DEPTH
    if deep and _depth(piece) > MAX_DEPTH:
        raise InputError(f"nested deeper than {MAX_DEPTH} levels")
    try:
        return _parse(piece)
    except json.JSONDecodeError as error:
        mended = _TRAILING_COMMA.sub(lambda found: found[1] or b"", piece)
        if mended == piece:
            raise InputError(f"not JSON: {error.msg}") from error
    try:
        return _parse(mended)
    except json.JSONDecodeError as error:
        raise InputError(f"not JSON: {error.msg}") from error


def _end(data: bytes, start: int) -> int:
    """Where the value that starts here ends, whatever stands in it."""
    first = data[start : start + 1]
    if first and first in _OPENING:
        return _closing_bracket(data, start)
    found = (_STRING if first == b'"' else _SCALAR).match(data, start)
    if found is None:
        raise MalformedError(f"cut off or not JSON at byte {start:,}")
    return found.end()


def _closing_bracket(data: bytes, start: int) -> int:
    depth, position = 0, start
    while True:
        found = _TO_BRACKET.match(data, position)
        if found is None:
            raise MalformedError(f"cut off: what begins at byte {start:,} has no end")
        position = found.end()
        if data[position - 1] in _CLOSING:
            depth -= 1
            if depth == 0:
                return position
        else:
            depth += 1
            if depth > _HOPELESS_DEPTH:
                raise MalformedError(f"nested deeper than {MAX_DEPTH} levels at byte {start:,}")


def _depth(piece: bytes) -> int:
    """The deepest nesting of a piece whose brackets outside of strings are balanced."""
    depth = deepest = position = 0
    while found := _TO_BRACKET.match(piece, position):
        position = found.end()
        depth += 1 if piece[position - 1] in _OPENING else -1
        deepest = max(deepest, depth)
    return deepest


def _after_separators(data: bytes, position: int) -> int:
    found = _SEPARATORS.match(data, position)
    position = found.end() if found else position
    if position >= len(data):
        raise MalformedError("cut off: the end is missing")
    return position


def _parse(piece: bytes) -> Any:
    return _DECODER.decode(piece.decode("utf-8", "replace"))


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Whoever reads the other one of two equal keys may see another label, so neither is believed."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise InputError("a key stands twice in one object")
    return found


def _integer(digits: str) -> int:
    if len(digits) > MAX_DIGITS:
        raise InputError("a number is too long")
    return int(digits)


def _float(digits: str) -> float:
    if len(digits) > MAX_DIGITS or abs(number := float(digits)) == float("inf"):
        raise InputError("a number is too large")
    return number


def _constant(word: str) -> None:
    raise InputError(f"{word} is not JSON")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_unique,
    parse_int=_integer,
    parse_float=_float,
    parse_constant=_constant,
    strict=False,  # control characters inside strings are cleaned, not refused
)
