"""Paper: the script as the files that a real centre would have: liaison.toml and what sources send. Pure."""

import json
from collections.abc import Iterator
from typing import Any

from bot.simulation.world import STRICT, Batch, Claim, Party, Script


def settings(script: Script) -> str:
    """Its liaison.toml."""
    host, *partners = script.parties
    lines = ["[host]", f'id = "{host.slug}"', f'name = "{host.name}"', f'teams = ["{host.team}"]']
    guests = {
        party.slug: [p.user for p in script.people if p.is_guest and p.home == party.slug]
        for party in partners
    }
    for party in partners:
        lines += ["", "[[partner]]", *_partner(party, guests[party.slug])]
    for room in script.rooms:
        if room.cap != "TLP:GREEN":
            lines += ["", "[[channel]]", f'id = "{room.id}"', f'cap = "{room.cap}"']
    return "\n".join([*lines, ""])


def _partner(party: Party, guests: list[str]) -> Iterator[str]:
    yield f'id = "{party.slug}"'
    yield f'name = "{party.name}"'
    yield f"teams = {json.dumps([party.team, *([party.enterprise] if party.enterprise else [])])}"
    yield f"community = {json.dumps(party.in_community)}"
    yield f"constituent = {json.dumps(party.is_constituent)}"
    if party.default_label:
        yield f'default_label = "{party.default_label}"'
    if guests:
        yield f"guests = {json.dumps(guests)}"
    days = {"from": party.since, "until": party.until}
    given = ", ".join(f"{key} = {day.isoformat()}" for key, day in days.items() if day)
    if given:
        yield f"agreement = {{ {given} }}"


def lines(batch: Batch) -> bytes:
    """A batch as JSON lines."""
    found = [
        *(_line(claim) for claim in batch.claims),
        *({**_line(claim), "revoked": True} for claim in batch.revokes),
        *({**_line(claim), "label": STRICT} for claim in batch.narrows),
    ]
    return b"".join(json.dumps(line).encode() + b"\n" for line in found)


def _line(claim: Claim) -> dict[str, Any]:
    line: dict[str, Any] = {
        "kind": claim.kind,
        "value": claim.value,
        "label": claim.label or None,
        "family": claim.family,
        "confidence": 80,
    }
    sets = {
        "addressed_to": claim.addressed_to,
        "only_orgs": claim.only_orgs,
        "never_to": claim.never_to,
        "persons": claim.persons,
    }
    line |= {key: sorted(names) for key, names in sets.items() if names}
    times = {"not_before": claim.not_before, "not_after": claim.not_after}
    line |= {key: moment.isoformat() for key, moment in times.items() if moment}
    return {key: value for key, value in line.items() if value is not None}
