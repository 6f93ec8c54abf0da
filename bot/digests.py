"""Digests: what is new for those who read a channel, counted, ranked and listed. Pure.

A `Gathering` takes what was cleared page by page, in any order, so that any number of new claims goes through
it; what it keeps for the message does not grow with them, what it keeps for the file is their text.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from hashlib import blake2b

import msgspec

from bot.answers import CONFIDENT, verdict
from bot.assertions import Assertion
from bot.deliveries import Item
from bot.export_formats import Sourced, row
from bot.indicators import Indicator, Kind
from bot.sharing import Audience, Cleared, Shown, World, clear, may_release
from bot.subscriptions import Attach, Filters
from bot.tlp import Label
from bot.verdicts import Verdict

LISTED = 100  # claims that are listed in the thread; more than that go into a file
TOP = 10  # indicators in the message itself
MOST_GROUPS = 8  # families in the message itself
MOST_CHANGED = 5  # changes of a kind in the message itself
EVERYTHING = Filters()

_WORST_FIRST = tuple(Verdict)
_LONG_AGO = datetime.min.replace(tzinfo=UTC)
_encode = msgspec.json.Encoder().encode
_Rank = tuple[int, int, float, Indicator, str, int, str]


class What(StrEnum):
    """What became of something that was shown in the channel before."""

    REVOKED = "withdrawn by its source"
    RAISED = "label raised"
    EXPIRED = "expired"
    GONE = "no longer shared here"  # whatever the reason is: it is not for these readers
    CONFIRMED = "also reported by another source"


@dataclass(frozen=True)
class Changed:
    """One change; without `shown` those who read the channel now may not be told of what."""

    what: What
    shown: Shown | None = None
    was: Label | None = None  # the label that it had here before it was raised


@dataclass(frozen=True)
class Group:
    """The new indicators of one family or campaign."""

    family: str | None  # None: nobody named one
    indicators: int
    kinds: tuple[tuple[Kind, int], ...]  # the most frequent first


@dataclass(frozen=True, kw_only=True)
class Digest:
    """What one digest says. Every number in it counts only what its audience may see."""

    audience: Audience
    label: Label  # the strictest of everything in it, its file included
    since: datetime | None  # of the digest before; None for the first one
    until: datetime
    filters: Filters = EVERYTHING
    indicators: int = 0  # that were not known here before
    claims: int = 0  # about them and about known ones: the rows of the complete list
    kinds: tuple[tuple[Kind, int], ...] = ()  # of the new indicators, the most frequent first
    groups: tuple[Group, ...] = ()  # the biggest first, at most MOST_GROUPS
    families: int = 0  # groups in all
    listed: tuple[Shown, ...] = ()  # the best LISTED claims: condemning, confident and new ones first
    changed: tuple[Changed, ...] = ()  # at most MOST_CHANGED of each kind
    changes: tuple[tuple[What, int], ...] = ()  # how many there are of each
    attach: Attach | None = None  # a file was asked for
    files_refused: bool = False  # none can be put into this channel
    rows: tuple[bytes, ...] = field(default=(), repr=False)  # the complete list, see bot/attachments.py

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to say."""
        return not self.claims and not self.changes

    @property
    def is_filed(self) -> bool:
        """Whether the complete list goes into a file."""
        return bool(self.claims) and (self.attach is not None or self.claims > LISTED)


def build(
    cleared: Cleared,
    *,
    filters: Filters = EVERYTHING,
    before: Cleared | None = None,
    since: datetime | None,
    until: datetime,
    changed: Sequence[Changed] = (),
    attach: Attach | None = None,
) -> Digest:
    """A digest of one page of new claims; `before` are older claims about the same indicators."""
    gathering = Gathering(cleared.audience, filters=filters)
    gathering.add(cleared, before=before)
    return gathering.digest(since=since, until=until, changed=changed, attach=attach)


def items(
    assertions: Iterable[Assertion], audience: Audience, world: World, *, filters: Filters = EVERYTHING
) -> list[Item]:
    """What a digest of these shows, for the ledger: it names sources, so it is never shown itself."""
    released = [each for each in assertions if may_release(each, audience, world).release]
    if filters != EVERYTHING:
        released = [
            each for each in released if any(map(filters.keep, clear((each,), audience, world).shown))
        ]
    return [Item(each.source, each.indicator, each.label) for each in released]


def changes(
    shown_before: Iterable[Item], stored: Iterable[Assertion], audience: Audience, world: World
) -> list[Changed]:
    """What became of claims that were shown here, as far as those who read the channel now may know.

    `stored` is what the store holds of them now. What is hidden is told like what is gone, and counted only.
    """
    now = {(each.source, each.indicator): each for each in stored}
    before: dict[tuple[str, Indicator], Label] = {}
    for item in shown_before:
        key = (item.source, item.indicator)
        before[key] = max(item.label, before.get(key, item.label))
    found = (_change(now.get(key), label, audience, world) for key, label in before.items())
    return [change for change in found if change is not None]


def _change(one: Assertion | None, was: Label, audience: Audience, world: World) -> Changed | None:
    if one is None:
        return Changed(What.GONE)
    seen = clear((one,), audience, world).shown
    if not seen:
        return Changed(What.EXPIRED if _has_expired(one, audience, world) else What.GONE)
    if seen[0].revoked:
        return Changed(What.REVOKED, seen[0])
    return Changed(What.RAISED, seen[0], was) if seen[0].label > was else None


def _has_expired(one: Assertion, audience: Audience, world: World) -> bool:
    """Whether its end is all that hides it; even then nothing but the number of such is told."""
    if one.not_after is None or one.not_after >= world.now:
        return False
    return bool(clear((one,), audience, replace(world, now=one.not_after)).shown)


class Gathering:
    """Takes pages of new claims, each cleared for the same audience, and makes one digest of them."""

    def __init__(self, audience: Audience, *, filters: Filters = EVERYTHING) -> None:
        self._audience, self._filters = audience, filters
        self._label = Label.CLEAR
        self._listed = _Best(LISTED)
        self._confirmed = _Best(MOST_CHANGED)
        self._known: dict[bytes, _Facts] = {}  # of each new indicator
        self._spellings: dict[str, str] = {}  # of families, by their folded form
        self._facts: dict[_Facts, _Facts] = {}  # so that equal ones are kept once
        self._rows: list[bytes] = []

    def add(self, cleared: Cleared, *, before: Cleared | None = None) -> None:
        """Take one page; `before` are the claims about its indicators that this digest is not about."""
        if cleared.audience.orgs != self._audience.orgs or cleared.audience.cap != self._audience.cap:
            raise ValueError("a digest has one audience")
        earlier: dict[Indicator, Label] = {}
        for old in before.shown if before else ():
            earlier[old.indicator] = max(old.label, earlier.get(old.indicator, old.label))
        for shown in filter(self._filters.keep, cleared.shown):
            self._take(shown)
            if shown.indicator in earlier:
                self._confirmed.add(shown)
                self._label = max(self._label, earlier[shown.indicator])
            else:
                self._count(shown)

    def digest(
        self,
        *,
        since: datetime | None,
        until: datetime,
        changed: Sequence[Changed] = (),
        attach: Attach | None = None,
    ) -> Digest:
        """What it all comes to."""
        told = [*map(_confirmed, self._confirmed.ranked()), *_briefly(changed)]
        numbers = Counter(each.what for each in changed)
        numbers[What.CONFIRMED] += self._confirmed.taken
        groups = self._groups()
        return Digest(
            audience=self._audience,
            label=max([self._label, *map(self._label_of, changed)]),
            since=since,
            until=until,
            filters=self._filters,
            indicators=len(self._known),
            claims=len(self._rows),
            kinds=_often(Counter(facts.kind for facts in self._known.values())),
            groups=tuple(groups[:MOST_GROUPS]),
            families=len(groups),
            listed=tuple(self._listed.ranked()),
            changed=tuple(told),
            changes=tuple((what, numbers[what]) for what in What if numbers[what]),
            attach=attach,
            rows=tuple(sorted(self._rows)),
        )

    def _label_of(self, change: Changed) -> Label:
        """That something was here is not for everybody either, whatever it was."""
        return change.shown.label if change.shown else min(Label.GREEN, self._audience.cap)

    def _take(self, shown: Shown) -> None:
        self._label = max(self._label, shown.label)
        self._listed.add(shown)
        self._rows.append(as_row(shown))

    def _count(self, shown: Shown) -> None:
        key = _key(shown.indicator)
        families = frozenset(filter(None, (self._family(shown.family),)))
        known = self._known.get(key)
        facts = _Facts(shown.indicator.kind, families | (known.families if known else frozenset()))
        self._known[key] = self._facts.setdefault(facts, facts)

    def _family(self, name: str | None) -> str:
        """Its folded form; of several spellings the same one is shown in whatever order they come."""
        spelling = (name or "").strip()
        folded = spelling.casefold()
        self._spellings[folded] = min(spelling, self._spellings.get(folded, spelling))
        return folded

    def _groups(self) -> list[Group]:
        """An indicator that two sources name differently is in both families."""
        found: dict[str, Counter[Kind]] = {}
        for facts, number in Counter(self._known.values()).items():
            for family in facts.families or ("",):
                found.setdefault(family, Counter())[facts.kind] += number
        groups = (
            Group(self._spellings.get(name) or None, kinds.total(), _often(kinds))
            for name, kinds in found.items()
        )
        return sorted(groups, key=lambda group: (-group.indicators, group.family is None, group.family or ""))


@dataclass(frozen=True)
class _Facts:
    kind: Kind
    families: frozenset[str]  # folded


class _Best:
    """The first so many of all claims that it takes, in order of rank."""

    def __init__(self, most: int) -> None:
        self._most, self._kept = most, list[tuple[_Rank, Shown]]()
        self.taken = 0

    def add(self, shown: Shown) -> None:
        self.taken += 1
        self._kept.append((rank(shown), shown))
        if len(self._kept) > 20 * self._most:
            self._prune()

    def ranked(self) -> list[Shown]:
        self._prune()
        return [shown for _, shown in self._kept]

    def _prune(self) -> None:
        self._kept.sort(key=lambda one: one[0])
        del self._kept[self._most :]


def rank(shown: Shown) -> _Rank:
    """A place in the list: what condemns first, then the confident, then what was seen last.

    A claim without a confidence ranks as one that is just confident enough. Equal ranks read the same.
    """
    confidence = CONFIDENT if shown.confidence is None else shown.confidence
    seen = shown.last_seen or shown.first_seen or _LONG_AGO
    facts = (shown.first_seen, shown.family, shown.context, shown.tags, shown.confidence, shown.to_ids)
    return (
        _WORST_FIRST.index(verdict([shown])),
        -confidence,
        -(seen - _LONG_AGO).total_seconds(),
        shown.indicator,
        shown.source_name,
        -shown.label,
        repr(facts),
    )


def as_row(shown: Shown) -> bytes:
    """A claim as a row of the complete list: the order of rows tells nothing about the store."""
    indicator = shown.indicator
    return _encode((indicator.kind, indicator.value, Sourced(row(shown), shown.source_name)))


def _key(indicator: Indicator) -> bytes:
    text = f"{indicator.kind.value}\0{indicator.value}"
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _often(kinds: Counter[Kind]) -> tuple[tuple[Kind, int], ...]:
    order = tuple(Kind)
    return tuple(sorted(kinds.items(), key=lambda one: (-one[1], order.index(one[0]))))


def _confirmed(shown: Shown) -> Changed:
    return Changed(What.CONFIRMED, shown)


def _briefly(changed: Sequence[Changed]) -> list[Changed]:
    """At most MOST_CHANGED of each kind, in order of rank; what may not be named is counted elsewhere."""
    told: list[Changed] = []
    for what in What:
        named = [(rank(one.shown), one) for one in changed if one.what is what and one.shown]
        told += [one for _, one in sorted(named, key=lambda each: each[0])[:MOST_CHANGED]]
    return told
