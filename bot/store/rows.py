"""How an assertion lies in a row: a key of fixed size, its JSON, and beside it what is searched."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import sha256

import msgspec

from bot.assertions import Assertion
from bot.errors import InputError
from bot.indicators import HASH_BY_LENGTH, Indicator
from bot.store.engine import Dialect

MAX_BODY = 400_000  # characters of one assertion as JSON; engine.PART of them fit into one answer of SQLite
COLUMNS = "seq, key, source, kind, family, file, stored_at, body"
TYPES = ("bigint", "bytea", "text", "text", "text", "text", "bigint", "text")

Row = tuple[int, bytes, str, str, str | None, str | None, int, str]

_DIGEST_BYTES = {kind.value: length // 2 for length, kind in HASH_BY_LENGTH.items()}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_encoder = msgspec.json.Encoder(order="deterministic")
_decoder = msgspec.json.Decoder(list[Assertion])


def key(indicator: Indicator) -> bytes:
    """What a row is found by: a hash itself, else 33 bytes that no hash equals. Raises InputError."""
    try:
        kind = indicator.kind._value_  # the property `value` takes longer than all the rest
        size = _DIGEST_BYTES.get(kind)
        if size is None:
            return b"\0" + sha256(f"{kind} {indicator.value}".encode()).digest()
        digest = bytes.fromhex(indicator.value)
    except ValueError as error:  # lone surrogates, or no hexadecimal digits
        raise InputError("an indicator's value is not in canonical form") from error
    if len(digest) != size:
        raise InputError(f"an indicator's value is not a {kind} digest")
    return digest


def encode(assertion: Assertion, found_by: bytes, seq: int, stored_at: int) -> Row:
    """The row of an assertion with that key. Raises InputError for what would not come back the same."""
    bare = assertion
    if assertion.seq or assertion.file is not None:
        bare = msgspec.structs.replace(assertion, seq=0, file=None)  # these have a column of their own
    body = _body(bare)
    if ("\\u0000" in body or assertion.file) and any("\0" in text for text in _texts(assertion)):
        raise InputError("an assertion holds a NUL character")
    family = assertion.family
    return (
        seq,
        found_by,
        assertion.source,
        assertion.indicator.kind._value_,
        None if family is None else family.casefold(),
        assertion.file,
        stored_at,
        body,
    )


def decode(bodies: str | None) -> list[Assertion]:
    """The assertions of one answer to `SELECT {BODIES}`, in no particular order."""
    return [] if bodies is None else _decoder.decode(bodies)


@cache
def bodies(dialect: Dialect) -> str:
    """An aggregate that `decode` reads: the rows as one JSON text.

    However many rows a statement reads or writes, it takes one step of SQLite. Python drops its lock in each
    step and, while another thread computes, waits 5 ms to get it back: row by row 300 inserts a second, like
    this 40,000.
    """
    number = """'{"seq":' || seq"""
    file = f"""coalesce(',"file":' || {dialect.quoted("file")}, '')"""
    row = f"{number} || {file} || ',' || {dialect.rest('body')}"
    return f"'[' || {dialect.joined(row, ',')} || ']'"


@cache
def by_key(dialect: Dialect, among: str) -> str:
    """The statement that reads rows by their keys."""
    return f"SELECT {bodies(dialect)} FROM assertion WHERE key {among}"  # noqa: S608 (marks only)


@cache
def by_file(dialect: Dialect, part: str) -> str:
    """The statement that reads rows by pairs of source and file."""
    return _by_pair(part, bodies(dialect), "assertion", "file")


@cache
def file_members(part: str) -> str:
    """The statement that counts the rows of files: source, file, count."""
    return _by_pair(part, "source, file, count(*)", "assertion", "file") + " GROUP BY source, file"


@cache
def file_aliases(part: str) -> str:
    """The statement that finds what file ids were joined with: source, alias, file."""
    return _by_pair(part, "source, alias, file", "file_alias", "alias")


def check_names(*names: str) -> None:
    """Raise InputError for a name that does not come back the same from every kind of store."""
    if not all(name.isprintable() for name in names):
        raise InputError("a name holds a character that cannot be printed")


def micros(time: datetime) -> int:
    """Microseconds since 1970 of an aware time."""
    return (time - _EPOCH) // timedelta(microseconds=1)


def moment(micros: int) -> datetime:
    """The time of so many microseconds since 1970."""
    return _EPOCH + timedelta(microseconds=micros)


def _by_pair(part: str, select: str, table: str, column: str) -> str:
    """A query by (source, column); with joined VALUES SQLite uses the index, with `IN` it does not."""
    return (
        f"SELECT {select} FROM {part} "  # noqa: S608 (names from the code, marks)
        f"CROSS JOIN {table} WHERE source = part.column1 AND {column} = part.column2"
    )


def _body(assertion: Assertion) -> str:
    for time in (assertion.not_before, assertion.not_after, assertion.first_seen, assertion.last_seen):
        if time is not None and time.tzinfo is None:
            raise InputError("a time of an assertion has no zone")
    try:
        body = _encoder.encode(assertion).decode()
    except ValueError as error:
        raise InputError("an assertion holds half a surrogate pair") from error
    if len(body) > MAX_BODY:
        raise InputError(f"an assertion is longer than {MAX_BODY} characters")
    return body


def _texts(assertion: Assertion) -> Iterator[str]:
    yield from (assertion.source, assertion.indicator.value)
    yield from (assertion.family or "", assertion.context or "", assertion.file or "")
    yield from (*assertion.tags, *assertion.links)
    for names in (assertion.addressed_to, assertion.only_orgs or (), assertion.never_to, assertion.persons):
        yield from names
