"""Plain text and reports: what is found, once, and under which label."""

import time

import pytest

from bot.feeds import text
from bot.feeds.parsed import Defaults
from bot.tlp import Label
from tests.feeds.reading import one, refused, taken, values

REPORT = """= Example campaign

The loader (`{md5}`) talks to hxxps://c2[.]example[.]org/gate.php every hour.

|===
| 192.0.2[.]1 | first
| 192.0.2[.]1 | again
|===
""".format(md5="0123456789abcdef" * 2)


def test_a_report_is_read_once_for_each_indicator() -> None:
    assert values(taken(text.parse, REPORT)) == [
        ("md5", "0123456789abcdef" * 2),
        ("url", "https://c2.example.org/gate.php"),
        ("ipv4", "192.0.2.1"),
    ]


def test_the_line_it_stands_in_is_its_context() -> None:
    found = taken(text.parse, REPORT)
    assert found[1].context is not None
    assert found[1].context.endswith("every hour.")
    assert one(text.parse, "192.0.2.1\n").context is None


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_text_is_read_in_every_encoding(encoding: str) -> None:
    assert values(taken(text.parse, "señal: c2.example.org".encode(encoding))) == [
        ("domain", "c2.example.org")
    ]


def test_a_list_of_domains_keeps_those_that_look_like_files() -> None:
    listed = "c2.example.org\nintech.so\nhellochat.pl\nwww.example.net\nexample.com\n"
    assert [value for _, value in values(taken(text.parse, listed))] == [
        *("c2.example.org", "intech.so", "hellochat.pl", "www.example.net", "example.com")
    ]


def test_what_is_longer_than_one_scan_is_read_in_pieces() -> None:
    addresses = [f"10.{number // 65536}.{number // 256 % 256}.{number % 256}" for number in range(30_000)]
    for between in ("\n", " "):
        found = taken(text.parse, between.join(addresses))
        assert [assertion.indicator.value for assertion in found] == addresses


@pytest.mark.parametrize(
    ("line", "label"),
    [
        ("TLP:GREEN", Label.GREEN),
        ("**TLP: CLEAR**", Label.CLEAR),
        ("| TLP:AMBER+STRICT |", Label.AMBER_STRICT),
        ("TLP AMBER-STRICT", Label.AMBER_STRICT),
        ("# tlp:white", Label.CLEAR),
        ('"tlp": "red",', Label.RED),
        ("TLP:GREEN\nTLP:RED", Label.RED),
        ("TLP:CLEAR\nparts of this are TLP:GREEN, handle with care", Label.GREEN),
        ("ＴＬＰ：ＲＥＤ", Label.RED),
        # A remark lowers nothing, but it may raise.
        ("this is based on a TLP:CLEAR report", Label.AMBER),
        ("do not share, this is TLP:RED", Label.RED),
        # No marking at all.
        ("the TLP is described by FIRST", Label.AMBER),
        ("tlp", Label.AMBER),
        ("antlp:red", Label.AMBER),
        ("", Label.AMBER),
    ],
)
def test_the_marking_of_a_text_is_read(line: str, label: Label) -> None:
    assertion = one(text.parse, f"{line}\nc2.example.org\n")
    assert (assertion.label, assertion.quarantined) == (label, False)


@pytest.mark.parametrize("line", ["TLP:ORANGE", "tlp:ex:chr", "TLP: see the cover", "x TLP=purple y"])
def test_a_label_that_is_none_quarantines_the_text(line: str) -> None:
    assertion = one(text.parse, f"{line}\nTLP:CLEAR\nc2.example.org", Defaults("kaspersky", Label.CLEAR))
    assert (assertion.label, assertion.quarantined) == (Label.AMBER_STRICT, True)


@pytest.mark.parametrize(
    "token", ["tlp:red ", "tlp", "TLP::::: ", "tlp:red\n", "tlp:amber+", "tlp:amber strict "]
)
def test_looking_for_markings_takes_linear_time(token: str) -> None:
    began = time.process_time()
    text.marking_in(token * (1_000_000 // len(token)), Label.AMBER)
    assert time.process_time() - began < 4


def test_what_is_no_text_is_refused() -> None:
    (rejected,) = refused(text.parse, bytes(range(256)) * 20)
    assert (rejected.where, rejected.reason) == ("file", "not a text file")
