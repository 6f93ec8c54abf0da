"""What every subcommand may need: the settings and the store the global options name, and the commands."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from bot.chat import Answer, Command


@dataclass(frozen=True)
class Context:
    """The global options, read but not yet opened, and what can be asked in Slack."""

    config: Path
    store: str
    commands: Sequence[Command]
    answer: Answer


pass_context = click.make_pass_decorator(Context)
