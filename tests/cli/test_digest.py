"""`liaison digest` and `liaison summary` print what named readers would get; only --post begins anything."""

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner, Result

from bot.__main__ import cli
from bot.assertions import Assertion
from bot.deliveries import Delivery, State
from bot.errors import ConfigError, UsageError
from bot.indicators import Indicator, Kind
from bot.sandbox.sandbox import Sandbox
from bot.store import open_store
from bot.subscribing import parse
from bot.subscriptions import Purpose
from bot.tlp import Label

TOML = """
[host]
id = "igci"
name = "Cyber Fusion Centre"
teams = ["T0HOST"]
default_timezone = "Asia/Singapore"

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
community = true

[[channel]]
id = "C0KASP"
cap = "TLP:AMBER"
"""
FOR_ALL = Assertion(
    indicator=Indicator(Kind.DOMAIN, "c2.example.org"),
    source="trendmicro",
    label=Label.GREEN,
    family="Emotet",
)
FOR_KASPERSKY = Assertion(
    indicator=Indicator(Kind.MD5, "0123456789abcdef0123456789abcdef"),
    source="igci",
    label=Label.AMBER,
    addressed_to=frozenset({"kaspersky"}),
    family="QakBot",
)
KASPERSKYS = ("digest", "--channel", "C0KASP")

Run = Callable[..., Result]


@pytest.fixture
def url(tmp_path: Path) -> str:
    """A store with two claims; the digest of Kaspersky's channel was set up between them."""
    url = f"sqlite:///{tmp_path / 'store.db'}"

    async def fill() -> None:
        store = await open_store(url)
        await store.add([FOR_ALL])
        for purpose in Purpose:
            subscription = parse("", channel="C0KASP", purpose=purpose, default_zone="UTC")
            await store.subscribe(subscription, next_at=datetime.now(UTC) + timedelta(hours=5))
        await store.add([FOR_KASPERSKY])
        await store.close()

    asyncio.run(fill())
    return url


@pytest.fixture
def liaison(tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The command line where no secret is set."""
    for name in ("SLACK_BOT_TOKEN", "SLACK_BOT_TOKEN_FILE", "SLACK_SIGNING_SECRET", "CREDENTIALS_DIRECTORY"):
        monkeypatch.delenv(name, raising=False)
    config = tmp_path / "liaison.toml"
    config.write_text(TOML)
    return lambda *words: CliRunner().invoke(cli, ["--config", str(config), "--store", url, *words])


def deliveries(url: str) -> list[Delivery]:
    async def read() -> list[Delivery]:
        store = await open_store(url)
        found = await store.deliveries()
        await store.close()
        return found

    return asyncio.run(read())


def values(result: Result) -> set[str]:
    return {claim["value"] for claim in json.loads(result.output)["listed"]}


def test_what_is_due_is_printed_for_those_readers(liaison: Run) -> None:
    result = liaison(*KASPERSKYS, "--as", "kaspersky")

    assert result.exit_code == 0
    assert result.output.startswith("TLP:AMBER · digest: 1 new indicator")
    assert "QakBot" in result.output
    assert "Emotet" not in result.output  # from before it was set up
    assert "<!date" not in result.output


@pytest.mark.parametrize("since", ["24h", "7d", "2020-01-01", "2020-01-01T08:00+01:00"])
def test_another_start_may_be_named(liaison: Run, since: str) -> None:
    result = liaison(*KASPERSKYS, "--as", "kaspersky", "--since", since, "--json")

    assert values(result) == {"c2.example.org", FOR_KASPERSKY.indicator.value}


def test_everybody_who_is_named_must_be_entitled_and_the_host_reads_along(liaison: Run) -> None:
    result = liaison(*KASPERSKYS, "--as", "kaspersky,trendmicro", "--since", "24h", "--json")

    assert values(result) == {"c2.example.org"}
    told = json.loads(result.output)
    assert told["readers"] == ["igci", "kaspersky", "trendmicro"]
    assert (told["label"], told["new_indicators"]) == ("TLP:GREEN", 1)
    assert told["listed"][0]["source"] == "Partner T"


def test_the_cap_of_the_channel_counts(liaison: Run) -> None:
    result = liaison("digest", "--channel", "C0OTHER", "--as", "kaspersky", "--since", "24h", "--json")

    assert values(result) == {"c2.example.org"}


def test_nothing_changes_by_printing(liaison: Run, url: str) -> None:
    first = liaison(*KASPERSKYS, "--as", "kaspersky", "--json", "--dry-run")
    second = liaison(*KASPERSKYS, "--as", "kaspersky", "--json")

    assert values(first) == values(second) == {FOR_KASPERSKY.indicator.value}
    assert deliveries(url) == []


def test_figures_of_a_day_are_printed(liaison: Run) -> None:
    text = liaison("summary", "--channel", "C0KASP", "--as", "kaspersky")
    figures = json.loads(liaison("summary", "--channel", "C0KASP", "--as", "trendmicro", "--json").output)

    assert text.output.startswith("TLP:AMBER · summary: 2 new reports")
    assert (figures["label"], figures["new_claims"]) == ("TLP:GREEN", 1)
    assert figures["kinds"] == {"domain": 1}
    assert len(figures["days"]) == 8


def test_a_day_ends_at_midnight_of_the_channels_zone(liaison: Run) -> None:
    here = liaison("summary", "--channel", "C0KASP", "--as", "kaspersky", "--day", "2026-01-02", "--json")
    other = liaison("summary", "--channel", "C0OTHER", "--as", "kaspersky", "--day", "2026-01-02", "--json")

    assert json.loads(here.output)["until"] == "2026-01-03T00:00:00+00:00"
    assert json.loads(other.output)["until"] == "2026-01-03T00:00:00+08:00"
    assert json.loads(here.output)["new_claims"] == 0


@pytest.mark.parametrize("purpose", Purpose)
def test_post_leaves_it_to_the_bot_that_runs(liaison: Run, url: str, purpose: Purpose) -> None:
    result = liaison(purpose, "--channel", "C0KASP", "--post")

    assert result.output.startswith("Begun: `liaison serve` posts it")
    [delivery] = deliveries(url)
    assert (delivery.channel, delivery.purpose) == ("C0KASP", purpose)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((*KASPERSKYS, "--as", "nobody"), "There is no organisation 'nobody'; --as takes igci, kaspersky"),
        ((*KASPERSKYS, "--as", "kaspersky", "--since", "yesterday"), "--since takes for example 24h"),
        (("digest", "--channel", "#general", "--as", "igci"), "--channel takes a Slack channel id"),
        (("digest", "--channel", "C0OTHER", "--as", "kaspersky"), "say since when, for example --since 24h"),
        (("digest", "--channel", "C0OTHER", "--post"), "No digest is set up for this channel"),
        ((*KASPERSKYS, "--post", "--as", "kaspersky"), "leave the other choices out"),
        ((*KASPERSKYS, "--post", "--since", "24h"), "leave the other choices out"),
        (("summary", "--channel", "C0KASP", "--as", "igci", "--day", "today"), "--day takes a date"),
        ((*KASPERSKYS, "--retry"), "No digest of this channel waits for an operator"),
        (("summary", "--channel", "C0KASP", "--drop"), "No summary of this channel waits for an operator"),
    ],
)
def test_what_is_not_clear_is_explained(liaison: Run, url: str, words: tuple[str, ...], told: str) -> None:
    result = liaison(*words)

    assert isinstance(result.exception, UsageError)
    assert told in str(result.exception)
    assert deliveries(url) == []


async def gave_up(url: str) -> None:
    """The digest of Kaspersky's channel was due and parked."""
    store = await open_store(url)
    [subscribed, *_] = await store.subscriptions("C0KASP")
    await store.begin_delivery(subscribed, period="1", next_at=subscribed.next_at)
    at = datetime.now(UTC)
    [due] = await store.lease_deliveries("me", at=at, seconds=60, most=1)
    await store.put_delivery(msgspec.structs.replace(due, state=State.PARKED), owner="me")
    await store.close()


@pytest.mark.parametrize(
    ("word", "state", "told"),
    [("--retry", State.DUE, "is delivered anew"), ("--drop", State.DROPPED, "is let go")],
)
def test_an_operator_decides_about_what_was_given_up(
    liaison: Run, url: str, word: str, state: State, told: str
) -> None:
    asyncio.run(gave_up(url))
    [purpose] = [each.purpose for each in deliveries(url)]

    result = liaison(purpose, "--channel", "C0KASP", word)

    assert result.exit_code == 0
    assert told in result.output
    assert [each.state for each in deliveries(url)] == [state]
    assert isinstance(liaison(purpose, "--channel", "C0KASP", "--drop").exception, UsageError)


def test_without_names_and_without_slack_nothing_is_printed(liaison: Run) -> None:
    result = liaison(*KASPERSKYS)

    assert isinstance(result.exception, ConfigError)
    assert "Name them with --as ORG[,ORG]" in str(result.exception)
    assert "SLACK_BOT_TOKEN: is missing" in str(result.exception)
    assert result.output == ""


async def test_with_slack_the_readers_are_those_of_the_channel(
    liaison: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox = Sandbox()
    await sandbox.start()
    monkeypatch.setenv("SLACK_BOT_TOKEN", sandbox.bot_token)
    monkeypatch.setenv("SLACK_SIGNING_SECRET", sandbox.signing_secret)
    monkeypatch.setenv("SLACK_API_URL", sandbox.api_url)

    result = await asyncio.to_thread(liaison, *KASPERSKYS, "--json")
    await sandbox.stop()

    told = json.loads(result.output)
    assert told["readers"] == ["igci", "kaspersky"]
    assert told["new_indicators"] == 1
