"""Configuration: liaison.toml, checked as a whole, with every mistake reported at once."""

import re
import tomllib
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import date, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from bot import tlp
from bot.errors import ConfigError, InputError
from bot.organisations import Organisation, Registry
from bot.tlp import Label
from bot.toml_lines import Lines

MAX_FILE_BYTES = 1_000_000
MAX_NAME_LENGTH = 80

_HOST_KEYS = ("id", "name", "teams")
_PARTNER_KEYS = (
    *_HOST_KEYS,
    "alias",
    "community",
    "constituent",
    "default_label",
    "named_to",
    "agreement",
    "guests",
)
_CHANNEL_KEYS = ("id", "cap")
_RESERVED_SLUGS = ("unknown",)  # means sharing.UNKNOWN in policy cases and on the command line

_SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,39}", re.ASCII)
_TEAM = re.compile(r"[TE][A-Z0-9]{1,20}", re.ASCII)
_USER = re.compile(r"[UW][A-Z0-9]{1,20}", re.ASCII)
_CHANNEL = re.compile(r"[CG][A-Z0-9]{1,20}", re.ASCII)  # G: private channels made before 2018

_TEAM_ADVICE = 'write a Slack team id, which starts with T or E, like "T0KASP"'
_USER_ADVICE = 'write a Slack user id, which starts with U or W, like "U0ANNA"'
_CHANNEL_ADVICE = 'write a Slack channel id, which starts with C or G, like "C0KASP"'
_SLUG_ADVICE = 'write at most 40 lower-case letters, digits and dashes, like "trendmicro"'


def load(path: Path) -> Registry:
    """Read the organisations and channel caps. Raises ConfigError with every mistake in the file."""
    text = _read(path)
    document = _parse(path, text)
    mistakes = _Mistakes(path.name, Lines(text, document))
    registry = _registry(document, mistakes)
    mistakes.raise_if_any()
    return registry


class _Mistakes:
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


class _Table:
    """One table of the file; reading a wrong value notes the mistake and gives a harmless stand-in."""

    def __init__(self, path: str, values: Mapping[str, Any], mistakes: _Mistakes) -> None:
        self.path = path
        self._values = values
        self.mistakes = mistakes

    def wrong(self, key: str, text: str) -> None:
        self.mistakes.add(f"{self.path}.{key}", text)

    def check_keys(self, known: Collection[str]) -> None:
        for key in sorted(self._values.keys() - set(known)):
            self.wrong(key, f"is not a setting here; {_nearest(key, known)}")

    def text(self, key: str, *, required: bool = False) -> str | None:
        """A short printable text, or None if it is missing or wrong."""
        value = self._values.get(key)
        if value is None:
            if required:
                self.wrong(key, f'is missing; write {key} = "..."')
            return None
        if not isinstance(value, str) or not value.strip():
            self.wrong(key, f'must be a text; write {key} = "..."')
            return None
        if len(value) > MAX_NAME_LENGTH or not value.isprintable():
            self.wrong(key, f"must be one line of at most {MAX_NAME_LENGTH} printable characters")
            return None
        return value.strip()

    def matching(self, key: str, form: re.Pattern[str], advice: str) -> str:
        """A text of that form; "" if it is missing or wrong."""
        value = self.text(key, required=True)
        if value is not None and not form.fullmatch(value):
            self.wrong(key, f"{_quoted(value)} cannot be taken; {advice}")
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
                self.wrong(key, f"{_quoted(item)} cannot be taken; {advice}")
        return tuple(dict.fromkeys(item for item in value if form.fullmatch(item)))

    def flag(self, key: str) -> bool:
        value = self._values.get(key, False)
        if not isinstance(value, bool):
            self.wrong(key, f"must be true or false; write {key} = true, without quotes")
            return False
        return value

    def label(self, key: str, default: Label, *, red: str) -> Label:
        """A TLP label; `red` says why TLP:RED makes no sense here."""
        value = self._values.get(key)
        if value is None:
            return default
        try:
            label = tlp.parse(value if isinstance(value, str) else "")
        except InputError as error:
            self.wrong(key, f"is {error}")
            return default
        if label is Label.RED:
            self.wrong(key, f"cannot be TLP:RED: {red}")
            return default
        return label

    def table(self, key: str) -> "_Table | None":
        value = self._values.get(key)
        if value is None:
            return None
        if not isinstance(value, Mapping):
            self.wrong(key, f"must be a table; write {key} = {{ from = 2026-01-01, until = 2028-12-31 }}")
            return None
        return _Table(f"{self.path}.{key}", value, self.mistakes)

    def day(self, key: str) -> date | None:
        value = self._values.get(key)
        if value is None or (isinstance(value, date) and not isinstance(value, datetime)):
            return value
        self.wrong(key, f"must be a day; write {key} = 2026-12-31, without quotes or a time")
        return None


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
    except FileNotFoundError:
        advice = (
            "copy deploy/liaison.example.toml there, or name another file with --config or LIAISON_CONFIG"
        )
        raise ConfigError([f"{path}: there is no such file; {advice}"]) from None
    except OSError as error:
        raise ConfigError([f"{path}: cannot be read ({error.strerror}); make it a readable file"]) from error
    if len(content) > MAX_FILE_BYTES:
        raise ConfigError([f"{path}: is larger than {MAX_FILE_BYTES:,} bytes; is it the right file?"])
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigError([f"{path.name}:{line}: is not UTF-8 text; save the file as UTF-8"]) from error


def _parse(path: Path, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except RecursionError as error:
        raise ConfigError([f"{path.name}: brackets are nested too deeply; remove some"]) from error
    except ValueError as error:  # TOMLDecodeError is one; int() of too many digits is another
        what, _, place = str(error).rstrip(")").partition(" (at ")
        where = re.sub(r"line (\d+), column (\d+)", r":\1:\2", place) if place.startswith("line") else ""
        message = f"{path.name}{where}: this is not TOML: {what}"
        raise ConfigError([message if where or not place else f"{message} at the {place}"]) from error


def _registry(document: Mapping[str, Any], mistakes: _Mistakes) -> Registry:
    for key in sorted(document.keys() - {"host", "partner", "channel"}):
        mistakes.add(key, f"is not a setting; {_nearest(key, ('host', 'partner', 'channel'))}")
    host_table = _host_table(document, mistakes)
    partner_tables = _tables(document, "partner", mistakes)
    host = _host(host_table)
    partners = tuple(_partner(table) for table in partner_tables)
    pairs = [(host_table, host), *zip(partner_tables, partners, strict=True)]
    _check_together(pairs)
    return Registry(host, partners, _caps(_tables(document, "channel", mistakes)))


def _host_table(document: Mapping[str, Any], mistakes: _Mistakes) -> _Table:
    value = document.get("host")
    if isinstance(value, Mapping):
        return _Table("host", value, mistakes)
    wrong = "is missing" if value is None else "must be one table"
    mistakes.add("host", f"{wrong}; write [host] and under it id, name and teams")
    return _Table("host", {"id": "host", "name": "host", "teams": ["T0"]}, mistakes)


def _tables(document: Mapping[str, Any], name: str, mistakes: _Mistakes) -> list[_Table]:
    value = document.get(name, [])
    if not isinstance(value, list) or not all(isinstance(item, Mapping) for item in value):
        mistakes.add(name, f"must be a list of tables; write [[{name}]], with two brackets, before each")
        return []
    return [_Table(f"{name}[{number}]", item, mistakes) for number, item in enumerate(value, 1)]


def _host(table: _Table) -> Organisation:
    table.check_keys(_HOST_KEYS)
    return Organisation(
        id=_slug(table), name=table.text("name", required=True) or "", teams=frozenset(_teams(table))
    )


def _partner(table: _Table) -> Organisation:
    table.check_keys(_PARTNER_KEYS)
    since, until = _agreement(table)
    return Organisation(
        id=_slug(table),
        name=table.text("name", required=True) or "",
        teams=frozenset(_teams(table)),
        guests=frozenset(table.texts("guests", _USER, _USER_ADVICE)),
        alias=table.text("alias"),
        community=table.flag("community"),
        constituent=table.flag("constituent"),
        default_label=table.label(
            "default_label", tlp.UNMARKED, red="it needs named persons; write TLP:AMBER+STRICT"
        ),
        named_to=frozenset(table.texts("named_to", _SLUG, _SLUG_ADVICE)),
        since=since,
        until=until,
    )


def _slug(table: _Table) -> str:
    slug = table.matching("id", _SLUG, _SLUG_ADVICE)
    if slug in _RESERVED_SLUGS:
        table.wrong("id", f"{_quoted(slug)} has a meaning of its own; choose another slug")
    return slug


def _teams(table: _Table) -> tuple[str, ...]:
    return table.texts("teams", _TEAM, _TEAM_ADVICE, required=True)


def _agreement(table: _Table) -> tuple[date | None, date | None]:
    agreement = table.table("agreement")
    if agreement is None:
        return None, None
    agreement.check_keys(("from", "until"))
    since, until = agreement.day("from"), agreement.day("until")
    if since is not None and until is not None and until < since:
        table.wrong("agreement", f"ends on {until}, before it begins on {since}; swap from and until")
    return since, until


def _caps(tables: Iterable[_Table]) -> dict[str, Label]:
    caps: dict[str, Label] = {}
    firsts: dict[str, str] = {}
    for table in tables:
        table.check_keys(_CHANNEL_KEYS)
        channel = table.matching("id", _CHANNEL, _CHANNEL_ADVICE)
        cap = table.label(
            "cap", Label.GREEN, red="RED never goes to a channel; write TLP:AMBER+STRICT or less"
        )
        if channel:
            _check_first(firsts, channel, table, "id", "is already set at")
            caps[channel] = cap
    return caps


def _check_together(pairs: list[tuple[_Table, Organisation]]) -> None:
    """What can only be judged over all organisations: uniqueness, and slugs that others refer to."""
    _check_unique(pairs, "id", lambda org: [org.id] if org.id else [])
    _check_unique(pairs, "teams", lambda org: org.teams)
    _check_unique(pairs, "guests", lambda org: org.guests)
    _check_unique(pairs, "name", lambda org: [org.name.casefold()] if org.name else [])
    _check_aliases(pairs)
    _check_named_to(pairs)


def _check_named_to(pairs: list[tuple[_Table, Organisation]]) -> None:
    slugs = {org.id: None for _, org in pairs if org.id and org.id not in _RESERVED_SLUGS}  # in their order
    for table, org in pairs:
        others = [slug for slug in slugs if slug != org.id]
        for slug in sorted(org.named_to - set(others)):
            what = "is this organisation itself" if slug == org.id else "is no organisation here"
            table.wrong("named_to", f"{_quoted(slug)} {what}; {_nearest(slug, others)}")


def _check_unique(
    pairs: list[tuple[_Table, Organisation]], key: str, values: Callable[[Organisation], Iterable[str]]
) -> None:
    firsts: dict[str, str] = {}
    for table, org in pairs:
        for value in sorted(values(org)):
            _check_first(firsts, value, table, key, "already belongs to the organisation at")


def _check_first(firsts: dict[str, str], value: str, table: _Table, key: str, already: str) -> None:
    first = firsts.setdefault(value, table.path)
    if first != table.path:
        place = table.mistakes.line(f"{first}.{key}")
        table.wrong(key, f"{_quoted(value)} {already} {place}; each may stand there once only")


def _check_aliases(pairs: list[tuple[_Table, Organisation]]) -> None:
    """An alias that reads like an organisation would name the wrong one, or the right one."""
    taken = {word.casefold(): org for _, org in pairs for word in (org.id, org.name)}
    for table, org in pairs:
        if org.alias is None:
            continue
        other = taken.setdefault(org.alias.casefold(), org)
        if other is not org:
            table.wrong("alias", f"{_quoted(org.alias)} already stands for {other.id}; choose another alias")
        elif org.alias.casefold() in (org.id, org.name.casefold()):
            table.wrong("alias", f"{_quoted(org.alias)} gives the name away; choose another, or use named_to")


def _nearest(word: str, known: Collection[str]) -> str:
    near = get_close_matches(word, known, n=1)
    return f'did you mean "{near[0]}"?' if near else f"use one of: {', '.join(known) or 'none yet'}"


def _quoted(text: str) -> str:
    return f'"{text}"' if len(text) <= MAX_NAME_LENGTH else f'"{text[:MAX_NAME_LENGTH]}…"'
