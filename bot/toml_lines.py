"""Which line of a TOML file a key stands on, for messages; tomllib itself does not tell.

Reads only plain `[table]`, `[[table]]` and `key =` lines and checks itself against what tomllib read:
where the two disagree (quoted keys, look-alikes inside a long string) no line is better than a wrong one.
"""

import re
from collections.abc import Mapping

_HEADER = re.compile(r"\s*(\[\[?)([A-Za-z0-9_-]+)((?:\.[A-Za-z0-9_-]+)*)\]")
_KEY = re.compile(r"\s*([A-Za-z0-9_-]+)\s*[=.]")


class Lines:
    """Line numbers, from 1, by key path such as `partner[2].teams`; tables of an array count from 1."""

    def __init__(self, text: str, document: Mapping[str, object]) -> None:
        found = _scan(text)
        self._lines = {
            path: line
            for table, keys in found.items()
            if keys.keys() - {""} == _keys_at(table, document)
            for path, line in _paths(table, keys)
        }

    def of(self, path: str) -> int | None:
        """The line of that key, else of the table around it, else None."""
        while path and path not in self._lines:
            table, _, key = path.rpartition(".")
            whole = f"{table}.{key.partition('[')[0]}"  # of a list that stands on the line of its key
            path = whole if whole in self._lines else table
        return self._lines.get(path)


def _scan(text: str) -> dict[str, dict[str, int]]:
    """Table path -> key -> line; the key "" is the table's own header."""
    found: dict[str, dict[str, int]] = {"": {}}
    counts: dict[str, int] = {}
    table = ""
    for number, line in enumerate(text.splitlines(), 1):
        if header := _HEADER.match(line):
            brackets, name, rest = header.groups()
            counts[name] = counts.get(name, 0) + (brackets == "[[" and not rest)
            top = f"{name}[{counts[name]}]" if counts[name] else name
            found.setdefault("", {}).setdefault(name, number)
            if rest:
                found.setdefault(top, {}).setdefault(rest.split(".")[1], number)
            table = top + rest
            found.setdefault(table, {})[""] = number
        elif key := _KEY.match(line):
            found[table].setdefault(key[1], number)
    return found


def _keys_at(path: str, document: Mapping[str, object]) -> set[str]:
    """The keys tomllib found at a table path; none where there is no such table."""
    value: object = document
    for part in filter(None, path.split(".")):
        name, _, index = part.partition("[")
        value = value.get(name) if isinstance(value, Mapping) else None
        if index:
            tables = value if isinstance(value, list) else []
            position = int(index.rstrip("]"))
            value = tables[position - 1] if position <= len(tables) else None
    return set(value) if isinstance(value, Mapping) else {""}


def _paths(table: str, keys: Mapping[str, int]) -> list[tuple[str, int]]:
    return [(".".join(filter(None, (table, key))), line) for key, line in keys.items()]
