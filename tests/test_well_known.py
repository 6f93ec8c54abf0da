"""Values that everybody meets carry a word that says so, and nothing else does."""

import hashlib
import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import well_known
from bot.indicators import HASH_BY_LENGTH, Indicator, Kind, canonical
from bot.well_known import labels

# In two parts: the whole would make scanners take this test for the file.
EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"


def digest(content: bytes, kind: Kind) -> Indicator:
    return canonical(kind, hashlib.new(kind.value, content).hexdigest())


@pytest.mark.parametrize("kind", HASH_BY_LENGTH.values())
def test_every_hash_of_the_empty_file_and_of_eicar_is_known(kind: Kind) -> None:
    assert labels(digest(b"", kind)) == ("empty file",)
    assert labels(digest(EICAR, kind)) == ("EICAR test file",)


@pytest.mark.parametrize("kind", [Kind.MD5, Kind.SHA1, Kind.SHA256])
@pytest.mark.parametrize(
    ("content", "label"),
    [
        (b"\n", "file of one line break"),
        (b"\r\n", "file of one line break"),
        (b"\0", "file of zeros"),
        (bytes(1024), "file of zeros"),
        (bytes(4096), "file of zeros"),
    ],
)
def test_files_that_hold_nothing_are_known(content: bytes, label: str, kind: Kind) -> None:
    assert labels(digest(content, kind)) == (label,)


@pytest.mark.parametrize(
    ("kind", "value", "label"),
    [
        (Kind.IPV4, "0.0.0.0", "unspecified address"),  # noqa: S104 - nothing is bound
        (Kind.IPV4, "0.1.2.3", "this network"),
        (Kind.IPV4, "127.0.0.1", "loopback"),
        (Kind.IPV6, "::1", "loopback"),
        (Kind.IPV4, "10.255.255.255", "private network"),
        (Kind.IPV4, "172.16.0.0", "private network"),
        (Kind.IPV4, "192.168.1.1", "private network"),
        (Kind.IPV6, "fd00::1", "private network"),
        (Kind.IPV6, "::ffff:10.0.0.1", "private network"),
        (Kind.IPV4, "100.64.0.1", "shared by providers (carrier-grade NAT)"),
        (Kind.IPV4, "169.254.169.254", "link-local"),
        (Kind.IPV6, "fe80::1", "link-local"),
        (Kind.IPV4, "192.0.2.7", "reserved for documentation"),
        (Kind.IPV6, "2001:db8::1", "reserved for documentation"),
        (Kind.IPV4, "198.18.0.1", "network for benchmarks"),
        (Kind.IPV4, "224.0.0.251", "multicast"),
        (Kind.IPV6, "ff02::1", "multicast"),
        (Kind.IPV4, "255.255.255.255", "broadcast"),
        (Kind.IPV4, "250.0.0.1", "reserved network"),
        (Kind.IPV4, "8.8.8.8", "public DNS resolver (Google)"),
        (Kind.IPV6, "2606:4700:4700::1111", "public DNS resolver (Cloudflare)"),
        (Kind.CIDR, "10.1.0.0/16", "private network"),
        (Kind.CIDR, "::ffff:10.0.0.0/104", "private network"),
        (Kind.DOMAIN, "example.org", "reserved for documentation"),
        (Kind.DOMAIN, "mail.example.org", "reserved for documentation"),
        (Kind.DOMAIN, "c2.example", "reserved for documentation"),
        (Kind.DOMAIN, "github.com", "very popular site"),
        (Kind.DOMAIN, "www.google.com", "very popular site"),
        (Kind.DOMAIN, "api.ipify.org", "tells callers their own address"),
        (Kind.DOMAIN, "www.msftconnecttest.com", "connectivity check of devices"),
        (Kind.URL, "http://192.168.1.1:8080/setup", "private network"),
        (Kind.URL, "https://bit.ly/abc", "URL shortener"),
    ],
)
def test_what_everybody_meets_is_named(kind: Kind, value: str, label: str) -> None:
    assert labels(canonical(kind, value)) == (label,)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (Kind.IPV4, "172.32.0.1"),
        (Kind.IPV4, "100.128.0.0"),
        (Kind.IPV4, "8.8.8.7"),
        (Kind.IPV6, "2001:4860:4860::8889"),
        (Kind.CIDR, "10.0.0.0/7"),
        (Kind.CIDR, "::/0"),
        (Kind.DOMAIN, "example.com.ru"),
        (Kind.DOMAIN, "notexample.org"),
        (Kind.DOMAIN, "evil.github.com"),
        (Kind.DOMAIN, "github.com.c2.info"),
        (Kind.URL, "http://c2.info/github.com"),
        (Kind.URL, "http://github.com@c2.info/"),
        (Kind.EMAIL, "someone@google.com"),
        (Kind.CVE, "CVE-2024-3400"),
        (Kind.MD5, "0" * 32),
        (Kind.SHA256, "0" * 64),
    ],
)
def test_what_only_looks_like_it_is_not_named(kind: Kind, value: str) -> None:
    assert labels(canonical(kind, value)) == ()


@given(address=st.ip_addresses(v=4))
def test_whatever_python_calls_private_is_named(address: ipaddress.IPv4Address) -> None:
    if address.is_private or address.is_multicast or address.is_reserved:
        assert labels(canonical(Kind.IPV4, str(address)))


@given(value=st.text("0123456789abcdef", min_size=64, max_size=64))
def test_a_hash_is_named_only_if_it_is_on_the_list(value: str) -> None:
    assert bool(labels(Indicator(Kind.SHA256, value))) == (value in well_known._FILES)


def test_every_value_of_the_lists_is_canonical_so_that_it_can_be_met() -> None:
    files = [Indicator(HASH_BY_LENGTH[len(value)], value) for value in well_known._FILES]
    names = [Indicator(Kind.DOMAIN, value) for value in well_known._NAMES]
    resolvers = [
        Indicator(Kind.IPV6 if ":" in value else Kind.IPV4, value) for value in well_known._RESOLVERS
    ]

    assert [each for each in (*files, *names, *resolvers) if canonical(each.kind, each.value) != each] == []
    assert [each for each in (*files, *names, *resolvers) if len(labels(each)) != 1] == []
