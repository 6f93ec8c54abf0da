"""What every feed parser takes and gives, and how it cleans texts, times and numbers written by others."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from bot.assertions import MAX_TAGS, Assertion
from bot.tlp import UNMARKED, Label

MAX_CONTEXT = 2_000  # characters; more is a report, not a remark
MAX_NAME = 120  # characters of a family or a tag
MAX_REASON = 200


@dataclass(frozen=True)
class Defaults:
    """Whose data is read, and the label of what carries none."""

    source: str
    label: Label = UNMARKED


@dataclass(frozen=True)
class Rejected:
    """Something that could not be taken: where it stands in the file, and why."""

    where: str
    reason: str


Parsed = Assertion | Rejected

# NUL and the other control characters but tab and line feed, lone surrogates, and what reorders text.
_DIRT = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff\u202a-\u202e\u2066-\u2069\ufffe\uffff]")
_EPOCH = re.compile(r"[0-9]{1,12}", re.ASCII)
_MAX_TIME = 40  # characters


def clean(value: object, limit: int = MAX_CONTEXT) -> str | None:
    """A text without anything that could break a database or a reader; None if nothing is left."""
    if not isinstance(value, str):
        return None
    text = value[: 2 * limit]
    text = _DIRT.sub("", text).strip()
    return text[:limit].rstrip() or None


def name(value: object) -> str | None:
    """A family, tag or the like: one line of limited length."""
    text = clean(value, MAX_NAME)
    return " ".join(text.split()) if text else None


def names(values: Iterable[object]) -> tuple[str, ...]:
    """Several of them without repetition, as many as an assertion keeps."""
    kept: dict[str, None] = {}
    for value in values:
        text = name(value)
        if text is not None:
            kept[text] = None
        if len(kept) == MAX_TAGS:
            break
    return tuple(kept)


def moment(value: object) -> datetime | None:
    """A time in UTC from ISO 8601 or Unix seconds; without a zone it is UTC; None if it is neither."""
    try:
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return _from_epoch(value)
        if not isinstance(value, str) or len(value) > _MAX_TIME:
            return None
        text = value.strip()
        if _EPOCH.fullmatch(text) and len(text) != 8:  # eight digits are a date: 20260131
            return _from_epoch(int(text))
        time = datetime.fromisoformat(text)
        return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        return None


def percent(value: object) -> int | None:
    """A confidence from 0 to 100; None for anything else."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 3:
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        return None
    return value if 0 <= value <= 100 else None


def reason(text: object) -> str:
    """A reason short and clean enough to print."""
    return clean(str(text), MAX_REASON) or "cannot be read"


def _from_epoch(seconds: float) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if seconds > 0 else None  # feeds write 0 for "never"
