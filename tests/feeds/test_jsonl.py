"""Liaison's own JSON lines: every field, every refusal, and no second label in one line."""

import io
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.assertions import Assertion
from bot.feeds import jsonl
from bot.feeds.jsonl import MAX_LINE
from bot.feeds.parsed import Defaults, Rejected
from bot.indicators import Indicator, Kind
from bot.tlp import Label, Pap
from tests.feeds.reading import DEFAULTS, one, refused, taken

KEYS = (
    "kind value label addressed_to only_orgs never_to persons pap not_before not_after first_seen last_seen"
    " confidence family tags context revoked to_ids quarantined file"
)


def line(**more: Any) -> dict[str, Any]:
    return {"kind": "domain", "value": "c2.example.org", **more}


def test_the_keys_are_those_of_the_format() -> None:
    assert set(jsonl.KEYS) == set(KEYS.split())


def test_every_field_of_an_assertion_can_be_given() -> None:
    assertion = one(
        jsonl.parse,
        line(
            label="TLP:RED",
            addressed_to=["trendmicro"],
            only_orgs=["trendmicro", "kaspersky"],
            never_to=["virustotal"],
            persons=["U0ANNA"],
            pap="PAP:RED",
            not_before="2026-01-01T00:00:00Z",
            not_after="2027-01-01T02:00:00+02:00",
            first_seen="2025-12-01T00:00:00.5Z",
            last_seen="2025-12-02T00:00:00Z",
            confidence=90,
            family="Exampler",
            tags=["a", "b"],
            context="a remark",
            revoked=True,
            to_ids=False,
            quarantined=True,
            file="sha256:1",
        ),
    )
    assert assertion == Assertion(
        indicator=Indicator(Kind.DOMAIN, "c2.example.org"),
        source="kaspersky",
        label=Label.RED,
        addressed_to=frozenset(("trendmicro",)),
        only_orgs=frozenset(("trendmicro", "kaspersky")),
        never_to=frozenset(("virustotal",)),
        persons=frozenset(("U0ANNA",)),
        pap=Pap.RED,
        not_before=datetime(2026, 1, 1, tzinfo=UTC),
        not_after=datetime(2027, 1, 1, tzinfo=UTC),
        first_seen=datetime(2025, 12, 1, 0, 0, 0, 500_000, tzinfo=UTC),
        last_seen=datetime(2025, 12, 2, tzinfo=UTC),
        confidence=90,
        family="Exampler",
        tags=("a", "b"),
        context="a remark",
        revoked=True,
        to_ids=False,
        quarantined=True,
        file="sha256:1",
    )


def test_null_and_absent_are_the_same() -> None:
    empty = dict.fromkeys(KEYS.split()[2:])
    assert one(jsonl.parse, line(**empty)) == one(jsonl.parse, line())
    assert one(jsonl.parse, line()).label is DEFAULTS.label


def test_an_empty_sharing_group_is_not_the_same_as_none() -> None:
    assert one(jsonl.parse, line(only_orgs=[])).only_orgs == frozenset()


def test_a_label_that_cannot_be_read_quarantines() -> None:
    assertion = one(jsonl.parse, line(label="TLP:ORANGE"), Defaults("kaspersky", Label.CLEAR))
    assert (assertion.label, assertion.quarantined) == (Label.AMBER_STRICT, True)


def test_a_marking_among_the_tags_counts_too() -> None:
    assert one(jsonl.parse, line(label="TLP:GREEN", tags=["x", "tlp:red"])).label is Label.RED
    assert one(jsonl.parse, line(label="TLP:GREEN", tags=["TLP:EX:CHR"])).quarantined
    assert one(jsonl.parse, line(label="TLP:GREEN", tags=["PAP:RED", "trojan"])).pap is Pap.RED


@pytest.mark.parametrize(
    "first", ['"label":"TLP:RED"', '"label" : "TLP:RED"', '"label"\t:"TLP:RED"', '"l\\u0061bel":"TLP:RED"']
)
@pytest.mark.parametrize(
    "second", ['"label":"TLP:CLEAR"', '"label" :"TLP:CLEAR"', '"la\\u0062el":"TLP:CLEAR"']
)
@pytest.mark.parametrize("more", ["", ',"context":"say \\"x\\": y"', ',"tags":["a\\":b"]', ',"family" : "x"'])
def test_of_two_labels_in_one_line_neither_is_believed(first: str, second: str, more: str) -> None:
    (rejected,) = refused(jsonl.parse, f'{{"kind":"ipv4","value":"192.0.2.1",{first},{second}{more}}}')
    assert rejected == Rejected("line 1", "a key stands twice in one object")


@pytest.mark.parametrize("context", ['say "x": y', 'a":b', '" :', "\\", '\\":', "{[", "é\u202e"])
def test_text_that_looks_like_keys_is_read(context: str) -> None:
    assert one(jsonl.parse, line(context=context)).context == context.replace("\u202e", "")


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (line(source="trendmicro"), "unknown field `source`"),
        (line(seq=1), "unknown field `seq`"),
        ({"kind": "domain"}, "missing required field `value`"),
        ({"kind": "mutex", "value": "x"}, "Invalid enum value 'mutex'"),
        (line(value="nonsense"), "not a domain"),
        (line(value="c2[.]example[.]org"), "not a domain"),
        (line(confidence=101), "<= 100"),
        (line(confidence="80"), "got `str`"),
        (line(first_seen="2026-01-01"), "Invalid RFC3339"),
        (line(first_seen="2026-01-01T00:00:00"), "timezone"),
        (line(first_seen="0001-01-01T00:00:00+14:00"), "out of range"),
        (line(only_orgs="kaspersky"), "got `str`"),
        (line(addressed_to=[""]), "matching regex"),
        (line(persons=["U0ANNA\x00"]), "matching regex"),
        (line(file="a\x00"), "matching regex"),
        (line(revoked="no"), "got `str`"),
        (line(label=5), "got `int`"),
        ("{", "truncated"),
        ("nonsense", "malformed"),
        ('{"kind": "domain", "value": "c2.example.org", "confidence": NaN}', "malformed"),
        (
            '{"kind": "domain", "value": "c2.example.org", "confidence": 1' + "0" * 10_000 + "}",
            "out of range",
        ),
        ('{"tags": ' + "[" * 100_000, "got `array`"),
        ("[" * 100_000, "got `array`"),
        ('{"x": ' + '{"x": ' * 100_000, "unknown field `x`"),
        (b'{"kind": "domain", "value": "c2.example.org", "context": "\xff"}', "decode"),
        ('{"kind": "domain", "value": "c2.example.org", "context": "\\ud800"}', "truncated"),
        ('{"kind": "domain", "value": "' + "x" * MAX_LINE + '"}', "longer than 1,000,000 bytes"),
        (b"\x00" * 5_000_000, "longer than 1,000,000 bytes"),
    ],
)
def test_a_bad_line_is_named_by_its_number_and_the_rest_is_read(bad: Any, reason: str) -> None:
    good = json.dumps(line()).encode()
    middle = bad if isinstance(bad, bytes) else (bad if isinstance(bad, str) else json.dumps(bad)).encode()
    document = b"\n".join((good, middle, good))
    (rejected,) = refused(jsonl.parse, document)
    assert rejected.where == "line 2"
    assert reason in rejected.reason
    assert len(taken(jsonl.parse, document)) == 2


def test_texts_are_cleaned_and_cut() -> None:
    assertion = one(
        jsonl.parse,
        line(
            context="a\x00b\x1b[31m" + "x" * 5_000,
            family="  a \n family ",
            tags=["t" * 500, "\x00", *map(str, range(100))],
        ),
    )
    assert assertion.context == "ab[31m" + "x" * 1_994
    assert assertion.family == "a family"
    assert assertion.tags[0] == "t" * 120
    assert len(assertion.tags) == 32


def test_short_plain_lines_keep_the_limits_too() -> None:
    assert len(one(jsonl.parse, line(tags=list("abcdefghij") * 5)).tags) <= 32
    assert len(one(jsonl.parse, line(family="f" * 500)).family or "") == 120
    assert one(jsonl.parse, line(tags=["t" * 500])).tags == ("t" * 120,)
    assert one(jsonl.parse, '{"kind":"ipv4","value":"192.0.2.1","context":"a\x7fb"}').context == "ab"


def test_byte_order_mark_empty_lines_and_windows_line_ends_are_taken() -> None:
    document = b"\xef\xbb\xbf" + json.dumps(line()).encode() + b"\r\n\r\n  \n" + json.dumps(line()).encode()
    assert len(taken(jsonl.parse, document)) == 2
    assert refused(jsonl.parse, document) == []


def test_lines_are_read_however_the_file_comes_in() -> None:
    class Drops(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            return super().read(7)

    document = "\n".join(json.dumps(line(value=f"h{number}.example.org")) for number in range(50))
    found = jsonl.parse_stream(Drops(document.encode()), DEFAULTS)
    assert [item.indicator.value for item in found if isinstance(item, Assertion)] == [
        f"h{number}.example.org" for number in range(50)
    ]
