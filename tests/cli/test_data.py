"""`liaison import` and `liaison export` on the command line."""

import json
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bot.__main__ import cli
from bot.errors import UsageError

TOML = """
[host]
id = "igci"
name = "Cyber Fusion Centre"
teams = ["T0HOST"]

[[partner]]
id = "kaspersky"
name = "Kaspersky"
teams = ["T0KASP"]
community = true

[[partner]]
id = "trendmicro"
name = "Trend Micro"
teams = ["T0TREND"]
default_label = "TLP:GREEN"
"""
Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run `liaison` with settings and a store of its own."""
    (tmp_path / "liaison.toml").write_text(TOML)

    def invoke(*words: str) -> Result:
        options = ["--config", str(tmp_path / "liaison.toml"), "--store", f"sqlite:///{tmp_path / 'l.db'}"]
        return CliRunner().invoke(cli, [*options, *words])

    return invoke


@pytest.fixture
def domains(tmp_path: Path) -> Path:
    path = tmp_path / "domains.txt"
    path.write_text("c2.example.org\nwww.example.net\n")
    return path


def labels(run: Run, organisation: str = "igci") -> list[str]:
    result = run("export", "--as", organisation, "--format", "jsonl")
    return [json.loads(line)["label"] for line in result.stdout.splitlines()]


def test_the_json_summary_has_exactly_these_keys(run: Run, domains: Path) -> None:
    bad = domains.with_name("bad.json")
    bad.write_text('{"a": 1}')
    result = run("import", str(domains), str(bad), "--source", "trendmicro", "--json")
    assert result.exit_code == 0
    summary = json.loads(result.stdout)
    (rejected,) = summary.pop("rejected")
    assert summary == {"read": 2, "new": 2, "updated": 0, "unchanged": 0, "quarantined": 0}
    assert set(rejected) == {"file", "where", "reason"}
    assert rejected["file"] == str(bad)


def test_the_readable_summary_says_what_became_of_it(run: Run, domains: Path) -> None:
    bad = domains.with_name("bad.json")
    bad.write_text('{"a": 1}')
    marked = domains.with_name("marked.txt")
    marked.write_text("TLP:PURPLE\nodd.example.org\n")
    result = run("import", str(domains), str(bad), str(marked), "--source", "trendmicro")
    assert result.stdout.splitlines()[0] == "3 read: 3 new, 0 updated, 0 unchanged"
    assert result.stdout.splitlines()[1].startswith("1 quarantined: their label cannot be read")
    assert result.stdout.splitlines()[2:] == [
        "1 rejected:",
        f"  {bad}: file: JSON, but neither STIX nor MISP; with --format text what stands in it is searched",
    ]
    assert "unchanged" in run("import", str(domains), "--source", "trendmicro").stdout
    assert result.stderr == ""  # no progress bar where nobody looks


def test_it_fails_only_if_everything_was_rejected(run: Run, domains: Path) -> None:
    bad = domains.with_name("bad.json")
    bad.write_text('{"a": 1}')
    empty = domains.with_name("empty.txt")
    empty.write_text("")
    assert run("import", str(bad), "--source", "trendmicro").exit_code == 1
    assert run("import", str(bad), str(domains), "--source", "trendmicro").exit_code == 0
    assert run("import", str(empty), "--source", "trendmicro").exit_code == 0


def test_unmarked_data_takes_the_label_of_its_source(run: Run, domains: Path) -> None:
    run("import", str(domains), "--source", "trendmicro")
    assert labels(run) == ["TLP:GREEN", "TLP:GREEN"]


def test_without_an_agreed_label_it_is_amber_strict(run: Run, domains: Path) -> None:
    run("import", str(domains), "--source", "kaspersky")
    assert labels(run) == ["TLP:AMBER+STRICT", "TLP:AMBER+STRICT"]
    assert labels(run, "trendmicro") == []


def test_a_given_label_is_for_unmarked_data_only_and_lowers_nothing(run: Run, domains: Path) -> None:
    marked = domains.with_name("marked.txt")
    marked.write_text("TLP:AMBER\nmarked.example.org\n")
    run("import", str(domains), str(marked), "--source", "kaspersky", "--label", "tlp:green")
    assert labels(run) == ["TLP:GREEN", "TLP:AMBER", "TLP:GREEN"]
    run("import", str(domains), str(marked), "--source", "kaspersky", "--label", "TLP:CLEAR")
    assert labels(run) == ["TLP:GREEN", "TLP:AMBER", "TLP:GREEN"]


def test_an_unknown_organisation_is_answered_with_the_known_ones(run: Run, domains: Path) -> None:
    for words in (
        ("import", str(domains), "--source", "nobody"),
        ("export", "--as", "nobody", "--format", "csv"),
    ):
        result = run(*words)
        assert isinstance(result.exception, UsageError)
        assert "igci, kaspersky, trendmicro" in str(result.exception)


def test_an_unknown_label_is_answered_with_the_known_ones(run: Run, domains: Path) -> None:
    result = run("import", str(domains), "--source", "kaspersky", "--label", "TLP:PURPLE")
    assert isinstance(result.exception, UsageError)
    assert "TLP:AMBER+STRICT" in str(result.exception)


def test_a_format_can_be_forced(run: Run, domains: Path) -> None:
    result = run("import", str(domains), "--source", "kaspersky", "--format", "stix", "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["rejected"][0]["where"] == "document"


def test_an_export_to_a_file_is_for_its_owner_alone(run: Run, domains: Path, tmp_path: Path) -> None:
    run("import", str(domains), "--source", "trendmicro")
    output = tmp_path / "out.csv"
    output.touch(mode=0o644)
    assert run("export", "--as", "kaspersky", "--format", "csv", "--output", str(output)).exit_code == 0
    assert stat.S_IMODE(output.stat().st_mode) == 0o600
    assert output.read_text().startswith('"TLP:GREEN"\n')


@pytest.mark.parametrize("into", ["jsonl", "csv", "stix"])
def test_what_is_exported_can_be_imported(into: str, run: Run, domains: Path, tmp_path: Path) -> None:
    run("import", str(domains), "--source", "trendmicro")
    output = tmp_path / f"out.{into}"
    run("export", "--as", "kaspersky", "--format", into, "--output", str(output))
    result = run("import", str(output), "--source", "kaspersky", "--json")
    assert json.loads(result.stdout)["new"] == 2
    assert labels(run, "kaspersky") == ["TLP:GREEN"] * 4


@pytest.mark.parametrize("place", ["missing/export.jsonl", "domains.txt/export.jsonl"])
def test_an_output_that_cannot_be_written_is_one_clear_sentence(run: Run, domains: Path, place: str) -> None:
    output = domains.parent / place
    result = run("export", "--as", "igci", "--format", "jsonl", "--output", str(output))
    assert isinstance(result.exception, UsageError)
    assert str(result.exception).startswith(f"--output {output}: cannot be written (")
