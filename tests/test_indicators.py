"""Canonical forms are strict, and nothing defanged can be clicked."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import InputError
from bot.indicators import Indicator, Kind, canonical, defang

SHA1 = "da39a3ee5e6b4b0d3255bfef95601890afd80709"

# What other programs make clickable or take for an address; looser than any of them on purpose.
LIVE = re.compile(
    r"(?i)https?://|(?<!hxxp)(?<!hxxps)(?<=\w)://"  # a scheme
    r"|\w\.[^\W\d_]{2}"  # a name
    r"|[\w.]@\w"  # a mailbox
    r"|\d\.\d+\.\d+\.\d"  # an IPv4 address
    r"|\b[0-9a-f]{1,4}:(?:[0-9a-f]{0,4}:)+:"  # an IPv6 address
)


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (Kind.MD5, " D41D8CD98F00B204E9800998ECF8427E ", "d41d8cd98f00b204e9800998ecf8427e"),
        (Kind.SHA1, SHA1.upper(), SHA1),
        (Kind.SHA512, "AB" * 64, "ab" * 64),
        (Kind.IPV4, "192.0.2.1", "192.0.2.1"),
        (Kind.IPV6, "2001:0DB8:0:0:0:0:0:1", "2001:db8::1"),
        (Kind.IPV6, "::FFFF:192.0.2.1", "::ffff:192.0.2.1"),
        (Kind.IPV6, "fe80::1%eth0", "fe80::1"),
        (Kind.CIDR, "198.51.100.7/24", "198.51.100.0/24"),
        (Kind.CIDR, "2001:DB8::/32", "2001:db8::/32"),
        (Kind.DOMAIN, "Example.ORG.", "example.org"),
        (Kind.DOMAIN, "пример.рф", "xn--e1afmkfd.xn--p1ai"),
        (Kind.DOMAIN, "_dmarc.example.org", "_dmarc.example.org"),
        (Kind.DOMAIN, "i❤.ws", "xn--i-7iq.ws"),
        (Kind.DOMAIN, "abcdefghijklmnop.onion", "abcdefghijklmnop.onion"),
        (Kind.DOMAIN, "x.za", "x.za"),
        (Kind.URL, "HTTP://EXAMPLE.org/CaSe/", "http://example.org/CaSe/"),
        (Kind.URL, "https://example.org/", "https://example.org"),
        (Kind.URL, "http://example.org:80/a", "http://example.org:80/a"),
        (Kind.URL, "example.org?q=1", "example.org/?q=1"),
        (Kind.URL, "http://пример.рф/a b", "http://xn--e1afmkfd.xn--p1ai/a%20b"),
        (Kind.URL, r"http://evil.example\@good.example/", "http://evil.example/@good.example/"),
        (Kind.URL, "http://3232235777/", "http://192.168.1.1"),
        (Kind.URL, "http://[FE80::1%25eth0]/x", "http://[fe80::1%25eth0]/x"),
        (Kind.URL, "http://example.org:99999/x", "http://example.org:99999/x"),
        (Kind.URL, "tcp://Example.org:443/", "tcp://example.org:443"),
        (Kind.URL, "http://User:Pw@Example.org:81/p?q#F", "http://User:Pw@example.org:81/p?q#F"),
        (Kind.EMAIL, "Some.One@Example.ORG", "some.one@example.org"),
        (Kind.CVE, "cve-2024-3400", "CVE-2024-3400"),
        (Kind.BTC, "1BoatSLRHtKNngkdXEeobR76b53LETtpyT", "1BoatSLRHtKNngkdXEeobR76b53LETtpyT"),
        (
            Kind.BTC,
            "BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4",
            "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
        ),
    ],
)
def test_a_value_takes_its_canonical_form(kind: Kind, text: str, value: str) -> None:
    indicator = canonical(kind, text)

    assert indicator == Indicator(kind, value)
    assert canonical(kind, value) == indicator


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (Kind.MD5, SHA1),
        (Kind.MD5, "g" * 32),
        (Kind.SHA1, "١" * 40),
        (Kind.IPV4, "192.0.2.256"),
        (Kind.IPV4, "192.0.02.1"),
        (Kind.IPV4, "192.0.2.0/24"),
        (Kind.IPV6, "12:30:45"),
        (Kind.CIDR, "192.0.2.1"),
        (Kind.CIDR, "192.0.2.0/33"),
        (Kind.DOMAIN, "192.0.2.1"),
        (Kind.DOMAIN, "localhost"),
        (Kind.DOMAIN, "file.exe"),
        (Kind.DOMAIN, "a..example"),
        (Kind.DOMAIN, "a" * 64 + ".example"),
        (Kind.DOMAIN, ("a" * 60 + ".") * 5 + "example"),
        (Kind.DOMAIN, "evil[.]example"),
        (Kind.DOMAIN, "\ud800.example"),
        (Kind.URL, "javascript:alert(1)"),
        (Kind.URL, "http://"),
        (Kind.URL, "localhost/x"),
        (Kind.URL, "hxxp://evil.example/"),
        (Kind.URL, "http://evil.example/\nx"),
        (Kind.URL, "http://evil.example/" + "a" * 9000),
        (Kind.EMAIL, "nobody@localhost"),
        (Kind.EMAIL, "a b@example.org"),
        (Kind.CVE, "CVE-24-1"),
        (Kind.BTC, "1BoatSLRHtKNngkdXEeobR76b53LETtpyX"),
        (Kind.BTC, "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5"),
    ],
)  # fmt: skip
def test_a_value_of_another_shape_is_refused_with_a_reason(kind: Kind, text: str) -> None:
    with pytest.raises(InputError, match="not a"):
        canonical(kind, text)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("http://evil.example/a.php?u=b.example", "hxxp://evil[.]example/a[.]php?u=b[.]example"),
        ("HTTPS://192.0.2.1:8080/", "hxxps://192[.]0[.]2[.]1:8080/"),
        ("tcp://evil.example:443", "tcp[:]//evil[.]example:443"),
        ("user@mail.example", "user[@]mail[.]example"),
        ("MailTo:user@mail.example", "MailTo[:]user[@]mail[.]example"),
        ("2001:db8::1", "2001[:]db8[:][:]1"),
        ("http://[2001:db8::1]:80/", "hxxp://[2001[:]db8[:][:]1]:80/"),
        ("198.51.100.0/24", "198[.]51[.]100[.]0/24"),
        ("пример.рф and bank。com", "пример[.]рф and bank[.]com"),
        ("ev\u200bil.\u200bcom", "ev\u200bil[.]\u200bcom"),
        (
            "Version 1.2.3 at 12:30:45, i.e. 3.5 % off. Next",
            "Version 1.2.3 at 12:30:45, i.e. 3.5 % off. Next",
        ),
        ("open invoice.zip", "open invoice[.]zip"),
        ("<@U012AB3CD> std::vector 00:1a:2b:3c:4d:5e", "<@U012AB3CD> std::vector 00:1a:2b:3c:4d:5e"),
        (SHA1, SHA1),
    ],
)
def test_defanging_breaks_addresses_and_leaves_prose(text: str, shown: str) -> None:
    assert defang(text) == shown


PIECES = st.one_of(
    st.sampled_from(
        ["http://", "https://", "hxxp://", "ftp://", "://", "//", "www", "xn--", "[.]", "[@]", "::", ".."]
    ),
    st.sampled_from(
        ["a", "evil", "example", "com", "192", "0", "2", "1", "2001", "db8", "ff", "рф", "例え", "é"]
    ),
    st.sampled_from(list(".@:/[]-_#?=<>()。．\u200b ")),
)


@given(st.lists(PIECES | st.text(max_size=3), max_size=25).map("".join))
def test_defanging_again_changes_nothing(text: str) -> None:
    assert defang(defang(text)) == defang(text)


@given(st.lists(PIECES, max_size=25).map("".join))
def test_nothing_defanged_is_live(text: str) -> None:
    assert LIVE.search(defang(text).replace("\u200b", "")) is None
