"""Providers are off until liaison.toml turns them on; what it says of them is checked, on or off."""

from pathlib import Path

import pytest

from bot import provider_tables
from bot.config import load, read
from bot.errors import ConfigError
from bot.providers import catalogue
from bot.providers.options import Options
from bot.tlp import Label

EXAMPLE = Path(__file__).parents[1] / "deploy" / "liaison.example.toml"

ORGANISATIONS = """\
[host]
id = "igci"
name = "Cyber Fusion Centre"
teams = ["T0HOST"]

[[partner]]
id = "kaspersky"
name = "Kaspersky"
teams = ["T0KASP"]

"""


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "liaison.toml"
    path.write_text(ORGANISATIONS + text, encoding="utf-8")
    return path


def providers(tmp_path: Path, text: str) -> dict[str, Options]:
    return dict(read(written(tmp_path, text)).providers)


def mistakes(tmp_path: Path, text: str) -> list[str]:
    with pytest.raises(ConfigError) as refused:
        read(written(tmp_path, text))
    return refused.value.mistakes


def test_no_provider_is_on_by_itself(tmp_path: Path) -> None:
    tables = "".join(f"[provider.{name}]\n" for name in catalogue.NAMES)

    assert providers(tmp_path, "") == {}
    assert providers(tmp_path, tables) == {}


def test_the_example_names_every_provider_and_turns_none_on() -> None:
    text = EXAMPLE.read_text(encoding="utf-8")

    assert [name for name in catalogue.NAMES if f"\n[provider.{name}]" not in text] == []
    assert read(EXAMPLE).providers == {}


def test_the_example_with_everything_turned_on_is_valid(tmp_path: Path) -> None:
    path = tmp_path / "liaison.toml"
    path.write_text(EXAMPLE.read_text(encoding="utf-8").replace("on = false", "on = true"), encoding="utf-8")

    options = read(path).providers

    assert list(options) == list(catalogue.NAMES)
    assert options["hashlookup-offline"] == Options(file=tmp_path / "hashlookup-full.bloom")
    assert options["trend"] == Options(url="https://api.eu.xdr.trendmicro.com")
    assert options["opentip"] == Options(url="https://opentip.kaspersky.com")


def test_a_provider_is_run_as_its_table_says(tmp_path: Path) -> None:
    table = """\
[provider.virustotal]
on = true
ceiling = "tlp:amber"
label = "TLP:CLEAR"
per_minute = 100
per_day = 20000
per_month = 300000
seconds = 2.5
url = "http://127.0.0.1:8080/vt"
"""

    assert providers(tmp_path, table) == {
        "virustotal": Options(
            ceiling=Label.AMBER,
            label=Label.CLEAR,
            per_minute=100,
            per_day=20000,
            per_month=300000,
            seconds=2.5,
            url="http://127.0.0.1:8080/vt",
        )
    }


def test_a_table_with_nothing_but_on_leaves_everything_to_the_provider(tmp_path: Path) -> None:
    assert providers(tmp_path, "[provider.hashlookup]\non = true\n") == {"hashlookup": Options()}


def test_a_portal_is_an_address(tmp_path: Path) -> None:
    table = '[provider.opentip]\non = true\nportal = "tip"\n'

    assert providers(tmp_path, table)["opentip"].url == "https://tip.kaspersky.com"


def test_a_file_may_be_named_by_its_whole_path(tmp_path: Path) -> None:
    table = '[provider.hashlookup-offline]\non = true\nfile = "/srv/known.bloom"\n'

    assert providers(tmp_path, table)["hashlookup-offline"].file == Path("/srv/known.bloom")


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ("provider = 1", ":1: provider: must be tables, each with a name; write [provider.hashlookup]"),
        (
            "[provider]\nvirustotal = true",
            "provider.virustotal: must be a table; write [provider.virustotal]",
        ),
        ("[provider.virustotl]", ':11: provider.virustotl: is no provider; did you mean "virustotal"?'),
        ("[provider.zzz]", "provider.zzz: is no provider; use one of: virustotal, opentip, hashlookup, hash"),
        ("[[provider.trend]]", "provider.trend: must be a table; write [provider.trend] and under it on ="),
    ],
)
def test_what_is_no_provider_is_told(tmp_path: Path, table: str, told: str) -> None:
    text = table + "\n" + ORGANISATIONS if table.startswith("provider") else ORGANISATIONS + table
    path = tmp_path / "liaison.toml"
    path.write_text(text, encoding="utf-8")

    with pytest.raises(ConfigError) as refused:
        read(path)

    (mistake,) = refused.value.mistakes
    assert told in mistake


@pytest.mark.parametrize("is_on", ["true", "false"])
@pytest.mark.parametrize(
    ("name", "setting", "told"),
    [
        ("virustotal", "ceilng = 1", 'virustotal.ceilng: is not a setting here; did you mean "ceiling"?'),
        ("virustotal", 'key = "x"', "virustotal.key: is not a setting here; use one of: on, label, ceiling"),
        ("virustotal", 'file = "x"', "virustotal.file: is not a setting here"),
        ("virustotal", 'portal = "tip"', "virustotal.portal: is not a setting here"),
        ("virustotal", 'region = "eu"', "virustotal.region: is not a setting here"),
        ("hashlookup-offline", "per_day = 5", "hashlookup-offline.per_day: is not a setting here"),
        ("trend", 'ceiling = "TLP:GREEN"', "trend.ceiling: is not a setting here"),
        (
            "virustotal",
            'ceiling = "TLP:AMBER+STRICT"',
            "AMBER+STRICT: AMBER+STRICT and RED never leave; write",
        ),
        (
            "virustotal",
            'ceiling = "TLP:RED"',
            "cannot be TLP:RED: AMBER+STRICT and RED never leave; write TLP",
        ),
        ("virustotal", 'ceiling = "AMBR"', "virustotal.ceiling: is not a TLP label; use one of"),
        ("virustotal", "ceiling = 2", "virustotal.ceiling: is not a TLP label; use one of"),
        ("virustotal", 'label = "TLP:RED"', "virustotal.label: cannot be TLP:RED: no channel could show"),
        ("virustotal", "per_minute = 0", "per_minute: must be a whole number from 1 to 100,000,000; write"),
        ("virustotal", "per_minute = 1.5", "virustotal.per_minute: must be a whole number"),
        ("virustotal", "per_day = true", "virustotal.per_day: must be a whole number"),
        ("virustotal", 'per_month = "5"', "virustotal.per_month: must be a whole number"),
        (
            "virustotal",
            "seconds = 0",
            "virustotal.seconds: must be a number of seconds from 0.1 to 60; write",
        ),
        ("virustotal", "seconds = nan", "virustotal.seconds: must be a number of seconds"),
        ("virustotal", "seconds = true", "virustotal.seconds: must be a number of seconds"),
        ("virustotal", "url = 1", 'virustotal.url: must be a text; write url = "..."'),
        (
            "virustotal",
            'url = "http://vt.example"',
            "virustotal.url: must begin with https:// (http:// only for",
        ),
        ("virustotal", 'url = "ftp://127.0.0.1"', "virustotal.url: must begin with https://"),
        ("virustotal", 'url = "https://"', "virustotal.url: must begin with https://"),
        ("virustotal", 'url = "https://[::1"', "virustotal.url: must begin with https://"),
        ("virustotal", 'url = "https://vt.example:x"', "virustotal.url: must begin with https://"),
        (
            "virustotal",
            'url = "https://vt.example/?apikey=CANARY"',
            "virustotal.url: must begin with https://",
        ),
        ("virustotal", 'url = "https://CANARY@vt.example"', "virustotal.url: must begin with https://"),
        ("virustotal", 'url = "https://vt.example/#CANARY"', "virustotal.url: must begin with https://"),
        ("opentip", 'portal = "tpi"', 'opentip.portal: "tpi" cannot be taken; did you mean "tip"?'),
        ("trend", 'region = "mars"', 'trend.region: "mars" cannot be taken; use one of: us, jp, eu'),
        ("trend", "region = 1", 'trend.region: must be a text; write region = "..."'),
        ("hashlookup-offline", "file = 1", 'hashlookup-offline.file: must be a text; write file = "..."'),
    ],
)
def test_a_mistake_is_told_with_its_line_whether_the_provider_is_on_or_not(
    tmp_path: Path, name: str, setting: str, told: str, is_on: str
) -> None:
    file = 'file = "x"\n' if name == "hashlookup-offline" and not setting.startswith("file") else ""

    (mistake,) = mistakes(tmp_path, f"[provider.{name}]\n{setting}\non = {is_on}\n{file}")

    assert mistake.startswith("liaison.toml:12: provider.")
    assert told in mistake
    assert "CANARY" not in mistake


def test_an_address_stands_once(tmp_path: Path) -> None:
    table = '[provider.trend]\nregion = "eu"\nurl = "https://trend.example"\n'

    (mistake,) = mistakes(tmp_path, table)

    assert "13: provider.trend.url: stands beside region, which means another address; keep one" in mistake


def test_a_provider_that_is_on_needs_its_file(tmp_path: Path) -> None:
    (mistake,) = mistakes(tmp_path, "[provider.hashlookup-offline]\non = true\n")

    assert ':11: provider.hashlookup-offline.file: is missing; write file = "...", the path of h' in mistake


@pytest.mark.parametrize("value", ['"true"', "1", '"on"'])
def test_only_true_turns_a_provider_on(tmp_path: Path, value: str) -> None:
    (mistake,) = mistakes(tmp_path, f"[provider.urlhaus]\non = {value}\n")

    assert ":12: provider.urlhaus.on: must be true or false; write on = true, without quotes" in mistake


def test_mistakes_of_organisations_and_providers_are_told_together(tmp_path: Path) -> None:
    path = written(tmp_path, "[provider.urlhaus]\non = 1\nper_day = 0\n")
    path.write_text(path.read_text().replace("T0HOST", "host"))

    with pytest.raises(ConfigError) as refused:
        load(path)

    assert [one.split(": ")[0] for one in refused.value.mistakes] == [
        f"liaison.toml:{line}" for line in (4, 12, 13)
    ]


@pytest.mark.parametrize(
    ("own", "host", "partner"),
    [
        ("", True, False),
        ("enrich_own_queries = true", True, True),
        ("enrich_own_queries = false", False, False),
    ],
)
def test_a_partners_questions_stay_here_unless_it_agreed(
    tmp_path: Path, own: str, host: bool, partner: bool
) -> None:
    path = written(tmp_path, "")
    path.write_text(path.read_text().replace("teams =", f"{own}\nteams ="))

    registry = load(path)

    assert registry.host.enrich_own_queries is host
    assert registry.partners[0].enrich_own_queries is partner


def test_every_setting_of_options_can_be_written(tmp_path: Path) -> None:
    keys = {key for listing in catalogue.LISTINGS.values() for key in provider_tables.keys(listing)}

    assert {*Options.__dataclass_fields__} - {"key"} == keys - {"on", "portal", "region"}
