"""Policy cases: release decisions written down as JSON, for a compliance officer to read and for us to keep.

A file holds `orgs` (slug -> community, in_force) and `cases`; the slug "host" is the host, "unknown" is
sharing.UNKNOWN. Whatever changes a decision is read strictly: a misspelt restriction must not pass unseen.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import msgspec

from bot import tlp
from bot.assertions import Assertion
from bot.errors import ConfigError, InputError
from bot.indicators import Indicator, Kind
from bot.sharing import DEFAULT_CAP, UNKNOWN, Audience, Decision, Reach, World, may_release
from bot.tlp import Label

HOST = "host"
QUARANTINE = "QUARANTINE"  # stands for a label that could not be read

_UNKNOWN_WORD = "unknown"
_NOW = datetime(2026, 1, 1, tzinfo=UTC)
_TIMES = {
    "earlier than now": _NOW - timedelta(seconds=1),
    "now": _NOW,
    "later than now": _NOW + timedelta(seconds=1),
}
_INDICATOR = Indicator(Kind.DOMAIN, "example.org")


@dataclass(frozen=True, kw_only=True)
class Case:
    """One decision as written down; what `sharing.may_release` makes of it is `decided`."""

    number: int
    says: str
    assertion: Assertion
    audience: Audience
    world: World
    expected: Decision

    @property
    def decided(self) -> Decision:
        """What the release policy really decides."""
        return may_release(self.assertion, self.audience, self.world)

    @property
    def holds(self) -> bool:
        """Both the decision and its reason are as written down."""
        return self.decided == self.expected


def read(content: bytes) -> list[Case]:
    """Read a file of cases. Raises ConfigError with every malformed case and its number."""
    try:
        file = msgspec.json.decode(content, type=_File)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ConfigError([f"not a file of policy cases: {error}"]) from error
    cases: list[Case] = []
    mistakes: list[str] = []
    for position, raw in enumerate(file.cases, 1):
        try:
            cases.append(_case(raw, file.orgs))
        except (msgspec.DecodeError, UnicodeDecodeError, InputError) as error:
            mistakes.append(f"case {_number(raw, position)}: {error}")
    mistakes += _repeated(cases)
    if mistakes or not cases:
        raise ConfigError(mistakes or ["the list `cases` is empty; write at least one case"])
    return cases


class _Org(msgspec.Struct, forbid_unknown_fields=True):
    community: bool = False
    in_force: bool = True  # False: its agreement does not cover now


class _File(msgspec.Struct):
    orgs: dict[str, _Org]
    cases: list[msgspec.Raw]


class _Assertion(msgspec.Struct, forbid_unknown_fields=True):
    source: str
    label: str
    addressed_to: frozenset[str] = frozenset()
    only_orgs: frozenset[str] | None = None
    never_to: frozenset[str] = frozenset()
    persons: frozenset[str] = frozenset()
    pap: str | None = None
    not_before: str | None = None
    not_after: str | None = None
    revoked: bool = False


class _Audience(msgspec.Struct, forbid_unknown_fields=True):
    kind: str
    orgs: frozenset[str]
    persons: frozenset[str] = frozenset()
    cap: str = str(DEFAULT_CAP)
    fresh: bool = True
    pending_invite: bool = False
    public: bool = False
    max_label: str = str(Label.CLEAR)
    active: bool = False


class _Case(msgspec.Struct):
    case: int
    says: str
    assertion: _Assertion
    audience: _Audience
    release: bool
    reason: str
    constituents: frozenset[str] = frozenset()


def _case(raw: msgspec.Raw, orgs: dict[str, _Org]) -> Case:
    case = msgspec.json.decode(raw, type=_Case)
    _check_organisations(case, orgs.keys() | {HOST, _UNKNOWN_WORD})
    return Case(
        number=case.case,
        says=case.says,
        assertion=_assertion(case.assertion),
        audience=_audience(case.audience),
        world=_world(orgs, case.constituents),
        expected=Decision(case.release, case.reason),
    )


def _assertion(written: _Assertion) -> Assertion:
    quarantined = written.label == QUARANTINE
    return Assertion(
        indicator=_INDICATOR,
        source=_slug(written.source),
        label=tlp.UNMARKED if quarantined else tlp.parse(written.label),
        addressed_to=_slugs(written.addressed_to),
        only_orgs=None if written.only_orgs is None else _slugs(written.only_orgs),
        never_to=_slugs(written.never_to),
        persons=written.persons,
        pap=None if written.pap is None else tlp.parse_pap(written.pap),
        not_before=_time("not_before", written.not_before),
        not_after=_time("not_after", written.not_after),
        revoked=written.revoked,
        quarantined=quarantined,
    )


def _audience(written: _Audience) -> Audience:
    return Audience(
        reach=_reach(written.kind),
        orgs=_slugs(written.orgs),
        persons=written.persons,
        cap=tlp.parse(written.cap),
        fresh=written.fresh,
        pending_invite=written.pending_invite,
        public=written.public,
        max_label=tlp.parse(written.max_label),
        active=written.active,
    )


def _world(orgs: dict[str, _Org], constituents: frozenset[str]) -> World:
    in_force = frozenset(slug for slug, org in orgs.items() if org.in_force and slug != HOST)
    return World(
        host=HOST,
        now=_NOW,
        in_force=in_force,
        community=frozenset(slug for slug in in_force if orgs[slug].community),
        constituents=constituents & in_force,
        names={slug: slug for slug in (HOST, *orgs)},
    )


def _check_organisations(case: _Case, known: Iterable[str]) -> None:
    """Services may have any name (in never_to, and when they are asked); all others must be in `orgs`."""
    named = {case.assertion.source} | case.assertion.addressed_to | case.constituents
    named |= case.assertion.only_orgs or set()
    named |= set() if case.audience.kind == Reach.PROVIDER else case.audience.orgs
    if strange := named - set(known):
        raise InputError(f"{', '.join(sorted(strange))}: not in `orgs`; add it there or correct the name")


def _slug(org: str) -> str:
    return UNKNOWN if org == _UNKNOWN_WORD else org


def _slugs(orgs: Iterable[str]) -> frozenset[str]:
    return frozenset(map(_slug, orgs))


def _reach(kind: str) -> Reach:
    try:
        return Reach(kind)
    except ValueError:
        known = ", ".join(Reach)
        raise InputError(f"audience.kind is {kind!r}, which is unknown; use one of {known}") from None


def _time(key: str, words: str | None) -> datetime | None:
    if words is None:
        return None
    if words not in _TIMES:
        known = ", ".join(_TIMES)
        raise InputError(f"assertion.{key} is {words!r}, which is not understood; use one of: {known}")
    return _TIMES[words]


def _repeated(cases: list[Case]) -> list[str]:
    numbers = [case.number for case in cases]
    twice = sorted({number for number in numbers if numbers.count(number) > 1})
    return [f"case {number}: there are several of that number; give each its own" for number in twice]


def _number(raw: msgspec.Raw, position: int) -> str:
    """The number the case gives itself, else its place in the list."""
    try:
        return str(msgspec.json.decode(raw, type=_Numbered).case)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return f"without a number ({position} in the list)"


class _Numbered(msgspec.Struct):
    case: int
