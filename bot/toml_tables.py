"""Tables of a TOML file, read value by value: each mistake is noted with its line and advice."""

import re
from collections.abc import Collection, Mapping
from datetime import date, datetime
from difflib import get_close_matches
from typing import Any, TypeVar

from bot import tlp
from bot.errors import ConfigError, InputError
from bot.tlp import Label
from bot.toml_lines import Lines

MAX_NAME_LENGTH = 80

Default = TypeVar("Default")


class Mistakes:
    """Everything wrong with one file, in the order of its lines."""

    def __init__(self, file: str, lines: Lines) -> None:
        self._file = file
        self._lines = lines
        self._found: list[tuple[int, str]] = []

    def add(self, path: str, text: str) -> None:
        line = self._lines.of(path)
        place = self._file if line is None else f"{self._file}:{line}"
        self._found.append((line or 0, f"{place}: {path}: {text}"))

    def line(self, path: str) -> str:
        """The place another mistake may point to."""
        line = self._lines.of(path)
        return path if line is None else f"line {line}"

    def raise_if_any(self) -> None:
        if self._found:
            raise ConfigError([text for _, text in sorted(self._found, key=lambda found: found[0])])


class Table:
    """One table of the file; reading a wrong value notes the mistake and gives a harmless stand-in."""

    def __init__(self, path: str, values: Mapping[str, Any], mistakes: Mistakes) -> None:
        self.path = path
        self._values = values
        self.mistakes = mistakes

    def wrong(self, key: str, text: str) -> None:
        self.mistakes.add(f"{self.path}.{key}", text)

    def check_keys(self, known: Collection[str]) -> None:
        for key in sorted(self._values.keys() - set(known)):
            self.wrong(key, f"is not a setting here; {nearest(key, known)}")

    def text(self, key: str, *, required: bool = False, longest: int = MAX_NAME_LENGTH) -> str | None:
        """A printable line, or None if it is missing or wrong."""
        value = self._values.get(key)
        if value is None:
            if required:
                self.wrong(key, f'is missing; write {key} = "..."')
            return None
        if not isinstance(value, str) or not value.strip():
            self.wrong(key, f'must be a text; write {key} = "..."')
            return None
        if len(value) > longest or not value.isprintable():
            self.wrong(key, f"must be one line of at most {longest} printable characters")
            return None
        return value.strip()

    def matching(self, key: str, form: re.Pattern[str], advice: str) -> str:
        """A text of that form; "" if it is missing or wrong."""
        value = self.text(key, required=True)
        if value is not None and not form.fullmatch(value):
            self.wrong(key, f"{quoted(value)} cannot be taken; {advice}")
            return ""
        return value or ""

    def texts(
        self, key: str, form: re.Pattern[str], advice: str, *, required: bool = False
    ) -> tuple[str, ...]:
        """The well-formed members of a list of texts, each once."""
        value = self._values.get(key, [])
        if required and value == []:
            self.wrong(key, f'is missing or empty; write {key} = ["..."]: {advice}')
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            self.wrong(key, f'must be a list of texts; write {key} = ["...", "..."]')
            return ()
        for item in value:
            if not form.fullmatch(item):
                self.wrong(key, f"{quoted(item)} cannot be taken; {advice}")
        return tuple(dict.fromkeys(item for item in value if form.fullmatch(item)))

    def rows(self, key: str, forms: Mapping[str, tuple[re.Pattern[str], str]]) -> list[Mapping[str, str]]:
        """The well-formed members of a list of small tables, each of exactly these texts."""
        value = self._values.get(key, [])
        if not isinstance(value, list) or not all(isinstance(row, Mapping) for row in value):
            example = ", ".join(f'{name} = "..."' for name in forms)
            self.wrong(key, f"must be a list of tables; write {key} = [{{ {example} }}]")
            return []
        return [row for number, row in enumerate(value, 1) if self._is_row(f"{key}[{number}]", row, forms)]

    def _is_row(
        self, place: str, row: Mapping[str, Any], forms: Mapping[str, tuple[re.Pattern[str], str]]
    ) -> bool:
        others = sorted(row.keys() - forms)
        wrong = [f"{quoted(name)} is not a setting here; {nearest(name, forms)}" for name in others]
        for name, (form, advice) in forms.items():
            text = row.get(name)
            if not isinstance(text, str) or not form.fullmatch(text):
                told = "is missing" if text is None else f"{quoted(str(text))} cannot be taken"
                wrong.append(f"{name}: {told}; {advice}")
        for text in wrong:
            self.wrong(place, text)
        return not wrong

    def flag(self, key: str, default: bool = False) -> bool:
        value = self._values.get(key, default)
        if not isinstance(value, bool):
            self.wrong(key, f"must be true or false; write {key} = true, without quotes")
            return default
        return value

    def one_of(self, key: str, words: Collection[str]) -> str | None:
        """One of these words, or None if it is missing or wrong."""
        word = self.text(key)
        if word is not None and word not in words:
            self.wrong(key, f"{quoted(word)} cannot be taken; {nearest(word, words)}")
            return None
        return word

    def whole(self, key: str, least: int, most: int) -> int | None:
        """A whole number between two others, both included, or None if it is missing or wrong."""
        value = self._values.get(key)
        if value is None or (
            isinstance(value, int) and not isinstance(value, bool) and least <= value <= most
        ):
            return value
        self.wrong(key, f"must be a whole number from {least} to {most:,}; write {key} = {least}")
        return None

    def seconds(self, key: str, least: float, most: float) -> float | None:
        """A time between two others, both included, or None if it is missing or wrong."""
        value = self._values.get(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
            self.wrong(key, f"must be a number of seconds from {least:g} to {most:g}; write {key} = {most:g}")
            return None
        return float(value)

    def label(
        self, key: str, default: Default, *, why: str, most: Label = Label.AMBER_STRICT
    ) -> Label | Default:
        """A TLP label; `why` says why a stricter one than `most` makes no sense here."""
        value = self._values.get(key)
        if value is None:
            return default
        try:
            label = tlp.parse(value if isinstance(value, str) else "")
        except InputError as error:
            self.wrong(key, f"is {error}")
            return default
        if label > most:
            self.wrong(key, f"cannot be {label}: {why}")
            return default
        return label

    def table(self, key: str) -> "Table | None":
        value = self._values.get(key)
        if value is None:
            return None
        if not isinstance(value, Mapping):
            self.wrong(key, f"must be a table; write {key} = {{ from = 2026-01-01, until = 2028-12-31 }}")
            return None
        return Table(f"{self.path}.{key}", value, self.mistakes)

    def day(self, key: str) -> date | None:
        value = self._values.get(key)
        if value is None or (isinstance(value, date) and not isinstance(value, datetime)):
            return value
        self.wrong(key, f"must be a day; write {key} = 2026-12-31, without quotes or a time")
        return None


def nearest(word: str, known: Collection[str]) -> str:
    """Advice on what a word nobody knows was meant to be."""
    near = get_close_matches(word, known, n=1)
    return f'did you mean "{near[0]}"?' if near else f"use one of: {', '.join(known) or 'none yet'}"


def quoted(text: str) -> str:
    """The text in quotation marks, not too long."""
    return f'"{text}"' if len(text) <= MAX_NAME_LENGTH else f'"{text[:MAX_NAME_LENGTH]}…"'
