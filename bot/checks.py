"""Checks of JSON values: small ones, put together to large ones, that tell every problem and its place.

A path grows on the way back from a problem, so that a value without any costs little.
"""

import re
from collections.abc import Callable, Mapping, Sequence

Problem = tuple[str, str]  # the path from the value to what is wrong, and a sentence about it
Check = Callable[[object], Sequence[Problem]]

SOUND: Sequence[Problem] = ()
ARRAY = (list, tuple)
_UNSENDABLE = re.compile("[\0\ud800-\udfff]")


def length(text: str) -> int:
    """Characters as JavaScript counts them, which is never fewer than Slack does."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def told(root: str, found: Sequence[Problem]) -> list[str]:
    """The problems of a value of that name, a line each."""
    return [f"{root}{path}: {sentence}" for path, sentence in found]


def wrong(sentence: str) -> list[Problem]:
    """A problem of the value itself."""
    return [("", sentence)]


def below(step: str, found: Sequence[Problem]) -> list[Problem]:
    """The problems of a part, seen from the whole."""
    return [(step + path, sentence) for path, sentence in found]


def a_text(maximum: int) -> Check:
    """A string with something to see in it."""

    def check(value: object) -> Sequence[Problem]:
        if not isinstance(value, str):
            return wrong("must be a string.")
        if not value or value.isspace():
            return wrong("must not be empty.")
        if _UNSENDABLE.search(value):
            return wrong("holds a character that cannot be sent (NUL or half of a surrogate pair).")
        if length(value) > maximum:
            return wrong(f"has {length(value)} characters, at most {maximum} are allowed.")
        return SOUND

    return check


def a_boolean(value: object) -> Sequence[Problem]:
    """True or false."""
    return SOUND if isinstance(value, bool) else wrong("must be true or false.")


def a_whole_number(low: int, high: int) -> Check:
    """An integer between two others, both included."""

    def check(value: object) -> Sequence[Problem]:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            return wrong(f"must be a whole number from {low} to {high}.")
        return SOUND

    return check


def one_of(*words: str) -> Check:
    """One of these strings."""

    def check(value: object) -> Sequence[Problem]:
        return SOUND if value in words else wrong(f"must be one of {', '.join(words)}.")

    return check


def an_array(item: Check, low: int, high: int) -> Check:
    """From `low` to `high` values that pass one check."""

    def check(value: object) -> Sequence[Problem]:
        if not isinstance(value, ARRAY):
            return wrong("must be an array.")
        found: list[Problem] = []
        if not low <= len(value) <= high:
            found += wrong(f"has {len(value)} items, from {low} to {high} are allowed.")
        for number, each in enumerate(value):
            if inside := item(each):
                found += below(f"[{number}]", inside)
        return found

    return check


def an_object(required: Mapping[str, Check], optional: Mapping[str, Check] | None = None) -> Check:
    """An object with these keys and, beside `type`, no others."""
    known = {**required, **(optional or {})}

    def check(value: object) -> Sequence[Problem]:
        if not isinstance(value, dict):
            return wrong("must be an object.")
        found: list[Problem] = [(f".{key}", "is missing.") for key in required if key not in value]
        for key, each in value.items():
            if key in known:
                if inside := known[key](each):
                    found += below(f".{key}", inside)
            elif key != "type":
                found.append((f".{key}", "is not a key Slack knows here."))
        return found

    return check


def typed(**types: Check) -> Check:
    """An object whose `type` says which check it must pass."""

    def check(value: object) -> Sequence[Problem]:
        kind = type_of(value)
        if kind in types:
            return types[kind](value)
        return wrong(f"must be an object of type {' or '.join(types)}, not {kind or 'none'}.")

    return check


def type_of(value: object) -> str:
    """The `type` of an object; empty if it has none."""
    kind = value.get("type") if isinstance(value, dict) else None
    return kind if isinstance(kind, str) else ""
