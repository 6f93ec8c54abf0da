"""Plain text, Markdown, AsciiDoc and hash lists: whatever indicators people wrote into them -> assertions."""

import re
import unicodedata
from collections.abc import Iterator

from bot.assertions import Assertion
from bot.errors import InputError
from bot.extraction import extract
from bot.feeds import marking
from bot.feeds.decoding import decode
from bot.feeds.marking import NONE, Marking
from bot.feeds.parsed import Defaults, Parsed, Rejected, clean, reason
from bot.tlp import Label

_PIECE = 200_000  # characters that are scanned at once; well below the limit of extraction
_MAX_REMARK = 300  # characters of a line that is kept as context

# "TLP:AMBER+STRICT", "TLP: Amber", "tlp=red", `"tlp": "green"`, "TLP AMBER", "TLP | RED"
_MENTION = re.compile(
    r"(?<![a-z])tlp(?P<between>[^\w\n]{0,5})(?P<word>[a-z]{1,12})(?P<strict>[ ]?[+_ -][ ]?strict)?",
    re.IGNORECASE | re.ASCII,
)
_DECORATION = re.compile(r"[\W_]{0,40}")
_REACH = 41  # characters looked at on both sides: more than a decoration has


def parse(data: bytes, defaults: Defaults) -> Iterator[Parsed]:
    """Every indicator in a text, once, under the strictest label that the text mentions."""
    try:
        text = decode(data)
    except InputError as error:
        yield Rejected("file", reason(error))
        return
    marked = marking_in(text, defaults.label)
    for piece in _pieces(text):
        for indicator, start in extract(piece):
            yield Assertion(
                indicator=indicator,
                source=defaults.source,
                label=marked.resolved(defaults.label),
                quarantined=marked.unread,
                context=_remark(piece, start),
            )


def marking_in(text: str, default: Label) -> Marking:
    """The marking of a text: what stands on lines of its own, made stricter by every mention elsewhere.

    A remark such as "see also the TLP:CLEAR report" lowers nothing. `TLP:` before a word that is no label
    quarantines.
    """
    plain = text if text.isascii() else unicodedata.normalize("NFKC", text)
    alone = remarks = NONE
    for found in _MENTION.finditer(plain):
        read = marking.of_label(found["word"] + ("+strict" if found["strict"] else ""))
        if read.unread and not {":", "="} & set(found["between"]):
            continue
        if _stands_alone(plain, found):
            alone |= read
        else:
            remarks |= read
    return (Marking(default) if remarks.label is not None and alone.label is None else alone) | remarks


def _stands_alone(text: str, found: re.Match[str]) -> bool:
    """Whether nothing but decoration stands around it in its line, as in `**TLP:AMBER**`."""
    before = text[max(found.start() - _REACH, 0) : found.start()].rpartition("\n")[2]
    after = text[found.end() : found.end() + _REACH].partition("\n")[0]
    return bool(_DECORATION.fullmatch(before) and _DECORATION.fullmatch(after))


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


def _remark(piece: str, start: int) -> str | None:
    """The line an indicator stands in, if it says more than the indicator and is no paragraph."""
    before = piece[max(start - _MAX_REMARK, 0) : start].rpartition("\n")[2]
    after = piece[start : start + _MAX_REMARK].partition("\n")[0]
    line = before + after
    return clean(line) if line.count(" ") > 2 and len(line) <= _MAX_REMARK else None
