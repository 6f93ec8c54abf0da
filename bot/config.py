"""Configuration: liaison.toml, checked as a whole, with every mistake reported at once."""

import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from bot import provider_tables, tlp
from bot.errors import ConfigError, UsageError
from bot.organisations import Member, Organisation, Registry
from bot.providers.options import Options
from bot.schedules import zone_named
from bot.tlp import Label
from bot.toml_lines import Lines
from bot.toml_tables import Mistakes, Table, nearest, quoted

MAX_FILE_BYTES = 1_000_000

_TABLES = ("host", "partner", "channel", "provider")
_ORGANISATION_KEYS = ("id", "name", "teams")
_HOST_KEYS = (*_ORGANISATION_KEYS, "enrich_own_queries", "operators", "default_timezone")
_PARTNER_KEYS = (
    *_ORGANISATION_KEYS,
    "alias",
    "community",
    "constituent",
    "default_label",
    "named_to",
    "agreement",
    "guests",
    "stewards",
    "enrich_own_queries",
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


@dataclass(frozen=True)
class Configuration:
    """What liaison.toml says."""

    registry: Registry
    providers: Mapping[str, Options]  # those that are on, without their keys


def load(path: Path) -> Registry:
    """Read the organisations and channel caps. Raises ConfigError with every mistake in the file."""
    return read(path).registry


def read(path: Path) -> Configuration:
    """Read the whole file. Raises ConfigError with every mistake in it."""
    text = _read(path)
    document = _parse(path, text)
    mistakes = Mistakes(path.name, Lines(text, document))
    for key in sorted(document.keys() - set(_TABLES)):
        mistakes.add(key, f"is not a setting; {nearest(key, _TABLES)}")
    registry = _registry(document, mistakes)
    providers = provider_tables.read(document, mistakes, path.parent)
    mistakes.raise_if_any()
    return Configuration(registry, providers)


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


def _registry(document: Mapping[str, Any], mistakes: Mistakes) -> Registry:
    host_table = _host_table(document, mistakes)
    partner_tables = _tables(document, "partner", mistakes)
    host = _host(host_table)
    partners = tuple(_partner(table) for table in partner_tables)
    pairs = [(host_table, host), *zip(partner_tables, partners, strict=True)]
    _check_together(pairs)
    caps = _caps(_tables(document, "channel", mistakes))
    return Registry(host, partners, caps, _timezone(host_table))


def _host_table(document: Mapping[str, Any], mistakes: Mistakes) -> Table:
    value = document.get("host")
    if isinstance(value, Mapping):
        return Table("host", value, mistakes)
    wrong = "is missing" if value is None else "must be one table"
    mistakes.add("host", f"{wrong}; write [host] and under it id, name and teams")
    return Table("host", {"id": "host", "name": "host", "teams": ["T0"]}, mistakes)


def _tables(document: Mapping[str, Any], name: str, mistakes: Mistakes) -> list[Table]:
    value = document.get(name, [])
    if not isinstance(value, list) or not all(isinstance(item, Mapping) for item in value):
        mistakes.add(name, f"must be a list of tables; write [[{name}]], with two brackets, before each")
        return []
    return [Table(f"{name}[{number}]", item, mistakes) for number, item in enumerate(value, 1)]


def _host(table: Table) -> Organisation:
    table.check_keys(_HOST_KEYS)
    return Organisation(
        id=_slug(table),
        name=table.text("name", required=True) or "",
        teams=frozenset(_teams(table)),
        # To turn a service on is the host's own decision, so its questions go there unless it says no.
        enrich_own_queries=table.flag("enrich_own_queries", default=True),
        stewards=_members(table, "operators"),
    )


def _timezone(host: Table) -> str:
    name = host.text("default_timezone")
    try:
        return zone_named(name) if name is not None else "UTC"
    except UsageError as error:
        host.wrong("default_timezone", str(error))
        return "UTC"


def _partner(table: Table) -> Organisation:
    table.check_keys(_PARTNER_KEYS)
    since, until = _agreement(table)
    return Organisation(
        id=_slug(table),
        name=table.text("name", required=True) or "",
        teams=frozenset(_teams(table)),
        guests=frozenset(table.texts("guests", _USER, _USER_ADVICE)),
        stewards=_members(table, "stewards"),
        alias=table.text("alias"),
        community=table.flag("community"),
        constituent=table.flag("constituent"),
        default_label=table.label(
            "default_label", tlp.UNMARKED, why="it needs named persons; write TLP:AMBER+STRICT"
        ),
        named_to=frozenset(table.texts("named_to", _SLUG, _SLUG_ADVICE)),
        enrich_own_queries=table.flag("enrich_own_queries"),
        since=since,
        until=until,
    )


def _slug(table: Table) -> str:
    slug = table.matching("id", _SLUG, _SLUG_ADVICE)
    if slug in _RESERVED_SLUGS:
        table.wrong("id", f"{quoted(slug)} has a meaning of its own; choose another slug")
    return slug


def _teams(table: Table) -> tuple[str, ...]:
    return table.texts("teams", _TEAM, _TEAM_ADVICE, required=True)


def _members(table: Table, key: str) -> frozenset[Member]:
    forms = {"user": (_USER, _USER_ADVICE), "team": (_TEAM, _TEAM_ADVICE)}
    return frozenset(Member(row["user"], row["team"]) for row in table.rows(key, forms))


def _agreement(table: Table) -> tuple[date | None, date | None]:
    agreement = table.table("agreement")
    if agreement is None:
        return None, None
    agreement.check_keys(("from", "until"))
    since, until = agreement.day("from"), agreement.day("until")
    if since is not None and until is not None and until < since:
        table.wrong("agreement", f"ends on {until}, before it begins on {since}; swap from and until")
    return since, until


def _caps(tables: Iterable[Table]) -> dict[str, Label]:
    caps: dict[str, Label] = {}
    firsts: dict[str, str] = {}
    for table in tables:
        table.check_keys(_CHANNEL_KEYS)
        channel = table.matching("id", _CHANNEL, _CHANNEL_ADVICE)
        cap = table.label(
            "cap", Label.GREEN, why="RED never goes to a channel; write TLP:AMBER+STRICT or less"
        )
        if channel:
            _check_first(firsts, channel, table, "id", "is already set at")
            caps[channel] = cap
    return caps


def _check_together(pairs: list[tuple[Table, Organisation]]) -> None:
    """What can only be judged over all organisations: uniqueness, and slugs that others refer to."""
    _check_unique(pairs, "id", lambda org: [org.id] if org.id else [])
    _check_unique(pairs, "teams", lambda org: org.teams)
    _check_unique(pairs, "guests", lambda org: org.guests)
    _check_unique(pairs, "name", lambda org: [org.name.casefold()] if org.name else [])
    _check_aliases(pairs)
    _check_named_to(pairs)
    _check_stewards(pairs)


def _check_named_to(pairs: list[tuple[Table, Organisation]]) -> None:
    slugs = {org.id: None for _, org in pairs if org.id and org.id not in _RESERVED_SLUGS}  # in their order
    for table, org in pairs:
        others = [slug for slug in slugs if slug != org.id]
        for slug in sorted(org.named_to - set(others)):
            what = "is this organisation itself" if slug == org.id else "is no organisation here"
            table.wrong("named_to", f"{quoted(slug)} {what}; {nearest(slug, others)}")


def _check_stewards(pairs: list[tuple[Table, Organisation]]) -> None:
    """Whoever acts for an organisation is of one of its teams, or one of its guests in the host's."""
    (_, host), *_ = pairs
    for table, org in pairs:
        key = "operators" if org is host else "stewards"
        for one in sorted(org.stewards, key=lambda one: (one.user, one.team)):
            if one.team not in (org.teams | host.teams if one.user in org.guests else org.teams):
                advice = f"write one of its teams: {', '.join(sorted(org.teams)) or 'none yet'}"
                table.wrong(
                    key, f"{quoted(one.team)} of {one.user} is not a team of this organisation; {advice}"
                )


def _check_unique(
    pairs: list[tuple[Table, Organisation]], key: str, values: Callable[[Organisation], Iterable[str]]
) -> None:
    firsts: dict[str, str] = {}
    for table, org in pairs:
        for value in sorted(values(org)):
            _check_first(firsts, value, table, key, "already belongs to the organisation at")


def _check_first(firsts: dict[str, str], value: str, table: Table, key: str, already: str) -> None:
    first = firsts.setdefault(value, table.path)
    if first != table.path:
        place = table.mistakes.line(f"{first}.{key}")
        table.wrong(key, f"{quoted(value)} {already} {place}; each may stand there once only")


def _check_aliases(pairs: list[tuple[Table, Organisation]]) -> None:
    """An alias that reads like an organisation would name the wrong one, or the right one."""
    taken = {word.casefold(): org for _, org in pairs for word in (org.id, org.name)}
    for table, org in pairs:
        if org.alias is None:
            continue
        other = taken.setdefault(org.alias.casefold(), org)
        if other is not org:
            table.wrong("alias", f"{quoted(org.alias)} already stands for {other.id}; choose another alias")
        elif org.alias.casefold() in (org.id, org.name.casefold()):
            table.wrong("alias", f"{quoted(org.alias)} gives the name away; choose another, or use named_to")
