"""Export: what one organisation may know, in an order and in ids that tell nothing else."""

import csv
import io
import json
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import exports
from bot.assertions import Assertion
from bot.export_formats import COLUMNS, harmless
from bot.exports import Format
from bot.feeds import csv_file, jsonl, stix
from bot.feeds.parsed import Defaults
from bot.indicators import Indicator, Kind
from bot.services import Store
from bot.sharing import Audience, Reach, World, clear
from bot.store import open_store
from bot.tlp import Label
from tests.feeds.reading import taken

WORLD = World(
    host="igci",
    now=datetime(2026, 6, 1, tzinfo=UTC),
    in_force=frozenset(("kaspersky", "trendmicro")),
    community=frozenset(("kaspersky", "trendmicro")),
    names={"igci": "Cyber Fusion Centre", "trendmicro": "Trend Micro", "kaspersky": "Kaspersky"},
)
MD5 = Indicator(Kind.MD5, "0123456789abcdef0123456789abcdef")
SHA1 = Indicator(Kind.SHA1, "89abcdef" * 5)
SHA256 = Indicator(Kind.SHA256, "0123456789abcdef" * 4)
SEEN = datetime(2026, 1, 2, 3, 4, 5, 678_000, tzinfo=UTC)

Open = Callable[[str], Any]


def claim(indicator: Indicator, **more: Any) -> Assertion:
    return Assertion(indicator=indicator, **{"source": "trendmicro", "label": Label.GREEN, **more})


def domain(value: str, **more: Any) -> Assertion:
    return claim(Indicator(Kind.DOMAIN, value), **more)


CLAIMS = [
    claim(
        SHA256, file="f1", family="Exampler", tags=("a", "b"), confidence=80, context="says \"x\", 'y'\n=1+1"
    ),
    claim(MD5, file="f1", first_seen=SEEN, last_seen=SEEN),
    claim(SHA1, file="f1", label=Label.AMBER_STRICT),
    domain("c2.example.org", label=Label.CLEAR, source="igci"),
    domain("c2.example.org", source="other"),
    domain("context.example.org", to_ids=False),
    domain("own.example.org", source="kaspersky", label=Label.AMBER, revoked=True),
    domain("secret.example.org", label=Label.AMBER),
    domain("mine.example.org", label=Label.AMBER, addressed_to=frozenset(("kaspersky",))),
    domain("red.example.org", label=Label.RED, persons=frozenset(("U0ANNA",))),
    claim(Indicator(Kind.URL, "https://c2.example.org/it's?a=\\b,2")),
    claim(Indicator(Kind.IPV4, "192.0.2.1")),
    claim(Indicator(Kind.IPV6, "2001:db8::1")),
    claim(Indicator(Kind.CIDR, "198.51.100.0/24")),
    claim(Indicator(Kind.EMAIL, "+a@example.org")),
    claim(Indicator(Kind.CVE, "CVE-2024-3400")),
    claim(Indicator(Kind.BTC, "1BoatSLRHtKNngkdXEeobR76b53LETtpyT")),
]
HIDDEN = ("secret.example.org", "red.example.org", SHA1.value, "trendmicro", "U0ANNA", "Trend Micro")


@pytest.fixture
async def opened(tmp_path: Path) -> AsyncIterator[Open]:
    stores: list[Store] = []

    async def open_one(name: str) -> Store:
        stores.append(await open_store(f"sqlite:///{tmp_path / name}"))
        return stores[-1]

    yield open_one
    for store in stores:
        await store.close()


async def exported(store: Store, into: Format, organisation: str = "kaspersky") -> bytes:
    written: list[bytes] = []
    await exports.run(store, organisation, WORLD, into=into, write=written.append)
    return b"".join(written)


async def filled(opened: Open, claims: list[Assertion] = CLAIMS, name: str = "store.db") -> Store:
    store: Store = await opened(name)
    await store.add(claims)
    return store


def visible(claims: list[Assertion]) -> set[tuple[object, ...]]:
    """What kaspersky may see, as facts without sources."""
    audience = Audience(reach=Reach.EXPORT, orgs=frozenset(("kaspersky",)))
    return {
        (
            *(one.indicator, one.label, one.first_seen, one.last_seen, one.confidence),
            *(one.family, one.tags, one.context, one.to_ids, one.revoked),
        )
        for one in clear(claims, audience, WORLD).shown
    }


@pytest.mark.parametrize("into", Format)
async def test_nothing_is_written_that_the_reader_may_not_know(into: Format, opened: Open) -> None:
    data = (await exported(await filled(opened), into)).decode()
    assert not [word for word in HIDDEN if word in data]
    assert "c2.example.org" in data
    assert "mine.example.org" in data


@pytest.mark.parametrize("into", Format)
async def test_hidden_claims_and_the_order_of_the_store_change_no_byte(into: Format, opened: Open) -> None:
    shown = visible(CLAIMS)
    indicators = {facts[0] for facts in shown}
    some = [one for one in reversed(CLAIMS) if one.indicator in indicators]
    full = await exported(await filled(opened), into)
    assert await exported(await filled(opened, some, "some.db"), into) == full


async def test_json_lines_come_back_as_the_same_facts(opened: Open) -> None:
    data = await exported(await filled(opened), Format.JSONL)
    back = taken(jsonl.parse, data, Defaults("kaspersky", Label.RED))
    # What is addressed to a reader is its own after the import.
    assert visible(back) == visible(CLAIMS)


async def test_each_line_begins_with_its_label(opened: Open) -> None:
    lines = (await exported(await filled(opened), Format.JSONL)).splitlines()
    assert len(lines) == len(visible(CLAIMS))
    for line in lines:
        assert line.startswith(b'{"label":"TLP:')
        assert set(json.loads(line)) <= set(jsonl.KEYS)


async def test_a_file_is_told_only_by_hashes_that_are_released_and_is_named_alike_each_time(
    opened: Open,
) -> None:
    store = await filled(opened)
    lines = [json.loads(line) for line in (await exported(store, Format.JSONL)).splitlines()]
    files = {line["value"]: line["file"] for line in lines if "file" in line}
    assert files == {MD5.value: f"sha256:{SHA256.value}", SHA256.value: f"sha256:{SHA256.value}"}
    alone = await filled(opened, [CLAIMS[1], CLAIMS[2]], "alone.db")
    assert b"file" not in await exported(alone, Format.JSONL)


async def test_csv_begins_with_the_strictest_label_and_quotes_everything(opened: Open) -> None:
    data = (await exported(await filled(opened), Format.CSV)).decode()
    assert data.startswith('"TLP:AMBER"\r\n"label","kind","value"')
    label, header, *rows = csv.reader(io.StringIO(data, newline=""))
    assert (label, tuple(header)) == (["TLP:AMBER"], COLUMNS)
    assert len(rows) == len(visible(CLAIMS))
    assert all(len(row) == len(COLUMNS) and row[0].startswith("TLP:") for row in rows)
    assert ["TLP:GREEN", "email", "'+a@example.org"] in [row[:3] for row in rows]
    assert '""x""' in data


async def test_csv_comes_back_as_the_same_indicators_under_no_weaker_label(opened: Open) -> None:
    data = await exported(await filled(opened), Format.CSV)
    back = taken(csv_file.parse, data, Defaults("kaspersky", Label.CLEAR))
    assert {one.indicator for one in back} == {facts[0] for facts in visible(CLAIMS)}
    assert {one.label for one in back} == {Label.AMBER}  # that of the whole file


@given(st.text(max_size=20))
def test_no_cell_is_a_formula(cell: str) -> None:
    assert harmless(cell)[:1] not in tuple("=+-@\t\r\n＝＋－＠")
    assert harmless(cell) in (cell, f"'{cell}")


async def test_stix_begins_with_its_strictest_marking_and_every_object_bears_one(opened: Open) -> None:
    bundle = json.loads(await exported(await filled(opened), Format.STIX))
    first, *rest = bundle["objects"]
    assert (first["type"], first["name"]) == ("marking-definition", "TLP:AMBER")
    known = {first["id"]}
    for thing in rest:
        assert thing["id"].startswith(thing["type"] + "--")
        if thing["type"] in ("marking-definition", "identity"):
            known.add(thing["id"])
        else:
            assert known.issuperset(thing["object_marking_refs"])
            assert thing.get("created_by_ref", first["id"]) in known
    ids = [thing["id"] for thing in bundle["objects"]]
    assert len(set(ids)) == len(ids)


async def test_stix_says_context_as_observed_objects_and_claims_as_indicators(opened: Open) -> None:
    bundle = json.loads(await exported(await filled(opened), Format.STIX))
    by_type: dict[str, list[dict[str, Any]]] = {}
    for thing in bundle["objects"]:
        by_type.setdefault(thing["type"], []).append(thing)
    (context,) = by_type["domain-name"]
    assert context["value"] == "context.example.org"
    (vulnerability,) = by_type["vulnerability"]
    assert vulnerability["name"] == "CVE-2024-3400"
    patterns = {thing["pattern"] for thing in by_type["indicator"]}
    assert "[url:value = 'https://c2.example.org/it\\'s?a=\\\\b,2']" in patterns
    assert "[ipv4-addr:value = '198.51.100.0/24']" in patterns
    (revoked,) = [thing for thing in by_type["indicator"] if thing.get("revoked")]
    assert "own.example.org" in revoked["pattern"]


async def test_stix_comes_back_as_the_same_claims(opened: Open) -> None:
    data = await exported(await filled(opened), Format.STIX)
    back = taken(stix.parse, data, Defaults("kaspersky", Label.RED))
    key = {(one.indicator, one.label) for one in back}
    assert key == {(facts[0], facts[1]) for facts in visible(CLAIMS)}
    (family,) = [one for one in back if one.family]
    assert (family.indicator, family.family, family.tags) == (SHA256, "Exampler", ("a", "b"))
    assert family.confidence == 80


async def test_the_ids_of_stix_objects_are_the_same_in_every_export(opened: Open) -> None:
    one = json.loads(await exported(await filled(opened), Format.STIX))
    fewer = json.loads(await exported(await filled(opened, CLAIMS[9:], "fewer.db"), Format.STIX))
    ids = {thing["id"]: thing for thing in one["objects"]}
    assert all(ids[thing["id"]] == thing for thing in fewer["objects"])


async def test_an_empty_export_still_bears_a_label(opened: Open) -> None:
    store = await filled(opened, [])
    assert (await exported(store, Format.CSV)).startswith(b'"TLP:CLEAR"\r\n')
    assert json.loads(await exported(store, Format.STIX))["objects"][0]["name"] == "TLP:CLEAR"
    assert await exported(store, Format.JSONL) == b""


async def test_an_organisation_whose_agreement_lapsed_gets_clear_only(opened: Open) -> None:
    data = await exported(await filled(opened), Format.JSONL, "lapsed")
    assert {json.loads(line)["label"] for line in data.splitlines()} == {"TLP:CLEAR"}
