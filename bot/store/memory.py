"""Findings in the store: what services said is remembered for each organisation by itself, for a while."""

from collections.abc import Sequence
from datetime import datetime
from functools import cache

import msgspec

from bot.errors import BotError, InputError
from bot.findings import Finding, Report
from bot.indicators import Indicator
from bot.store import rows
from bot.store.engine import Connection, Dialect

MAX_BYTES = 32_000  # of one finding as JSON; rows.PART times the number of services fit into one answer
FORGET = 2  # expired ones deleted for each that is stored, so that no call has to delete very many

Row = tuple[str, bytes, str, int, str]  # org, rows.key, provider, until, body
Question = tuple[str, Sequence[bytes]]  # org and rows.keys

_TYPES = ("text", "bytea", "text", "bigint", "text")

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(list[tuple[str, Finding]])

_EXPIRED = """DELETE FROM finding WHERE (org, key, provider) IN
(SELECT org, key, provider FROM finding WHERE until <= ? ORDER BY until LIMIT ?)"""


def encode(org: str, finding: Finding, until: datetime) -> Row:
    """The row of a finding. Raises InputError for what would not come back the same."""
    rows.check_names(org, finding.provider)
    _check_times(finding, until)
    try:
        body = _encoder.encode(finding)
    except ValueError as error:
        raise InputError("a finding holds half a surrogate pair") from error
    if len(body) > MAX_BYTES:
        raise InputError(f"a finding is longer than {MAX_BYTES} bytes")
    return org, rows.key(finding.indicator), finding.provider, rows.micros(until), body.decode()


def question(org: str, indicators: Sequence[Indicator]) -> Question:
    """What `recall` takes. Raises InputError."""
    rows.check_names(org)
    return org, [rows.key(each) for each in indicators]


def keep(connection: Connection, batches: Sequence[Sequence[Row]], now: int) -> None:
    """Store findings, the later ones in the place of the earlier, and delete some that expired."""
    latest = {row[:3]: row for batch in batches for row in batch}
    for part, parameters in connection.dialect.parts(latest.values(), _TYPES):
        connection.execute(put(part), parameters)
    connection.execute(_EXPIRED, (now, FORGET * len(latest)))


def recall(connection: Connection, questions: Sequence[Question], now: int) -> list[list[Finding] | BotError]:
    """What is remembered and has not expired, with one query for each organisation and 2,000 values."""
    wanted: dict[str, set[bytes]] = {}
    for org, keys in questions:
        wanted.setdefault(org, set()).update(keys)
    found = {org: _of(connection, org, keys, now) for org, keys in wanted.items()}
    return [
        [finding for key in dict.fromkeys(keys) for finding in found[org].get(key, ())]
        for org, keys in questions
    ]


@cache
def put(part: str) -> str:
    """The statement that inserts rows, or overwrites those of the same organisation, value and service."""
    return (
        "INSERT INTO finding (org, key, provider, until, body)"  # noqa: S608 (marks)
        f" SELECT * FROM {part} WHERE column1 IS NOT NULL"
        " ON CONFLICT (org, key, provider) DO UPDATE SET until = excluded.until, body = excluded.body"
    )


@cache
def by_key(dialect: Dialect, among: str) -> str:
    """The statement that reads what is remembered for one organisation and has not expired."""
    finding = f"""'["' || {dialect.hexed("key")} || '",' || body || ']'"""
    return (
        f"SELECT '[' || {dialect.joined(finding, ',')} || ']' FROM finding"  # noqa: S608 (marks)
        f" WHERE org = ? AND until > ? AND key {among}"
    )


def _of(connection: Connection, org: str, keys: set[bytes], now: int) -> dict[bytes, list[Finding]]:
    found: dict[bytes, list[Finding]] = {}
    for among, parameters in connection.dialect.sets(keys, "bytea"):
        statement = by_key(connection.dialect, among)
        [bodies] = connection.execute(statement, [org, now, *parameters]).fetchone()
        for key, finding in sorted(_decoder.decode(bodies or "[]"), key=_by_provider):
            found.setdefault(bytes.fromhex(key), []).append(finding)
    return found


def _by_provider(found: tuple[str, Finding]) -> str:
    return found[1].provider


def _check_times(finding: Finding, until: datetime) -> None:
    report = finding.report or Report()
    for time in (until, finding.fetched_at, finding.again_at, report.first_seen, report.last_seen):
        if time is not None and time.tzinfo is None:
            raise InputError("a time of a finding has no zone")
