"""Implied: what else a question about an indicator tells of, so that its marking counts, too. Pure.

Whoever hears of a URL hears of its host, of the same URL in other spellings, and of what stands in its path;
a name tells of the domains above it, an address of the networks around it.
"""

import ipaddress
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from urllib.parse import unquote

from bot.extraction import extract, host_of
from bot.indicators import Indicator, Kind

# Of networks that anybody marks; those of IPv6 are given out by steps of four beyond what registries deal in.
_LENGTHS_OF_IPV4 = range(8, 33)
_LENGTHS_OF_IPV6 = (*range(16, 28, 4), *range(28, 49), *range(52, 68, 4), 128)
_URL = re.compile(
    r"(?:(?P<scheme>[a-z][a-z0-9+.-]{0,31})://)?(?P<authority>[^/?#]*)"
    r"(?P<path>[^?#]*)(?P<query>(?:\?[^#]*)?)(?P<fragment>.*)",
    re.ASCII | re.DOTALL,
)
_DEFAULT_PORT = re.compile(r":(?:80|443)\Z")
_BETWEEN = re.compile(r"[?&=#]|(?=https?://)")


@lru_cache(512)
def implied(indicator: Indicator) -> tuple[Indicator, ...]:
    """Other indicators that a question about this one tells of, each once."""
    told: Iterable[Indicator] = ()
    match indicator.kind:
        case Kind.URL:
            told = _of_url(indicator)
        case Kind.DOMAIN:
            told = _above(indicator.value)
        case Kind.IPV4 | Kind.IPV6:
            told = _around(indicator.value)
    return tuple(each for each in dict.fromkeys(told) if each != indicator)


def _of_url(url: Indicator) -> Iterator[Indicator]:
    yield from _spellings(url.value)
    host = host_of(url)
    if host is not None:
        yield from (host, *implied(host))
    for within in _within(url.value):
        if within.kind is not Kind.URL:
            yield from (within, *implied(within))
        elif within != url:
            yield from (within, *_spellings(within.value))


def _spellings(url: str) -> Iterator[Indicator]:
    """With and without scheme, credentials, the usual port, last slash, query and fragment."""
    parts = _URL.fullmatch(url)
    if parts is None:
        return
    bare = parts["authority"].rpartition("@")[2]
    host = _DEFAULT_PORT.sub("", bare)
    port = 443 if parts["scheme"] == "https" else 80
    hosts = dict.fromkeys((parts["authority"], bare, host, f"{host}:{port}"))
    path, query = parts["path"], parts["query"]
    full, folder = path + query + parts["fragment"], path.rstrip("/")
    tails = {tail.removeprefix("/") and tail for tail in (full, path + query, path, folder, f"{folder}/", "")}
    for scheme in dict.fromkeys((parts["scheme"] or "", "", "http", "https")):
        for one in hosts:
            for tail in sorted(tails):
                yield Indicator(Kind.URL, f"{scheme}://{one}{tail}".removeprefix("://"))


def _within(url: str) -> Iterator[Indicator]:
    """What stands in its path or query: the hash of a sample, a link that somebody wrapped."""
    tail = unquote(url.partition("://")[2] or url).partition("/")[2]
    for text in (_BETWEEN.sub(" ", tail), re.sub("[?&=#/]", " ", tail)):
        yield from (found.indicator for found in extract(text))


def _above(domain: str) -> Iterator[Indicator]:
    labels = domain.split(".")
    return (Indicator(Kind.DOMAIN, ".".join(labels[start:])) for start in range(1, len(labels) - 1))


def _around(value: str) -> Iterator[Indicator]:
    """The same address in the other version of IP, and the networks around both."""
    address = ipaddress.ip_address(value)
    if isinstance(address, ipaddress.IPv6Address):
        yield from _networks(address, _LENGTHS_OF_IPV6)
        old = address.ipv4_mapped or address.sixtofour
    else:
        old = address
        yield Indicator(Kind.IPV6, f"::ffff:{address}")
    if old is not None:
        yield Indicator(Kind.IPV4, str(old))
        yield from _networks(old, _LENGTHS_OF_IPV4)


def _networks(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address, lengths: Iterable[int]
) -> Iterator[Indicator]:
    number, bits = int(address), address.max_prefixlen
    for length in lengths:
        first = type(address)(number >> bits - length << bits - length)
        yield Indicator(Kind.CIDR, f"{first}/{length}")
