"""`liaison extract`: the indicators in files or in what is piped in."""

import json
import sys
from pathlib import Path

import click

from bot.errors import UsageError
from bot.extraction import LIMIT_BYTES, Found
from bot.extraction import extract as find

STDIN = "-"


@click.command()
@click.argument("files", metavar="[FILE... | -]", nargs=-1, type=click.Path(path_type=str))
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list of kind, value, defanged and start.")
def extract(files: tuple[str, ...], as_json: bool) -> None:
    """Print the indicators in each FILE, or in what is piped in; defanged, in order, each once a file.

    `start` counts characters from the beginning of the file.
    """
    found = [one for file in files or (STDIN,) for one in find(_read(file))]
    if as_json:
        click.echo(json.dumps([_plain(one) for one in found], indent=1, ensure_ascii=False))
    elif found:
        _print_table(found)
    else:
        click.echo("No indicators found.")


def _plain(found: Found) -> dict[str, object]:
    indicator = found.indicator
    return {
        "kind": indicator.kind.value,
        "value": indicator.value,
        "defanged": indicator.defanged,
        "start": found.start,
    }


def _print_table(found: list[Found]) -> None:
    for indicator, start in found:
        click.echo(f"{indicator.kind.value:<7} {start:>8}  {indicator.defanged}")
    click.echo(f"{len(found)} indicator{'' if len(found) == 1 else 's'}")


def _read(file: str) -> str:
    raw = _bytes(file)
    name = "the input" if file == STDIN else file
    if len(raw) > LIMIT_BYTES:
        raise UsageError(f"{name} is over 1 MB; split it into smaller parts.")
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return raw.decode("utf-16", errors="replace")
    if b"\0" in raw:
        raise UsageError(f"{name} is a binary file, not text; give the text of the report instead.")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")  # indicators are ASCII in every old encoding


def _bytes(file: str) -> bytes:
    """At most one byte more than the limit, so that a huge file is refused without being read."""
    if file == STDIN:
        return sys.stdin.buffer.read(LIMIT_BYTES + 1)
    try:
        with Path(file).open("rb") as stream:
            return stream.read(LIMIT_BYTES + 1)
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}.") from error
