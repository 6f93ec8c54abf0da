"""Strict JSON: one bad object is refused alone, and no document is too hostile."""

import time

import pytest

from bot.errors import InputError
from bot.feeds import strict_json


def parts(data: bytes) -> list[object]:
    """Every element of the list under "objects", or why it was refused."""
    members = strict_json.members(data, strict_json.root(data))
    found: list[object] = []
    for span in strict_json.elements(data, members["objects"]):
        try:
            found.append(strict_json.value(data, span))
        except InputError as error:
            found.append(str(error))
    return found


def listed(element: bytes) -> bytes:
    return b'{"objects": [{"good": 1}, ' + element + b', {"good": 2}]}'


@pytest.mark.parametrize(
    ("element", "reason"),
    [
        (b'{"a": NaN}', "NaN is not JSON"),
        (b'{"a": -Infinity}', "-Infinity is not JSON"),
        (b'{"a": 1e999}', "a number is too large"),
        (b'{"a": ' + b"9" * 100_000 + b"}", "a number is too long"),
        (b'{"a": 1, "a": 2}', "a key stands twice in one object"),
        (b'{"a": {"b": [{"c": 1, "c": 1}]}}', "a key stands twice in one object"),
        (b'{"l\\u0061bel": 1, "label": 2}', "a key stands twice in one object"),
        (b"[" * 65 + b"]" * 65, "nested deeper than 64 levels"),
        (b"[" * 5_000 + b"]" * 5_000, "nested deeper than 64 levels"),
        (b"{'a': 1}", "not JSON: Expecting property name enclosed in double quotes"),
        (b'{"a": tru}', "not JSON: Expecting value"),
        (b'{"a" 1}', "not JSON: Expecting ':' delimiter"),
        (b'{"a": "' + b"x" * 9_000_000 + b'"}', "one object larger than 8,000,000 bytes"),
    ],
)
def test_a_bad_object_is_refused_alone(element: bytes, reason: str) -> None:
    assert parts(listed(element)) == [{"good": 1}, reason, {"good": 2}]


@pytest.mark.parametrize(
    ("element", "value"),
    [
        (b'{"a": [1, 2,], }', {"a": [1, 2]}),  # ESET's events
        (b'{"a": "x,]", "b": [",}",],}', {"a": "x,]", "b": [",}"]}),
        (b'{"a": "b\\"c[{\\\\"}', {"a": 'b"c[{\\'}),
        (b'{"a": "\xff"}', {"a": "\ufffd"}),
        (b'{"a": "\x01\n"}', {"a": "\x01\n"}),
        (b'{"a": "\\ud800"}', {"a": "\ud800"}),
        (b"[" * 64 + b"]" * 64, None),
        (b"-12.5e3", -12500.0),
        (b'"text"', "text"),
    ],
)
def test_what_can_be_mended_is_read(element: bytes, value: object) -> None:
    found = parts(listed(element))
    assert found[0] == {"good": 1}
    assert value is None or found[1] == value
    assert found[2] == {"good": 2}


def test_forgotten_and_trailing_commas_lose_nothing() -> None:
    assert parts(b'{"a": 1 "objects": [{"b": 1} {"c": 2},,], }') == [{"b": 1}, {"c": 2}]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_byte_order_marks_are_understood(encoding: str) -> None:
    data = strict_json.document('{"objects": ["é"]}'.encode(encoding))
    assert parts(data) == ["é"]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"  \n",
        b"{",
        b'{"objects": [{"a": 1}',
        b'{"objects": [{"a": "cut of',
        b'{"objects": [], "objects": []}',
        b'{"objects": []} {"objects": []}',
        b"\x00\x01\x02",
        b"[" * 1_000_000,
        b'{"objects": [' + b'{"a":' * 200_000,
        b'"\\"' * 100_000,
    ],
)
def test_a_document_that_cannot_be_split_is_refused(data: bytes) -> None:
    with pytest.raises(InputError):
        parts(data)


def test_a_document_over_the_limit_is_refused() -> None:
    with pytest.raises(InputError, match="50,000,000 bytes"):
        strict_json.document(b" " * 50_000_001)


@pytest.mark.parametrize("token", [b"[", b"{", b'"', b"\\", b'\\"', b",", b", ", b'",', b":", b"[]", b'{"":'])
def test_splitting_takes_linear_time(token: bytes) -> None:
    data = b'{"objects": [' + token * (1_000_000 // len(token))
    began = time.process_time()
    with pytest.raises(InputError):
        parts(data)
    assert time.process_time() - began < 2


@pytest.mark.parametrize("token", [b",", b", ", b'",', b'\\",', b",]", b'"'])
def test_mending_takes_linear_time(token: bytes) -> None:
    piece = b"{" + token * (1_000_000 // len(token))
    began = time.process_time()
    with pytest.raises(InputError):
        strict_json.value(piece, strict_json.Span(0, len(piece)))
    assert time.process_time() - began < 2
