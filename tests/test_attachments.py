"""The complete list of a digest as a file: every row, the label first, nothing that a spreadsheet runs."""

import csv
import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.attachments import Attachment, attachments
from bot.feeds.csv_file import FORMULA
from bot.indicators import Indicator, Kind
from bot.subscriptions import Attach
from bot.tlp import Label
from tests.digesting import claim, digest_of, seen
from tests.hostile import storable

AMBER: dict[str, Any] = {"label": Label.AMBER, "addressed_to": frozenset({"trendmicro"})}


def only(*claims: Any, attach: Attach, **more: Any) -> Attachment:
    [file] = attachments(digest_of(*claims, attach=attach, **more))
    return file


def table(file: Attachment) -> list[list[str]]:
    return list(csv.reader(io.StringIO(file.content.decode(), newline="")))


def test_a_csv_file_begins_with_the_strictest_label_and_holds_every_claim() -> None:
    file = only(claim(2), claim(1, "igci", **AMBER), claim(1), attach=Attach.CSV)

    [label, header, *rows] = table(file)
    assert file.name == "digest-2026-11-23-0000.csv"
    assert label == ["TLP:AMBER"]
    assert header[:4] == ["label", "kind", "value", "source"]
    assert [row[:4] for row in rows] == [
        ["TLP:AMBER", "domain", "host1.example.org", "Cyber Fusion Centre"],
        ["TLP:GREEN", "domain", "host1.example.org", "Partner K"],
        ["TLP:GREEN", "domain", "host2.example.org", "Partner K"],
    ]


def test_a_bundle_holds_every_claim_under_its_marking() -> None:
    file = only(claim(1), claim(2, **AMBER), attach=Attach.STIX)

    bundle = json.loads(file.content)
    [first, *_] = bundle["objects"]
    names = {each["id"]: each["name"] for each in bundle["objects"] if each["type"] == "marking-definition"}
    marked = [
        (each["pattern"], [names[ref] for ref in each["object_marking_refs"]])
        for each in bundle["objects"]
        if each["type"] == "indicator"
    ]
    assert file.name == "digest-2026-11-23-0000.stix.json"
    assert first["name"] == "TLP:AMBER"
    assert marked == [
        ("[domain-name:value = 'host1.example.org']", ["TLP:GREEN"]),
        ("[domain-name:value = 'host2.example.org']", ["TLP:AMBER"]),
    ]


def test_a_source_stands_in_it_under_the_name_that_its_readers_know() -> None:
    file = only(claim(1), claim(2, "bureau"), claim(3, "trendmicro"), attach=Attach.CSV)

    assert [row[3] for row in table(file)[2:]] == ["Partner K", "a partner", "Trend Micro"]
    assert b"kaspersky" not in file.content.lower()


_claims = st.builds(
    claim,
    st.builds(Indicator, st.sampled_from(Kind), storable.filter(bool)),
    st.sampled_from(["igci", "kaspersky"]),
    family=st.none() | storable,
    context=st.none() | storable,
    tags=st.lists(storable, max_size=2).map(tuple),
)


@given(st.lists(_claims, min_size=1, max_size=8))
def test_no_cell_is_a_formula_and_no_row_is_lost(claims: list[Any]) -> None:
    rows = table(only(*claims, attach=Attach.CSV))

    assert len(rows) == 2 + len(seen(*claims).shown)
    assert not any(cell[:1] in FORMULA for row in rows for cell in row if cell)
    bundle = json.loads(only(*claims, attach=Attach.STIX).content)
    assert bundle["type"] == "bundle"


@given(st.lists(_claims, min_size=1, max_size=8), st.sampled_from(list(Attach)))
def test_no_file_is_much_longer_than_its_rows(claims: list[Any], form: Attach) -> None:
    digest = digest_of(*claims, attach=form)

    [file] = attachments(digest)

    beside = 3_000  # names of sources, markings, the head of the file
    assert len(file.content) <= 1.5 * sum(len(row) + 700 for row in digest.rows) + beside


@pytest.mark.parametrize("form", list(Attach))
def test_too_much_for_one_file_becomes_several_without_a_gap(
    form: Attach,
) -> None:
    claims = [claim(number, source) for number in range(60) for source in ("igci", "kaspersky")]

    files = list(attachments(digest_of(*claims, attach=form), most_bytes=20_000))

    assert len(files) > 1
    assert all(5_000 < len(file.content) <= 20_000 for file in files[:-1])
    assert files[0].name.startswith(f"digest-2026-11-23-0000-1-of-{len(files)}.")
    assert all(file.content.lstrip(b'"').startswith((b"TLP:GREEN", b'{"type')) for file in files)
    told = b"".join(file.content for file in files)
    assert all(told.count(f"host{number}.example.org".encode()) == 2 for number in range(60))


def test_nothing_makes_no_file() -> None:
    assert list(attachments(digest_of(attach=Attach.CSV))) == []
