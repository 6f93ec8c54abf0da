"""Secrets come from the environment or closed files, are never shown, and every mistake is told at once."""

from pathlib import Path

import pytest

from bot.errors import ConfigError
from bot.secret import Secret
from bot.settings import read_provider_keys, read_slack, read_store

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


VARIABLES = {
    "virustotal": "VIRUSTOTAL_KEY",
    "malwarebazaar": "ABUSECH_KEY",
    "urlhaus": "ABUSECH_KEY",
}


def test_providers_keys_come_from_the_environment_files_and_systemds_folder(tmp_path: Path) -> None:
    _file(tmp_path, "ABUSECH_KEY", "two\n", 0o440)
    environment = {
        "VIRUSTOTAL_KEY_FILE": _file(tmp_path, "vt", " one\n"),
        "CREDENTIALS_DIRECTORY": str(tmp_path),
    }

    keys = read_provider_keys(environment, VARIABLES)

    assert keys == {"virustotal": Secret("one"), "malwarebazaar": Secret("two"), "urlhaus": Secret("two")}
    assert "one" not in repr(keys)


def test_providers_that_need_no_key_need_no_environment() -> None:
    assert read_provider_keys({}, {}) == {}


def test_a_missing_key_is_told_with_all_who_need_it() -> None:
    with pytest.raises(ConfigError) as refused:
        read_provider_keys({}, VARIABLES)

    assert refused.value.mistakes == [
        f"{name}: is missing, needed by {users}; set {name} or {name}_FILE, or on = false"
        for name, users in (
            ("VIRUSTOTAL_KEY", "[provider.virustotal]"),
            ("ABUSECH_KEY", "[provider.malwarebazaar], [provider.urlhaus]"),
        )
    ]


@pytest.mark.parametrize(
    "key", ["CANARY two", "CANARY\ttwo", "CANARY\r\nX-Other: two", "CANARY\x00", "CANARÝ"]
)
def test_a_key_is_one_printable_ascii_word_and_never_quoted(key: str) -> None:
    with pytest.raises(ConfigError) as refused:
        read_provider_keys({"VIRUSTOTAL_KEY": key}, {"virustotal": "VIRUSTOTAL_KEY"})

    assert refused.value.mistakes == [
        "VIRUSTOTAL_KEY: is not such a secret; it is one word of printable ASCII characters"
    ]


@pytest.mark.parametrize("mode", [0o640, 0o604])
def test_a_key_that_others_can_read_is_refused_and_not_called_missing(tmp_path: Path, mode: int) -> None:
    path = _file(tmp_path, "key", "CANARY", mode)

    with pytest.raises(ConfigError) as refused:
        read_provider_keys({"ABUSECH_KEY_FILE": path}, {"urlhaus": "ABUSECH_KEY"})

    assert refused.value.mistakes == [f"ABUSECH_KEY: {path} can be read by others; run chmod 600 {path}"]


def test_an_empty_file_holds_no_key(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="ABUSECH_KEY: is not such a secret"):
        read_provider_keys({"ABUSECH_KEY_FILE": _file(tmp_path, "key", "\n")}, {"urlhaus": "ABUSECH_KEY"})


def test_a_store_on_a_server_has_a_password_and_what_decides_where_it_is(tmp_path: Path) -> None:
    secret = {"LIAISON_STORE_PASSWORD_FILE": _file(tmp_path, "password", "CANARY two words\n")}
    named = {"PGHOST": "db.example.org", "LIAISON_STORE_INSECURE": "1"}

    found = read_store({**secret, **named, "LIAISON_STALE_SECONDS": "60", "PGPASSWORD": "other"})

    assert found.password == Secret("CANARY two words")
    assert (found.stale_seconds, found.environment) == (60, named)


def test_without_more_a_store_has_no_password_and_no_stale_answers() -> None:
    found = read_store({})

    assert (found.password, found.stale_seconds, found.environment) == (None, 0, {})


@pytest.mark.parametrize("seconds", ["-1", "1.5", "3601", "one", "٣", "9" * 5_000])
def test_a_time_that_is_none_is_refused(seconds: str) -> None:
    with pytest.raises(ConfigError, match="LIAISON_STALE_SECONDS"):
        read_store({"LIAISON_STALE_SECONDS": seconds})
