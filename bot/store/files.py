"""Which hashes of one source are one file: ids that meet in a row are joined under one of them."""

from collections.abc import Mapping

MAX_MEMBERS = 64  # hashes of one file; a source that says more of them are one is not believed

FileId = tuple[str, str]  # source, and its id of the file


class Files:
    """The file ids of one portion of an import; `joined` collects what must be renamed in the store."""

    def __init__(self, roots: Mapping[FileId, str], members: Mapping[FileId, int]) -> None:
        self._roots = dict(roots)  # an id that was joined with another -> that other
        self._members = dict(members)
        self.joined: list[tuple[str, str, str]] = []  # source, id, what it is now

    def root(self, source: str, file: str) -> str:
        """The id under which this file is kept."""
        while (source, file) in self._roots:
            file = self._roots[source, file]
        return file

    def place(self, source: str, held: str | None, wanted: str) -> str | None:
        """The file of a row that belonged to `held`, if to any, and is now said to belong to `wanted`."""
        wanted = self.root(source, wanted)
        if held is None:
            return self._enter(source, wanted)
        held = self.root(source, held)
        if held != wanted and self._fits(source, held, wanted):
            self._join(source, wanted, held)
        return held

    def _enter(self, source: str, file: str) -> str | None:
        members = self._members.get((source, file), 0)
        if members >= MAX_MEMBERS:
            return None
        self._members[source, file] = members + 1
        return file

    def _fits(self, source: str, one: str, other: str) -> bool:
        return self._members.get((source, one), 0) + self._members.get((source, other), 0) <= MAX_MEMBERS

    def _join(self, source: str, file: str, into: str) -> None:
        self._roots[source, file] = into
        self._members[source, into] = self._members.get((source, into), 0) + self._members.pop(
            (source, file), 0
        )
        self.joined.append((source, file, into))
