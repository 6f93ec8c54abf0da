"""liaison.toml: what it means, and that every mistake is told with its place and what to write instead."""

import tomllib
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import config, provider_tables
from bot.config import MAX_FILE_BYTES, load
from bot.errors import ConfigError
from bot.providers import catalogue
from bot.sharing import UNKNOWN
from bot.tlp import Label
from bot.toml_lines import Lines

EXAMPLE = Path(__file__).parents[1] / "deploy" / "liaison.example.toml"

GOOD = """\
[host]
id = "igci"
name = "Cyber Fusion Centre"
teams = ["T0HOST"]

[[partner]]
id = "kaspersky"
name = "Kaspersky"
teams = ["T0KASP"]

[[channel]]
id = "C0KASP"
cap = "TLP:AMBER"
"""


def mistakes(tmp_path: Path, text: str) -> list[str]:
    path = tmp_path / "liaison.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as refused:
        load(path)
    return refused.value.mistakes


def test_the_documented_example_is_valid_and_means_what_it_says() -> None:
    registry = load(EXAMPLE)

    host, (kaspersky, trendmicro) = registry.host, registry.partners
    assert (host.id, host.name, host.teams) == ("igci", "Cyber Fusion Centre", frozenset({"T0HOST"}))
    assert (kaspersky.id, kaspersky.alias, kaspersky.default_label) == ("kaspersky", "Partner K", Label.GREEN)
    assert (kaspersky.community, kaspersky.constituent) == (True, False)
    assert kaspersky.named_to == {"trendmicro"}
    assert (kaspersky.since, kaspersky.until) == (date(2026, 1, 1), date(2028, 12, 31))
    assert trendmicro.alias is None
    assert trendmicro.default_label is Label.AMBER_STRICT
    assert registry.of_team("E0TREND") == "trendmicro"
    assert registry.of_guest("U0ANNA") == "trendmicro"
    assert (host.enrich_own_queries, kaspersky.enrich_own_queries) == (True, False)
    assert registry.cap("C0KASP") is Label.AMBER
    assert registry.cap("C0OTHER") is Label.GREEN


def test_every_setting_is_explained_in_the_example() -> None:
    text = EXAMPLE.read_text(encoding="utf-8")

    providers = [key for listing in catalogue.LISTINGS.values() for key in provider_tables.keys(listing)]
    for key in (*config._HOST_KEYS, *config._PARTNER_KEYS, *config._CHANNEL_KEYS, *providers):
        assert f"\n{key} = " in text or f"\n# {key} = " in text


def test_outside_its_agreement_a_partner_is_not_in_force() -> None:
    registry = load(EXAMPLE)

    in_force = [
        registry.world(datetime(*day, 12, tzinfo=UTC)).in_force
        for day in ((2025, 12, 31), (2026, 1, 1), (2026, 3, 1), (2027, 2, 28), (2027, 3, 1), (2029, 1, 1))
    ]

    first, both = {"kaspersky"}, {"kaspersky", "trendmicro"}
    assert in_force == [set(), first, both, both, first, set()]


def test_a_partner_needs_no_more_than_a_name_and_a_team(tmp_path: Path) -> None:
    path = tmp_path / "liaison.toml"
    path.write_text(GOOD, encoding="utf-8-sig")

    (partner,) = load(path).partners

    assert not partner.community
    assert not partner.constituent
    assert not partner.enrich_own_queries
    assert partner.default_label is Label.AMBER_STRICT
    assert (partner.since, partner.until) == (None, None)
    assert load(path).of_team("T0NOBODY") == UNKNOWN


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("[host]", "[hots]", ':1: hots: is not a setting; did you mean "host"?'),
        ("[host]", "[hots]", "host: is missing; write [host] and under it id, name and teams"),
        ("[host]", "[[host]]", ":1: host: must be one table; write [host]"),
        ("[[partner]]", "[partner]", ":6: partner: must be a list of tables; write [[partner]], with two"),
        ('id = "igci"', 'id = "IGCI"', ':2: host.id: "IGCI" cannot be taken; write at most 40 lower-case'),
        ('id = "igci"', 'id = "-igci"', ':2: host.id: "-igci" cannot be taken'),
        (
            'id = "igci"',
            'id = "unknown"',
            ':2: host.id: "unknown" has a meaning of its own; choose another slug',
        ),
        ('id = "igci"\n', "", ':1: host.id: is missing; write id = "..."'),
        ('id = "igci"', "id = 7", ':2: host.id: must be a text; write id = "..."'),
        ('id = "igci"', "ids = 1", ':2: host.ids: is not a setting here; did you mean "id"?'),
        ('name = "Kaspersky"', 'name = " "', ":8: partner[1].name: must be a text"),
        (
            'name = "Kaspersky"',
            'name = "a\\u0000b"',
            ":8: partner[1].name: must be one line of at most 80 printable",
        ),
        ('name = "Kaspersky"', f'name = "{"x" * 81}"', ":8: partner[1].name: must be one line of at most 80"),
        (
            'name = "Kaspersky"',
            'name = "cyber fusion centre"',
            ':8: partner[1].name: "cyber fusion centre" already',
        ),
        (
            'id = "kaspersky"',
            'id = "igci"',
            ':7: partner[1].id: "igci" already belongs to the organisation at line 2;',
        ),
        (
            '["T0KASP"]',
            '["T0HOST"]',
            ':9: partner[1].teams: "T0HOST" already belongs to the organisation at line 4;',
        ),
        (
            '["T0KASP"]',
            '["C0KASP"]',
            ':9: partner[1].teams: "C0KASP" cannot be taken; write a Slack team id, which',
        ),
        ('["T0KASP"]', '["t0kasp"]', ':9: partner[1].teams: "t0kasp" cannot be taken'),
        (
            '["T0KASP"]',
            '"T0KASP"',
            ':9: partner[1].teams: must be a list of texts; write teams = ["...", "..."]',
        ),
        ('["T0KASP"]', "[1]", ":9: partner[1].teams: must be a list of texts"),
        ('["T0KASP"]', "[]", ':9: partner[1].teams: is missing or empty; write teams = ["..."]'),
        ('teams = ["T0KASP"]\n', "", ":6: partner[1].teams: is missing or empty"),
        (
            'id = "C0KASP"',
            'id = "T0KASP"',
            ':12: channel[1].id: "T0KASP" cannot be taken; write a Slack channel id',
        ),
        ('id = "C0KASP"', 'name = "ops"', ':11: channel[1].id: is missing; write id = "..."'),
        (
            '"TLP:AMBER"',
            '"TLP:AMBR"',
            ":13: channel[1].cap: is not a TLP label; use one of TLP:CLEAR, TLP:GREEN,",
        ),
        ('"TLP:AMBER"', "2", ":13: channel[1].cap: is not a TLP label"),
        ('"TLP:AMBER"', '"TLP:RED"', ":13: channel[1].cap: cannot be TLP:RED: RED never goes to a channel;"),
    ],
)
def test_a_mistake_is_told_with_its_line_and_what_to_write(
    tmp_path: Path, old: str, new: str, told: str
) -> None:
    assert old in GOOD

    assert any(told in mistake for mistake in mistakes(tmp_path, GOOD.replace(old, new, 1)))


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ('nmae = "K"', ':10: partner[1].nmae: is not a setting here; did you mean "name"?'),
        ('xyzzy = "K"', ":10: partner[1].xyzzy: is not a setting here; use one of: id, name, teams, alias"),
        (
            'community = "yes"',
            ":10: partner[1].community: must be true or false; write community = true, without",
        ),
        ("constituent = 1", ":10: partner[1].constituent: must be true or false"),
        (
            'default_label = "TLP:RED"',
            ":10: partner[1].default_label: cannot be TLP:RED: it needs named persons;",
        ),
        ("default_label = true", ":10: partner[1].default_label: is not a TLP label"),
        (
            'named_to = ["igcy"]',
            ':10: partner[1].named_to: "igcy" is no organisation here; did you mean "igci"?',
        ),
        (
            'named_to = ["kaspersky"]',
            ':10: partner[1].named_to: "kaspersky" is this organisation itself; use one of: igci',
        ),
        ('named_to = ["Igci"]', ':10: partner[1].named_to: "Igci" cannot be taken'),
        ('guests = ["T0KASP"]', ':10: partner[1].guests: "T0KASP" cannot be taken; write a Slack user id'),
        ('alias = "Kaspersky"', ':10: partner[1].alias: "Kaspersky" gives the name away; choose another'),
        ('alias = "IGCI"', ':10: partner[1].alias: "IGCI" already stands for igci; choose another alias'),
        (
            'agreement = "2026"',
            ":10: partner[1].agreement: must be a table; write agreement = { from = 2026-01-01",
        ),
        (
            "agreement = { from = 2026-02-01, until = 2026-01-31 }",
            ":10: partner[1].agreement: ends on 2026-01-31, bef",
        ),
        (
            'agreement = { from = "2026-02-01" }',
            ":10: partner[1].agreement.from: must be a day; write from = 2026-12-",
        ),
        ("agreement = { until = 2026-02-01T00:00:00 }", ":10: partner[1].agreement.until: must be a day"),
        (
            "agreement = { to = 2026-02-01 }",
            ":10: partner[1].agreement.to: is not a setting here; use one of: from, u",
        ),
        (
            "agreement = { from = 2026-02-30 }",
            "liaison.toml:10:22: this is not TOML: Invalid date or datetime",
        ),
    ],
)
def test_a_mistake_of_a_partner_is_told_with_its_line(tmp_path: Path, setting: str, told: str) -> None:
    text = GOOD.replace('teams = ["T0KASP"]', f'teams = ["T0KASP"]\n{setting}')

    (mistake,) = mistakes(tmp_path, text)

    assert told in mistake


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = (
        GOOD.replace("T0HOST", "host")
        .replace("Kaspersky", " ")
        .replace("C0KASP", "#kasp")
        .replace("AMBER", "?")
    )

    told = mistakes(tmp_path, text)

    assert [mistake.split(": ")[0] for mistake in told] == [f"liaison.toml:{line}" for line in (4, 8, 12, 13)]


@pytest.mark.parametrize(
    ("added", "told"),
    [
        ('[[channel]]\nid = "C0KASP"\n', ':15: channel[2].id: "C0KASP" is already set at line 12;'),
        (
            '[[partner]]\nid = "trend"\nname = "Trend"\nteams = ["T0TREND", "T0KASP"]\n',
            ':17: partner[2].teams: "T0KASP" already belongs to the organisation at line 9;',
        ),
        (
            '[[partner]]\nid = "trend"\nname = "Trend"\nteams = ["T0TREND"]\nalias = "KASPERSKY"\n',
            ':18: partner[2].alias: "KASPERSKY" already stands for kaspersky',
        ),
    ],
)
def test_what_may_stand_once_only_is_told_with_both_places(tmp_path: Path, added: str, told: str) -> None:
    (mistake,) = mistakes(tmp_path, GOOD + added)

    assert told in mistake


def test_a_suggestion_names_each_other_organisation_once(tmp_path: Path) -> None:
    partner = '[[partner]]\nid = "{0}"\nname = "{1}"\nteams = ["T0{1}"]\n'
    added = partner.format("kaspersky", "A") + partner.format("unknown", "B") + partner.format("trend", "C")

    told = mistakes(tmp_path, GOOD + added + 'named_to = ["zzz"]\n')

    assert any(one.endswith('"zzz" is no organisation here; use one of: igci, kaspersky') for one in told)


def test_a_guest_has_one_home(tmp_path: Path) -> None:
    partner = '[[partner]]\nid = "{0}"\nname = "{0}"\nteams = ["T0{1}"]\nguests = ["U0ANNA"]\n'

    (mistake,) = mistakes(tmp_path, GOOD + partner.format("a", "A") + partner.format("b", "B"))

    assert ':23: partner[3].guests: "U0ANNA" already belongs to the organisation at line 18;' in mistake


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (
            b'[host]\nid "igci"',
            "liaison.toml:2:4: this is not TOML: Expected '=' after a key in a key/value pair",
        ),
        (b"[host]\n[host]", "liaison.toml:2:6: this is not TOML: Cannot declare ('host',) twice"),
        (
            b"[host",
            "liaison.toml: this is not TOML: Expected ']' at the end of a table declaration at the end of",
        ),
        (b"[host]\nid = '\xff'", "liaison.toml:2: is not UTF-8 text; save the file as UTF-8"),
        (b"a = " + b"[" * 5000, "liaison.toml: brackets are nested too deeply; remove some"),
        (b"a = " + b"9" * 5000, "liaison.toml: this is not TOML: Exceeds the limit"),
        (b"#" * (MAX_FILE_BYTES + 1), "is larger than 1,000,000 bytes; is it the right file?"),
        (b"", "liaison.toml: host: is missing; write [host]"),
    ],
)
def test_what_is_no_toml_is_told_in_one_sentence(tmp_path: Path, content: bytes, told: str) -> None:
    path = tmp_path / "liaison.toml"
    path.write_bytes(content)

    with pytest.raises(ConfigError) as refused:
        load(path)

    (mistake,) = refused.value.mistakes
    assert told in mistake


def test_a_missing_file_is_told_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"copy deploy/liaison\.example\.toml there, or name another file with --conf"
    ):
        load(tmp_path / "liaison.toml")


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("text", "path", "line"),
    [
        ("a = 1\n[t]\nb = 2\n", "a", 1),
        ("a = 1\n[t]\nb = 2\n", "t.b", 3),
        ("a = 1\n[t]\nb = 2\n", "t", 2),
        ("[[t]]\nb = 1\n[[t]]\nb = 2\n", "t[2].b", 4),
        ("[[t]]\nb.from = 1\n", "t[1].b.from", 2),
        ("[[t]]\nb = 1\n[t.c]\nd = 2\n", "t[1].c.d", 4),
        ("[[t]]\nb = 1\n", "t[1].missing", 1),
        ("[[t]]\n'b' = 1\n", "t[1].b", None),
        ('[[t]]\nx = """\nb = 3\n"""\n', "t[1].b", None),
        ('[[t]]\nx = """\n[[t]]\ny = 3\n"""\n', "t[2].y", None),
        ("t = [{ b = 1 }]\n", "t[1].b", None),
    ],
)
def test_a_line_is_right_or_not_given(text: str, path: str, line: int | None) -> None:
    found = Lines(text, tomllib.loads(text)).of(path)

    assert found == line


@given(st.lists(st.sampled_from([*GOOD.splitlines(), "'''", '"""', "[host.x]", 'x = """', "]", "teams = ["])))
def test_no_file_breaks_the_reading(tmp_path_factory: pytest.TempPathFactory, lines: list[str]) -> None:
    path = tmp_path_factory.getbasetemp() / "drawn.toml"
    path.write_text("\n".join(lines), encoding="utf-8")

    told: list[str] = []
    try:
        told = [load(path).host.id]
    except ConfigError as error:
        told = error.mistakes

    assert told == ["igci"] or (told and all(mistake.startswith("drawn.toml") for mistake in told))
