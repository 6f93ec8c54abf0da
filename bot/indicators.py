"""Indicator: a kind and a canonical value; the one place that defangs."""

import ipaddress
import re
from collections.abc import Callable
from enum import StrEnum

import msgspec

from bot.bitcoin import bitcoin_address
from bot.domains import ascii_domain
from bot.errors import InputError
from bot.urls import canonical_url


class Kind(StrEnum):
    """What an indicator is. Hash kinds first, by length."""

    MD5 = "md5"
    SHA1 = "sha1"
    SHA224 = "sha224"
    SHA256 = "sha256"
    SHA384 = "sha384"
    SHA512 = "sha512"
    IPV4 = "ipv4"
    IPV6 = "ipv6"
    CIDR = "cidr"
    DOMAIN = "domain"
    URL = "url"
    EMAIL = "email"
    CVE = "cve"
    BTC = "btc"


HASH_BY_LENGTH = {
    32: Kind.MD5,
    40: Kind.SHA1,
    56: Kind.SHA224,
    64: Kind.SHA256,
    96: Kind.SHA384,
    128: Kind.SHA512,
}


class Indicator(msgspec.Struct, frozen=True, order=True):
    """One indicator in canonical form; make it with `canonical` or `extraction.extract`, not by hand."""

    kind: Kind
    value: str

    @property
    def defanged(self) -> str:
        """The value as it may be shown: nothing in it can be clicked."""
        return defang(self.value)


def canonical(kind: Kind, text: str) -> Indicator:
    """Check and normalise a value of a known kind; it must not be defanged. Raises InputError."""
    value = _CANONICAL[kind](text.strip())
    if value is None:
        raise InputError(_REASONS.get(kind, f"not a {kind} value"))
    return Indicator(kind, value)


def defang(text: str) -> str:
    """Make every address in a text unclickable, in linear time; a second time changes nothing.

    `http` becomes `hxxp`, other schemes `tcp[:]//` and `mailto[:]`, dots `[.]`, at signs `[@]`, the colons
    of IPv6 `[:]`. Dots in file names go the same way, because Slack links `invoice.zip`; sentences, decimals
    and version numbers of three parts stay readable.
    """
    if not _JOINT.search(text):
        return text
    text = _HTTP.sub(lambda found: f"hxxp{found[1].lower()}", text)
    text = _SCHEME.sub("[:]", text)
    text = _AT.sub("[@]", text)
    text = _COLONS.sub(_defang_ipv6, text)
    return _DOT.sub(_defang_dot, text)


# What autolinkers take for a dot: the full stop and, in browsers, its East Asian forms (UTS 46).
_DOTS = "[.\u3002\uff0e\uff61]"
_JOINT = re.compile("[.\u3002\uff0e\uff61:\uff1a@\uff20]")  # no address is without one of them
_UNSEEN = "[\u00ad\u200b-\u200f\u202a-\u202e\u2060\ufeff]*+"
_HTTP = re.compile(r"http(s?)(?=[:\uff1a]\S)", re.IGNORECASE)
_SCHEME = re.compile(
    r"(?<=[^\s\[])(?<!hxxp)(?<!hxxps)[:\uff1a](?=[/\uff0f\\]{2})|(?<=mailto)[:\uff1a](?=\S)", re.IGNORECASE
)
_AT = re.compile(r"(?<=[^\s\[<])[@\uff20](?=[^\s\]])")  # <@U012AB3CD> is a mention
_COLONS = re.compile(r"(?<![0-9a-z_])[0-9a-f]{0,4}+(?::[0-9a-f]{0,4}+){2,}+", re.IGNORECASE)
_ALONE = r"(?<![\w.@/:\[\u3002\uff0e\uff61-])"
_ENDED = r"(?![\w@/\[-]|:[0-9]|[.\u3002\uff0e\uff61]\w)"
_NUMBER = r"[0-9]++(?:\.[0-9]++){1,2}+"
_ABBREVIATION = r"[a-z]\.[a-z]"  # i.e. and its like; no real last label has one letter
_DOT = re.compile(
    rf"{_ALONE}(?:{_NUMBER}|{_ABBREVIATION}){_ENDED}|(?<=[^\s.\[]){_DOTS}(?={_UNSEEN}\w)", re.IGNORECASE
)


def _defang_dot(found: re.Match[str]) -> str:
    return "[.]" if len(found[0]) == 1 else found[0]  # a longer match is harmless


def _defang_ipv6(found: re.Match[str]) -> str:
    """Times and hardware addresses have fewer than seven colons and no double one."""
    run = found[0]
    is_address = ("::" in run and run.strip(":")) or run.count(":") >= 7
    return run.replace(":", "[:]") if is_address else run


_HEX = re.compile(r"[0-9a-f]+", re.ASCII)
_OCTET = "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_IPV4 = re.compile(rf"{_OCTET}(?:\.{_OCTET}){{3}}")
_CVE = re.compile(r"CVE-[0-9]{4}-[0-9]{4,19}", re.ASCII)
_LOCAL_PART = re.compile(r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*", re.ASCII)
_LENGTHS = {kind: length for length, kind in HASH_BY_LENGTH.items()}

_REASONS = {
    **{
        kind: f"not a {kind} value: {length} hexadecimal digits are needed"
        for kind, length in _LENGTHS.items()
    },
    Kind.IPV4: "not an IPv4 address: four numbers from 0 to 255 without leading zeros are needed",
    Kind.IPV6: "not an IPv6 address",
    Kind.CIDR: "not a network: an address, a slash and a prefix length are needed",
    Kind.DOMAIN: "not a domain: it needs a real top-level domain, and only letters, digits, hyphens, dots",
    Kind.URL: "not a URL with a host that can be reached",
    Kind.EMAIL: "not an e-mail address under a real domain",
    Kind.CVE: "not a CVE number such as CVE-2024-3400",
    Kind.BTC: "not a Bitcoin address: its checksum does not hold",
}


def _hash(kind: Kind) -> Callable[[str], str | None]:
    def check(text: str) -> str | None:
        lower = text.lower()
        return lower if len(lower) == _LENGTHS[kind] and _HEX.fullmatch(lower) else None

    return check


def _ipv4(text: str) -> str | None:
    return text if _IPV4.fullmatch(text) else None


def _ipv6(text: str) -> str | None:
    """Without the zone, which names an interface of the machine that wrote the report."""
    try:
        return ipv6_text(ipaddress.IPv6Address(text.partition("%")[0]))
    except ValueError:
        return None


def ipv6_text(address: ipaddress.IPv6Address) -> str:
    """RFC 5952: lower case, longest run of zeros shortened, an IPv4-mapped address with dots."""
    mapped = address.ipv4_mapped
    return f"::ffff:{mapped}" if mapped else str(address)


def _cidr(text: str) -> str | None:
    try:
        return str(ipaddress.ip_network(text, strict=False)) if "/" in text and "%" not in text else None
    except ValueError:
        return None


def _email(text: str) -> str | None:
    local, at, host = text.lower().rpartition("@")
    domain = ascii_domain(host)
    if not at or domain is None or len(local) > 64 or _LOCAL_PART.fullmatch(local) is None:
        return None
    return f"{local}@{domain}"


def _cve(text: str) -> str | None:
    upper = text.upper()
    return upper if _CVE.fullmatch(upper) else None


_CANONICAL: dict[Kind, Callable[[str], str | None]] = {
    **{kind: _hash(kind) for kind in _LENGTHS},
    Kind.IPV4: _ipv4,
    Kind.IPV6: _ipv6,
    Kind.CIDR: _cidr,
    Kind.DOMAIN: ascii_domain,
    Kind.URL: canonical_url,
    Kind.EMAIL: _email,
    Kind.CVE: _cve,
    Kind.BTC: bitcoin_address,
}
