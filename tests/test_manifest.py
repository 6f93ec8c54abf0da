"""The manifest asks Slack for what the bot uses, and the committed copy is the one that is made."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

import commands
from bot.__main__ import cli
from bot.manifest import EVENTS, SCOPES, manifest
from bot.sandbox.acting import EVENTS as SANDBOX_EVENTS
from bot.sandbox.web_api import SCOPES as SANDBOX_SCOPES

COPY = Path(__file__).parent.parent / "deploy" / "manifest.json"


def test_the_committed_copy_is_what_the_command_prints() -> None:
    printed = CliRunner().invoke(cli, ["manifest"]).output

    assert COPY.read_text() == printed
    assert json.loads(printed) == manifest(commands.ALL)


def test_every_command_stands_in_the_usage_hint() -> None:
    [slash] = json.loads(COPY.read_text())["features"]["slash_commands"]

    assert all(command.usage in slash["usage_hint"] for command in commands.ALL)


# https://github.com/slackapi/manifest-schema, version 2
def test_slacks_limits_of_manifests_are_kept() -> None:
    made = json.loads(COPY.read_text())
    [slash] = made["features"]["slash_commands"]

    assert len(made["display_information"]["name"]) <= 35
    assert len(made["display_information"]["description"]) <= 140
    assert slash["command"].startswith("/")
    assert len(slash["command"]) <= 32
    assert len(slash["usage_hint"]) <= 1000


@pytest.mark.parametrize("table", [SCOPES, EVENTS])
def test_every_scope_and_event_has_its_reason(table: dict[str, str]) -> None:
    assert all(reason.strip() for reason in table.values())


def test_nothing_is_asked_for_that_the_sandbox_does_not_know() -> None:
    assert set(SCOPES) <= SANDBOX_SCOPES
    assert set(EVENTS) == set(SANDBOX_EVENTS)


@pytest.mark.parametrize(
    "scope", ["mpim:history", "files:read", "chat:write.public", "chat:write.customize", "users:read.email"]
)
def test_what_liaison_does_without_is_not_asked_for(scope: str) -> None:
    assert scope not in SCOPES


@pytest.mark.parametrize("event", ["message.channels", "message.groups", "message.mpim"])
def test_nobody_tells_liaison_what_people_say_to_each_other(event: str) -> None:
    assert event not in EVENTS


def test_in_socket_mode_no_public_address_is_needed() -> None:
    assert "http" not in json.dumps(manifest(commands.ALL, socket_mode=True))
