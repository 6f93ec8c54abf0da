"""Who may set digests stands in liaison.toml, by user and team; mistakes are told like all others."""

from pathlib import Path

import pytest

from bot.config import load
from bot.errors import ConfigError
from bot.organisations import Member
from bot.sharing import UNKNOWN

EXAMPLE = Path(__file__).parents[1] / "deploy" / "liaison.example.toml"
GOOD = """\
[host]
id = "igci"
name = "Cyber Fusion Centre"
teams = ["T0HOST"]
operators = [{ user = "U0ANA", team = "T0HOST" }]
default_timezone = "singapore"

[[partner]]
id = "kaspersky"
name = "Kaspersky"
teams = ["T0KASP", "E0KASP"]
guests = ["U0KAI"]
stewards = [
  { user = "U0KIRA", team = "E0KASP" },
  { user = "U0KAI", team = "T0HOST" },
]
"""


def read(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "liaison.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_operators_stewards_and_the_zone_are_read(tmp_path: Path) -> None:
    registry = load(read(tmp_path, GOOD))

    assert registry.host.stewards == {Member("U0ANA", "T0HOST")}
    assert registry.partners[0].stewards == {Member("U0KIRA", "E0KASP"), Member("U0KAI", "T0HOST")}
    assert registry.timezone == "Asia/Singapore"


def test_the_documented_example_names_both(tmp_path: Path) -> None:
    registry = load(EXAMPLE)

    assert registry.is_steward("igci", "U0ANA", {"T0HOST"})
    assert registry.is_steward("trendmicro", "U0TOMO", {"T0TREND"})
    assert registry.timezone == "Europe/Paris"


def test_nobody_is_named_by_default_and_times_are_utc(tmp_path: Path) -> None:
    bare = "\n".join(line for line in GOOD.splitlines()[:4])

    registry = load(read(tmp_path, bare))

    assert registry.host.stewards == frozenset()
    assert registry.timezone == "UTC"


@pytest.mark.parametrize(
    ("org", "user", "teams", "is_named"),
    [
        ("igci", "U0ANA", {"T0HOST", "E0HOST"}, True),
        ("igci", "U0ANA", {"T0KASP"}, False),  # the same id in another team is somebody else
        ("igci", "U0ANA", set(), False),
        ("igci", "U0KIRA", {"E0KASP"}, False),
        ("kaspersky", "U0KIRA", {"T0KASP", "E0KASP"}, True),
        ("kaspersky", "U0ANA", {"T0HOST"}, False),
        (UNKNOWN, "U0ANA", {"T0HOST"}, False),
    ],
)
def test_a_steward_is_a_person_of_a_team_for_one_organisation(
    tmp_path: Path, org: str, user: str, teams: set[str], is_named: bool
) -> None:
    assert load(read(tmp_path, GOOD)).is_steward(org, user, teams) is is_named


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            '[{ user = "U0ANA", team = "T0HOST" }]',
            '["U0ANA"]',
            ':5: host.operators: must be a list of tables; write operators = [{ user = "...", team =',
        ),
        ('user = "U0ANA", ', "", ":5: host.operators[1]: user: is missing; write a Slack user id"),
        ('"U0ANA"', "7", ':5: host.operators[1]: user: "7" cannot be taken; write a Slack user id'),
        ('"U0KAI", team', '"T0KAI", team', ':13: partner[1].stewards[2]: user: "T0KAI" cannot be taken'),
        ("team =", "taem =", ':5: host.operators[1]: "taem" is not a setting here; did you mean "team"?'),
        (
            '"E0KASP" }',
            '"T0HOST" }',
            ':13: partner[1].stewards: "T0HOST" of U0KIRA is not a team of this org',
        ),
        ('"T0HOST" }]', '"T0KASP" }]', ':5: host.operators: "T0KASP" of U0ANA is not a team of this organis'),
        ("operators =", "stewards =", ":5: host.stewards: is not a setting here; did you mean"),
        ("stewards =", "operators =", ":13: partner[1].operators: is not a setting here"),
        ('"singapore"', '"Singapor"', ":6: host.default_timezone: There is no time zone “singapor”. Did you"),
        ('"singapore"', "8", ':6: host.default_timezone: must be a text; write default_timezone = "..."'),
    ],
)
def test_a_mistake_is_told_with_its_line(tmp_path: Path, old: str, new: str, told: str) -> None:
    assert old in GOOD

    with pytest.raises(ConfigError) as refused:
        load(read(tmp_path, GOOD.replace(old, new, 1)))

    assert any(told in mistake for mistake in refused.value.mistakes), refused.value.mistakes
