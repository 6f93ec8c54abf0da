"""Messages as parts and pieces of text, turned into Block Kit and into the same words as plain text.

The one place that cleans, defangs, cuts and escapes what goes out: whatever enters a part came through
`words` or `when`. Text travels in rich_text, raw_text and plain_text, which know no markup; only the plain
fallback needs escaping.
"""

import html
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, TypeVar

from bot.blockkit import MAX_TABLE_ROWS
from bot.checks import length
from bot.indicators import defang

Block = dict[str, object]
T = TypeVar("T")
Style = Literal["bold", "italic", "code"]

MAX_PAGE = 7_000  # characters of a message, well below the undocumented limit in blockkit
_MAX_PARTS = 40
_MAX_LIST = 6_000  # characters of a table or a list
_MAX_WORDS = 300  # characters of a piece unless its place says otherwise
_MAX_LINK = 60
_MAX_READ = 20_000  # characters that are looked at; a longer text is not meant to be read
_MAX_MARKS = 3  # combining marks on one letter; more of them would paint over the lines above
_DATE_FORMAT = "{date_num} {time}"
_BLANK = (
    "\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0"  # shown as nothing, though not "format" to Unicode
)
_UNSEEN = ("Cc", "Cf", "Cs", "Co", "Cn")
# Pages of external services that may be linked: fixed words and hash digits, so no link names an address.
_PAGES = re.compile(
    r"""https://(?:
      www\.virustotal\.com/gui/(?:file|url)/[0-9a-f]{32,128}
    | opentip\.kaspersky\.com/[0-9a-fA-F]{32,128}/?
    | hashlookup\.circl\.lu/lookup/(?:md5|sha1|sha256)/[0-9a-fA-F]{32,64}
    | bazaar\.abuse\.ch/sample/[0-9a-f]{64}/
    | threatfox\.abuse\.ch/ioc/[0-9]{1,12}/
    | urlhaus\.abuse\.ch/url/[0-9]{1,12}/
    )""",
    re.ASCII | re.VERBOSE,
)


@dataclass(frozen=True)
class Words:
    """Text that is safe to show: from `words` whatever others wrote, directly only constants of ours."""

    text: str
    style: Style | None = None


@dataclass(frozen=True)
class When:
    """A moment, shown in the reader's time zone; made by `when`."""

    timestamp: int
    fallback: str


@dataclass(frozen=True)
class Link:
    """The page of an external service, behind words; made by `link`. Plain text shows the words only."""

    text: str
    url: str


Piece = Words | When | Link
Line = Sequence[Piece]


@dataclass(frozen=True)
class Heading:
    """The first part of everything: the label and what this is."""

    words: Words


@dataclass(frozen=True)
class Paragraph:
    """Lines of running text."""

    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Quote:
    """A source's own words, set apart from ours."""

    words: Words


@dataclass(frozen=True)
class Bullets:
    """A list."""

    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Table:
    """Rows of cells; where Slack knows no tables each row becomes a line."""

    head: tuple[Words, ...]
    rows: tuple[tuple[Line, ...], ...]


@dataclass(frozen=True)
class Footnote:
    """Small print."""

    words: Words


@dataclass(frozen=True)
class Button:
    """Something to click; `value` is an opaque token of the shell."""

    action: str
    words: Words
    value: str


@dataclass(frozen=True)
class Buttons:
    """Buttons side by side; not part of the plain text."""

    buttons: tuple[Button, ...]


Part = Heading | Paragraph | Quote | Bullets | Table | Footnote | Buttons


def words(text: str, style: Style | None = None, *, at_most: int = _MAX_WORDS) -> Words:
    """Any text made safe to show: one line, nothing hidden, nothing to click, at most so many characters."""
    return Words(_cut(clean(text), at_most) or "–", style)


def when(time: datetime) -> Piece:
    """A moment (aware) in the reader's zone, to the minute; years before 1970 in words, as Slack cannot."""
    utc = time.astimezone(UTC)
    fallback = f"{utc:%Y-%m-%d %H:%M} UTC"
    return When(int(utc.timestamp()), fallback) if utc.timestamp() >= 1 else Words(fallback)


def link(text: str, url: str | None) -> Piece:
    """Bold words that open a page of an external service; just the words if it is none that may be linked."""
    shown = words(text, "bold", at_most=_MAX_LINK)
    return Link(shown.text, url) if url is not None and _PAGES.fullmatch(url) else shown


def clean(text: str) -> str:
    """One line of NFC text without control, bidirectional, zero-width and other unseen characters."""
    if text.isascii() and text.isprintable():
        return " ".join(text[:_MAX_READ].split())
    seen = "".join(
        character
        for character in text[:_MAX_READ]
        if character.isspace() or not (unicodedata.category(character) in _UNSEEN or character in _BLANK)
    )
    return " ".join(_without_heaps(unicodedata.normalize("NFC", seen)).split())


def joined(pieces: Iterable[Line], between: str = " · ") -> tuple[Piece, ...]:
    """Several runs of pieces as one line."""
    line: list[Piece] = []
    for run in pieces:
        if run:
            line += [*([Words(between)] if line else []), *run]
    return tuple(line)


def blocks(parts: Iterable[Part], *, tables: bool = True) -> tuple[Block, ...]:
    """The parts as Block Kit blocks; with `tables` off (modals) as lines."""
    return tuple(_block(part, tables) for part in parts)


def plain(parts: Iterable[Part], *, at_most: int) -> str:
    """The same words for notifications and screen readers: escaped, cut between lines only."""
    lines = [line for part in parts for line in _plain_lines(part)]
    kept: list[str] = []
    size = 0
    for number, line in enumerate(lines):
        size += length(line) + 1
        if size > at_most:
            return "\n".join([*kept, f"… {len(lines) - number} more lines in the message itself"])
        kept.append(line)
    return "\n".join(kept)


def pages(parts: Iterable[Part]) -> Iterator[tuple[Part, ...]]:
    """The parts in groups that fit into one message each, with room for a heading and buttons."""
    page: list[Part] = []
    used = 0
    for piece in (piece for part in parts for piece in _pieces(part)):
        size = _size(piece)
        two_tables = isinstance(piece, Table) and any(isinstance(each, Table) for each in page)
        if page and (two_tables or len(page) == _MAX_PARTS or used + size > MAX_PAGE):
            yield tuple(page)
            page, used = [], 0
        page.append(piece)
        used += size
    if page:
        yield tuple(page)


def _pieces(part: Part) -> list[Part]:
    """A part cut into smaller ones of its kind, if it is too long for a message."""
    match part:
        case Table(head, rows):
            return [Table(head, group) for group in _groups(rows, MAX_TABLE_ROWS - 1, joined)]
        case Bullets(lines):
            return [Bullets(group) for group in _groups(lines, MAX_TABLE_ROWS, tuple)]
        case _:
            return [part]


def _groups(items: Sequence[T], at_most: int, as_line: Callable[[T], Line]) -> list[tuple[T, ...]]:
    groups: list[tuple[T, ...]] = []
    group: list[T] = []
    used = 0
    for item in items:
        size = _weight(as_line(item)) + 2
        if group and (len(group) == at_most or used + size > _MAX_LIST):
            groups.append(tuple(group))
            group, used = [], 0
        group.append(item)
        used += size
    return [*groups, tuple(group)] if group else groups


def _size(part: Part) -> int:
    return sum(map(length, _plain_lines(part))) + sum(map(_addresses, _lines(part)))


def _lines(part: Part) -> Iterable[Line]:
    match part:
        case Paragraph(lines) | Bullets(lines):
            return lines
        case Table(_, rows):
            return [cell for row in rows for cell in row]
        case _:
            return ()


def _weight(line: Line) -> int:
    return length(_plain_line(line)) + _addresses(line)


def _addresses(line: Line) -> int:
    """Characters of a line that only Slack counts, since nobody reads them."""
    return sum(length(piece.url) for piece in line if isinstance(piece, Link))


def _cut(text: str, at_most: int) -> str:
    """Defang, then make it fit; what is cut is defanged anew, for an end may turn into an address."""
    shown, keep = defang(text), at_most
    while length(shown) > at_most:
        keep -= 1 + max(0, length(defang(text[:keep])) - at_most) // 4
        shown = defang(text[:keep].rstrip() + "…")
    return shown


def _without_heaps(text: str) -> str:
    kept: list[str] = []
    marks = 0
    for character in text:
        marks = marks + 1 if unicodedata.category(character) in ("Mn", "Me") else 0
        if marks <= _MAX_MARKS:
            kept.append(character)
    return "".join(kept)


# --- as blocks -----------------------------------------------------------------------------------------


def _block(part: Part, tables: bool) -> Block:
    match part:
        case Heading(words):
            return {"type": "header", "text": _plain_text(words.text)}
        case Paragraph(lines):
            return _rich_text({"type": "rich_text_section", "elements": _elements(_broken(lines))})
        case Quote(words):
            return _rich_text({"type": "rich_text_quote", "elements": _elements([words])})
        case Bullets(lines):
            return _rich_text(_list(lines))
        case Table() if tables:
            return _table(part)
        case Table(_, rows):
            return _rich_text(_list([joined(row) for row in rows]))
        case Footnote(words):
            return {"type": "context", "elements": [_plain_text(words.text)]}
        case Buttons(buttons):
            return {"type": "actions", "elements": [_button(button) for button in buttons]}


def _rich_text(element: Block) -> Block:
    return {"type": "rich_text", "elements": [element]}


def _list(lines: Iterable[Line]) -> Block:
    sections = [{"type": "rich_text_section", "elements": _elements(line)} for line in lines]
    return {"type": "rich_text_list", "style": "bullet", "elements": sections}


def _broken(lines: Iterable[Line]) -> tuple[Piece, ...]:
    return joined(lines, "\n")


def _elements(line: Line) -> list[Block]:
    return [_element(piece) for piece in line]


def _element(piece: Piece) -> Block:
    if isinstance(piece, When):
        return {
            "type": "date",
            "timestamp": piece.timestamp,
            "format": _DATE_FORMAT,
            "fallback": piece.fallback,
        }
    if isinstance(piece, Link):
        return {"type": "link", "url": piece.url, "text": piece.text, "style": {"bold": True}}
    style: Block = {} if piece.style is None else {"style": {piece.style: True}}
    return {"type": "text", "text": piece.text, **style}


def _table(table: Table) -> Block:
    head: list[Block] = [{"type": "raw_text", "text": words.text} for words in table.head]
    rows = [[_cell(cell) for cell in row] for row in table.rows]
    return {"type": "table", "column_settings": [{"is_wrapped": True}] * len(head), "rows": [head, *rows]}


def _cell(line: Line) -> Block:
    if len(line) == 1 and isinstance(line[0], Words) and line[0].style is None:
        return {"type": "raw_text", "text": line[0].text}
    return _rich_text({"type": "rich_text_section", "elements": _elements(line)})


def _button(button: Button) -> Block:
    text = _plain_text(button.words.text)
    return {"type": "button", "action_id": button.action, "text": text, "value": button.value}


def _plain_text(text: str) -> Block:
    return {"type": "plain_text", "text": text}


# --- as plain text -------------------------------------------------------------------------------------


def _plain_lines(part: Part) -> list[str]:
    match part:
        case Heading(words) | Footnote(words):
            return [_plain_line([words])]
        case Quote(words):
            return [f"“{_plain_line([words])}”"]
        case Paragraph(lines):
            return [_plain_line(line) for line in lines]
        case Bullets(lines):
            return ["• " + _plain_line(line) for line in lines]
        case Table(_, rows):
            return ["• " + _plain_line(joined(row)) for row in rows]
        case Buttons():
            return []


def _plain_line(line: Line) -> str:
    return "".join(_plain_piece(piece) for piece in line)


def _plain_piece(piece: Piece) -> str:
    if isinstance(piece, When):
        return f"<!date^{piece.timestamp}^{_DATE_FORMAT}|{piece.fallback}>"
    return html.escape(piece.text, quote=False)
