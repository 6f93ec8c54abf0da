"""Invented assertions for benchmarks, mixed as in feeds: 80 % SHA-256, then MD5, domains, addresses, URLs."""

import hashlib
from datetime import UTC, datetime, timedelta
from ipaddress import IPv6Address

from bot.assertions import Assertion
from bot.indicators import Indicator, Kind
from bot.tlp import Label

SOURCE = "bench"
_START = datetime(2026, 1, 1, tzinfo=UTC)
_FAMILIES = 500


def indicator(number: int) -> Indicator:
    """The indicator of that number; different for different numbers."""
    digits = hashlib.sha256(number.to_bytes(8)).hexdigest()
    match number % 20:
        case 0:
            return Indicator(Kind.MD5, digits[:32])
        case 1:
            return Indicator(Kind.DOMAIN, f"x{digits[:12]}.example.org")
        case 2:
            return Indicator(Kind.URL, f"http://x{digits[:12]}.example.org/{digits[12:40]}")
        case 3:
            return Indicator(Kind.IPV6, str(IPv6Address((0x20010DB8 << 96) + number)))
        case _:
            return Indicator(Kind.SHA256, digits)


def claim(number: int) -> Assertion:
    """The assertion of that number."""
    seen = _START + timedelta(seconds=number)
    return Assertion(
        indicator=indicator(number),
        source=SOURCE,
        label=Label(number % 4),
        first_seen=seen,
        last_seen=seen + timedelta(days=1),
        confidence=number % 101,
        family=f"Family {number % _FAMILIES}" if number % 5 < 3 else None,
        tags=("loader", f"campaign-{number % 97}"),
        context=f"Seen in report {number} on a campaign against retail sites, delivered by mail with a link.",
    )
