"""CSV of every dialect that vendors publish."""

from datetime import UTC, datetime

import pytest

from bot.feeds import csv_file
from bot.feeds.parsed import Defaults
from bot.tlp import Label, Pap
from tests.feeds.reading import one, refused, taken, values

MD5, SHA1, SHA256 = "0123456789abcdef" * 2, "01234567" * 5, "fedcba98" * 8


@pytest.mark.parametrize(
    ("table", "found"),
    [
        # Volexity: a typed column
        ('value,type,notes\n192.0.2.1,ipaddress,""\n', [("ipv4", "192.0.2.1")]),
        ("value,entity_type,description\nc2.example.org,hostname,x\n", [("domain", "c2.example.org")]),
        ("value,type\na@example.org,email-sender\n", [("email", "a@example.org")]),
        # abuse.ch: the header is a comment
        (f'# made up\n# "ioc_value","ioc_type"\n"{SHA256}","sha256_hash"\n', [("sha256", SHA256)]),
        ('# "ioc_value", "ioc_type"\n"192.0.2.1:443","ip:port"\n', [("ipv4", "192.0.2.1")]),
        ("# id,dateadded,url,threat\n1,2026-01-01,http://a.example/x,y\n", [("url", "http://a.example/x")]),
        # OTX
        (
            f"Indicator type,Indicator\nFileHash-MD5,{MD5}\nCVE,CVE-2024-3400\n",
            [("md5", MD5), ("cve", "CVE-2024-3400")],
        ),
        # a column for each kind
        (
            f"md5,sha1,domain\n{MD5},{SHA1},c2.example.org\n",
            [("md5", MD5), ("sha1", SHA1), ("domain", "c2.example.org")],
        ),
        # a value column without types, and no header at all
        ("indicator;comment\nc2[.]example[.]org;x\n", [("domain", "c2.example.org")]),
        ("c2.example.org,first\n192.0.2.1,second\n", [("domain", "c2.example.org"), ("ipv4", "192.0.2.1")]),
        ("c2.example.org\n192.0.2.1\n", [("domain", "c2.example.org"), ("ipv4", "192.0.2.1")]),
        # rows that hold type names are no header, and a title may name a host
        ("c2.example.org,domain\n192.0.2.1,ip\n", [("domain", "c2.example.org"), ("ipv4", "192.0.2.1")]),
        ("From www.example.net\nvalue,type\n192.0.2.1,ip\n", [("ipv4", "192.0.2.1")]),
        (
            "c2.example.org,x\nvalue,type\n192.0.2.1,ip\n",
            [("domain", "c2.example.org"), ("ipv4", "192.0.2.1")],
        ),
        # other separators
        ("value;type\n192.0.2.1;ip\n", [("ipv4", "192.0.2.1")]),
        ("value\ttype\n192.0.2.1\tip\n", [("ipv4", "192.0.2.1")]),
        ("value|type\n192.0.2.1|ip\n", [("ipv4", "192.0.2.1")]),
        # several in one cell
        (
            'value,type\n"192.0.2.1, 192.0.2.2\n192.0.2.3",ip\n',
            [("ipv4", "192.0.2.1"), ("ipv4", "192.0.2.2"), ("ipv4", "192.0.2.3")],
        ),
        (
            'value,type\n"http://a.example/1,2 http://b.example/",url\n',
            [("url", "http://a.example/1,2"), ("url", "http://b.example")],
        ),
        (f'value,type\n"SHA1: {SHA1}",hash\n', [("sha1", SHA1)]),
        # dirt
        ("value,type\n\u00a0192.0.2.1\u200b ,ip\n", [("ipv4", "192.0.2.1")]),
        (
            "value,type\n192.0.2.1,ip,more,cells\n\n,,\nc2.example.org\n",
            [("ipv4", "192.0.2.1"), ("domain", "c2.example.org")],
        ),
        ("Title of the table\n\nvalue,type\n192.0.2.1,ip\n", [("ipv4", "192.0.2.1")]),
        ("value,type\r\n192.0.2.1,ip\r\n", [("ipv4", "192.0.2.1")]),
        ("value,type\r192.0.2.1,ip\r", [("ipv4", "192.0.2.1")]),
    ],
)
def test_a_table_is_read(table: str, found: list[tuple[str, str]]) -> None:
    assert values(taken(csv_file.parse, table)) == found


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"]
)
def test_a_table_is_read_in_every_encoding(encoding: str) -> None:
    assertion = one(csv_file.parse, "value,type,notes\n192.0.2.1,ip,déjà vu\n".encode(encoding))
    assert (assertion.indicator.value, assertion.context) == ("192.0.2.1", "déjà vu")


def test_hashes_of_one_row_are_one_file() -> None:
    table = f'value,type\n"{MD5},{SHA1},{SHA256}",file\n"{MD5} {"d" * 32}",file\n'
    assert [assertion.file for assertion in taken(csv_file.parse, table)] == [
        *[f"sha256:{SHA256}"] * 3,
        *[None] * 2,
    ]


def test_a_row_is_read_with_all_it_says() -> None:
    table = (
        "value,type,tlp,pap,description,malware_family,first_seen,last_seen,confidence,tags,to_ids\n"
        "c2.example.org,domain,TLP:GREEN,PAP:AMBER,a remark,Exampler,"
        "2026-01-01,2026-01-02 03:04:05,80,a|b,no\n"
    )
    assertion = one(csv_file.parse, table)
    assert (assertion.label, assertion.pap, assertion.confidence) == (Label.GREEN, Pap.AMBER, 80)
    assert (assertion.context, assertion.family, assertion.tags) == ("a remark", "Exampler", ("a", "b"))
    assert assertion.first_seen == datetime(2026, 1, 1, tzinfo=UTC)
    assert assertion.last_seen == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert not assertion.to_ids


@pytest.mark.parametrize(
    ("table", "label", "quarantined"),
    [
        ("value,tlp\nc2.example.org,White\n", Label.CLEAR, False),
        ("value,tlp\nc2.example.org,\n", Label.AMBER, False),
        ("value,tlp\nc2.example.org,ORANGE\n", Label.AMBER_STRICT, True),
        ("TLP:RED\nvalue,tlp\nc2.example.org,GREEN\n", Label.RED, False),
        ("TLP:GREEN\nvalue\nc2.example.org\n", Label.GREEN, False),
        ("# TLP:GREEN\nvalue,type\nc2.example.org,domain\n", Label.GREEN, False),
        ("# this is not TLP:CLEAR\nvalue,type\nc2.example.org,domain\n", Label.AMBER, False),
        ("value,type\nc2.example.org,domain\nTLP:RED,\n", Label.RED, False),
        ("TLP:RED for readers of www.example.net\nvalue,type\nc2.example.org,domain\n", Label.RED, False),
        ("value,type,tags\nc2.example.org,domain,a|tlp:red\n", Label.RED, False),
        ("TLP:PURPLE\nvalue,type\nc2.example.org,domain\n", Label.AMBER_STRICT, True),
    ],
)
def test_the_strictest_label_of_row_and_heading_counts(table: str, label: Label, quarantined: bool) -> None:
    assertion = one(csv_file.parse, table)
    assert (assertion.label, assertion.quarantined) == (label, quarantined)


def test_unmarked_rows_take_the_default() -> None:
    assertion = one(csv_file.parse, "value\nc2.example.org\n", Defaults("trendmicro", Label.RED))
    assert (assertion.source, assertion.label) == ("trendmicro", Label.RED)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("nonsense,ip", "not an IPv4 address"),
        ("broken..example.org,hostname", "not a domain"),
        ("invoice.zip,filename", "the type filename is not kept"),
        ("c2.example.org,mutex", "the type mutex is not kept"),
        ("x" * 200_000 + ",ip", "field larger than field limit"),
    ],
)
def test_a_bad_row_is_named_by_its_number_and_the_rest_is_read(row: str, reason: str) -> None:
    table = f"value,type\n192.0.2.1,ip\n{row}\n192.0.2.2,ip\n"
    (rejected,) = refused(csv_file.parse, table)
    assert rejected.where == "row 3"
    assert reason in rejected.reason
    assert len(taken(csv_file.parse, table)) == 2


def test_the_apostrophe_that_stops_formulas_is_taken_off_again() -> None:
    assertion = one(csv_file.parse, 'value,type,notes\n"\'+a@example.org","email","\'=1+1"\n')
    assert (assertion.indicator.value, assertion.context) == ("+a@example.org", "=1+1")


def test_what_is_no_text_is_refused() -> None:
    (rejected,) = refused(csv_file.parse, bytes(range(256)) * 20)
    assert (rejected.where, rejected.reason) == ("file", "not a text file")
