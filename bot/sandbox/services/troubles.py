"""Troubles to switch on: every way in which a service was seen to go wrong."""

import gzip
from dataclasses import replace
from enum import Enum
from functools import cache
from typing import Any

from bot.sandbox.services.asked import Answer

MAX_ANSWER = 4_000_000  # bytes that any client may be expected to take; what is oversized is larger
HOSTILE = (
    "=HYPERLINK(\"https://live.example/x\") <script>alert('hostile')</script> <!channel> <@U0ANA> & *_~`|"
    " https://live.example/path javascript:alert(1)\r\n\x00\x07\x1b[31m\u202efdp.exe\u200b\ufeff"
)
_LONG = HOSTILE + "A" * 100_000


class Trouble(Enum):
    """What goes wrong with a service from now on."""

    QUOTA = "quota"  # each service in its own manner, with Retry-After if `retry_after` is set
    AUTH = "auth"  # the key is refused
    MALFORMED = "malformed"  # JSON that ends in the middle
    HTML = "html"  # 200 with a web page that repeats the question, key included
    SERVER_ERROR = "server error"  # 500 of the web server in front
    UNAVAILABLE_JSON = "unavailable"  # 503 in the service's own words
    EMPTY_204 = "empty"
    SLOW = "slow"  # right, but `slow_seconds` late
    HUNG = "hung"  # takes the question and never answers
    DRIP = "drip"  # one byte every `drip_seconds`
    RESET = "reset"  # the connection is cut instead of an answer
    CUT_OFF = "cut off"  # the connection is cut in the middle of one
    OVERSIZED = "oversized"  # right, behind more white space than MAX_ANSWER
    BOMB = "bomb"  # the same, compressed into next to nothing
    HOSTILE = "hostile"  # every text is markup, formulas, mentions, links, control characters, 100 kB
    REDIRECT = "redirect"  # to another port that notes whether a key arrives
    WRONG_TYPES = "wrong types"  # numbers where texts should be, and so on


def rewritten(trouble: Trouble | None, answer: Answer, keep: frozenset[str]) -> Answer:
    """The answer as that trouble leaves it; `keep` are the fields that the protocol itself needs."""
    whole = answer.payload
    match trouble:
        case Trouble.MALFORMED:
            return replace(answer, body=whole[: len(whole) // 2] or b"{")
        case Trouble.OVERSIZED:
            return replace(answer, body=b" " * (MAX_ANSWER + 1) + whole)
        case Trouble.BOMB:
            return replace(answer, body=_bomb(whole), headers={**answer.headers, "Content-Encoding": "gzip"})
        case Trouble.HOSTILE:
            return replace(answer, body=_hostile(answer.body, keep))
        case Trouble.WRONG_TYPES:
            return replace(answer, body=_retyped(answer.body) if isinstance(answer.body, dict) else whole)
    return answer


@cache
def _bomb(payload: bytes) -> bytes:
    """The payload behind 8 times MAX_ANSWER of white space, as gzip."""
    return gzip.compress(b" " * (8 * MAX_ANSWER) + payload, 1)


def _hostile(value: Any, keep: frozenset[str], key: str = "") -> Any:
    """The same with every text replaced, except under those keys."""
    match value:
        case str():
            return value if key in keep else _LONG
        case dict():
            return {name: _hostile(inner, keep, name) for name, inner in value.items()}
        case list():
            return [_hostile(inner, keep, key) for inner in value]
    return value


def _retyped(record: dict[str, Any]) -> dict[str, Any]:
    """The same fields, each of another type."""
    return {name: _other(value) for name, value in record.items()}


def _other(value: Any) -> Any:
    match value:
        case dict():
            return [_retyped(value)]
        case list():
            return {"0": [_other(inner) for inner in value]}
        case str():
            return 7
        case None:
            return [None]
    return {"value": str(value)}
