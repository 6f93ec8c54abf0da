"""`liaison store ...`: what an operator does with a whole store."""

import json
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict

import click

from bot.cli.context import Context, pass_context
from bot.cli.data import INTERRUPTED
from bot.store import operations
from bot.store.content import Content
from bot.store.copying import Copied
from bot.store.operations import Checked

SECONDS = 5.0  # between two lines of progress

_FIRST = "Stop every Liaison that uses FROM or TO first; what is written meanwhile is found out in the end."


@click.group()
def store() -> None:
    """Copy, check or update the whole store."""


@store.command(name="copy")
@click.argument("origin", metavar="FROM")
@click.argument("target", metavar="TO")
@click.option("--json", "as_json", is_flag=True, help="Print what was copied as JSON.")
def copy_store(origin: str, target: str, as_json: bool) -> None:
    """Copy everything in the store FROM into the empty store TO, of any engine, and verify it.

    Both are addresses, such as sqlite:///liaison.db or postgresql://host/liaison. Stop every Liaison that
    uses one of them first. If it is stopped, the same words go on. Exits with 1 if something differs in the
    end: FROM was written meanwhile, and the same words copy those tables once more.
    """
    click.echo(_FIRST, err=True)
    progress = _Progress()
    try:
        copied = operations.copy(origin, target, progress.tell)
    except KeyboardInterrupt:
        click.echo("Stopped. The same words go on where it stopped.", err=True)
        sys.exit(INTERRUPTED)
    click.echo(json.dumps(_copied(copied), indent=1) if as_json else _copied_lines(copied))
    if copied.different:
        sys.exit(1)


@store.command(name="check")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@pass_context
def check_store(context: Context, as_json: bool) -> None:
    """Tell what the store is and holds: engine, version, size, and of each table rows and digest.

    Digests are the same for the same content on every engine. Exits with 1 if the store is not of this
    version or an unfinished copy.
    """
    progress = _Progress()
    checked = operations.check(context.store, lambda table, rows: progress.tell("reading", table, rows))
    click.echo(json.dumps(asdict(checked), indent=1) if as_json else _checked_lines(checked))
    if not (checked.current and checked.complete):
        sys.exit(1)


@store.command(name="migrate")
@pass_context
def migrate_store(context: Context) -> None:
    """Make the store's tables or bring them up to date, as a role that may; then others need not."""
    click.echo(f"The tables are up to date: {operations.migrate(context.store)}")


class _Progress:
    """Tells on standard error how far it is: at the beginning of a table, then every few seconds."""

    def __init__(self) -> None:
        self._last: tuple[str, str] | None = None
        self._told = 0.0

    def tell(self, phase: str, table: str, rows: int) -> None:
        """So many rows of that table are done."""
        now = time.monotonic()
        if (phase, table) != self._last or now - self._told >= SECONDS:
            click.echo(f"{phase} {table}: {rows:,}", err=True)
            self._last, self._told = (phase, table), now


def _copied(copied: Copied) -> dict[str, object]:
    return {
        "verified": not copied.different,
        "resumed": copied.resumed,
        "different": copied.different,
        "from": {name: asdict(held) for name, held in copied.origin.items()},
        "to": {name: asdict(held) for name, held in copied.target.items()},
    }


def _copied_lines(copied: Copied) -> str:
    lines = [_table(copied.target)]
    if copied.different:
        lines += [
            f"DIFFERENT: {', '.join(copied.different)}",
            "FROM was written while it was copied. Stop every Liaison on it, then run the same words again:",
            "they copy these tables once more. Until then nobody can open TO.",
        ]
    else:
        lines.append("TO holds the same as FROM, by counts and digests of every table.")
    return "\n".join(lines)


def _checked_lines(checked: Checked) -> str:
    state = "" if checked.current else ", NOT of this Liaison: `liaison store migrate` updates it"
    lines = [f"{checked.engine}, {checked.size:,} bytes, tables as of {checked.version}{state}"]
    if not checked.complete:
        lines.append("UNFINISHED: run the same `liaison store copy` again")
    return "\n".join([*lines, _table(checked.tables)])


def _table(tables: Mapping[str, Content]) -> str:
    width = max(len(name) for name in tables)
    return "\n".join(f"{name:{width}}  {held.rows:>13,}  {held.digest}" for name, held in tables.items())
