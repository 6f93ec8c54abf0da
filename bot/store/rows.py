"""How an assertion lies in a row: a key of fixed size, its JSON, and beside it what is searched."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import sha256
from itertools import chain, islice

import msgspec

from bot.assertions import Assertion
from bot.errors import InputError
from bot.indicators import HASH_BY_LENGTH, Indicator

MAX_BODY = 400_000  # characters of one assertion as JSON; PART of them fit into one answer of SQLite
PART = 2_000  # values handed over in one statement; SQLite takes 32,766 parameters

Row = tuple[int, bytes, str, str, str | None, str | None, int, str]

_DIGEST_BYTES = {kind.value: length // 2 for length, kind in HASH_BY_LENGTH.items()}
_WIDTHS = (1, 8, 64, 500, PART)  # few statements, so that each stays prepared
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_encoder = msgspec.json.Encoder(order="deterministic")
_decoder = msgspec.json.Decoder(list[Assertion])

# However many rows a statement reads or writes, it takes one step. Python drops its lock in each step and,
# while another thread computes, waits 5 ms to get it back: row by row 300 inserts a second, like this 40,000.
BODIES = """'[' || group_concat('{"seq":' || seq || ifnull(',"file":' || json_quote(file), '')
  || ',' || substr(body, 2)) || ']'"""
_PUT = """INSERT INTO assertion (seq, key, source, kind, family, file, stored_at, body)
SELECT * FROM (VALUES {values}) WHERE column1 IS NOT NULL
ON CONFLICT (seq) DO UPDATE SET family = excluded.family, file = excluded.file, body = excluded.body"""


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


def parts(values: Iterable[Sequence[object]], columns: int) -> Iterator[tuple[int, list[object]]]:
    """The values in portions for statements of fixed width: the width, and parameters padded with NULL."""
    source = iter(values)
    while portion := list(islice(source, PART)):
        width = next(width for width in _WIDTHS if width >= len(portion))
        padding = [None] * (columns * (width - len(portion)))
        yield width, [*chain.from_iterable(portion), *padding]


@cache
def put(width: int) -> str:
    """The statement that inserts rows, or overwrites the body of those whose number exists."""
    return _PUT.format(values=values(width, 8))


@cache
def by_key(width: int) -> str:
    """The statement that reads rows by their keys."""
    return f"SELECT {BODIES} FROM assertion WHERE key IN ({marks(width)})"  # noqa: S608 (marks only)


@cache
def by_file(width: int) -> str:
    """The statement that reads rows by pairs of source and file."""
    return _by_pair(width, BODIES, "assertion", "file")


@cache
def file_members(width: int) -> str:
    """The statement that counts the rows of files: source, file, count."""
    return _by_pair(width, "source, file, count(*)", "assertion", "file") + " GROUP BY source, file"


@cache
def file_aliases(width: int) -> str:
    """The statement that finds what file ids were joined with: source, alias, file."""
    return _by_pair(width, "source, alias, file", "file_alias", "alias")


@cache
def taken_claims(width: int) -> str:
    """The statement that tells which keys are claimed at a moment, in hexadecimal with blanks between."""
    return f"SELECT group_concat(hex(key), ' ') FROM claim WHERE until > ? AND key IN ({marks(width)})"  # noqa: S608 (marks)


@cache
def put_claims(width: int) -> str:
    """The statement that stores claims, over expired ones."""
    return (
        f"INSERT INTO claim (key, until) SELECT * FROM (VALUES {values(width, 2)}) WHERE column1 IS NOT NULL"  # noqa: S608 (marks)
        " ON CONFLICT (key) DO UPDATE SET until = excluded.until"
    )


def values(rows: int, columns: int) -> str:
    """What follows VALUES for so many rows."""
    return ",".join([f"({marks(columns)})"] * rows)


def marks(count: int) -> str:
    """So many places for parameters."""
    return ",".join("?" * count)


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


def _by_pair(width: int, select: str, table: str, column: str) -> str:
    """A query by (source, column); with joined VALUES SQLite uses the index, with `IN` it does not."""
    return (
        f"SELECT {select} FROM (VALUES {values(width, 2)}) AS pair "  # noqa: S608 (names from the code, marks)
        f"CROSS JOIN {table} WHERE source = pair.column1 AND {column} = pair.column2"
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
