"""The formats of `liaison export`: rows as JSON lines, CSV and STIX 2.1. Pure and deterministic."""

import csv
import io
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import groupby
from typing import Any
from uuid import UUID, uuid5

import msgspec

from bot.feeds.csv_file import FORMULA
from bot.feeds.stix import FAMILY_LABEL
from bot.indicators import Kind
from bot.sharing import Shown
from bot.tlp import Label


class Row(msgspec.Struct, frozen=True, omit_defaults=True):
    """One released claim in plain values, the label first, as a line of JSON holds it."""

    label: str
    kind: Kind
    value: str
    first_seen: datetime | None = None
    last_seen: datetime | None = None
    confidence: int | None = None
    family: str | None = None
    tags: tuple[str, ...] = ()
    context: str | None = None
    to_ids: bool = True
    revoked: bool = False
    file: str | None = None


class Sourced(msgspec.Struct, frozen=True):
    """A row with its source under the name that the reader may know."""

    row: Row
    source: str


def row(shown: Shown) -> Row:
    """The row of one released claim, without its file, which only the whole export knows."""
    return Row(
        label=str(shown.label),
        kind=shown.indicator.kind,
        value=shown.indicator.value,
        first_seen=shown.first_seen,
        last_seen=shown.last_seen,
        confidence=shown.confidence,
        family=shown.family,
        tags=shown.tags,
        context=shown.context,
        to_ids=shown.to_ids,
        revoked=shown.revoked,
    )


def as_jsonl(label: Label, rows: Iterable[Sourced]) -> Iterator[bytes]:
    """Lines that `liaison import` takes back."""
    for sourced in rows:
        yield msgspec.json.encode(sourced.row) + b"\n"


COLUMNS = (
    *("label", "kind", "value", "source", "first_seen", "last_seen", "confidence"),
    *("family", "tags", "context", "to_ids", "revoked"),
)


def as_csv(label: Label, rows: Iterable[Sourced]) -> Iterator[bytes]:
    """The label in the first row, then a header; every cell is quoted and none is a formula."""
    yield csv_line([str(label)])
    yield csv_line(COLUMNS)
    for sourced in rows:
        one = sourced.row
        yield csv_line(
            [
                *(one.label, one.kind, one.value, sourced.source),
                *(_time(one.first_seen), _time(one.last_seen)),
                "" if one.confidence is None else str(one.confidence),
                *(one.family or "", "|".join(one.tags), one.context or ""),
                *("true" if flag else "false" for flag in (one.to_ids, one.revoked)),
            ]
        )


def harmless(cell: str) -> str:
    """A cell that no spreadsheet runs: https://owasp.org/www-community/attacks/CSV_Injection."""
    return f"'{cell}" if cell[:1] and cell[0] in FORMULA else cell


def csv_line(cells: Iterable[str]) -> bytes:
    """One line of CSV: quoted, harmless, ended as RFC 4180 wants it."""
    line = io.StringIO()
    csv.writer(line, quoting=csv.QUOTE_ALL, lineterminator="\r\n").writerow(map(harmless, cells))
    return line.getvalue().encode()


# Our own names for things that have no id elsewhere; the same thing has the same id in every export.
_OURS = UUID("6f0d0d5c-7e0b-5c5e-9a5f-3d6b1c6f2a10")
# https://docs.oasis-open.org/cti/stix/v2.1/os/stix-v2.1-os.html#_64yvzeku5a5c, for observable objects
_OBSERVABLE = UUID("00abedb4-aa42-466c-9c01-fed23315a9b7")
_TLP_2 = "extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d"
_MARKINGS = {
    Label.CLEAR: "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487",
    Label.GREEN: "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb",
    Label.AMBER: "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421",
    Label.AMBER_STRICT: "marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003",
    Label.RED: "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1",
}
_BY_NAME = {str(label): label for label in Label}
_ALGORITHMS = {
    Kind.MD5: "MD5",
    Kind.SHA1: "SHA-1",
    Kind.SHA224: "SHA-224",
    Kind.SHA256: "SHA-256",
    Kind.SHA384: "SHA-384",
    Kind.SHA512: "SHA-512",
}
_TYPES = {
    Kind.IPV4: "ipv4-addr",
    Kind.IPV6: "ipv6-addr",
    Kind.DOMAIN: "domain-name",
    Kind.URL: "url",
    Kind.EMAIL: "email-addr",
    Kind.BTC: "cryptocurrency-wallet",  # OpenCTI's; STIX has none
}
_UNDATED = datetime(2020, 1, 1, tzinfo=UTC)  # STIX wants a date on everything, and the same one next time


def as_stix(label: Label, rows: Iterable[Sourced]) -> Iterator[bytes]:
    """A STIX 2.1 bundle: what condemns as indicators, what is context as observable objects.

    It begins with the markings, the strictest first. Definitions and identities stand before their first use.
    """
    head = {"type": "bundle", "id": f"bundle--{uuid5(_OURS, f'bundle {label}')}"}
    yield json.dumps(head)[:-1].encode() + b', "objects": [\n'
    yield _json(_definition(label))
    written = {_MARKINGS[label]}
    for _, claims in groupby(rows, key=lambda sourced: (sourced.row.kind, sourced.row.value)):
        for thing in _objects(tuple(claims)):
            if thing["id"] not in written:
                yield b",\n" + _json(thing)
                if thing["type"] in ("marking-definition", "identity"):
                    written.add(thing["id"])
    yield b"\n]}\n"


def _objects(claims: Sequence[Sourced]) -> Iterator[dict[str, Any]]:
    """Everything that several claims about one value become, and what they refer to."""
    for label in sorted({_BY_NAME[claim.row.label] for claim in claims}, reverse=True):
        yield _definition(label)
    told = [claim for claim in claims if claim.row.to_ids or claim.row.kind is Kind.CVE]
    names: Counter[str] = Counter()
    for claim in told:
        identity = _identity(claim.source)
        yield identity
        # Several sources may hide behind one name; their claims must not share an id.
        name = f"{claim.source} {claim.row.kind} {claim.row.value} {names[claim.source] or ''}".rstrip()
        names[claim.source] += 1
        yield _claim(claim.row, name, identity["id"])
    context = [claim.row for claim in claims if claim not in told]
    if context:
        yield _observable(max(context, key=lambda one: _BY_NAME[one.label]))


def _claim(one: Row, name: str, identity: str) -> dict[str, Any]:
    if one.kind is Kind.CVE:
        reference = {"source_name": "cve", "external_id": one.value}
        common = _common("vulnerability", one, name, identity)
        return {**common, "name": one.value, "external_references": [reference]}
    return {
        **_common("indicator", one, name, identity),
        "pattern": _pattern(one.kind, one.value),
        "pattern_type": "stix",
        "valid_from": stamp(_created(one)),
    }


def _observable(one: Row) -> dict[str, Any]:
    """Facts about it have no place in an observable object; only the value and its marking are told."""
    kind, content = _observed(one.kind, one.value)
    digest = uuid5(
        _OBSERVABLE, json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    )
    return {
        "type": kind,
        "spec_version": "2.1",
        "id": f"{kind}--{digest}",
        "object_marking_refs": [_MARKINGS[_BY_NAME[one.label]]],
        **content,
    }


def _observed(kind: Kind, value: str) -> tuple[str, dict[str, Any]]:
    if kind in _ALGORITHMS:
        return "file", {"hashes": {_ALGORITHMS[kind]: value}}
    return _stix_type(kind, value), {"value": value}


def _common(kind: str, one: Row, name: str, identity: str) -> dict[str, Any]:
    labels = [*((f"{FAMILY_LABEL}{one.family}",) if one.family else ()), *one.tags]
    optional = {
        "description": one.context,
        "labels": labels or None,
        "confidence": one.confidence,
        "revoked": one.revoked or None,
    }
    return {
        "type": kind,
        "spec_version": "2.1",
        "id": f"{kind}--{uuid5(_OURS, name)}",
        "created_by_ref": identity,
        "created": stamp(_created(one)),
        "modified": stamp(max(_created(one), one.last_seen or _created(one))),
        "object_marking_refs": [_MARKINGS[_BY_NAME[one.label]]],
        **{key: held for key, held in optional.items() if held is not None},
    }


def _created(one: Row) -> datetime:
    return one.first_seen or one.last_seen or _UNDATED


def _pattern(kind: Kind, value: str) -> str:
    path = f"file:hashes.'{_ALGORITHMS[kind]}'" if kind in _ALGORITHMS else f"{_stix_type(kind, value)}:value"
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"[{path} = '{escaped}']"


def _stix_type(kind: Kind, value: str) -> str:
    if kind is Kind.CIDR:
        return "ipv6-addr" if ":" in value else "ipv4-addr"
    return _TYPES[kind]


def _identity(source: str) -> dict[str, Any]:
    created = stamp(_UNDATED)
    return {
        "type": "identity",
        "spec_version": "2.1",
        "id": f"identity--{uuid5(_OURS, f'identity {source}')}",
        "created": created,
        "modified": created,
        "name": source,
        "identity_class": "organization",
    }


def _definition(label: Label) -> dict[str, Any]:
    word = str(label).removeprefix("TLP:").lower()
    return {
        "type": "marking-definition",
        "spec_version": "2.1",
        "id": _MARKINGS[label],
        "created": "2022-10-01T00:00:00.000Z",
        "name": str(label),
        "extensions": {_TLP_2: {"extension_type": "property-extension", "tlp_2_0": word}},
    }


def _json(thing: dict[str, Any]) -> bytes:
    return json.dumps(thing, ensure_ascii=False).encode()


def stamp(time: datetime) -> str:
    """ISO 8601 UTC with milliseconds."""
    return f"{time:%Y-%m-%dT%H:%M:%S}.{time.microsecond // 1000:03d}Z"


def _time(time: datetime | None) -> str:
    return "" if time is None else stamp(time)
