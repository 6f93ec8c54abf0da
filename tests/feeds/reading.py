"""What the tests of all parsers do: read bytes or JSON, and look at what came out."""

import json
from collections.abc import Callable, Iterator
from typing import Any

from bot.assertions import Assertion
from bot.feeds.parsed import Defaults, Parsed, Rejected
from bot.tlp import Label

Parser = Callable[[bytes, Defaults], Iterator[Parsed]]
DEFAULTS = Defaults("kaspersky", Label.AMBER)


def taken(parse: Parser, data: Any, defaults: Defaults = DEFAULTS) -> list[Assertion]:
    """The assertions in a document, given as bytes, text or JSON value."""
    return [item for item in parse(as_bytes(data), defaults) if isinstance(item, Assertion)]


def refused(parse: Parser, data: Any) -> list[Rejected]:
    """What a parser refused."""
    return [item for item in parse(as_bytes(data), DEFAULTS) if isinstance(item, Rejected)]


def one(parse: Parser, data: Any, defaults: Defaults = DEFAULTS) -> Assertion:
    """The only assertion in a document."""
    (assertion,) = taken(parse, data, defaults)
    return assertion


def values(assertions: list[Assertion]) -> list[tuple[str, str]]:
    """(kind, value) of each."""
    return [(assertion.indicator.kind.value, assertion.indicator.value) for assertion in assertions]


def as_bytes(data: Any) -> bytes:
    """Bytes stay, text is encoded, everything else becomes JSON."""
    if isinstance(data, bytes):
        return data
    return (data if isinstance(data, str) else json.dumps(data)).encode()
