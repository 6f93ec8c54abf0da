"""Indicators out of typed fields, whose type is often a little wrong."""

from collections.abc import Iterable, Sequence

from bot.errors import InputError
from bot.extraction import extract
from bot.indicators import HASH_BY_LENGTH, Indicator, Kind, canonical

HASHES = tuple(HASH_BY_LENGTH.values())
ADDRESS = (Kind.IPV4, Kind.IPV6, Kind.CIDR)

MAX_VALUE = 8_192  # characters, as URLs
# What each kind really turns out to be: an address typed as domain, a network as address.
_ALSO: dict[Kind, Sequence[Kind]] = {
    Kind.DOMAIN: (Kind.DOMAIN, *ADDRESS),
    Kind.IPV4: (Kind.IPV4, Kind.IPV6, Kind.CIDR, Kind.DOMAIN),
    Kind.IPV6: (Kind.IPV6, Kind.IPV4, Kind.CIDR, Kind.DOMAIN),
    Kind.CIDR: (Kind.CIDR, Kind.IPV4, Kind.IPV6),
}


def read(kind: Kind, text: str) -> Indicator:
    """The indicator in a field said to be of that kind; defanged forms too. Raises InputError."""
    text = text.strip()
    if len(text) > MAX_VALUE:
        raise InputError(f"longer than {MAX_VALUE:,} characters")
    if kind in HASHES:
        return read_hash(text)
    try:
        return _typed(kind, text)
    except InputError:
        found = _whole(text)
        if found is None:
            raise
        return found


def read_hash(text: str) -> Indicator:
    """The hash of whatever algorithm its length says: feeds label SHA-1 as MD5. Raises InputError."""
    kind = HASH_BY_LENGTH.get(len(text))
    if kind is None:
        raise InputError("not a hash: 32, 40, 56, 64, 96 or 128 hexadecimal digits are needed")
    return canonical(kind, text)


def one_file(indicators: Iterable[Indicator]) -> str | None:
    """The name that ties the hashes of one file together; None unless there are several, one a kind.

    The strongest hash names the file, so every report of a source that has it ties to the same file.
    """
    hashes = {indicator for indicator in indicators if indicator.kind in HASHES}
    kinds = {indicator.kind for indicator in hashes}
    if len(hashes) < 2 or len(kinds) < len(hashes):
        return None
    strongest = max(hashes, key=lambda indicator: len(indicator.value))
    return f"{strongest.kind}:{strongest.value}"


def _typed(kind: Kind, text: str) -> Indicator:
    for candidate in _ALSO.get(kind, ()):
        try:
            return canonical(candidate, text)
        except InputError:
            continue
    return canonical(kind, text)


def _whole(text: str) -> Indicator | None:
    """What a defanged field holds, if that is all it holds; a blank before a slash is a slip of the pen."""
    text = text.replace(" /", "/")
    found = extract(text) if not any(map(str.isspace, text)) else []
    return found[0].indicator if len(found) == 1 and found[0].start == 0 else None
