"""Generators of assertions, audiences and worlds, shared by every test of what must always hold.

A value is drawn from a menu for each field, and many fields at once by one integer: thousands of examples
have to fit into seconds. A counterexample shrinks to the first entry of a menu; repeats make an entry likely.
"""

import os
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import combinations
from math import prod
from typing import Any, TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from bot.assertions import Assertion
from bot.indicators import Indicator, Kind
from bot.sharing import UNKNOWN, Audience, Reach, World
from bot.tlp import Label, Pap

T = TypeVar("T")
Made = TypeVar("Made")

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
HOST = "host"
PARTNERS = ("kaspersky", "trendmicro", "groupib", "newco", "lapsed")
ORGS = (HOST, *PARTNERS)
READERS = (*ORGS, UNKNOWN)
SERVICES = ("virustotal", "hashlookup")
PEOPLE = ("U0ANNA", "U0BEN", "U0CIRA")

# The release policy is worth more examples than anything else; other tests keep hypothesis' own default.
proof = settings(
    max_examples=5000 if os.environ.get("CI") == "true" else 200,
    suppress_health_check=[HealthCheck.too_slow],
)


def from_menus(make: Callable[..., Made], **menus: Sequence[Any]) -> st.SearchStrategy[Made]:
    """Values of `make(**fields)`, each field from its menu."""
    pages: list[dict[str, Sequence[Any]]] = [{}]
    for name, menu in menus.items():
        if prod(map(len, pages[-1].values())) * len(menu) >= 2**24:  # above, hypothesis prefers small numbers
            pages.append({})
        pages[-1][name] = menu
    drawn = [st.integers(0, prod(map(len, page.values())) - 1) for page in pages]
    return st.tuples(*drawn).map(lambda numbers: make(**_fields(pages, numbers)))


def _fields(pages: Sequence[dict[str, Sequence[Any]]], numbers: Sequence[int]) -> dict[str, Any]:
    fields = {}
    for page, number in zip(pages, numbers, strict=True):
        for name, menu in page.items():
            number, place = divmod(number, len(menu))
            fields[name] = menu[place]
    return fields


def subsets(members: Sequence[T], *, least: int = 0) -> list[frozenset[T]]:
    """All subsets of at least so many members, small ones first."""
    sizes = range(least, len(members) + 1)
    return [frozenset(chosen) for size in sizes for chosen in combinations(members, size)]


def mostly(likely: Sequence[T], others: Sequence[T]) -> list[T]:
    """A menu whose first entries are drawn about as often as all the others together."""
    return list(likely) * (len(others) // len(likely) + 1) + list(others)


NONE: frozenset[str] = frozenset()
_FLAG = (False, True)
_SELDOM = (False, False, False, True)
_TIMES = (None, *(NOW + timedelta(seconds=seconds) for seconds in (-86400, -1, 0, 1, 86400)))
_MOMENTS = mostly([None], [time for time in _TIMES if time])
_ALONE = [frozenset((org,)) for org in READERS]
_ONE_PERSON = [frozenset((person,)) for person in PEOPLE]

INDICATORS = (
    Indicator(Kind.MD5, "d41d8cd98f00b204e9800998ecf8427e"),
    Indicator(Kind.SHA256, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    Indicator(Kind.DOMAIN, "c2.example.org"),
)

# What the release policy looks at; facts such as times and families stand in `assertions` only.
POLICY_MENUS: dict[str, Sequence[Any]] = {
    "source": (*PARTNERS, HOST, UNKNOWN),  # UNKNOWN: a source nobody registered
    "label": tuple(Label),
    "addressed_to": subsets(READERS),
    "only_orgs": mostly([None], subsets((*READERS, SERVICES[0]))),
    "never_to": mostly([NONE], subsets((*READERS, SERVICES[0]))),
    "persons": subsets(PEOPLE),
    "pap": (None, *Pap),
    "not_before": _MOMENTS,
    "not_after": _MOMENTS,
    "revoked": _SELDOM,
    "quarantined": _SELDOM,
}
FACT_MENUS: dict[str, Sequence[Any]] = {
    "first_seen": _TIMES[:3],
    "last_seen": _TIMES[2:5],
    "confidence": (None, 10, 90),
    "family": (None, "Emotet"),
    "tags": ((), ("loader",), ("loader", "botnet")),
    "context": (None, "seen in a phishing mail"),
    "to_ids": (True, False),
    "file": (None, "file 1", "file 2"),
    "links": ((), ("file 1",), ("file 2",), ("file 2", "file 1")),
}

claims = from_menus(Assertion, indicator=INDICATORS[:1], **POLICY_MENUS)
assertions = from_menus(Assertion, indicator=INDICATORS, **POLICY_MENUS, **FACT_MENUS)

audiences = from_menus(
    Audience,
    reach=(*Reach, *[Reach.EPHEMERAL] * 3),
    orgs=mostly([*_ALONE, frozenset(SERVICES[:1])], subsets((*READERS, *SERVICES), least=1)),
    persons=mostly(_ONE_PERSON, subsets(PEOPLE)),
    cap=tuple(Label),
    fresh=(True, True, True, False),
    pending_invite=_SELDOM,
    public=_SELDOM,
    max_label=tuple(Label),
    active=_FLAG,
)

# Whom a reply or a post really goes to: known well at the time of sending.
conversations = from_menus(
    Audience,
    reach=(Reach.CHANNEL, Reach.MPIM, Reach.DM, Reach.EPHEMERAL, Reach.EPHEMERAL, Reach.EXPORT),
    orgs=mostly(_ALONE, subsets(READERS, least=1)),
    persons=mostly(_ONE_PERSON, subsets(PEOPLE)),
    cap=tuple(Label),
)


def _world(
    in_force: frozenset[str],
    community: frozenset[str],
    constituents: frozenset[str],
    aliased: frozenset[str],
    named: frozenset[str],
) -> World:
    return World(
        host=HOST,
        now=NOW,
        in_force=in_force,
        community=community & in_force,
        constituents=constituents & in_force,
        names={org: f"{org.title()} Ltd" for org in ORGS},
        aliases={org: f"Partner {place}" for place, org in enumerate(sorted(aliased), 1)},
        named_to={org: frozenset(READERS) - {PARTNERS[0]} for org in named},
    )


worlds = from_menus(
    _world,
    in_force=subsets(PARTNERS[:-1])[::-1],
    community=subsets(PARTNERS),
    constituents=mostly([NONE], subsets(PARTNERS)),
    aliased=subsets(PARTNERS),
    named=mostly([NONE], subsets(PARTNERS)),
)
