"""What every subcommand may need: the settings and the store the global options name."""

from dataclasses import dataclass
from pathlib import Path

import click


@dataclass(frozen=True)
class Context:
    """The global options, read but not yet opened."""

    config: Path
    store: str


pass_context = click.make_pass_decorator(Context)
