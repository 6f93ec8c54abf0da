"""CSV of any dialect: a typed column, a column a kind, or no header at all -> assertions."""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import msgspec

from bot.assertions import Assertion
from bot.errors import InputError
from bot.extraction import LIMIT_BYTES, Found, extract
from bot.feeds import marking
from bot.feeds.csv_columns import Columns, columns, kind_named
from bot.feeds.decoding import decode
from bot.feeds.marking import Marking
from bot.feeds.parsed import Defaults, Parsed, Rejected, clean, moment, name, names, percent, reason
from bot.feeds.text import marking_in
from bot.feeds.values import ADDRESS, HASHES, one_file, read
from bot.indicators import Indicator, Kind
from bot.tlp import Label

FORMULA = "=+-@\t\r\n＝＋－＠"  # what a spreadsheet would run; our export puts an apostrophe before it
_DELIMITERS = ",;\t|"
_SAMPLE_LINES = 20
_MAX_CELL = LIMIT_BYTES // 4  # characters
_JOINS = ".-_@/"
_BETWEEN = re.compile(r"[\s,;|]+")
_BETWEEN_URLS = re.compile(r"[\s,;|]+(?=[a-z]{3,5}(?:\[?:\]?|\[?:/)//?)", re.IGNORECASE)

Row = Sequence[str]


def parse(data: bytes, defaults: Defaults) -> Iterator[Parsed]:
    """Every indicator in a table; a row that cannot be taken is named by its number."""
    try:
        text = decode(data)
    except InputError as error:
        yield Rejected("file", reason(error))
        return
    table = _Table(defaults, _heading(text, defaults.label))
    for number, row in _rows(text):
        if isinstance(row, Rejected):
            yield row
        elif any(cell.strip() for cell in row):
            yield from table.read(number, row)


def delimiter(text: str) -> str | None:
    """What separates the cells: the sign that the first lines have most evenly; None if it is no table."""
    lines = [line for line in text[:20_000].splitlines() if line.strip() and not line.startswith("#")]
    counts = {
        sign: [_outside_quotes(line).count(sign) for line in lines[:_SAMPLE_LINES]] for sign in _DELIMITERS
    }
    scores = {
        sign: (sum(map(bool, found)), -len(set(found)), max(found)) for sign, found in counts.items() if found
    }
    best = max(scores, key=lambda sign: scores[sign], default=None)
    return best if best is not None and scores[best][0] * 2 > len(lines[:_SAMPLE_LINES]) else None


@dataclass(frozen=True)
class _Heading:
    """What titles, comments, footers and the header say about the whole table."""

    marked: Marking
    columns: Columns | None
    row: int  # where the header stands; 0 if there is none


def _heading(text: str, default: Label) -> _Heading:
    remarks: list[str] = []
    header, header_row, looked_at = None, 0, 0
    for number, row in _rows(text):
        filled = [] if isinstance(row, Rejected) else [cell for cell in row if cell.strip()]
        if len(filled) == 1 or (filled and _is_comment(filled)):
            remarks.append(" ".join(filled))
        if isinstance(row, list) and header is None and looked_at < _SAMPLE_LINES:
            looked_at += bool(filled)
            header, header_row = _header(row), number
    return _Heading(marking_in("\n".join(remarks), default), header, header_row if header else 0)


def _header(row: Row) -> Columns | None:
    """The columns, if this is a header: names and no data. abuse.ch writes it as a comment."""
    cells = [cell.lstrip("# ").strip('" ') for cell in row]
    found = columns(cells)
    return None if found is None or any(extract(cell[:_MAX_CELL]) for cell in cells) else found


def _is_comment(row: Row) -> bool:
    return row[0].lstrip().startswith("#")


@dataclass(frozen=True)
class _Table:
    """One table on its way to assertions."""

    defaults: Defaults
    heading: _Heading

    def read(self, number: int, row: Row) -> Iterator[Parsed]:
        is_title = number < self.heading.row and sum(bool(cell.strip()) for cell in row) == 1
        if not (is_title or number == self.heading.row or _is_comment(row)):
            known = self.heading.columns if number > self.heading.row else None
            yield from self._claims(f"row {number}", row, known or Columns())

    def _claims(self, where: str, row: Row, known: Columns) -> Iterator[Parsed]:
        found: list[Indicator] = []
        for one in _indicators(row, known):
            if isinstance(one, Indicator):
                found.append(one)
            else:
                yield Rejected(where, one)
        facts = self._facts(row, known)
        file = one_file(found)
        for indicator in dict.fromkeys(found):
            hashed = file if indicator.kind in HASHES else None
            yield msgspec.structs.replace(facts, indicator=indicator, file=hashed)

    def _facts(self, row: Row, known: Columns) -> Assertion:
        of = known.of
        tags = re.split("[,;|]", of("tags", row))
        marked = marking.of_label(of("label", row)) | marking.of_pap(of("pap", row)) | marking.of_tags(tags)
        marked |= self.heading.marked
        return Assertion(
            indicator=_NOTHING,
            source=self.defaults.source,
            label=marked.resolved(self.defaults.label),
            quarantined=marked.unread,
            pap=marked.pap,
            first_seen=moment(of("first_seen", row)),
            last_seen=moment(of("last_seen", row)),
            confidence=percent(of("confidence", row).strip()),
            family=name(_plain(of("family", row))),
            tags=names(_plain(tag) for tag in tags if marking.of_tag(tag) is None),
            context=clean(_plain(of("context", row))),
            to_ids=of("to_ids", row).strip().lower() not in ("false", "0", "no"),
            revoked=of("revoked", row).strip().lower() in ("true", "1", "yes"),
        )


_NOTHING = Indicator(Kind.DOMAIN, "")  # until a value is filled in


def _indicators(row: Row, known: Columns) -> Iterator[Indicator | str]:
    """What the cells of a row name, or why one of them cannot be taken."""
    if not known.fields and not known.kinds:
        yield from (found.indicator for cell in row for found in extract(cell[:_MAX_CELL]))
        return
    for place, held in known.kinds.items():
        if place < len(row):
            yield from _in_cell(held, row[place])
    cell, type_name = known.of("value", row), known.of("type", row)
    if not cell.strip():
        return
    kind = kind_named(type_name)
    if kind is not None:
        yield from _in_cell(kind, cell)
    elif type_name.strip():
        yield f"the type {clean(type_name, 40)} is not kept"
    else:
        yield from (found.indicator for found in extract(cell[:_MAX_CELL]))


def _in_cell(kind: Kind, cell: str) -> Iterator[Indicator | str]:
    """The indicators of one kind in a cell: one or several, bare, defanged or with words around them."""
    cell = _plain(cell).strip()
    between = _BETWEEN_URLS if kind is Kind.URL else _BETWEEN
    parts = [part for part in between.split(cell[:_MAX_CELL]) if part]
    try:
        yield from [read(kind, part) for part in parts]
    except InputError as error:
        kinds = HASHES if kind in HASHES else (*ADDRESS, Kind.DOMAIN) if kind in ADDRESS else (kind,)
        found = [one.indicator for one in _apart(cell[:_MAX_CELL]) if one.indicator.kind in kinds]
        yield from found
        if not found:
            yield reason(error)


def _apart(cell: str) -> Iterator[Found]:
    """What stands in a cell apart from other things: no tail of a broken name."""
    return (one for one in extract(cell) if one.start == 0 or cell[one.start - 1] not in _JOINS)


def _rows(text: str) -> Iterator[tuple[int, list[str] | Rejected]]:
    """Rows with the numbers of their last lines; one that csv cannot read costs only itself."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter(text) or ",")
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield reader.line_num, Rejected(f"row {reader.line_num}", reason(error))
        else:
            yield reader.line_num, row


def _outside_quotes(line: str) -> str:
    return "".join(line.split('"')[::2])


def _plain(cell: str) -> str:
    """A cell without the apostrophe that keeps spreadsheets from running it."""
    return cell[1:] if cell[:1] == "'" and cell[1:2] and cell[1] in FORMULA else cell
