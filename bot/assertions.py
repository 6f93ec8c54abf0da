"""Assertion: one organisation's claim about one indicator, the unit of every sharing decision."""

from collections.abc import Iterable
from datetime import datetime

import msgspec

from bot.indicators import Indicator
from bot.tlp import UNMARKED, Label, Pap, permitted_by_default, strictest

MAX_TAGS = 32  # a source's tag list is cut here
MAX_LINKS = 16  # names of files for one hash; more are not believed
NOBODY: frozenset[str] = frozenset()

_MARKING = (
    "label",
    "addressed_to",
    "only_orgs",
    "never_to",
    "persons",
    "pap",
    "not_before",
    "not_after",
    "revoked",
    "quarantined",
)


class Assertion(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """What one source says about one indicator, and whom it allows to know.

    Organisations are slugs, persons Slack user ids, times aware UTC datetimes, confidence 0-100 (STIX 2.1).
    The store keeps it as JSON without defaults: renaming a field or changing a default needs a migration.
    """

    indicator: Indicator
    source: str
    label: Label = UNMARKED
    addressed_to: frozenset[str] = NOBODY  # organisations the source chose as recipients
    only_orgs: frozenset[str] | None = None  # a sharing group: intersects, never widens; None means no group
    never_to: frozenset[str] = NOBODY  # organisations or services the source excludes at any label
    persons: frozenset[str] = NOBODY  # the named recipients of TLP:RED
    pap: Pap | None = None
    not_before: datetime | None = None  # embargo
    not_after: datetime | None = None
    first_seen: datetime | None = None
    last_seen: datetime | None = None
    confidence: int | None = None
    family: str | None = None  # malware, threat actor or campaign
    tags: tuple[str, ...] = ()
    context: str | None = None  # the source's own words
    to_ids: bool = True  # MISP's word: False means context, not a detection
    revoked: bool = False
    quarantined: bool = False  # its label could not be read: source and host only
    file: str | None = None  # hashes with the same (source, file) are one file; the store joins what overlaps
    links: tuple[str, ...] = ()  # each `file` under which the source itself spoke of this hash, see `files`
    seq: int = 0  # the store's number in commit order; 0 before it is stored


def merge(old: Assertion, new: Assertion) -> Assertion:
    """What the store keeps when a source repeats itself: fresher facts, never a wider audience.

    Whatever restricts only gets stricter here; widening takes an explicit command of the source.
    Merging the same claim again changes nothing, so a file may be imported twice.
    """
    newer, older = (new, old) if _is_later(new.last_seen, old.last_seen) else (old, new)
    return msgspec.structs.replace(
        old,
        label=strictest((old.label, new.label)),
        addressed_to=old.addressed_to & new.addressed_to,
        only_orgs=_narrowest(old.only_orgs, new.only_orgs),
        never_to=old.never_to | new.never_to,
        persons=old.persons & new.persons,
        pap=_strictest_pap(old, new),
        not_before=max(_known(old.not_before, new.not_before), default=None),
        not_after=None
        if old.not_after is None or new.not_after is None
        else max(old.not_after, new.not_after),
        first_seen=min(_known(old.first_seen, new.first_seen), default=None),
        last_seen=max(_known(old.last_seen, new.last_seen), default=None),
        confidence=newer.confidence if newer.confidence is not None else older.confidence,
        family=newer.family or older.family,
        tags=tuple(dict.fromkeys(old.tags + new.tags))[:MAX_TAGS],
        context=newer.context or older.context,
        to_ids=old.to_ids or new.to_ids,
        revoked=old.revoked or new.revoked,
        quarantined=old.quarantined or new.quarantined,
        file=old.file or new.file,
        links=_joined_links(old, new),
    )


def files(assertion: Assertion) -> tuple[str, ...]:
    """The names of files that its source gave to this hash, before the store joined any."""
    return assertion.links or (() if assertion.file is None else (assertion.file,))


def remark(old: Assertion, new: Assertion) -> Assertion:
    """The old facts under the new marking, wider or narrower: for explicit commands, never for imports."""
    return msgspec.structs.replace(old, **{name: getattr(new, name) for name in _MARKING})


def widens(old: Assertion, new: Assertion) -> bool:
    """Whether somebody may see `new` who could not see `old`; in doubt yes."""
    extended = old.not_after is not None and (new.not_after is None or new.not_after > old.not_after)
    return extended or _restrictions(merge(old, new)) != _restrictions(new)


def narrows(old: Assertion, new: Assertion) -> bool:
    """Whether somebody may read `old` who may not read `new`; in doubt yes. PAP does not count."""
    return (
        new.label > old.label
        or (new.label is not Label.CLEAR and not old.addressed_to <= new.addressed_to)
        or (new.label is Label.RED and not old.persons <= new.persons)
        or (new.only_orgs is not None and (old.only_orgs is None or not old.only_orgs <= new.only_orgs))
        or not new.never_to <= old.never_to
        or (new.revoked and not old.revoked)
        or (new.quarantined and not old.quarantined)
        or (new.not_before is not None and (old.not_before is None or new.not_before > old.not_before))
        or (new.not_after is not None and (old.not_after is None or new.not_after < old.not_after))
    )


def effective_pap(assertion: Assertion) -> Pap:
    """Its PAP level, or the one its label implies."""
    return permitted_by_default(assertion.label) if assertion.pap is None else assertion.pap


def marking(assertion: Assertion) -> tuple[object, ...]:
    """Everything that decides about its release: equal ones are released alike."""
    return (assertion.source, *(getattr(assertion, name) for name in _MARKING))


def _joined_links(old: Assertion, new: Assertion) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(files(old) + files(new)))[:MAX_LINKS]
    return old.links if names == files(old) else names


def _is_later(new: datetime | None, old: datetime | None) -> bool:
    return new is not None and (old is None or new > old)


def _known(*times: datetime | None) -> Iterable[datetime]:
    return (time for time in times if time is not None)


def _narrowest(old: frozenset[str] | None, new: frozenset[str] | None) -> frozenset[str] | None:
    if old is None or new is None:
        return new if old is None else old
    return old & new


def _strictest_pap(old: Assertion, new: Assertion) -> Pap | None:
    if old.pap is None and new.pap is None:
        return None
    return max(effective_pap(old), effective_pap(new))


def _restrictions(assertion: Assertion) -> tuple[object, ...]:
    """What `merge` only ever makes stricter."""
    marking = {name: getattr(assertion, name) for name in _MARKING}
    return tuple((marking | {"pap": effective_pap(assertion), "not_after": None}).values())
