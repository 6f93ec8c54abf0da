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
from bot.feeds.marking import NONE, Marking
from bot.feeds.parsed import Defaults, Parsed, Rejected, clean, moment, name, names, percent, reason
from bot.feeds.text import marking_in
from bot.feeds.values import ADDRESS, HASHES, one_file, read
from bot.indicators import Indicator, Kind

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
    table = _Table(defaults)
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


@dataclass
class _Table:
    """One table on its way to assertions: the header and the markings met so far hold for what follows."""

    defaults: Defaults
    columns: Columns | None = None
    marked: Marking = NONE
    started: bool = False  # rows with data came

    def read(self, number: int, row: Row) -> Iterator[Parsed]:
        if row[0].lstrip().startswith("#"):
            self._comment(row)
            return
        if not self.started and self._is_heading(row):
            return
        self.started = True
        yield from self._claims(f"row {number}", row)

    def _comment(self, row: Row) -> None:
        """abuse.ch writes the header as a comment."""
        plain = [cell.lstrip("# ").strip('" ') for cell in row]
        self.marked |= marking_in(" ".join(row), self.defaults.label)
        self.columns = self.columns or columns(plain)

    def _is_heading(self, row: Row) -> bool:
        """A title, a label row or the header; whatever marking stands in it is taken."""
        filled = [cell for cell in row if cell.strip()]
        if len(filled) == 1 and not extract(filled[0][:_MAX_CELL]):
            alone = marking.of_tag(filled[0])
            self.marked |= alone or marking_in(filled[0], self.defaults.label)
            if alone is not None or self.columns is None:
                found = columns(row)
                self.columns = self.columns or found
                return True
        if self.columns is None:
            self.columns = columns(row)
            return self.columns is not None
        return False

    def _claims(self, where: str, row: Row) -> Iterator[Parsed]:
        found: list[Indicator] = []
        for one in self._indicators(row):
            if isinstance(one, Indicator):
                found.append(one)
            else:
                yield Rejected(where, one)
        facts = self._facts(row)
        file = one_file(found)
        for indicator in dict.fromkeys(found):
            hashed = file if indicator.kind in HASHES else None
            yield msgspec.structs.replace(facts, indicator=indicator, file=hashed)

    def _indicators(self, row: Row) -> Iterator[Indicator | str]:
        """What the cells of a row name, or why one of them cannot be taken."""
        if self.columns is None:
            yield from (found.indicator for cell in row for found in extract(cell[:_MAX_CELL]))
            return
        for place, held in self.columns.kinds.items():
            if place < len(row):
                yield from _in_cell(held, row[place])
        cell, type_name = self.columns.of("value", row), self.columns.of("type", row)
        if not cell.strip():
            return
        kind = kind_named(type_name)
        if kind is not None:
            yield from _in_cell(kind, cell)
        elif type_name.strip():
            yield f"the type {clean(type_name, 40)} is not kept"
        else:
            yield from (found.indicator for found in extract(cell[:_MAX_CELL]))

    def _facts(self, row: Row) -> Assertion:
        of = (self.columns or Columns()).of
        marked = self.marked | marking.of_label(of("label", row)) | marking.of_pap(of("pap", row))
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
            tags=names(_plain(tag) for tag in re.split("[,;|]", of("tags", row)[:4_000])),
            context=clean(_plain(of("context", row))),
            to_ids=of("to_ids", row).strip().lower() not in ("false", "0", "no"),
            revoked=of("revoked", row).strip().lower() in ("true", "1", "yes"),
        )


_NOTHING = Indicator(Kind.DOMAIN, "")  # until a value is filled in


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
