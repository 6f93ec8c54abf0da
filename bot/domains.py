"""Domain names: which last labels are real, and the lower-case punycode form of a host."""

import re
from functools import cache, lru_cache
from pathlib import Path

import can_ada
import idna
from publicsuffixlist import PSLFILE

MAX_LENGTH = 253  # RFC 1035, without the dot of the root

# Met in feeds and reports though no registry sells them: darknets, blockchain names, and the names of
# RFC 2606, which documentation and our own samples use.
SPECIAL = frozenset(
    {"onion", "i2p", "bazar", "bit", "eth", "lib", "coin", "emc", "example", "test", "invalid"}
)

_SURROGATE = re.compile("[\ud800-\udfff]")  # can_ada takes well-formed text only

# Underscores are no host names but do occur in DNS, and so in feeds.
_ASCII = re.compile(
    r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.){1,126}(?:[a-z]{2,63}|xn--[a-z0-9-]{1,59})", re.ASCII
)


@cache
def top_level() -> frozenset[str]:
    """Every real last label in punycode, with the special ones.

    From the bundled list of https://publicsuffix.org; its look-up function is no use for this, because it
    does not know `x.za` (only what lies below it is on the list).
    """
    icann = Path(PSLFILE).read_text(encoding="utf-8").partition("// ===END ICANN DOMAINS===")[0]
    rules = (line.strip() for line in icann.splitlines() if line.strip() and not line.startswith("//"))
    labels = {rule.rpartition(".")[2] for rule in rules}
    return SPECIAL | {label if label.isascii() else idna.encode(label).decode("ascii") for label in labels}


def ascii_domain(text: str) -> str | None:
    """The lower-case punycode form of a domain under a real last label; None if it is not one."""
    return _ascii_domain(text) if len(text) <= MAX_LENGTH + 1 else None


@lru_cache(4096)
def _ascii_domain(text: str) -> str | None:
    name = _ascii(text) if not text.isascii() else text.lower()
    name = name.removesuffix(".")
    if len(name) > MAX_LENGTH or _ASCII.fullmatch(name) is None:
        return None
    return name if name[name.rindex(".") + 1 :] in top_level() else None


def _ascii(text: str) -> str:
    """Punycode by IDNA 2008 with UTS 46, or as browsers do where that forbids it (emoji); "" for neither."""
    try:
        return idna.encode(text, uts46=True).decode("ascii").lower()
    except UnicodeError:  # also idna.IDNAError
        return "" if _SURROGATE.search(text) else can_ada.idna_encode(text).decode("ascii", "replace").lower()
