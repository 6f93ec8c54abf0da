"""Subscribing: what is typed behind `digest on` and `summary on`, and the words for what was set. Pure."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from types import MappingProxyType

from bot.errors import UsageError
from bot.indicators import Kind
from bot.schedules import Every, Schedule
from bot.schedules import parse as parse_schedule
from bot.subscriptions import Attach, Filters, Purpose, Subscription

LONGEST = 2_000  # characters of one command
MOST_NAMES = 50  # families or sources
LONGEST_NAME = 100  # characters
WHEN = "daily 08:00"  # when nothing else is typed
EXAMPLE = "digest on weekdays 08:00 tz Asia/Singapore kinds domain, url attach csv"

_TOKEN = re.compile(r'["“”„«]([^"“”„«»]{1,200})["“”«»]|([^\s,;"“”„«»]+)')
_STARTS = ("every", "hourly", "daily", "weekdays", "weekly")  # of a schedule
_SECTIONS = {
    **dict.fromkeys(_STARTS, "when"),
    **dict.fromkeys(("tz", "timezone", "zone"), "tz"),
    **dict.fromkeys(("kinds", "kind"), "kinds"),
    **dict.fromkeys(("families", "family"), "families"),
    **dict.fromkeys(("sources", "source"), "sources"),
    **dict.fromkeys(("min-confidence", "confidence"), "min-confidence"),
    "attach": "attach",
    "say-nothing-new": "say-nothing-new",
}
_OF_A_SUMMARY = ("when", "tz")
_HOST_SETS = ("cap", "label", "tlp")  # what somebody may hope to set here
_GROUPS: Mapping[str, frozenset[Kind]] = MappingProxyType(
    {
        "hash": frozenset((Kind.MD5, Kind.SHA1, Kind.SHA224, Kind.SHA256, Kind.SHA384, Kind.SHA512)),
        "ip": frozenset((Kind.IPV4, Kind.IPV6)),
    }
)


@dataclass(frozen=True)
class _Token:
    word: str  # in folded case
    is_quoted: bool = False  # then it is a name, whatever it says


_Sections = dict[str, list[_Token]]


def parse(text: str, *, channel: str, purpose: Purpose, default_zone: str, set_by: str = "") -> Subscription:
    """Read when, zone, filters and form, in any order. Raises UsageError, whose text says what to write."""
    if len(text) > LONGEST:
        raise UsageError(f"That is too long. Write for example “{EXAMPLE}”.")
    sections = _sections(_tokens(text))
    if purpose is Purpose.SUMMARY:
        _check_summary(sections)
    schedule = _schedule(sections, default_zone)
    if purpose is Purpose.SUMMARY and isinstance(schedule.when, Every):
        raise UsageError("A summary is of a day. Write for example “summary on daily 07:30”.")
    return Subscription(
        channel=channel,
        purpose=purpose,
        schedule=schedule,
        filters=Filters(
            kinds=_kinds(sections),
            families=_names(sections, "families"),
            sources=_names(sections, "sources"),
            min_confidence=_confidence(sections),
        ),
        attach=_attach(sections),
        say_nothing_new=_is_said(sections, "say-nothing-new"),
        set_by=set_by,
    )


def in_words(subscription: Subscription) -> str:
    """What `parse` reads as the same subscription, whatever its default zone."""
    return " ".join((str(subscription.schedule), *filter(None, (choices_in_words(subscription),))))


def choices_in_words(subscription: Subscription) -> str:
    """The part of it behind schedule and zone; "" if nothing is chosen."""
    filters = subscription.filters
    least = "" if filters.min_confidence is None else str(filters.min_confidence)
    said = (
        ("kinds", ", ".join(sorted(filters.kinds))),
        ("families", _listed(filters.families)),
        ("sources", _listed(filters.sources)),
        ("min-confidence", least),
        ("attach", subscription.attach.value if subscription.attach else ""),
    )
    words = [f"{name} {values}" for name, values in said if values]
    return " ".join([*words, *(["say-nothing-new"] if subscription.say_nothing_new else [])])


def describe(subscription: Subscription) -> list[str]:
    """Say it for people: when, about what, in which form; a sentence each."""
    filters = subscription.filters
    about = (
        ", ".join(sorted(filters.kinds)),
        f"families {_listed(filters.families)}" if filters.families else "",
        f"from {_listed(filters.sources)}" if filters.sources else "",
        f"with a confidence of {filters.min_confidence} or more" if filters.min_confidence else "",
    )
    chosen = " · ".join(filter(None, about))
    is_digest = subscription.purpose is Purpose.DIGEST
    return [
        f"When: {subscription.schedule.describe()}.",
        *([f"About: {chosen or 'everything that all readers may see'}."] if is_digest else []),
        *([f"The full list comes as a {subscription.attach.upper()} file."] if subscription.attach else []),
        *(["It is also posted when nothing is new."] if subscription.say_nothing_new else []),
    ]


# --- words and sections --------------------------------------------------------------------------------


def _tokens(text: str) -> Iterable[_Token]:
    """Words, and names in quotation marks; commas and what cannot be seen only separate."""
    seen = "".join(character if character.isprintable() else " " for character in text)
    for found in _TOKEN.finditer(seen):
        if quoted := " ".join((found[1] or "").split()):
            yield _Token(quoted.casefold(), is_quoted=True)
        elif bare := (found[2] or "").strip("*_`").casefold():
            yield _Token(bare)


def _sections(tokens: Iterable[_Token]) -> _Sections:
    """The values behind each keyword. Raises UsageError for what belongs to none."""
    sections: _Sections = {}
    open_one: list[_Token] | None = None
    for token in tokens:
        name = None if token.is_quoted else _SECTIONS.get(token.word)
        if name is not None:
            if name in sections:
                raise UsageError(f"“{token.word}” comes on top of the same before. Write each of them once.")
            open_one = sections[name] = [token] if name == "when" else []
        elif open_one is None or (token.word in _HOST_SETS and not token.is_quoted):
            raise _unknown(token.word)
        else:
            open_one.append(token)
    return sections


def _unknown(word: str) -> UsageError:
    if word in _HOST_SETS:
        return UsageError(
            "How restricted the entries of a channel may be is its cap, which only the host sets, in "
            "liaison.toml. The command “who” tells it."
        )
    near = get_close_matches(word[:32], _SECTIONS, n=1)
    meant = f" Did you mean “{near[0]}”?" if near else ""
    return UsageError(f"“{word[:32]}” is not understood here.{meant} Write for example “{EXAMPLE}”.")


def _check_summary(sections: _Sections) -> None:
    for name in sections:
        if name not in _OF_A_SUMMARY:
            raise UsageError(
                f"“{name}” is for digests: a summary counts everything that all readers may see. "
                "Write for example “summary on daily 07:30 tz Asia/Singapore”."
            )


# --- what stands in them -------------------------------------------------------------------------------


def _schedule(sections: _Sections, default_zone: str) -> Schedule:
    """With the zone behind it, wherever it was typed."""
    when = " ".join(each.word for each in sections.get("when", ())) or WHEN
    zone = " ".join(each.word for each in sections.get("tz", ()))
    return parse_schedule(f"{when} tz {zone}" if "tz" in sections else when, default_zone)


def _kinds(sections: _Sections) -> frozenset[Kind]:
    words = _values(sections, "kinds", "for example “kinds domain, url”")
    return frozenset(kind for word in words for kind in _kind(word))


def _kind(word: str) -> frozenset[Kind]:
    """The kind of that name or the kinds of that group, also in the plural."""
    known = {kind.value: frozenset((kind,)) for kind in Kind} | dict(_GROUPS)
    for name in (word, word.removesuffix("s"), word.removesuffix("es")):
        if name in known:
            return known[name]
    near = get_close_matches(word[:32], known, n=1)
    meant = f"Did you mean “{near[0]}”?" if near else f"Kinds are {', '.join(known)}."
    raise UsageError(f"“{word[:32]}” is no kind of indicator. {meant}")


def _names(sections: _Sections, name: str) -> frozenset[str]:
    """Families or sources as people call them; one with spaces stands in quotation marks."""
    values = _values(sections, name, f'for example “{name} one, two” or “{name} "two words"”')
    if len(values) > MOST_NAMES or any(len(value) > LONGEST_NAME for value in values):
        raise UsageError(f"At most {MOST_NAMES} {name} of {LONGEST_NAME} characters each can be chosen.")
    for token in sections.get(name, ()):
        near = [] if token.is_quoted else get_close_matches(token.word[:32], _SECTIONS, n=1, cutoff=0.8)
        if near:
            raise UsageError(
                f"If “{token.word[:32]}” is meant as “{near[0]}”, write it so; if it is one of the {name}, "
                "write it in quotation marks."
            )
    return frozenset(values)


def _confidence(sections: _Sections) -> int | None:
    values = _values(sections, "min-confidence", "from 0 to 100, for example “min-confidence 50”")
    if not values:
        return None
    [word, *rest] = values
    if rest or not (word.isascii() and word.isdigit() and len(word) <= 3 and int(word) <= 100):
        raise UsageError("A confidence is one number from 0 to 100, for example “min-confidence 50”.")
    return int(word)


def _attach(sections: _Sections) -> Attach | None:
    values = _values(sections, "attach", "“attach csv” or “attach stix”")
    if not values:
        return None
    if len(values) > 1 or values[0] not in list(Attach):
        raise UsageError("One file can come with it: write “attach csv” or “attach stix”.")
    return Attach(values[0])


def _is_said(sections: _Sections, name: str) -> bool:
    if found := sections.get(name):
        raise _unknown(found[0].word)
    return name in sections


def _values(sections: _Sections, name: str, advice: str) -> list[str]:
    """The words behind a keyword; at least one, if it was typed."""
    if name in sections and not sections[name]:
        raise UsageError(f"Behind “{name}” stands what is meant: {advice}.")
    return [token.word for token in sections.get(name, ())]


def _listed(names: Iterable[str]) -> str:
    return ", ".join(map(_quoted, sorted(names)))


def _quoted(name: str) -> str:
    """In quotation marks, if it could be read as something else without them."""
    tokens = list(_tokens(name))
    is_plain = tokens == [_Token(name)] and not get_close_matches(name[:32], _SECTIONS, n=1, cutoff=0.8)
    return name if is_plain and name not in _HOST_SETS else f'"{name}"'
