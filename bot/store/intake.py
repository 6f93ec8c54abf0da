"""What an import makes of the stored rows, worked out in memory before anything is written."""

from collections.abc import Iterator, Mapping

import msgspec

from bot.assertions import MAX_TAGS, Assertion, files, merge, narrows
from bot.services import Tally
from bot.store.files import Files

Key = tuple[str, bytes]  # one row for each source and rows.key of an indicator


class Intake:
    """Takes assertions one after the other, on top of the stored rows of the same keys."""

    def __init__(self, stored: Mapping[Key, Assertion], files: Files, head: int) -> None:
        self._stored = stored
        self._rows = dict(stored)
        self._changed: dict[Key, int] = {}  # with the number of the row
        self.files = files
        self.head = head  # the highest number given so far
        self._new = self._updated = self._unchanged = 0

    def take(self, assertion: Assertion, found_by: bytes) -> None:
        """Merge one assertion into its row, or make a row of it."""
        key = (assertion.source, found_by)
        old = self._rows.get(key)
        row = _tidy(assertion) if old is None else merge(old, assertion)
        if assertion.file is not None:
            row = self._with_file(row, old, assertion.file)
        if old is None:
            self.head += 1
            self._changed[key] = self.head
            self._new += 1
        elif row != old:
            self._changed.setdefault(key, old.seq)
            self._updated += 1
        else:
            self._unchanged += 1
        self._rows[key] = row

    @property
    def changes(self) -> bool:
        """Whether anything is to be written."""
        return bool(self._changed or self.files.joined)

    @property
    def tally(self) -> Tally:
        """What became of what was taken."""
        return Tally(self._new, self._updated, self._unchanged)

    def changed(self) -> Iterator[tuple[Assertion, bytes, int]]:
        """The rows to be written, with their keys and numbers."""
        for key, seq in self._changed.items():
            row = self._rows[key]
            if row.file is not None and self.files.joined:
                row = msgspec.structs.replace(row, file=self.files.root(row.source, row.file))
            yield row, key[1], seq

    def narrowed(self) -> Iterator[Assertion]:
        """The rows among them that somebody may see no more."""
        for key in self._changed:
            old = self._stored.get(key)
            if old is not None and narrows(old, self._rows[key]):
                yield old

    def _with_file(self, row: Assertion, old: Assertion | None, wanted: str) -> Assertion:
        """The row in the file that the store keeps; what its source said stays in `links`."""
        file = self.files.place(row.source, None if old is None else old.file, wanted)
        return msgspec.structs.replace(row, file=file, links=files(row))


def _tidy(assertion: Assertion) -> Assertion:
    """As merging with itself would leave it, so that the second import finds nothing to change."""
    tags = assertion.tags
    if len(tags) > 1 and (len(tags) > MAX_TAGS or len(set(tags)) < len(tags)):
        return msgspec.structs.replace(assertion, tags=tuple(dict.fromkeys(tags))[:MAX_TAGS])
    return assertion
