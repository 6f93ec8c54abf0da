"""`liaison enrich` asks the services that are on, and says so when none is or one does not answer."""

import csv
import hashlib
import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bot.__main__ import cli
from bot.cli.enrich import INCOMPLETE
from bot.errors import UsageError

KNOWN_FILES = Path(__file__).parents[1] / "samples" / "providers" / "hashlookup" / "known-files.bloom"
KNOWN, OTHER = (
    hashlib.sha1(f"{word} file 0".encode(), usedforsecurity=False).hexdigest() for word in ("known", "other")
)
TOML = """
[host]
id = "igci"
name = "Cyber Fusion Centre"
teams = ["T0HOST"]
enrich_own_queries = true

[[partner]]
id = "kaspersky"
name = "Kaspersky"
teams = ["T0KASP"]
"""
OFFLINE = f'[provider.hashlookup-offline]\non = true\nfile = "{KNOWN_FILES}"\n'
DEAD = '[provider.hashlookup]\non = true\nurl = "http://127.0.0.1:9"\n'

Run = Callable[..., Result]


@pytest.fixture
def liaison(tmp_path: Path) -> Run:
    """The command line with these providers and an empty store."""

    def run(providers: str, *words: str) -> Result:
        config = tmp_path / "liaison.toml"
        config.write_text(TOML + providers)
        places = ["--config", str(config), "--store", f"sqlite:///{tmp_path / 'store.db'}"]
        return CliRunner().invoke(cli, [*places, "enrich", *words])

    return run


def test_an_answer_holds_what_services_said_and_its_label_first(liaison: Run) -> None:
    result = liaison(OFFLINE, KNOWN, OTHER, "--as", "igci")

    assert result.exit_code == 0
    assert result.stdout.startswith("TLP:")
    assert "known file: in the collection of CIRCL hashlookup, good or bad" in result.stdout
    assert "knows nothing of it · just now" in result.stdout
    assert result.stderr == ""


def test_json_tells_outcome_and_facts(liaison: Run) -> None:
    result = liaison(OFFLINE, f"{KNOWN} {OTHER}", "--as", "igci", "--json")

    known, other = json.loads(result.stdout)
    outcomes = [each["outcome"] for entry in (known, other) for each in entry["findings"]]
    assert outcomes == ["found", "not found"]
    assert known["findings"][0]["facts"][0]["name"] == "known file"
    assert known["findings"][0]["stale"] is False


def test_csv_is_a_table_with_its_label_first(liaison: Run) -> None:
    result = liaison(OFFLINE, KNOWN, "--as", "igci", "--csv")

    [label], header, row = csv.reader(io.StringIO(result.stdout))
    assert label.startswith("TLP:")
    assert dict(zip(header, row, strict=True))["value"] == KNOWN


def test_a_service_that_does_not_answer_is_said_and_shown_in_the_exit_code(liaison: Run) -> None:
    result = liaison(OFFLINE + DEAD, OTHER, "tlp:clear", "--as", "igci")

    assert result.exit_code == INCOMPLETE
    assert "⚠️ CIRCL hashlookup unavailable" in result.stdout
    assert "knows nothing of it" in result.stdout


def test_what_may_not_leave_is_not_asked_with_the_reason_for_the_host(liaison: Run) -> None:
    result = liaison(DEAD, OTHER, "tlp:red", "--as", "igci")

    assert result.exit_code == 0
    assert "Not asked: CIRCL hashlookup (its marking is above what may be asked there)" in result.stdout
    assert "With tlp:amber+strict nothing leaves either" in result.stderr


@pytest.mark.parametrize(
    ("providers", "words", "told"),
    [
        ("", (KNOWN, "--as", "igci"), "No external service is turned on"),
        (OFFLINE, ("hello", "--as", "igci"), "liaison enrich 44d88612fea8a8f36de82e1278abb02f --as ORG"),
        (OFFLINE, (KNOWN, "--as", "kaspersky"), "Your organisation has not agreed"),
        (OFFLINE, (KNOWN, "--as", "nobody"), "igci, kaspersky"),
        (OFFLINE, (KNOWN, "--as", "igci", "--json", "--csv"), "Choose one"),
    ],
)
def test_what_cannot_be_asked_is_explained(
    liaison: Run, providers: str, words: tuple[str, ...], told: str
) -> None:
    result = liaison(providers, *words)

    assert isinstance(result.exception, UsageError)
    assert told in str(result.exception)


def test_what_was_not_understood_is_said(liaison: Run) -> None:
    result = liaison(OFFLINE, KNOWN, KNOWN[:-1], "--as", "igci")

    assert f"Not understood, so not looked up: {KNOWN[:-1]}" in result.stderr
