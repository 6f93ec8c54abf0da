"""The registry: which organisation a Slack team or guest belongs to, and the world of one moment."""

from datetime import UTC, date, datetime

import pytest

from bot.organisations import Organisation, Registry
from bot.sharing import UNKNOWN
from bot.tlp import Label

HOST = Organisation(id="host", name="Centre", teams=frozenset({"T0HOST", "E0HOST"}))
KASPERSKY = Organisation(
    id="kaspersky",
    name="Kaspersky",
    teams=frozenset({"T0KASP"}),
    alias="Partner K",
    community=True,
    named_to=frozenset({"groupib"}),
    since=date(2026, 1, 1),
    until=date(2026, 12, 31),
)
GROUPIB = Organisation(
    id="groupib", name="Group-IB", teams=frozenset({"T0GIB"}), guests=frozenset({"U0ANNA"}), constituent=True
)
REGISTRY = Registry(HOST, (KASPERSKY, GROUPIB), {"C0KASP": Label.AMBER})


@pytest.mark.parametrize(
    ("team", "org"),
    [
        ("T0HOST", "host"),
        ("E0HOST", "host"),
        ("T0KASP", "kaspersky"),
        ("T0", UNKNOWN),
        ("", UNKNOWN),
        ("t0kasp", UNKNOWN),
    ],
)
def test_a_team_belongs_to_one_organisation_or_is_unknown(team: str, org: str) -> None:
    assert REGISTRY.of_team(team) == org


@pytest.mark.parametrize(("user", "org"), [("U0ANNA", "groupib"), ("U0BEN", UNKNOWN), ("", UNKNOWN)])
def test_a_guest_has_a_registered_home_or_is_unknown(user: str, org: str) -> None:
    assert REGISTRY.of_guest(user) == org


def test_an_organisation_is_found_by_its_slug() -> None:
    assert REGISTRY.organisation("host") is HOST
    assert REGISTRY.organisation("groupib") is GROUPIB
    assert REGISTRY.organisation(UNKNOWN) is None


@pytest.mark.parametrize(
    ("slug", "name", "word", "is_it"),
    [
        ("kaspersky", "KL", "kaspersky", True),
        ("kasp", "Kaspersky Lab", "kaspersky", True),
        ("kaspersky-lab", "KL", "kaspersky", True),
        ("spam", "KASPERSKYLAB AO", "kaspersky", True),
        ("abuse", "abuse.ch", "abusech", True),
        ("kasp", "KL", "kaspersky", False),
        ("igci", "Friends of Kaspersky", "kaspersky", True),  # rather one too many
        ("trend", "Trend Micro", "kaspersky", False),
    ],
)
def test_an_organisation_is_known_by_its_usual_name_whatever_its_slug(
    slug: str, name: str, word: str, is_it: bool
) -> None:
    partner = Organisation(id=slug, name=name, teams=frozenset({"T0X"}))

    assert Registry(HOST, (GROUPIB, partner), {}).known_as(word) == (
        frozenset({slug}) if is_it else frozenset()
    )


def test_a_channel_without_a_cap_carries_green() -> None:
    assert REGISTRY.cap("C0KASP") is Label.AMBER
    assert REGISTRY.cap("C0OTHER") is Label.GREEN


@pytest.mark.parametrize(
    ("now", "in_force"),
    [
        (datetime(2025, 12, 31, 23, 59, 59, tzinfo=UTC), {"groupib"}),
        (datetime(2026, 1, 1, tzinfo=UTC), {"groupib", "kaspersky"}),
        (datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC), {"groupib", "kaspersky"}),
        (datetime(2027, 1, 1, tzinfo=UTC), {"groupib"}),
    ],
)
def test_both_days_of_an_agreement_are_included(now: datetime, in_force: set[str]) -> None:
    world = REGISTRY.world(now)

    assert world.in_force == in_force
    assert world.community == in_force & {"kaspersky"}
    assert world.constituents == {"groupib"}
    assert world.now == now


def test_the_world_knows_every_name_also_of_who_is_not_in_force() -> None:
    world = REGISTRY.world(datetime(2030, 1, 1, tzinfo=UTC))

    assert world.host == "host"
    assert world.names == {"host": "Centre", "kaspersky": "Kaspersky", "groupib": "Group-IB"}
    assert world.aliases == {"kaspersky": "Partner K"}
    assert world.named_to["kaspersky"] == {"groupib"}
