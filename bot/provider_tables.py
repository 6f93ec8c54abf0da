"""The [provider.NAME] tables of liaison.toml: which external services are on, and how each is run."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bot.providers import catalogue
from bot.providers.catalogue import Listing
from bot.providers.options import Options
from bot.settings import is_local
from bot.tlp import Label
from bot.toml_tables import Mistakes, Table, nearest

MOST_QUESTIONS = 100_000_000  # in any period
SECONDS = (0.1, 60.0)  # of one question
MAX_PLACE_LENGTH = 1000  # characters of a URL or a path

_KEYS = ("on", "label")
_KEYS_OF_ASKED = ("ceiling", "per_minute", "per_day", "per_month", "seconds")


def read(document: Mapping[str, Any], mistakes: Mistakes, folder: Path) -> dict[str, Options]:
    """Those that are on. Every table is checked, on or off; a relative path starts from that folder."""
    tables = document.get("provider", {})
    if not isinstance(tables, Mapping):
        mistakes.add("provider", "must be tables, each with a name; write [provider.hashlookup]")
        return {}
    options = {name: _options(name, values, mistakes, folder) for name, values in tables.items()}
    return {name: one for name, one in options.items() if one is not None}


def keys(listing: Listing) -> tuple[str, ...]:
    """What may stand in its table; where nobody is asked, nothing limits the questions."""
    asked = () if listing.asks_nobody else _KEYS_OF_ASKED
    where = ("file",) if listing.reads_file else ("url", listing.place)
    return (*_KEYS, *asked, *filter(None, where))


def _options(name: str, values: object, mistakes: Mistakes, folder: Path) -> Options | None:
    """None if it is off, or cannot be read."""
    listing = catalogue.LISTINGS.get(name)
    if listing is None:
        mistakes.add(f"provider.{name}", f"is no provider; {nearest(name, catalogue.NAMES)}")
        return None
    if not isinstance(values, Mapping):
        mistakes.add(f"provider.{name}", f"must be a table; write [provider.{name}] and under it on = true")
        return None
    table = Table(f"provider.{name}", values, mistakes)
    table.check_keys(keys(listing))
    is_on = table.flag("on")
    options = _read(table, listing, folder)
    if is_on and listing.reads_file and "file" not in values:
        table.wrong("file", f'is missing; write file = "...", the path of {listing.reads_file}')
    return options if is_on else None


def _read(table: Table, listing: Listing, folder: Path) -> Options:
    file = table.text("file", longest=MAX_PLACE_LENGTH) if listing.reads_file else None
    return Options(
        url=_url(table, listing),
        file=None if file is None else folder / file,
        ceiling=table.label(
            "ceiling", None, most=Label.AMBER, why="AMBER+STRICT and RED never leave; write TLP:AMBER or less"
        ),
        label=table.label("label", None, why="no channel could show its answers; write TLP:AMBER or less"),
        per_minute=table.whole("per_minute", 1, MOST_QUESTIONS),
        per_day=table.whole("per_day", 1, MOST_QUESTIONS),
        per_month=table.whole("per_month", 1, MOST_QUESTIONS),
        seconds=table.seconds("seconds", *SECONDS),
    )


def _url(table: Table, listing: Listing) -> str | None:
    """The address that is written there, or that the portal or region has."""
    url = None if listing.reads_file else table.text("url", longest=MAX_PLACE_LENGTH)
    place = table.one_of(listing.place, listing.places) if listing.place else None
    if url is not None and not _is_safe(url):
        # It is not quoted: somebody may have put a key into it.
        table.wrong("url", "must begin with https:// (http:// only for 127.0.0.1) and hold no key or query")
        return None
    if url is not None and place is not None:
        table.wrong("url", f"stands beside {listing.place}, which means another address; keep one of them")
        return None
    return listing.places[place] if place is not None else url


def _is_safe(url: str) -> bool:
    try:
        parts = urlsplit(url)
        is_plain = bool(parts.hostname) and not (
            parts.username or parts.password or parts.query or parts.fragment
        )
        return is_plain and (parts.port is None or parts.port > 0) and _is_closed(parts.scheme, url)
    except ValueError:  # a port that is no number, half an IPv6 address
        return False


def _is_closed(scheme: str, url: str) -> bool:
    """Whether nobody on the way can read along."""
    return scheme == "https" or (scheme == "http" and is_local(url))
