"""`liaison serve`, `liaison manifest` and `liaison demo`: Liaison in Slack, real or local.

What talks to Slack is imported where it is used: half a second that no other command needs to wait for.
"""

import asyncio
import json
import os
import sys
import webbrowser
from collections.abc import Callable
from functools import partial
from typing import TypeVar

import click

from bot import config, logs
from bot.cli.context import Context, pass_context
from bot.config import Configuration
from bot.errors import ConfigError
from bot.manifest import manifest as make_manifest
from bot.opening import open_services, with_keys
from bot.settings import SlackSettings, read_slack

T = TypeVar("T")
DEMO_PORT = 8484
_THINGS_TO_TRY = """\
Five things to try:
  1. You are Ana, an analyst of the centre, in #partners-all. Type:
         /intel lookup a3a999d4c563810d6981a005b0369599f93c85dd7b30660803dfec2b2d705e5a
     Then become Tomo of Trend Micro, write Liaison a direct message with the same hash, and compare.
  2. Ask "@Liaison who", invite NewCo Security into the channel, and ask again.
  3. As Ana in #cfc-kaspersky, look the hash up and press "Share to channel…".
  4. Ask what VirusTotal and others know; here they are fakes, which you can break under "External services":
         /intel lookup 7fe955e3bfa79f81f110747d912cdd45c019ff1510ba1d53050c134797c202b9
  5. In half a minute a digest comes into #cfc-kaspersky and another into #cfc-trendmicro; compare. Then take
     something back as Kira of Kaspersky in #cfc-kaspersky, and watch both being corrected:
         @Liaison retract gate2.paperlantern.example"""


@click.command()
@click.option(
    "--host", default="127.0.0.1", show_default=True, help="Where to listen; leave TLS to your proxy."
)
@click.option(
    "--port", default=3000, show_default=True, type=click.IntRange(0, 65535), help="0 takes a free one."
)
@click.option(
    "--socket-mode", is_flag=True, help="Call Slack instead of being called; needs SLACK_APP_TOKEN."
)
@click.option(
    "--log",
    "log_form",
    type=click.Choice(["plain", "json"]),
    default="plain",
    show_default=True,
    help="How each line of the log is written.",
)
@pass_context
def serve(context: Context, host: str, port: int, socket_mode: bool, log_form: str) -> None:
    """Answer in Slack until stopped.

    Reads SLACK_BOT_TOKEN and SLACK_SIGNING_SECRET (or SLACK_APP_TOKEN) from the environment, from the files
    that SLACK_BOT_TOKEN_FILE and so on name, or from $CREDENTIALS_DIRECTORY; the keys of providers likewise.
    """
    logs.configure(sys.stderr, as_json=log_form == "json")
    settings, configuration = _read(context, socket_mode=socket_mode)
    asyncio.run(_serve(context, settings, configuration, host, port))


@click.command()
@click.option("--socket-mode", is_flag=True, help="For an app without a public address.")
@pass_context
def manifest(context: Context, socket_mode: bool) -> None:
    """Print the Slack app manifest: paste it at api.slack.com/apps."""
    click.echo(json.dumps(make_manifest(context.commands, socket_mode=socket_mode), indent=2))


@click.command()
@click.option(
    "--port", default=DEMO_PORT, show_default=True, type=click.IntRange(0, 65535), help="0 takes a free one."
)
@click.option("--no-browser", is_flag=True, help="Do not open a browser.")
@click.option("--check", is_flag=True, help="Play a scripted conversation, print it, exit 0 if all is right.")
@pass_context
def demo(context: Context, port: int, no_browser: bool, check: bool) -> None:
    """Start Liaison and a local Slack with sample data; nothing leaves this machine."""
    logs.configure(sys.stderr, as_json=False)
    if check:
        sys.exit(0 if asyncio.run(_check(context)) else 1)
    asyncio.run(_demo(context, port, opens_browser=not no_browser))


def _read(context: Context, *, socket_mode: bool) -> tuple[SlackSettings, Configuration]:
    """The secrets and liaison.toml with the keys it needs. Raises ConfigError with every mistake in any."""
    mistakes: list[str] = []
    settings = _noting(mistakes, lambda: read_slack(os.environ, socket_mode=socket_mode))
    configuration = _noting(mistakes, lambda: config.read(context.config))
    if configuration is not None:
        configuration = _noting(mistakes, partial(with_keys, configuration, os.environ))
    if settings is None or configuration is None:
        raise ConfigError(mistakes)
    return settings, configuration


def _noting(mistakes: list[str], read: Callable[[], T]) -> T | None:
    """What is read, or None when mistakes were found."""
    try:
        return read()
    except ConfigError as error:
        mistakes += error.mistakes
        return None


async def _serve(
    context: Context, settings: SlackSettings, configuration: Configuration, host: str, port: int
) -> None:
    from bot import app  # noqa: PLC0415 - see above

    services = await open_services(context.store, configuration, app.utc_now)
    await app.serve(settings, services, context.answer, host=host, port=port, say=click.echo)


async def _demo(context: Context, port: int, *, opens_browser: bool) -> None:
    from bot import app, demo  # noqa: PLC0415 - see above

    stop = app.stop_signal()
    async with demo.demo(context.answer, port=port) as running:
        click.echo(f"Liaison is ready: {running.sandbox.url}\n\n{_THINGS_TO_TRY}\n\nStop it with Ctrl-C.")
        if opens_browser and _has_browser():
            webbrowser.open(running.sandbox.url)
        await stop.wait()
        click.echo("\nStopped.")


async def _check(context: Context) -> bool:
    from bot import demo, demo_check  # noqa: PLC0415 - see above

    async with demo.demo(context.answer, port=0, pause=_briefly, first_digest=0) as running:
        store = running.bot.connection.services.store
        return await demo_check.check(running.sandbox, running.fakes, store, click.echo)


async def _briefly(seconds: float) -> None:
    """Nobody reads the states of an answer in between."""
    await asyncio.sleep(seconds / 20)


def _has_browser() -> bool:
    """A browser with windows; one for the terminal would take the terminal away."""
    return sys.platform in ("darwin", "win32") or bool({"DISPLAY", "WAYLAND_DISPLAY"} & os.environ.keys())
