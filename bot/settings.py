"""Settings: the secrets that services know Liaison by, from the environment or files only it can read."""

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from bot.errors import ConfigError
from bot.secret import Secret

MAX_SECRET_BYTES = 4096
MOST_STALE_SECONDS = 3600
_OF_STORE = ("LIAISON_STORE_INSECURE", "PGHOST", "PGHOSTADDR", "PGSSLROOTCERT")
SLACK_API = "https://slack.com/api/"
_TOKENS = {"SLACK_BOT_TOKEN": "xoxb-", "SLACK_APP_TOKEN": "xapp-", "SLACK_SIGNING_SECRET": ""}


@dataclass(frozen=True, kw_only=True)
class SlackSettings:
    """How to reach Slack and to know it again."""

    bot_token: Secret
    signing_secret: Secret | None = None  # of HTTP mode
    app_token: Secret | None = None  # of Socket Mode
    api_url: str = SLACK_API


@dataclass(frozen=True, kw_only=True)
class StoreSettings:
    """How to reach a store on a server, beside its address."""

    password: Secret | None
    stale_seconds: int  # how old the answers of a standby may be; 0: standbys are not asked
    environment: Mapping[str, str]  # what else decides where it is and whom to trust


def read_slack(environment: Mapping[str, str], *, socket_mode: bool = False) -> SlackSettings:
    """Find the secrets in NAME, NAME_FILE or $CREDENTIALS_DIRECTORY/NAME.

    Raises ConfigError with every mistake.
    """
    mistakes: list[str] = []
    found = {name: _secret(name, environment, mistakes) for name in _TOKENS}
    bot_token, signing, app_token = (
        found[name] for name in ("SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET", "SLACK_APP_TOKEN")
    )
    if bot_token is None:
        _missing("SLACK_BOT_TOKEN", "OAuth & Permissions", mistakes)
    if socket_mode and app_token is None:
        _missing("SLACK_APP_TOKEN", "Basic Information > App-Level Tokens", mistakes)
    if not socket_mode and signing is None and app_token is None:
        _missing("SLACK_SIGNING_SECRET", "Basic Information", mistakes)
    api_url = environment.get("SLACK_API_URL") or SLACK_API
    if not (api_url.startswith("https://") or is_local(api_url)):
        mistakes.append("SLACK_API_URL: must begin with https://; leave it out unless you use the sandbox")
    if mistakes or bot_token is None:
        raise ConfigError(list(dict.fromkeys(mistakes)))
    return SlackSettings(
        bot_token=bot_token,
        signing_secret=None if socket_mode else signing,
        app_token=app_token,
        api_url=api_url,
    )


def read_provider_keys(environment: Mapping[str, str], variables: Mapping[str, str]) -> dict[str, Secret]:
    """The key of each provider, found in the same places. Raises ConfigError with every mistake.

    `variables` gives the NAME for each provider; several may share one.
    """
    mistakes: list[str] = []
    found = {name: _secret(name, environment, mistakes) for name in dict.fromkeys(variables.values())}
    told = {mistake.partition(":")[0] for mistake in mistakes}
    for name, key in found.items():
        if key is None and name not in told:
            users = ", ".join(f"[provider.{one}]" for one, variable in variables.items() if variable == name)
            mistakes.append(
                f"{name}: is missing, needed by {users}; set {name} or {name}_FILE, or on = false"
            )
    if mistakes:
        raise ConfigError(mistakes)
    return {one: key for one, variable in variables.items() if (key := found[variable]) is not None}


def read_store(environment: Mapping[str, str] = os.environ) -> StoreSettings:
    """What is said of a store on a server beside its address. Raises ConfigError with every mistake."""
    mistakes: list[str] = []
    password = _text("LIAISON_STORE_PASSWORD", environment, mistakes)
    stale = environment.get("LIAISON_STALE_SECONDS") or "0"
    if not stale.isascii() or not stale.isdecimal() or int(stale[:9]) > MOST_STALE_SECONDS:
        advice = f"write whole seconds, at most {MOST_STALE_SECONDS}, or leave it out"
        mistakes.append(f"LIAISON_STALE_SECONDS: is no such time; {advice}")
    if mistakes:
        raise ConfigError(mistakes)
    return StoreSettings(
        password=Secret(password) if password else None,
        stale_seconds=int(stale),
        environment={name: environment[name] for name in _OF_STORE if name in environment},
    )


def is_local(url: str) -> bool:
    """Is this the sandbox's kind of address, rather than Slack's?"""
    return urlsplit(url).hostname in ("127.0.0.1", "localhost", "::1")


def _missing(name: str, page: str, mistakes: list[str]) -> None:
    if not any(mistake.startswith(name) for mistake in mistakes):
        mistakes.append(
            f"{name}: is missing; copy it from {page} of your app at api.slack.com, or set {name}_FILE"
        )


def _secret(name: str, environment: Mapping[str, str], mistakes: list[str]) -> Secret | None:
    text = _text(name, environment, mistakes)
    if text is None:
        return None
    is_word = bool(text) and text.isascii() and text.isprintable() and " " not in text
    if not is_word or not text.startswith(_TOKENS.get(name, "")):
        mistakes.append(f"{name}: is not such a secret; it is one word{_form(name)}")
        return None
    return Secret(text)


def _form(name: str) -> str:
    """What is known of the form of a secret."""
    if name not in _TOKENS:
        return " of printable ASCII characters"
    return f" that begins with {_TOKENS[name]}" if _TOKENS[name] else " of hexadecimal digits"


def _text(name: str, environment: Mapping[str, str], mistakes: list[str]) -> str | None:
    if environment.get(name):
        return environment[name].strip()
    if environment.get(f"{name}_FILE"):
        return _file(name, Path(environment[f"{name}_FILE"]), mistakes)
    folder = environment.get("CREDENTIALS_DIRECTORY")
    if folder and (Path(folder) / name).exists():
        # systemd lets the service in by an ACL, which shows as a group bit; the folder itself is closed
        return _file(name, Path(folder) / name, mistakes, closed_to=stat.S_IRWXO)
    return None


def _file(
    name: str, path: Path, mistakes: list[str], *, closed_to: int = stat.S_IRWXG | stat.S_IRWXO
) -> str | None:
    try:
        with path.open("rb") as file:
            mode = path.stat().st_mode
            content = file.read(MAX_SECRET_BYTES + 1)
    except OSError as error:
        mistakes.append(
            f"{name}: {path} cannot be read ({error.strerror}); make it a file that Liaison may read"
        )
        return None
    if mode & closed_to:
        mistakes.append(f"{name}: {path} can be read by others; run chmod 600 {path}")
        return None
    if len(content) > MAX_SECRET_BYTES:
        mistakes.append(f"{name}: {path} is too long for a secret; is it the right file?")
        return None
    return content.decode(errors="replace").strip()
