"""Indicator: a kind and a canonical value; the one place that defangs."""

from enum import StrEnum

import msgspec


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


class Indicator(msgspec.Struct, frozen=True, order=True):
    """One indicator in canonical form; make it with `canonical` or `extraction.extract`, not by hand."""

    kind: Kind
    value: str

    @property
    def defanged(self) -> str:
        """The value as it may be shown: nothing in it can be clicked."""
        return defang(self.value)


def canonical(kind: Kind, text: str) -> Indicator:
    """Check and normalise a value of a known kind. Raises InputError."""
    raise NotImplementedError


def defang(text: str) -> str:
    """Make every address in a text unclickable."""
    raise NotImplementedError
