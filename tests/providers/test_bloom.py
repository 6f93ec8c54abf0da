"""Bloom filters in DCSO's format: the same answers as the reference at any size, or clear words."""

import hashlib
import struct
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import ConfigError
from bot.providers.bloom import BloomFilter, Header, positions
from tests.providers.replies import SAMPLES

FILE = SAMPLES / "hashlookup" / "known-files.bloom"
PACKED = FILE.read_bytes()
HEADER = Header(capacity=200, false_positives=0.001, hashes=10, bits=2875, entries=150)


def sha1(text: str) -> bytes:
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest().upper().encode()


def test_the_header_is_read() -> None:
    known = BloomFilter(FILE)
    known.close()

    assert known.header == HEADER


def test_the_bits_of_a_value_are_those_of_the_reference() -> None:
    """As computed by flor 1.1.3."""
    assert list(positions(sha1("known file 0"), HEADER)) == [
        1294, 2451, 1280, 2337, 1142, 684, 2126, 878, 2363, 1236,
    ]  # fmt: skip


def test_everything_that_was_added_is_found_and_little_else() -> None:
    known = BloomFilter(FILE)

    assert all(sha1(f"known file {number}") in known for number in range(150))
    assert [number for number in range(20_000) if sha1(f"other file {number}") in known] == [19163]
    known.close()


@given(st.binary(max_size=100), st.integers(1, 64), st.integers(1, 2**63))
def test_positions_stay_inside(value: bytes, hashes: int, bits: int) -> None:
    found = list(positions(value, Header(1, 0.1, hashes, bits, 0)))

    assert len(found) == hashes
    assert all(0 <= each < bits for each in found)


def test_a_gigabyte_is_not_read(tmp_path: Path) -> None:
    bits = 8 * 2**30
    large = tmp_path / "large.bloom"
    with large.open("wb") as file:
        file.write(struct.pack("<QQdQQQ", 1, 10**9, 1e-4, 13, bits, 0))
        file.truncate(48 + bits // 8)  # a hole: takes no room on the disk

    tracemalloc.start()
    known = BloomFilter(large)
    is_known = b"something" in known
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    known.close()

    assert not is_known
    assert most < 100_000  # bytes


@pytest.mark.parametrize(
    ("packed", "reason"),
    [
        (b"", "too short"),
        (PACKED[:47], "too short"),
        (PACKED[:-1], "has 407 bytes instead of 408"),
        (b"\x1f\x8b\x08" + PACKED[3:], "unpack it"),
        (b"\x02" + PACKED[1:], "version 1"),
        (struct.pack("<QQdQQQ", 1, 1, 0.0, 1, 64, 1) + bytes(8), "makes no sense"),
        (struct.pack("<QQdQQQ", 1, 1, 1.0, 1, 64, 1) + bytes(8), "makes no sense"),
        (struct.pack("<QQdQQQ", 1, 1, float("nan"), 1, 64, 1) + bytes(8), "makes no sense"),
        (struct.pack("<QQdQQQ", 1, 1, 0.1, 0, 64, 1) + bytes(8), "makes no sense"),
        (struct.pack("<QQdQQQ", 1, 1, 0.1, 65, 64, 1) + bytes(8), "makes no sense"),
        (struct.pack("<QQdQQQ", 1, 1, 0.1, 1, 0, 1) + bytes(8), "makes no sense"),
        (struct.pack("<QQdQQQ", 1, 1, 0.1, 1, 2**64 - 1, 1) + bytes(8), "instead of"),
    ],
)
def test_another_file_is_refused_with_a_reason(tmp_path: Path, packed: bytes, reason: str) -> None:
    wrong = tmp_path / "wrong.bloom"
    wrong.write_bytes(packed)

    with pytest.raises(ConfigError, match=reason) as caught:
        BloomFilter(wrong)

    assert str(wrong) in str(caught.value)


@pytest.mark.parametrize("name", ["", "absent.bloom"])
def test_no_file_is_no_filter(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="cannot be opened"):
        BloomFilter(tmp_path / name)


def test_data_behind_the_bits_is_ignored(tmp_path: Path) -> None:
    longer = tmp_path / "longer.bloom"
    longer.write_bytes(PACKED + b'{"comment": "made by somebody"}')

    known = BloomFilter(longer)

    assert sha1("known file 7") in known
    known.close()
