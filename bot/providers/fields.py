"""Fields of an answer that nobody vouches for: each reader gives a bounded value of one type, or nothing.

Services send null, numbers as text, lists where one value was documented, and texts that attackers wrote:
none of it may raise. Escaping and defanging belong to whoever shows the text.
"""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from bot.findings import MAX_FACTS

MAX_TEXT = 200  # characters of one text
MAX_LISTED = 5  # of a list that becomes one text

_UNSENDABLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+"
)  # controls, ends of line, half characters
_WHOLE = re.compile(r"-?[0-9]{1,15}", re.ASCII)
_DECIMAL = re.compile(r"[0-9]{1,15}(?:\.[0-9]{1,9})?", re.ASCII)
_HEX = re.compile(r"[0-9a-f]+", re.ASCII)
_MOMENT = re.compile(
    r"(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2})(?:[T ](?P<time>[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,9})?)?)"
    r" ?(?P<zone>Z|UTC|[+-][0-9]{2}:[0-9]{2})?)?",
    re.ASCII,
)
_YEARS = range(1980, 2200)  # beyond them a service's way to say "never", such as 0001-01-01 and 1970-01-01


def text(value: object, *, at_most: int = MAX_TEXT) -> str | None:
    """A text or number as one line of at most so many characters; None if nothing is left of it."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = str(value) if abs(value) < 1e15 else None
    if not isinstance(value, str):
        return None
    # Twice the length is looked at: room for what is left out, and no more work for a longer text.
    return _cut(" ".join(_UNSENDABLE.sub(" ", value[: 2 * at_most]).split()), at_most) or None


def _cut(line: str, at_most: int) -> str:
    return line if len(line) <= at_most else line[: at_most - 1] + "…"


def number(value: object) -> int | None:
    """A whole number of at most 15 digits, also one written as text or as 5.0."""
    if isinstance(value, str):
        return int(value) if _WHOLE.fullmatch(value.strip()[:17]) else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if abs(value) < 1e15 and value == int(value) else None


def moment(value: object) -> datetime | None:
    """An aware UTC time from `2026-01-31 12:30:59`: with T, zone, fraction or not, or only a day."""
    found = _MOMENT.fullmatch(value.strip()[:40]) if isinstance(value, str) else None
    if found is None:
        return None
    # Nine digits of a second come from Go; Python takes six. A time without a zone is UTC with all services.
    clock = (found["time"] or "00:00")[:15]
    zone = "+00:00" if found["zone"] in (None, "Z", "UTC") else found["zone"]
    try:
        return _plausible(datetime.fromisoformat(f"{found['day']} {clock}{zone}"))
    except ValueError:  # the 31st of February
        return None


def unix_moment(value: object) -> datetime | None:
    """An aware UTC time from seconds since 1970, also written as text."""
    if isinstance(value, str):
        value = float(value) if _DECIMAL.fullmatch(value.strip()[:26]) else None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e10:
        return None
    return _plausible(datetime.fromtimestamp(value, UTC))


def _plausible(time: datetime) -> datetime | None:
    return time.astimezone(UTC) if time.year in _YEARS else None


def hexadecimal(value: object, digits: int) -> str | None:
    """Exactly so many hexadecimal digits, in lower case."""
    if not isinstance(value, str) or len(value) != digits:
        return None
    lower = value.lower()
    return lower if _HEX.fullmatch(lower) else None


def mapping(value: object) -> dict[str, Any]:
    """A JSON object; an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def items(value: object, *, at_most: int = 100) -> list[Any]:
    """The first so many items of a JSON list; none for anything else."""
    return value[:at_most] if isinstance(value, list) else []


def objects(value: object, *, at_most: int = 100) -> list[dict[str, Any]]:
    """The JSON objects among the first so many items of a list."""
    return [one for one in items(value, at_most=at_most) if isinstance(one, dict)]


def listed(values: Iterable[object], *, at_most: int = MAX_LISTED) -> str | None:
    """Different texts as one, "a, b, c and 2 more"; None without any."""
    texts = list(dict.fromkeys(filter(None, map(text, values))))
    shown = ", ".join(texts[:at_most])
    more = f" and {len(texts) - at_most} more" if len(texts) > at_most else ""
    return _cut(shown, MAX_TEXT - len(more)) + more or None


def facts(*pairs: tuple[str, str | None]) -> tuple[tuple[str, str], ...]:
    """What is known of them, for a report: the first MAX_FACTS."""
    return tuple((name, value) for name, value in pairs if value is not None)[:MAX_FACTS]
