"""`liaison lookup` says on the command line what an ephemeral reply would hold."""

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bot.__main__ import cli
from bot.assertions import Assertion
from bot.errors import ConfigError, UsageError
from bot.indicators import Indicator, Kind
from bot.store import open_store
from bot.tlp import Label

MD5 = Indicator(Kind.MD5, "0123456789abcdef0123456789abcdef")
DOMAIN = Indicator(Kind.DOMAIN, "c2.example.org")
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
alias = "Partner T"
teams = ["T0TREND"]
"""
CLAIMS = [
    Assertion(
        indicator=MD5,
        source="trendmicro",
        label=Label.GREEN,
        family="Emotet",
        last_seen=datetime(2026, 1, 2, 3, 4, tzinfo=UTC),
        context="drops http://evil.example/\x1b[31m & calls home",
    ),
    Assertion(indicator=DOMAIN, source="trendmicro", label=Label.AMBER_STRICT),
]

Run = Callable[..., Result]


@pytest.fixture
def liaison(tmp_path: Path) -> Run:
    """The command line with a configuration and a store of its own."""
    config, url = tmp_path / "liaison.toml", f"sqlite:///{tmp_path / 'store.db'}"
    config.write_text(TOML)

    async def fill() -> None:
        store = await open_store(url)
        await store.add(CLAIMS)
        await store.close()

    asyncio.run(fill())
    return lambda *words: CliRunner().invoke(cli, ["--config", str(config), "--store", url, "lookup", *words])


def test_an_answer_starts_with_its_label_and_holds_nothing_to_click(liaison: Run) -> None:
    result = liaison(MD5.value, "--as", "kaspersky")

    assert result.exit_code == 0
    assert result.output.startswith("TLP:GREEN")
    assert "Partner T · TLP:GREEN" in result.output
    assert "“drops hxxp://evil[.]example/[31m & calls home”" in result.output
    assert "Last seen 2026-01-02 03:04 UTC" in result.output
    assert "\x1b" not in result.output


def test_json_holds_one_entry_for_each_value_in_the_order_asked(liaison: Run) -> None:
    result = liaison("c2[.]example[.]org and 0123456789ABCDEF0123456789ABCDEF", "--as", "kaspersky", "--json")

    domain, md5 = json.loads(result.output)
    assert (domain["value"], domain["assertions"]) == ("c2.example.org", [])
    assert (md5["value"], md5["label"], md5["verdict"]) == (MD5.value, "TLP:GREEN", "malicious")
    assert [claim["source"] for claim in md5["assertions"]] == ["Partner T"]


def test_its_source_sees_what_others_do_not(liaison: Run) -> None:
    [entry] = json.loads(liaison("c2.example.org", "--as", "trendmicro", "--json").output)

    assert [claim["label"] for claim in entry["assertions"]] == ["TLP:AMBER+STRICT"]


@pytest.mark.parametrize("flags", [(), ("--json",)])
def test_hidden_and_absent_read_the_same(liaison: Run, flags: tuple[str, ...]) -> None:
    hidden = liaison("c2.example.org", "--as", "kaspersky", *flags)
    absent = liaison("c3.example.org", "--as", "kaspersky", *flags)

    assert hidden.output == absent.output.replace("c3", "c2")


def test_an_unknown_organisation_is_answered_with_the_known_ones(liaison: Run) -> None:
    result = liaison(MD5.value, "--as", "nobody")

    assert isinstance(result.exception, UsageError)
    assert "igci, kaspersky, trendmicro" in str(result.exception)


def test_a_text_without_indicators_is_answered_with_an_example(liaison: Run) -> None:
    result = liaison("hello", "--as", "igci")

    assert isinstance(result.exception, UsageError)
    assert "liaison lookup 198.51.100[.]7" in str(result.exception)


def test_a_store_somewhere_else_is_told_from_an_answer(liaison: Run, tmp_path: Path) -> None:
    empty = f"sqlite:///{tmp_path / 'other.db'}"

    result = CliRunner().invoke(
        cli,
        ["--config", str(tmp_path / "liaison.toml"), "--store", empty, "lookup", MD5.value, "--as", "igci"],
    )

    assert "The store is empty" in result.stderr


def test_an_address_that_names_no_store_says_what_would(liaison: Run, tmp_path: Path) -> None:
    result = CliRunner().invoke(
        cli,
        [
            "--config",
            str(tmp_path / "liaison.toml"),
            "--store",
            "redis://",
            "lookup",
            MD5.value,
            "--as",
            "igci",
        ],
    )

    assert isinstance(result.exception, ConfigError)
    assert "sqlite:///liaison.db" in str(result.exception)
