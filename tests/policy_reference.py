"""The release policy a second time, as a table: an oracle that shares no line with bot/sharing.py."""

from bot.assertions import Assertion
from bot.sharing import UNKNOWN, Audience, Reach, World

# Which of them a label reaches; an organisation may play several parts, one `y` is enough.
_TABLE = """
label         source host addressed constituent community registered stranger
CLEAR         y      y    y         y           y         y          y
GREEN         y      y    y         y           y         .          .
AMBER         y      y    y         y           .         .          .
AMBER_STRICT  y      y    y         .           .         .          .
RED           y      y    y         .           .         .          .
"""
_HEAD, *_ROWS = (line.split() for line in _TABLE.strip().splitlines())
REACHES = {row[0]: {part for part, mark in zip(_HEAD, row, strict=True) if mark == "y"} for row in _ROWS}


def parts(org: str, assertion: Assertion, world: World) -> set[str]:
    """The parts an organisation plays; one whose agreement is not in force is a stranger, whatever else."""
    if org == UNKNOWN or (org != world.host and org not in world.in_force):
        return {"stranger"}
    played = {
        "registered": True,
        "source": org == assertion.source,
        "host": org == world.host,
        "addressed": org in assertion.addressed_to,
        "constituent": org in world.constituents,
        "community": org in world.community,
    }
    return {part for part, plays in played.items() if plays}


def reaches(org: str, assertion: Assertion, world: World) -> bool:
    """Whether one organisation may know of one assertion at all, whatever the way it is told."""
    mine = parts(org, assertion, world)
    if mine & {"source", "host"}:
        return True
    if assertion.revoked or assertion.quarantined or org in assertion.never_to:
        return False
    if mine == {"stranger"}:
        restricted = assertion.never_to or assertion.only_orgs is not None
        return assertion.label.name == "CLEAR" and not restricted
    in_group = assertion.only_orgs is None or org in assertion.only_orgs
    return in_group and bool(mine & REACHES[assertion.label.name])


def releases(assertion: Assertion, audience: Audience, world: World) -> bool:
    """The whole decision, for every kind of audience."""
    if audience.reach is Reach.LOG or not audience.orgs:
        return False
    if audience.reach is Reach.AUDIT:
        sure = audience.fresh and not audience.public and not audience.pending_invite
        return sure and audience.orgs == {world.host} and assertion.label.name != "RED"
    if assertion.not_before is not None and world.now < assertion.not_before:
        return False
    if assertion.not_after is not None and world.now > assertion.not_after:
        return False
    if audience.reach is Reach.PROVIDER:
        return _may_be_asked(assertion, audience, world)
    return _may_be_told(assertion, audience, world)


def _may_be_asked(assertion: Assertion, audience: Audience, world: World) -> bool:
    implied = {"CLEAR": "GREEN", "GREEN": "AMBER"}.get(assertion.label.name, "RED")
    pap = implied if assertion.pap is None else assertion.pap.name
    low_enough = assertion.label <= audience.max_label and assertion.label.name in ("CLEAR", "GREEN", "AMBER")
    permitted = pap in ("CLEAR", "GREEN") or (pap == "AMBER" and not audience.active)
    shut_out = assertion.never_to - {assertion.source, world.host}
    in_group = assertion.only_orgs is None or all(org in assertion.only_orgs for org in audience.orgs)
    stands = not assertion.revoked and not assertion.quarantined
    known = UNKNOWN not in audience.orgs
    registered = [org for org in audience.orgs if org in world.names]
    entitled = assertion.label.name == "CLEAR" or all(reaches(org, assertion, world) for org in registered)
    allowed = low_enough and permitted and not audience.orgs & shut_out and in_group
    return allowed and stands and known and entitled


def _may_be_told(assertion: Assertion, audience: Audience, world: World) -> bool:
    doubtful = audience.public or audience.pending_invite or not audience.fresh
    everyone = audience.orgs | ({UNKNOWN} if doubtful else set())
    if not all(reaches(org, assertion, world) for org in everyone):
        return False
    if assertion.label.name == "RED":
        alone = len(everyone) == 1 and len(audience.persons) == 1
        return audience.reach is Reach.EPHEMERAL and alone and audience.persons <= assertion.persons
    if audience.reach in (Reach.CHANNEL, Reach.MPIM):
        return assertion.label.name == "CLEAR" or assertion.label <= audience.cap
    return True
