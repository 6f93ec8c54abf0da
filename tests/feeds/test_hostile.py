"""Whatever comes in, every parser ends in assertions or in refusals with place and reason."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.assertions import Assertion
from bot.errors import InputError
from bot.feeds import csv_file, jsonl, misp, sniffing, stix, text
from bot.feeds.parsed import Defaults, Rejected
from bot.tlp import Label
from tests.feeds.reading import DEFAULTS, Parser, taken

PARSERS: dict[str, Parser] = {
    "stix": stix.parse,
    "misp": misp.parse,
    "csv": csv_file.parse,
    "text": text.parse,
    "jsonl": jsonl.parse,
}
each_parser = pytest.mark.parametrize("parse", PARSERS.values(), ids=PARSERS)

STIX = (
    '{"type": "bundle", "objects": [{"type": "indicator", "id": "indicator--1",'
    ' "pattern": "[domain-name:value = \'c2.example.org\']", "labels": ["x"]}]}'
)
MISP = '{"Event": {"info": "x", "Tag": [{"name": "tlp:red"}], "Attribute": [{"type": "md5", "value": "x"}]}}'
LINE = '{"kind": "domain", "value": "c2.example.org", "label": "TLP:RED"}'
TABLE = "value,type,tlp\nc2.example.org,domain,RED\n"

HOSTILE = {
    "nothing": b"",
    "blanks": b" \n\t\r\n",
    "zeros": bytes(100_000),
    "every byte": bytes(range(256)) * 100,
    "arrays": b"[" * 100_000,
    "objects": b'{"objects":' * 50_000,
    "attributes": b'{"Event":{"Attribute":[' * 30_000,
    "strings": b'"' * 100_000,
    "escapes": b'{"objects":["' + b"\\" * 100_001,
    "surrogates": STIX.replace("c2", "\\ud800").encode(),
    "nul": STIX.replace("c2", "\\u0000").encode(),
    "raw nul": STIX.replace("c2", "\x00").encode(),
    "NaN": STIX.replace('["x"]', "NaN").encode(),
    "huge number": STIX.replace('["x"]', "9" * 100_000).encode(),
    "twice": STIX.replace('"labels"', '"type"').encode(),
    "no list": b'{"objects": 5, "Event": 5}',
    "null": b"null",
    "quotes": b'a,"b' * 20_000,
    "commas": b"," * 100_000,
    "newlines": b"\n" * 100_000,
    "one line": b"c2.example.org " * 10_000,
    "half utf-16": "value,type\n".encode("utf-16")[:-1],
    "wrong utf-16": b"\xff\xfe\x00\xd8\x00",
    "utf-7": b"+AHs-value",
    "tlp": b"tlp:" * 50_000,
}


def read(parse: Parser, data: bytes) -> list[Assertion | Rejected]:
    """Everything a parser says, checked for what every reader of it relies on."""
    items = list(parse(data, DEFAULTS))
    for item in items:
        if isinstance(item, Rejected):
            assert item.where
            assert item.reason
            assert item.reason.isprintable()
        else:
            assert item.source == DEFAULTS.source
            assert item.indicator.value
            json.dumps([item.context, item.family, *item.tags], ensure_ascii=False).encode()
            assert "\x00" not in f"{item.context}{item.family}{item.tags}"
    return items


@each_parser
@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE)
def test_hostile_input_is_refused_or_cleaned(parse: Parser, data: bytes) -> None:
    read(parse, data)


@each_parser
@pytest.mark.parametrize("document", [STIX, MISP, LINE, TABLE], ids=["stix", "misp", "line", "table"])
def test_a_file_cut_off_anywhere_is_refused_or_keeps_its_marking(parse: Parser, document: str) -> None:
    for end in range(0, len(document), 3):
        for item in read(parse, document[:end].encode()):
            assert isinstance(item, Rejected) or item.label >= DEFAULTS.label


KEYS = (
    *("type", "id", "objects", "pattern", "labels", "object_marking_refs", "granular_markings", "hashes"),
    *("value", "name", "kind", "definition", "definition_type", "extensions", "external_references"),
    *("object_refs", "source_ref", "target_ref", "Event", "Attribute", "Object", "Tag", "Galaxy"),
    *("GalaxyCluster", "response", "info", "distribution", "comment", "label"),
)
json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
    | st.sampled_from(["tlp:red", "indicator", "domain", "c2.example.org", "[url:value = 'x.example/a']"]),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(
        st.sampled_from(KEYS),
        inner,
        max_size=6,
    ),
    max_leaves=25,
)  # fmt: skip


@each_parser
@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(parse: Parser, data: bytes) -> None:
    read(parse, data)


@each_parser
@given(st.text(alphabet="{}[]\",:\\tlp ukTLP:;\n\r|#'=@.eExample/1902\u202eé\ud800", max_size=200))
def test_any_text_is_read_or_refused(parse: Parser, data: str) -> None:
    read(parse, data.encode("utf-8", "surrogatepass"))


@each_parser
@given(json_values)
def test_any_json_is_read_or_refused(parse: Parser, value: Any) -> None:
    read(parse, json.dumps(value).encode())


@given(json_values)
def test_any_object_in_a_bundle_is_read_or_refused(value: Any) -> None:
    read(
        stix.parse,
        json.dumps({"objects": [value, {"type": "indicator", "id": "i", "pattern": value}]}).encode(),
    )


@given(json_values, json_values)
def test_any_event_is_read_or_refused(value: Any, tags: Any) -> None:
    attribute = {"type": "domain", "value": "c2.example.org", "Tag": value, "comment": tags}
    event = {
        "info": value,
        "Tag": tags,
        "Attribute": [attribute, value],
        "Object": [value, {"Attribute": tags}],
    }
    read(misp.parse, json.dumps({"Event": event}).encode())


@pytest.mark.parametrize("default", Label)
@pytest.mark.parametrize(
    ("found", "label", "quarantined"),
    [
        ("TLP:RED", Label.RED, False),
        ("tlp:amber+strict", Label.AMBER_STRICT, False),
        ("TLP:CLEAR", Label.CLEAR, False),
        ("tlp:x", Label.AMBER_STRICT, True),
    ],
)
def test_every_format_reads_the_same_label_alike(
    default: Label, found: str, label: Label, quarantined: bool
) -> None:
    event = {
        "info": "x",
        "Tag": [{"name": found}],
        "Attribute": [{"type": "domain", "value": "c2.example.org"}],
    }
    indicator = {
        "type": "indicator",
        "id": "indicator--1",
        "pattern": "[domain-name:value = 'c2.example.org']",
    }
    documents: dict[Parser, str] = {
        stix.parse: json.dumps({"objects": [{**indicator, "labels": [found]}]}),
        misp.parse: json.dumps({"Event": event}),
        jsonl.parse: json.dumps({"kind": "domain", "value": "c2.example.org", "label": found}),
        csv_file.parse: f"value,tlp\nc2.example.org,{found}\n",
        text.parse: f"{found}\n\nc2.example.org\n",
    }
    for parse, document in documents.items():
        (item,) = taken(parse, document, Defaults("kaspersky", default))
        assert item.label is (max(label, default) if quarantined else label)
        assert item.quarantined is quarantined


@given(st.binary(max_size=200) | json_values.map(lambda value: json.dumps(value).encode()))
def test_sniffing_names_a_format_or_says_what_to_do(data: bytes) -> None:
    sniffing.has_lines("x", data)
    with suppress(InputError):
        assert sniffing.sniff("x", data) in sniffing.Format
