"""Secrets come from the environment or closed files, are never shown, and every mistake is told at once."""

from pathlib import Path

import pytest

from bot.errors import ConfigError
from bot.secret import Secret
from bot.settings import read_slack

GOOD = {"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_SIGNING_SECRET": "abc", "SLACK_APP_TOKEN": "xapp-1"}


def _file(folder: Path, name: str, text: str, mode: int = 0o600) -> str:
    path = folder / name
    path.write_text(text)
    path.chmod(mode)
    return str(path)


def test_secrets_come_from_the_environment() -> None:
    settings = read_slack(GOOD)

    assert settings.bot_token == Secret("xoxb-1")
    assert settings.signing_secret == Secret("abc")


def test_secrets_come_from_files(tmp_path: Path) -> None:
    named = {f"{name}_FILE": _file(tmp_path, name, value + "\n") for name, value in GOOD.items()}

    assert read_slack(named) == read_slack(GOOD)


def test_secrets_come_from_systemds_folder_whose_files_show_a_group_bit(tmp_path: Path) -> None:
    for name, value in GOOD.items():
        _file(tmp_path, name, value, 0o440)

    assert read_slack({"CREDENTIALS_DIRECTORY": str(tmp_path)}) == read_slack(GOOD)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660, 0o602])
def test_a_file_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    path = _file(tmp_path, "token", "xoxb-1", mode)

    with pytest.raises(ConfigError, match="chmod 600"):
        read_slack({**GOOD, "SLACK_BOT_TOKEN": "", "SLACK_BOT_TOKEN_FILE": path})


@pytest.mark.parametrize(
    ("environment", "socket_mode", "mistakes"),
    [
        ({}, False, ["SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET"]),
        ({}, True, ["SLACK_BOT_TOKEN", "SLACK_APP_TOKEN"]),
        ({"SLACK_BOT_TOKEN": "xoxp-1", "SLACK_SIGNING_SECRET": "a b"}, False, [*GOOD][:2]),
        ({**GOOD, "SLACK_BOT_TOKEN": "xoxb-é"}, False, ["SLACK_BOT_TOKEN"]),
        ({**GOOD, "SLACK_APP_TOKEN": "xoxb-1"}, False, ["SLACK_APP_TOKEN"]),
        ({**GOOD, "SLACK_API_URL": "http://slack.example/api/"}, False, ["SLACK_API_URL"]),
        ({"SLACK_BOT_TOKEN_FILE": "/nowhere/x", "SLACK_SIGNING_SECRET": "a"}, False, ["SLACK_BOT_TOKEN"]),
    ],
)
def test_every_mistake_is_told_at_once(
    environment: dict[str, str], socket_mode: bool, mistakes: list[str]
) -> None:
    with pytest.raises(ConfigError) as caught:
        read_slack(environment, socket_mode=socket_mode)

    assert [mistake.split(":")[0] for mistake in caught.value.mistakes] == mistakes


def test_a_mistake_does_not_show_the_secret() -> None:
    with pytest.raises(ConfigError) as caught:
        read_slack({**GOOD, "SLACK_BOT_TOKEN": "hunter2"})

    assert "hunter2" not in str(caught.value)


def test_a_secret_does_not_show_itself() -> None:
    settings = read_slack(GOOD)

    assert "xoxb" not in f"{settings} {settings!r} {settings.bot_token!s}"


def test_socket_mode_is_chosen_by_what_is_given_or_asked_for() -> None:
    without = {name: value for name, value in GOOD.items() if name != "SLACK_SIGNING_SECRET"}

    assert read_slack(without).signing_secret is None
    assert read_slack(GOOD, socket_mode=True).signing_secret is None
    assert read_slack(GOOD).signing_secret is not None
