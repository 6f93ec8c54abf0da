"""Plain text, Markdown, AsciiDoc and hash lists: whatever indicators people wrote into them -> assertions."""

import re
import unicodedata
from collections.abc import Iterator
from contextlib import suppress

from bot.assertions import Assertion
from bot.errors import InputError
from bot.extraction import Found, extract
from bot.feeds import marking
from bot.feeds.decoding import decode
from bot.feeds.marking import NONE, Marking
from bot.feeds.parsed import Defaults, Parsed, Rejected, clean, reason
from bot.indicators import Kind, canonical

_PIECE = 200_000  # characters that are scanned at once; well below the limit of extraction
_MAX_REMARK = 300  # characters of a line that is kept as context

# "TLP:AMBER+STRICT", "TLP: Amber", "tlp=red", `"tlp": "green"`, "TLP AMBER", "TLP | RED"
_MENTION = re.compile(
    r"(?<![a-z])tlp(?P<between>[^\w\n]{0,5})(?P<word>[a-z]{2,12})(?P<strict>[ ]?[+_ -][ ]?strict)?",
    re.IGNORECASE | re.ASCII,
)


def parse(data: bytes, defaults: Defaults) -> Iterator[Parsed]:
    """Every indicator in a text, once, under the strictest label that the text mentions."""
    try:
        text = decode(data)
    except InputError as error:
        yield Rejected("file", reason(error))
        return
    marked = mentioned(text)
    for piece in _pieces(text):
        found = extract(piece)
        for indicator, start in (*found, *_doubted(piece, found)):
            yield Assertion(
                indicator=indicator,
                source=defaults.source,
                label=marked.resolved(defaults.label),
                quarantined=marked.unread,
                context=_remark(piece, start),
            )


def mentioned(text: str) -> Marking:
    """The markings a text speaks of, wherever: `TLP:` before a word that is no label quarantines."""
    plain = text if text.isascii() else unicodedata.normalize("NFKC", text)
    total = NONE
    for found in _MENTION.finditer(plain):
        word = found["word"] + ("+strict" if found["strict"] else "")
        read = marking.of_label(word)
        explicit = ":" in found["between"] or "=" in found["between"]
        if explicit or (found["between"] and not read.unread):
            total |= read
    return total


def _pieces(text: str) -> Iterator[str]:
    """The text in pieces that end at a line, or where there is none, at a blank."""
    start = 0
    while len(text) - start > _PIECE:
        end = start + _PIECE
        cut = max(text.rfind("\n", start, end), start)
        cut = cut if cut > start else max(text.rfind(" ", start, end), start)
        end = cut + 1 if cut > start else end
        yield text[start:end]
        start = end
    yield text[start:]


def _doubted(piece: str, found: list[Found]) -> Iterator[Found]:
    """The domains of a domain list that look like file names elsewhere: `intech.so`, `hellochat.pl`."""
    lines = [line.strip() for line in piece.splitlines() if line.strip()]
    domains = {one.indicator.value for one in found if one.indicator.kind is Kind.DOMAIN}
    if len(domains) * 2 < len(lines) or any(" " in line for line in lines):
        return
    for line in lines:
        if line.lower() not in domains:
            with suppress(InputError):
                yield Found(canonical(Kind.DOMAIN, line), piece.index(line))


def _remark(piece: str, start: int) -> str | None:
    """The line an indicator stands in, if it says more than the indicator."""
    begin = piece.rfind("\n", 0, start) + 1
    end = piece.find("\n", start)
    line = piece[begin : end if end >= 0 else len(piece)]
    return clean(line) if line.count(" ") > 2 and len(line) <= _MAX_REMARK else None
