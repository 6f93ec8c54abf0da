"""`liaison import` and `liaison export`: data in and out."""

import asyncio
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

import click

from bot import exports, imports, tlp
from bot.cli.context import Context, pass_context
from bot.config import load
from bot.errors import InputError, UsageError
from bot.feeds.parsed import Defaults
from bot.feeds.sniffing import Format
from bot.imports import Progress, Summary
from bot.organisations import Organisation, Registry
from bot.store import open_store

MAX_PRINTED = 20  # refusals, outside of --json
INTERRUPTED = 130  # the exit code of what Ctrl-C stopped


@click.command(name="import")
@click.argument(
    "paths", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True), metavar="PATH..."
)
@click.option("--source", required=True, metavar="ORG", help="Whose data it is.")
@click.option("--label", metavar="LABEL", help="For what carries no marking; default: the source's own.")
@click.option(
    "--format",
    "format_name",
    type=click.Choice([one.value for one in Format]),
    default=Format.AUTO.value,
    show_default=True,
    help="What the files are; auto looks into each.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
@pass_context
def import_data(
    context: Context, paths: tuple[Path, ...], source: str, label: str | None, format_name: str, as_json: bool
) -> None:
    """Import indicators from files and folders: STIX, MISP, CSV, text and JSON lines, also gzipped.

    Nothing that an earlier import said is lowered: of two labels the stricter one stays.
    """
    defaults = _defaults(load(context.config), source, label)
    try:
        with _progress(paths) as progress:
            summary = asyncio.run(_import(context.store, paths, defaults, Format(format_name), progress))
    except KeyboardInterrupt:
        click.echo("Stopped. What was imported so far is kept; run it again to import the rest.", err=True)
        sys.exit(INTERRUPTED)
    if as_json:
        click.echo(json.dumps(_as_json(summary), ensure_ascii=False, indent=1))
    else:
        _print(summary)
    if summary.rejected and not summary.read:
        sys.exit(1)


@click.command(name="export")
@click.option("--as", "slug", required=True, metavar="ORG", help="Who will read it.")
@click.option(
    "--format",
    "format_name",
    required=True,
    type=click.Choice([one.value for one in exports.Format]),
    help="What to write.",
)
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="Default: standard output.")
@pass_context
def export_data(context: Context, slug: str, format_name: str, output: Path | None) -> None:
    """Write everything that one organisation may know, its label first."""
    registry = load(context.config)
    organisation = _organisation(registry, slug)
    with _opened(output) as file:
        asyncio.run(_export(context.store, organisation.id, registry, exports.Format(format_name), file))


async def _import(
    store_url: str,
    paths: tuple[Path, ...],
    defaults: Defaults,
    chosen: Format,
    progress: Progress,
) -> Summary:
    store = await open_store(store_url)
    try:
        return await imports.run(paths, defaults, store, chosen=chosen, progress=progress)
    finally:
        await store.close()


async def _export(
    store_url: str,
    slug: str,
    registry: Registry,
    into: exports.Format,
    file: BinaryIO,
) -> None:
    store = await open_store(store_url)
    try:
        world = registry.world(datetime.now(UTC))
        await exports.run(store, slug, world, into=into, write=file.write)
    finally:
        await store.close()


def _defaults(registry: Registry, source: str, label: str | None) -> Defaults:
    """Whose data it is, and the label of what carries none. Raises UsageError."""
    organisation = _organisation(registry, source)
    if label is None:
        return Defaults(source, organisation.default_label)
    try:
        return Defaults(source, tlp.parse(label))
    except InputError as error:
        raise UsageError(f"--label {label}: {error}.") from error


def _organisation(registry: Registry, slug: str) -> Organisation:
    found = registry.organisation(slug)
    if found is None:
        known = ", ".join(org.id for org in (registry.host, *registry.partners))
        raise UsageError(f"There is no organisation {slug} in the settings; use one of {known}.")
    return found


@contextmanager
def _progress(paths: tuple[Path, ...]) -> Iterator[Progress]:
    """A bar of the bytes read, on a terminal only."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    total = sum(path.stat().st_size for path in imports.files(paths))
    with click.progressbar(length=total, label="Importing", file=sys.stderr) as bar:
        yield bar.update


@contextmanager
def _opened(output: Path | None) -> Iterator[BinaryIO]:
    """Standard output, or a file that only its owner can read. Raises UsageError."""
    if output is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    try:
        opened = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    except OSError as error:
        raise UsageError(
            f"--output {output}: cannot be written ({error.strerror}); name another file."
        ) from error
    with os.fdopen(opened, "wb") as file:
        output.chmod(0o600)  # of a file that was there before
        yield file


def _as_json(summary: Summary) -> dict[str, object]:
    return {
        "read": summary.read,
        "new": summary.tally.new,
        "updated": summary.tally.updated,
        "unchanged": summary.tally.unchanged,
        "quarantined": summary.quarantined,
        "rejected": [
            {"file": refusal.file, "where": refusal.where, "reason": refusal.reason}
            for refusal in summary.rejected
        ],
    }


def _print(summary: Summary) -> None:
    tally = summary.tally
    click.echo(
        f"{summary.read:,} read: {tally.new:,} new, {tally.updated:,} updated, {tally.unchanged:,} unchanged"
    )
    if summary.quarantined:
        click.echo(
            f"{summary.quarantined:,} quarantined: their label cannot be read; only host and source see them"
        )
    if summary.rejected:
        click.echo(f"{len(summary.rejected):,} rejected:")
    for refusal in summary.rejected[:MAX_PRINTED]:
        click.echo(f"  {refusal.file}: {refusal.where}: {refusal.reason}")
    if len(summary.rejected) > MAX_PRINTED:
        click.echo(f"  … and {len(summary.rejected) - MAX_PRINTED:,} more; --json lists them")
