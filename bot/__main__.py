"""The `liaison` command; also `python -m bot`."""

import os
import sys
from pathlib import Path

import click

import commands
from bot import __version__
from bot.cli.bench import bench
from bot.cli.context import Context
from bot.cli.data import INTERRUPTED, export_data, import_data
from bot.cli.digest import digest, summary
from bot.cli.enrich import enrich
from bot.cli.indicators import extract
from bot.cli.lookup import lookup
from bot.cli.policy import check, policy
from bot.cli.simulate import simulate
from bot.cli.slack import demo, manifest, serve
from bot.cli.store import store
from bot.errors import BotError


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    envvar="LIAISON_CONFIG",
    default="liaison.toml",
    show_default=True,
    help="Who the host and its partners are. Also LIAISON_CONFIG.",
)
@click.option(
    "--store",
    metavar="URL",
    envvar="LIAISON_STORE",
    default="sqlite:///liaison.db",
    show_default=True,
    help="Where assertions are kept. Also LIAISON_STORE.",
)
@click.version_option(__version__)
@click.pass_context
def cli(context: click.Context, config: Path, store: str) -> None:
    """Answer indicator lookups in Slack channels shared with partners, within the marking of the data."""
    context.obj = Context(config, store, commands.ALL, commands.answer)


cli.add_command(bench)
cli.add_command(check)
cli.add_command(digest)
cli.add_command(enrich)
cli.add_command(extract)
cli.add_command(lookup)
cli.add_command(policy)
cli.add_command(summary)
cli.add_command(import_data)
cli.add_command(export_data)
cli.add_command(store)
cli.add_command(serve)
cli.add_command(manifest)
cli.add_command(demo)
cli.add_command(simulate)


def main() -> None:
    """Run the command line; whatever stops it ends in one clear message and an exit code."""
    try:
        sys.exit(cli(standalone_mode=False))  # click would say "Aborted!" to Ctrl-C
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.Abort:
        click.echo("Stopped.", err=True)
        sys.exit(INTERRUPTED)
    except BotError as error:
        click.echo(f"liaison: {error}", err=True)
        sys.exit(1)
    except OSError as error:
        _drop_output()
        where = f" ({error.filename})" if error.filename else ""
        why = error.strerror or str(error) or "something took too long; try again"  # TimeoutError is mute
        click.echo(f"liaison: stopped: {why}{where}", err=True)
        sys.exit(1)


def _drop_output() -> None:
    """What could not be written would be tried again at the exit, and complained about."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


if __name__ == "__main__":
    main()
