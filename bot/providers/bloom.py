"""Bloom filter files of DCSO (https://github.com/DCSO/bloom, version 1), read bit by bit where they lie.

CIRCL's filter has a gigabyte, so it is never read whole. It is not mapped into memory either: a mapped file
that somebody shortens kills the process, while a short read is only an error.
"""

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bot.errors import ConfigError

# Flags, capacity, false-positive rate, hashes, bits, entries; then the bits themselves.
_HEADER = struct.Struct("<QQdQQQ")
_VERSION = 1  # the lowest byte of the flags
_MAX_HASHES = 64  # a rate of 10^-19; more would only be a way to keep us busy

# The generator that spreads one hash over several positions: multiply modulo 2^64, then modulo a prime.
_PRIME = 18446744073709551557
_FACTOR = 18446744073709550147
_FNV_START, _FNV_FACTOR = 14695981039346656037, 1099511628211
_WORD = 0xFFFF_FFFF_FFFF_FFFF


@dataclass(frozen=True)
class Header:
    """What a filter says of itself."""

    capacity: int
    false_positives: float  # share of unknown values that it takes for known
    hashes: int
    bits: int
    entries: int

    @property
    def size(self) -> int:
        """Bytes of header and bits: whole words of 64 bits. What follows is somebody's own data."""
        return _HEADER.size + (self.bits + 63) // 64 * 8


class BloomFilter:
    """An open filter; `value in it` is never wrong for a value that was added."""

    def __init__(self, path: Path) -> None:
        """Open and check it. Raises ConfigError."""
        try:
            self._file = path.open("rb", buffering=0)
        except OSError as error:
            raise ConfigError([f"{path} cannot be opened: {error.strerror}."]) from error
        try:
            self.header = _header(self._read(0, _HEADER.size), os.fstat(self._file.fileno()).st_size)
        except (OSError, ValueError) as error:
            self.close()
            raise ConfigError([f"{path} is not a Bloom filter in DCSO's format: {error}."]) from error

    def __contains__(self, value: bytes) -> bool:
        """Whether it was probably added. Raises OSError."""
        return all(self._bit(position) for position in positions(value, self.header))

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _bit(self, position: int) -> bool:
        byte = self._read(_HEADER.size + position // 8, 1)[0]
        return bool(byte & 1 << position % 8)

    def _read(self, start: int, size: int) -> bytes:
        """So many bytes, without a common place in the file that several threads would move."""
        found = os.pread(self._file.fileno(), size, start)
        if len(found) != size:
            raise OSError("it is too short")
        return found


def positions(value: bytes, header: Header) -> Iterator[int]:
    """The bits that stand for a value."""
    number = _fnv_1(value) % _PRIME
    for _ in range(header.hashes):
        number = (number * _FACTOR & _WORD) % _PRIME
        yield number % header.bits


def _header(packed: bytes, file_size: int) -> Header:
    """The header of a file of that size. Raises ValueError."""
    flags, capacity, rate, hashes, bits, entries = _HEADER.unpack(packed)
    header = Header(capacity, rate, hashes, bits, entries)
    if flags & 0xFF != _VERSION:
        raise ValueError("it does not start with version 1; unpack it if it is compressed")
    if not (0 < rate < 1 and 1 <= hashes <= _MAX_HASHES and bits >= 1):
        raise ValueError("its header makes no sense")
    if file_size < header.size:
        raise ValueError(f"it has {file_size} bytes instead of {header.size}; was the download cut off?")
    return header


def _fnv_1(value: bytes) -> int:
    """http://www.isthe.com/chongo/tech/comp/fnv/ with 64 bits."""
    number = _FNV_START
    for byte in value:
        number = number * _FNV_FACTOR & _WORD ^ byte
    return number
