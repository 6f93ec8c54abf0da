"""The release policy: who may be told what. `clear` is the only door out of the store.

The rules are those of TLP 2.0 (https://www.first.org/tlp/) and PAP, with one order of strictness.
Pure and total: no clock, no network, an answer for every input.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import final

from bot.assertions import Assertion, effective_pap, files
from bot.findings import Finding
from bot.indicators import Indicator
from bot.tlp import Label, Pap, strictest

UNKNOWN = "?UNKNOWN"  # an organisation nobody registered, a guest without a home, a lapsed agreement
DEFAULT_CAP = Label.GREEN  # organisations that join a channel later read its history

_File = tuple[str, str]  # source and its name for the file
_Told = tuple[Assertion, _File | None]
_Place = tuple[Indicator, int, str, str, str]


class Reach(StrEnum):
    """How an output reaches its readers."""

    CHANNEL = "channel"
    MPIM = "mpim"  # a group direct message
    DM = "dm"  # stays in the partner's workspace
    EPHEMERAL = "ephemeral"  # one person, gone on reload
    EXPORT = "export"
    PROVIDER = "provider"  # an external service that is asked a question
    AUDIT = "audit"
    LOG = "log"


@dataclass(frozen=True, kw_only=True)
class Audience:
    """Who will be able to read an output, as known at `read_at`."""

    reach: Reach
    orgs: frozenset[str]  # slugs, or UNKNOWN
    persons: frozenset[str] = frozenset()  # Slack user ids; of an ephemeral message exactly one
    cap: Label = DEFAULT_CAP  # of channels and group messages
    fresh: bool = True  # membership read completely, at most 60 s ago
    pending_invite: bool = False  # a Slack Connect invitation is open
    public: bool = False
    max_label: Label = Label.CLEAR  # of providers: the strictest label they may be asked about
    active: bool = False  # of providers: the question touches the target or is published
    read_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class World:
    """The organisations and their agreements at one moment; `Registry.world(now)` makes it."""

    host: str
    now: datetime
    in_force: frozenset[str]  # partners whose agreement covers `now`
    community: frozenset[str]  # who receives TLP:GREEN
    constituents: frozenset[str] = frozenset()  # who receives TLP:AMBER as a client of the host
    names: Mapping[str, str] = field(default_factory=dict)  # slug -> full name
    aliases: Mapping[str, str] = field(default_factory=dict)  # slug -> what other partners read
    named_to: Mapping[str, frozenset[str]] = field(default_factory=dict)  # slug -> who else may read its name
    own_queries: frozenset[str] = frozenset()  # whose own questions may go to external services


@dataclass(frozen=True)
class Decision:
    """Whether one assertion may reach one audience. The reason is for the host's eyes only."""

    release: bool
    reason: str


@dataclass(frozen=True)
class Shown:
    """One assertion as this audience may see it: no source slug, addressees or sequence number survive."""

    indicator: Indicator
    label: Label
    source: str  # slug if the audience may know it, else an alias or "a partner"
    source_name: str
    first_seen: datetime | None
    last_seen: datetime | None
    confidence: int | None
    family: str | None
    tags: tuple[str, ...]
    context: str | None
    to_ids: bool
    revoked: bool
    # equal for hashes that one source says belong to one file; None unless several of them are shown
    file: int | None = None


@final
@dataclass(frozen=True)
class Cleared:
    """What passed the policy for one audience: the only thing that can be rendered. Only `clear` makes it."""

    audience: Audience
    shown: tuple[Shown, ...]
    findings: tuple[Finding, ...] = ()  # what external services said, see `telling.tell`

    @property
    def label(self) -> Label:
        """The strictest label in it, which every output starts with."""
        told = [each.label for each in self.shown] + [each.label for each in self.findings]
        return strictest(told)


def clear(
    assertions: Iterable[Assertion],
    audience: Audience,
    world: World,
    *,
    asked: Collection[Indicator] | None = None,
) -> Cleared:
    """Keep what this audience may see, under the names it may read, in an order that tells nothing else.

    With `asked`, hashes of the same file stay only if the audience may see the claim that links them.
    """
    told, readers = _told(assertions, audience, world), _readers(audience, world)
    if asked is not None:
        told = _reached_from(frozenset(asked), told)
    return Cleared(audience, _in_order((_shown(one, readers, world), file) for one, file in told))


def visible(
    assertions: Iterable[Assertion], audience: Audience, world: World, *, asked: Iterable[Indicator]
) -> dict[Indicator, list[Assertion]]:
    """For each asked indicator what `clear` would show of it and of the same file.

    To judge what this audience may do with an indicator, never to render.
    """
    direct: dict[Indicator, list[_Told]] = {}
    members: dict[_File, list[Assertion]] = {}
    for one, file in _told(assertions, audience, world):
        direct.setdefault(one.indicator, []).append((one, file))
        if file is not None:
            members.setdefault(file, []).append(one)
    return {each: _with_files(direct.get(each, []), members) for each in asked}


def may_release(assertion: Assertion, audience: Audience, world: World) -> Decision:
    """Decide for one assertion and one audience; the first rule that says no gives the reason."""
    return _decide(assertion, audience, _readers(audience, world), world)


def entitled(assertions: Iterable[Assertion], audience: Audience, world: World) -> frozenset[str]:
    """Who might read, too, all that `clear` shows of these, under the names that it gives to their sources.

    With UNKNOWN among them: everybody. To judge figures over claims that are not named themselves.
    """
    readers = _readers(audience, world)
    released = [one for one in assertions if _decide(one, audience, readers, world).release]
    found = world.in_force | {world.host, UNKNOWN}
    for source in {one.source for one in released}:
        found &= _named_to(source, readers, world)
    for one in released:
        if one.label is Label.RED:  # one person reads it, and nobody else ever
            found &= readers
        elif not _is_for_everyone(one):
            found &= _allowed(one, world)
    return found


def called(org: str, audience: Audience, world: World) -> str:
    """What this audience may read in the place of an organisation's name."""
    name = _source_as_read(org, _readers(audience, world), world)[1]
    return "somebody unknown" if org == UNKNOWN else name


def _told(assertions: Iterable[Assertion], audience: Audience, world: World) -> list[_Told]:
    """What this audience may see, each with its file as far as that itself links it."""
    readers = _readers(audience, world)
    released = [one for one in assertions if _decide(one, audience, readers, world).release]
    return list(zip(released, _files(released), strict=True))


def _decide(assertion: Assertion, audience: Audience, readers: frozenset[str], world: World) -> Decision:
    if audience.reach is Reach.LOG:
        return Decision(False, "values never go to logs; keyed HMAC only")
    if not audience.orgs:
        return Decision(False, "nobody known in the audience")
    if audience.reach is Reach.AUDIT:
        return _may_audit(assertion, readers, world)
    if not _is_valid(assertion, world.now):
        return Decision(False, "outside validity window / embargo")
    if (audience.orgs | readers) & (assertion.never_to - {assertion.source, world.host}):
        return Decision(False, "excluded by the source")
    if audience.reach is Reach.PROVIDER:
        return _may_ask(assertion, audience, world)
    if assertion.label is Label.RED:
        return _may_tell_person(assertion, audience, readers, world)
    return _may_tell_organisations(assertion, audience, readers, world)


def _readers(audience: Audience, world: World) -> frozenset[str]:
    """Audience organisations; whatever is not surely known now counts as UNKNOWN."""
    if audience.reach is Reach.PROVIDER:
        return audience.orgs
    known = world.in_force | {world.host}
    uncertain = audience.public or audience.pending_invite or not audience.fresh
    return frozenset(org if org in known else UNKNOWN for org in audience.orgs) | (
        {UNKNOWN} if uncertain else set()
    )


def _is_valid(assertion: Assertion, now: datetime) -> bool:
    started = assertion.not_before is None or assertion.not_before <= now
    ended = assertion.not_after is not None and assertion.not_after < now
    return started and not ended


def _may_audit(assertion: Assertion, readers: frozenset[str], world: World) -> Decision:
    if readers != {world.host}:
        return Decision(False, "the audit log is the host's alone")
    if assertion.label is Label.RED:
        return Decision(False, "RED: audit keeps HMAC, not value")
    return Decision(True, "host audit store (RED: HMAC only)")


def _may_ask(assertion: Assertion, audience: Audience, world: World) -> Decision:
    """Asking an external service tells it that somebody cares about the indicator.

    A partner behind the service learns of it, so it must be entitled like any reader.
    """
    pap = effective_pap(assertion)
    partners = audience.orgs & world.names.keys() if assertion.label > Label.CLEAR else frozenset[str]()
    outside_group = assertion.only_orgs is not None and not audience.orgs <= assertion.only_orgs
    if assertion.label > min(audience.max_label, Label.AMBER):
        return Decision(False, "TLP above provider.max_tlp")
    if pap is Pap.RED:
        return Decision(False, "PAP:RED (or derived): no third-party checks")
    if pap is Pap.AMBER and audience.active:
        return Decision(False, "PAP:AMBER: passive lookups only")
    if outside_group or UNKNOWN in audience.orgs or assertion.revoked or assertion.quarantined:
        return _not_entitled(audience.orgs)
    entitled = _allowed(assertion, world) & (world.in_force | {world.host})
    if refused := partners - entitled:
        return _not_entitled(refused)
    return Decision(True, "provider allowed")


def _may_tell_person(
    assertion: Assertion, audience: Audience, readers: frozenset[str], world: World
) -> Decision:
    """RED goes to one named person, in a message nobody else can open; naming a person never widens."""
    named = len(audience.persons) == 1 and audience.persons <= assertion.persons
    entitled = len(readers) == 1 and readers <= _allowed(assertion, world)
    return Decision(
        audience.reach is Reach.EPHEMERAL and named and entitled, "RED: named person, ephemeral only"
    )


def _may_tell_organisations(
    assertion: Assertion, audience: Audience, readers: frozenset[str], world: World
) -> Decision:
    if assertion.label is not Label.CLEAR:
        if not audience.fresh:
            return Decision(False, "audience snapshot stale")
        if audience.public:
            return Decision(False, "publicly accessible")
        if audience.pending_invite:
            return Decision(False, "pending Slack Connect invitation")
        if audience.reach in (Reach.CHANNEL, Reach.MPIM) and assertion.label > audience.cap:
            return Decision(False, "above channel cap")
    if _is_for_everyone(assertion):
        return Decision(True, "ok")
    refused = readers - _allowed(assertion, world)
    return _not_entitled(refused) if refused else Decision(True, "ok")


def _is_for_everyone(assertion: Assertion) -> bool:
    restricted = assertion.revoked or assertion.quarantined or assertion.never_to
    return assertion.label is Label.CLEAR and assertion.only_orgs is None and not restricted


def _allowed(assertion: Assertion, world: World) -> frozenset[str]:
    """Who may see it; source and host always, UNKNOWN never."""
    always = frozenset((assertion.source, world.host)) - {UNKNOWN}
    if assertion.revoked or assertion.quarantined:
        return always
    allowed = _recipients(assertion, world)
    if assertion.only_orgs is not None:
        allowed &= assertion.only_orgs
    return (allowed - assertion.never_to - {UNKNOWN}) | always


def _recipients(assertion: Assertion, world: World) -> frozenset[str]:
    """The organisations the label itself reaches."""
    match assertion.label:
        case Label.CLEAR:
            return world.in_force
        case Label.GREEN:
            return world.community | assertion.addressed_to | world.constituents
        case Label.AMBER:
            return assertion.addressed_to | world.constituents
        case Label.AMBER_STRICT | Label.RED:
            return assertion.addressed_to


def _not_entitled(orgs: frozenset[str]) -> Decision:
    return Decision(False, f"orgs not entitled: {', '.join(sorted(orgs))}")


def _shown(assertion: Assertion, readers: frozenset[str], world: World) -> Shown:
    source, name = _source_as_read(assertion.source, readers, world)
    return Shown(
        indicator=assertion.indicator,
        label=assertion.label,
        source=source,
        source_name=name,
        first_seen=assertion.first_seen,
        last_seen=assertion.last_seen,
        confidence=assertion.confidence,
        family=assertion.family,
        tags=assertion.tags,
        context=assertion.context,
        to_ids=assertion.to_ids,
        revoked=assertion.revoked,
    )


def _files(released: Sequence[Assertion]) -> list[_File | None]:
    """The file of each claim, as far as the released claims themselves link their hashes.

    The store has joined more: through claims that this audience may not see.
    """
    joined: dict[_File, _File] = {}

    def root(file: _File) -> _File:
        while file in joined:
            file = joined[file]
        return file

    named = [[(assertion.source, name) for name in files(assertion)] for assertion in released]
    for first, *others in filter(None, named):
        for other in others:
            if root(other) != root(first):
                joined[root(other)] = root(first)
    return [root(names[0]) if names else None for names in named]


def _reached_from(asked: frozenset[Indicator], told: Sequence[_Told]) -> list[_Told]:
    reached = {file for assertion, file in told if assertion.indicator in asked and file is not None}
    return [(one, file) for one, file in told if one.indicator in asked or file in reached]


def _with_files(direct: Sequence[_Told], members: Mapping[_File, Sequence[Assertion]]) -> list[Assertion]:
    files = dict.fromkeys(file for _, file in direct if file is not None)
    same_file = [one for file in files for one in members[file] if one.indicator != direct[0][0].indicator]
    return [one for one, _ in direct] + same_file


def _in_order(told: Iterable[tuple[Shown, _File | None]]) -> tuple[Shown, ...]:
    """Sort by what is read, and number the files of which several hashes are shown.

    Neither may tell how the store sorts sources that stay unnamed, or that a hash has hidden others.
    """
    placed = [(_place(shown), shown, file) for shown, file in told]
    places: dict[_File, list[_Place]] = {}
    for place, _, file in placed:
        if file is not None:
            places.setdefault(file, []).append(place)
    several = [file for file, members in places.items() if len(members) > 1]
    several.sort(key=lambda file: sorted(places[file]))
    numbers: dict[_File | None, int] = {file: number for number, file in enumerate(several, 1)}
    placed.sort(key=lambda one: (one[0], numbers.get(one[2], 0)))
    return tuple(
        replace(shown, file=numbers[file]) if file in numbers else shown for _, shown, file in placed
    )


def _place(shown: Shown) -> _Place:
    """Everything that is read takes part: two claims in the same place read the same."""
    rest = (shown.last_seen, shown.family, shown.context, shown.confidence, shown.tags, shown.to_ids)
    return (shown.indicator, -shown.label, shown.source, str(shown.first_seen), repr((*rest, shown.revoked)))


def _named_to(source: str, readers: frozenset[str], world: World) -> frozenset[str]:
    """Who would read the same in the place of a source's name if they read along with these."""
    known = world.in_force | {world.host, UNKNOWN}
    as_read = _source_as_read(source, readers, world)
    return frozenset(org for org in known if _source_as_read(source, readers | {org}, world) == as_read)


def _source_as_read(source: str, readers: frozenset[str], world: World) -> tuple[str, str]:
    """Slug and name if every reader may know them; an alias among partners; else "a partner"."""
    may_know = ({source, world.host} | world.named_to.get(source, frozenset())) - {UNKNOWN}
    if source == world.host or readers <= may_know:
        return source, world.names.get(source, source)
    pseudonym = "a partner" if UNKNOWN in readers else world.aliases.get(source, "a partner")
    return pseudonym, pseudonym
