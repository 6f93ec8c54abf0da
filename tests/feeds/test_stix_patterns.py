"""STIX patterns: exact values only, and never one that a pattern says must not be there."""

import time
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import InputError
from bot.feeds.stix_patterns import Named, read
from bot.indicators import Kind


def named(pattern: str) -> list[tuple[str, bool]]:
    return [(one.value, one.alone) for one in read(pattern)]


@pytest.mark.parametrize(
    ("pattern", "kind", "value"),
    [
        ("[domain-name:value='c2.example.org']", Kind.DOMAIN, "c2.example.org"),
        ("  [ ipv4-addr:value = '192.0.2.1' ]  ", Kind.IPV4, "192.0.2.1"),
        ("[ipv6-addr:value = '2001:db8::1']", Kind.IPV6, "2001:db8::1"),
        ("[url:value == 'https://example.org/a']", Kind.URL, "https://example.org/a"),
        (r"[url:value = 'https://example.org/it\'s\\here']", Kind.URL, r"https://example.org/it's\here"),
        ("[email-addr:value = 'a@example.org']", Kind.EMAIL, "a@example.org"),
        ("[email-message:from_ref.value = 'a@example.org']", Kind.EMAIL, "a@example.org"),
        ("[email-message:to_refs[*].value = 'a@example.org']", Kind.EMAIL, "a@example.org"),
        ("[file:hashes.'SHA-256' = 'aa']", Kind.SHA256, "aa"),
        ("[file:hashes.\"SHA-256\" = 'aa']", Kind.SHA256, "aa"),
        ("[file:hashes.SHA256='aa']", Kind.SHA256, "aa"),
        ("[file:hashes.md5 = 'aa']", Kind.SHA256, "aa"),
        ("[artifact:hashes.'SHA-1' = 'aa']", Kind.SHA256, "aa"),
        ("[process:image_ref.hashes.MD5 = 'aa']", Kind.SHA256, "aa"),
        ("[network-traffic:dst_ref.value = '192.0.2.1']", Kind.IPV4, "192.0.2.1"),
        ("[ipv4-addr:value ISSUBSET '198.51.100.0/24']", Kind.CIDR, "198.51.100.0/24"),
        ("[domain-name:value = 'a.example'] WITHIN 300 SECONDS", Kind.DOMAIN, "a.example"),
        ("[domain-name:value = 'a.example'] REPEATS 5 TIMES", Kind.DOMAIN, "a.example"),
        (
            "[domain-name:value = 'a.example'] START t'2026-01-01T00:00Z' STOP t'2026'",
            Kind.DOMAIN,
            "a.example",
        ),
        ("(([domain-name:value = 'a.example']))", Kind.DOMAIN, "a.example"),
        ("[(domain-name:value = 'a.example')]", Kind.DOMAIN, "a.example"),
    ],
)
def test_a_comparison_names_its_value(pattern: str, kind: Kind, value: str) -> None:
    assert read(pattern) == [Named(kind, value)]


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        # Each alternative stands alone.
        ("[url:value = 'u' OR domain-name:value = 'd']", [("u", True), ("d", True)]),
        ("[url:value = 'u'] OR [domain-name:value = 'd']", [("u", True), ("d", True)]),
        ("[ipv4-addr:value IN ('192.0.2.1', '192.0.2.2')]", [("192.0.2.1", True), ("192.0.2.2", True)]),
        # What belongs to one object condemns as a whole.
        (
            "[network-traffic:dst_ref.type = 'ipv4-addr' AND network-traffic:dst_ref.value = '192.0.2.1']",
            [("192.0.2.1", True)],
        ),
        ("[ipv4-addr:value = '192.0.2.1' AND network-traffic:dst_port = 443]", [("192.0.2.1", True)]),
        (
            "[domain-name:value = 'd' AND domain-name:resolves_to_refs[*].value = '192.0.2.1']",
            [("d", True), ("192.0.2.1", True)],
        ),
        ("[file:hashes.MD5 = 'm' AND file:name = 'n']", [("m", True)]),
        ("[file:hashes.MD5 = 'm' AND file:name LIKE 'n%']", [("m", True)]),
        # Different things that must be met together are context, each on its own.
        ("[file:hashes.MD5 = 'm' AND url:value = 'u']", [("m", False), ("u", False)]),
        ("[url:value = 'u'] AND [domain-name:value = 'd']", [("u", False), ("d", False)]),
        ("[url:value = 'u'] FOLLOWEDBY [domain-name:value = 'd']", [("u", False), ("d", False)]),
        (
            "[(url:value = 'u' OR url:value = 'v') AND domain-name:value = 'd']",
            [("u", False), ("v", False), ("d", False)],
        ),
        # What has no exact value is passed over.
        ("[url:value LIKE '%.example' OR domain-name:value = 'd']", [("d", True)]),
        ("[EXISTS file:name AND file:hashes.MD5 = 'm']", [("m", True)]),
    ],
)
def test_values_condemn_alone_or_only_together(pattern: str, found: list[tuple[str, bool]]) -> None:
    assert named(pattern) == found


@pytest.mark.parametrize(
    ("pattern", "files"),
    [
        ("[file:hashes.MD5 = 'm' AND file:hashes.'SHA-256' = 's' AND file:name = 'n']", [0, 0]),
        ("[file:hashes.MD5 = 'm' OR file:hashes.'SHA-256' = 's']", [None, None]),
        ("[file:hashes.MD5 = 'm'] OR [file:hashes.MD5 = 'a' AND file:hashes.SHA1 = 'b']", [None, 1, 1]),
        ("[domain-name:value = 'd' AND domain-name:resolves_to_refs[*].value = 'i']", [None, None]),
        ("[file:hashes.MD5 = 'm' AND artifact:hashes.MD5 = 'a']", [None, None]),
    ],
)
def test_hashes_joined_by_and_are_one_file(pattern: str, files: list[int | None]) -> None:
    assert [one.file for one in read(pattern)] == files


@pytest.mark.parametrize(
    "pattern",
    [
        "[ipv4-addr:value != '192.0.2.1']",
        "[ipv4-addr:value <> '192.0.2.1']",
        "[NOT ipv4-addr:value = '192.0.2.1']",
        "[ipv4-addr:value NOT = '192.0.2.1']",
        "[ipv4-addr:value NOT IN ('192.0.2.1')]",
        "[not ipv4-addr:value = '192.0.2.1']",
        "[url:value = 'u' AND NOT (domain-name:value = 'd')]",
        "[url:value = 'u' OR domain-name:value != 'd']",
        "[url:value = 'u'] OR [domain-name:value NOT LIKE 'd']",
    ],
)
def test_a_negated_pattern_is_refused_as_a_whole(pattern: str) -> None:
    with pytest.raises(InputError, match="negated"):
        read(pattern)


@pytest.mark.parametrize(
    "pattern",
    [
        "[url:value LIKE 'http://example.org/%']",
        "[email-message:from_ref.value MATCHES '.+@example\\\\.org$']",
        "[file:path = '/tmp/x']",
        "[file:name = 'a.exe']",
        "[file:hashes.SSDEEP = '3:a:b']",
        "[file:hashes.'SHA3-256' = 'aa']",
        "[file:extensions.'windows-pebinary-ext'.sections[*].hashes.MD5 = 'aa']",
        "[x509-certificate:hashes.'SHA-1' = 'aa']",
        "[network-traffic:dst_port = 443]",
        "[ipv4-addr:value ISSUPERSET '198.51.100.0/24']",
        "[domain-name:value = 5]",
        "[EXISTS url:value]",
        "",
        "[]",
        "[url:value]",
        "[url:value = ]",
        "[url:value = 'open",
        "[url:value = 'u'",
        "url:value = 'u'",
        "[url:value = 'u'] [url:value = 'v']",
        "[url:value = 'u'] MAYBE [url:value = 'v']",
        "[url:value = 'u' url:value = 'v']",
        "[url:value ~ 'u']",
        "[url:value = 'u'] OR",
        "rule yara { condition: true }",
    ],
)
def test_a_pattern_without_an_exact_value_is_refused_with_a_reason(pattern: str) -> None:
    with pytest.raises(InputError, match=r"no exact value|not a STIX pattern|not known"):
        read(pattern)


@pytest.mark.parametrize(
    "pattern",
    [
        "[" * 100_000,
        "(" * 100_000,
        "[(" * 50_000,
        "'" * 100_000,
        "[file:hashes.'SHA-256' = " * 5_000,
        "[url:value = '" + "\\" * 100_000,
        "[a:" + "b." * 50_000,
        "[a:b" + "[*]" * 30_000,
        "[" + " AND ".join(["url:value = 'u'"] * 8_000),
        "[" + " OR ".join(["url:value = 'u'"] * 8_000),
        "a" * 100_000,
        " " * 100_000,
    ],
)
def test_a_hostile_pattern_is_refused_in_linear_time(pattern: str) -> None:
    began = time.process_time()
    with pytest.raises(InputError):
        read(pattern)
    assert time.process_time() - began < 1


def test_a_long_list_of_hashes_is_read() -> None:
    hashes = " OR ".join(f"file:hashes.MD5 = '{number:032x}'" for number in range(5_000))
    assert len(read(f"[{hashes}]")) == 5_000


@given(st.text(alphabet="[]()'\\=!<>, abNOTANDORLIKEfile:hashes.MD5url:value*0159", max_size=80))
def test_any_text_is_read_or_refused(pattern: str) -> None:
    with suppress(InputError):
        assert read(pattern)
