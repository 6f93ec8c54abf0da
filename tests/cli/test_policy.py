"""`liaison check` and `liaison policy check`, as an operator and a compliance officer meet them."""

import json
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bot.__main__ import cli
from bot.cli.policy import warnings
from bot.config import load
from bot.errors import ConfigError
from bot.organisations import Organisation, Registry
from bot.tlp import Label

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "deploy" / "liaison.example.toml"
CASES = ROOT / "tests" / "samples" / "policy" / "cases.json"

HOST = Organisation(id="host", name="Host", teams=frozenset({"T0HOST"}))


def run(*arguments: object) -> Result:
    return CliRunner().invoke(cli, list(map(str, arguments)))


def partner(**fields: object) -> Organisation:
    plain: dict[str, object] = {"id": "kaspersky", "name": "Kaspersky", "teams": frozenset({"T0KASP"})}
    return Organisation(**plain | fields)  # type: ignore[arg-type]  # real fields, their types seen by the test


def test_check_says_that_the_settings_are_fine_and_what_they_are() -> None:
    result = run("--config", EXAMPLE, "check")

    assert result.exit_code == 0
    lines = result.output.splitlines()
    assert lines[0] == "liaison.example.toml is fine: 1 host, 2 partners, 1 channel"
    assert lines[2].split() == ["organisation", "name", "teams", "receives", "agreement"]
    assert (
        "kaspersky     Kaspersky            T0KASP           up to GREEN  2026-01-01 to 2028-12-31" in lines
    )
    assert (
        "digests are set by: U0ANA (igci), U0TOMO (trendmicro in its channels); times are of Europe/Paris"
        in lines
    )
    assert any(line.startswith("warning: channel C0KASP may carry TLP:AMBER") for line in lines)


def test_check_says_that_nobody_sets_digests_yet(tmp_path: Path) -> None:
    settings = tmp_path / "liaison.toml"
    text = EXAMPLE.read_text(encoding="utf-8")
    kept = [line for line in text.splitlines() if not line.startswith(("operators", "stewards", "default_t"))]
    settings.write_text("\n".join(kept), encoding="utf-8")

    assert "digests are set by: nobody yet; times are of UTC" in run("--config", settings, "check").output


def test_check_names_the_services_that_are_on_and_whether_their_keys_are_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = tmp_path / "liaison.toml"
    settings.write_text(EXAMPLE.read_text(encoding="utf-8").replace("on = false", "on = true"))
    for name in ("OPENTIP_KEY", "ABUSECH_KEY", "VISION_ONE_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("VIRUSTOTAL_KEY", "CANARY")
    monkeypatch.setenv("OPENTIP_KEY", "CANARY two")

    result = run("--config", settings, "check")

    assert result.exit_code == 0
    rows = {line.split()[0]: " ".join(line.split()) for line in result.output.splitlines() if line}
    assert rows["virustotal"].endswith("TLP:GREEN TLP:GREEN there")
    assert rows["opentip"].endswith("TLP:CLEAR, published TLP:GREEN OPENTIP_KEY cannot be used")
    assert rows["hashlookup-offline"].endswith("nobody is asked TLP:CLEAR needs none")
    assert rows["trend"].endswith("nobody is asked TLP:AMBER VISION_ONE_KEY is missing")
    assert rows["own"] == "own questions go to them: igci"
    told = [line for line in result.output.splitlines() if line.startswith("warning: ") and "KEY" in line]
    assert [line.split()[1] for line in told] == ["OPENTIP_KEY:", "ABUSECH_KEY:", "VISION_ONE_KEY:"]
    place = tmp_path / "hashlookup-full.bloom"
    needed = "needed by [provider.hashlookup-offline]; put it there, or on = false"
    assert f"warning: {place}: is not there, {needed}" in result.output.splitlines()
    assert "CANARY" not in result.output


@pytest.mark.parametrize(
    ("table", "warning"),
    [
        ('[provider.threatfox]\nceiling = "TLP:GREEN"', ""),
        (
            '[provider.threatfox]\nceiling = "TLP:AMBER"',
            "warning: threatfox may be asked about TLP:AMBER; make sure that your contract with it allows it",
        ),
        (
            '[provider.hashlookup]\nceiling = "TLP:GREEN"',
            "warning: hashlookup may be asked about TLP:GREEN, and its other users can see what you asked",
        ),
        ('[provider.trend]\nlabel = "TLP:GREEN"', ""),
    ],
)
def test_a_ceiling_that_needs_a_decision_is_warned_of(tmp_path: Path, table: str, warning: str) -> None:
    settings = tmp_path / "liaison.toml"
    settings.write_text(f'[host]\nid = "host"\nname = "Host"\nteams = ["T0"]\n{table}\non = true\n')

    lines = run("--config", settings, "check").output.splitlines()

    assert [line for line in lines if "may be asked" in line] == ([warning] if warning else [])


def test_check_says_that_no_service_is_on() -> None:
    assert "no external service is on" in run("--config", EXAMPLE, "check").output.splitlines()


def test_check_tells_all_mistakes_and_fails(tmp_path: Path) -> None:
    settings = tmp_path / "liaison.toml"
    settings.write_text('[host]\nid = "A"\nname = "Host"\nteams = ["C0"]\n')

    result = run("--config", settings, "check")

    assert result.exit_code == 1
    assert result.output.splitlines()[0] == "liaison.toml has 2 mistakes:"
    assert '  liaison.toml:2: host.id: "A" cannot be taken' in result.output
    assert '  liaison.toml:4: host.teams: "C0" cannot be taken' in result.output


def test_check_tells_what_to_do_without_a_file(tmp_path: Path) -> None:
    result = run("--config", tmp_path / "liaison.toml", "check")

    assert result.exit_code == 1
    assert isinstance(result.exception, ConfigError)
    assert "copy deploy/liaison.example.toml there" in str(result.exception)


def test_the_settings_are_found_through_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIAISON_CONFIG", str(EXAMPLE))

    assert run("check").exit_code == 0


@pytest.mark.parametrize(
    ("fields", "warning"),
    [
        ({}, "kaspersky has no end of its agreement"),
        ({"since": date(2026, 1, 1)}, "kaspersky has no end of its agreement"),
        ({"until": date(2026, 5, 31)}, "the agreement with kaspersky ended on 2026-05-31; it is UNKNOWN now"),
        ({"until": date(2026, 6, 1)}, "the agreement with kaspersky ends on 2026-06-01; after that day"),
        ({"until": date(2026, 7, 1)}, "the agreement with kaspersky ends on 2026-07-01; after that day"),
        ({"until": date(2026, 7, 2)}, None),
        ({"since": date(2026, 6, 1), "until": date(2027, 1, 1)}, None),
        (
            {"since": date(2026, 6, 2), "until": date(2027, 1, 1)},
            "the agreement with kaspersky begins on 2026-06-02; until then",
        ),
    ],
)
def test_an_agreement_that_is_not_in_force_for_long_is_warned_of(
    fields: dict[str, object], warning: str | None
) -> None:
    told = warnings(Registry(HOST, (partner(**fields),), {}), date(2026, 6, 1))

    assert [one[: len(warning or "")] for one in told] == ([] if warning is None else [warning])


def test_a_cap_above_green_is_warned_of_where_others_may_join() -> None:
    until = date(2027, 1, 1)
    one, two = partner(until=until), partner(id="trendmicro", until=until)
    caps = {"C0A": Label.GREEN, "C0B": Label.AMBER}

    assert warnings(Registry(HOST, (one,), caps), date(2026, 6, 1)) == []
    (warning,) = warnings(Registry(HOST, (one, two), caps), date(2026, 6, 1))
    assert warning.startswith("channel C0B may carry TLP:AMBER: whoever is invited later reads its history")


def test_all_written_decisions_hold() -> None:
    result = run("policy", "check", CASES)

    assert result.exit_code == 0
    heading, _, first, *_, summary = result.output.splitlines()
    assert heading.split() == ["case", "says", "expected", "decided", "reason"]
    assert first.split()[-4:] == ["release", "release", "ok", "ok"]
    assert summary == "50 cases: 50 ok, 0 MISMATCH"


def wrong(tmp_path: Path) -> Path:
    """Cases 1 and 3 as they are not: one wrong decision, one wrong reason."""
    content = json.loads(CASES.read_bytes())
    first, _, third = content["cases"][:3]
    content["cases"] = [first | {"release": False}, third | {"reason": "because"}]
    (tmp_path / "wrong.json").write_text(json.dumps(content))
    return tmp_path / "wrong.json"


def test_a_decision_or_reason_that_differs_fails(tmp_path: Path) -> None:
    result = run("policy", "check", wrong(tmp_path))

    assert result.exit_code == 1
    assert result.output.count("MISMATCH\n") == 3
    assert "orgs not entitled: trendmicro (expected: because)" in result.output
    assert result.output.endswith("2 cases: 0 ok, 2 MISMATCH\n")


def test_decisions_are_given_as_json_too(tmp_path: Path) -> None:
    result = run("policy", "check", wrong(tmp_path), "--json")

    report = json.loads(result.output)
    assert result.exit_code == 1
    assert (report["cases"], report["mismatches"]) == (2, 2)
    assert report["decisions"][0] == {
        "case": 1,
        "says": "CLEAR, kaspersky -> channel host+kaspersky+trendmicro",
        "expected": {"release": False, "reason": "ok"},
        "decided": {"release": True, "reason": "ok"},
        "ok": False,
    }


def test_a_malformed_file_is_refused_with_the_numbers_of_its_cases(tmp_path: Path) -> None:
    content = json.loads(CASES.read_bytes())
    del content["cases"][4]["says"]
    content["cases"][7]["audience"]["kind"] = "letter"
    (tmp_path / "cases.json").write_text(json.dumps(content))

    result = run("policy", "check", tmp_path / "cases.json")

    assert result.exit_code == 1
    headline, fifth, eighth = result.output.splitlines()
    assert headline == "cases.json has 2 mistakes:"
    assert fifth.strip().startswith("case 5: Object missing required field `says`")
    assert eighth.strip().startswith(
        "case 8: audience.kind is 'letter', which is unknown; use one of channel,"
    )


def test_a_file_that_is_too_large_is_refused(tmp_path: Path) -> None:
    with (tmp_path / "huge.json").open("wb") as file:
        file.truncate(10_000_001)

    result = run("policy", "check", tmp_path / "huge.json")

    assert isinstance(result.exception, ConfigError)
    assert "larger than 10,000,000 bytes" in str(result.exception)


def test_the_example_gives_no_other_warning_than_those_above() -> None:
    assert len(warnings(load(EXAMPLE), date(2026, 6, 1))) == 1
