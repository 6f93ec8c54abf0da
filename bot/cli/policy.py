"""`liaison check` and `liaison policy check`: what a compliance officer runs."""

import json
import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import NoReturn

import click

from bot import config
from bot.cli.context import Context, pass_context
from bot.errors import ConfigError
from bot.organisations import Organisation, Registry
from bot.policy_cases import Case, read
from bot.providers.catalogue import key_variables, open_sources
from bot.providers.options import Options
from bot.providers.spec import Spec
from bot.settings import read_provider_keys
from bot.sharing import DEFAULT_CAP, Decision
from bot.tlp import Label

NOTICE_DAYS = 30  # an agreement that ends sooner is worth a warning
MAX_CASES_BYTES = 10_000_000


@click.command()
@pass_context
def check(context: Context) -> None:
    """Check liaison.toml and report every mistake, with its line and what to write instead."""
    try:
        configuration = config.read(context.config)
    except ConfigError as error:
        _fail(context.config, error)
    registry, providers = configuration.registry, configuration.providers
    partners, channels = _count(len(registry.partners), "partner"), _count(len(registry.caps), "channel")
    click.echo(f"{context.config.name} is fine: 1 host, {partners}, {channels}\n")
    today = datetime.now(UTC).date()
    for line in _table(_summary(registry, today)):
        click.echo(line)
    for line in _stewards(registry):
        click.echo(line)
    missing = key_mistakes(providers, os.environ)
    specs = [source.spec for source in open_sources(providers)]
    click.echo()
    for line in _services(registry, specs, missing):
        click.echo(line)
    without = missing_files(providers)
    for warning in [*warnings(registry, today), *service_warnings(specs), *missing, *without]:
        click.echo(f"warning: {warning}")


@click.group()
def policy() -> None:
    """Prove what the release policy decides."""


@policy.command(name="check")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def check_cases(file: Path, as_json: bool) -> None:
    """Decide each case of FILE and compare it with what is written there; exit 1 if any differs."""
    try:
        cases = read(_content(file))
    except ConfigError as error:
        _fail(file, error)
    if as_json:
        click.echo(json.dumps(_report(cases), indent=1, ensure_ascii=False))
    else:
        _print_cases(cases)
    if not all(case.holds for case in cases):
        raise SystemExit(1)


def warnings(registry: Registry, today: date) -> list[str]:
    """What is allowed but probably not meant."""
    agreements = [warning for org in registry.partners for warning in _agreement_warnings(org, today)]
    if len(registry.partners) < 2:
        return agreements
    return agreements + [
        f"channel {channel} may carry {cap}: whoever is invited later reads its history; "
        "make sure that the host alone can invite"
        for channel, cap in registry.caps.items()
        if cap > DEFAULT_CAP
    ]


def key_mistakes(providers: Collection[str], environment: Mapping[str, str]) -> list[str]:
    """What is wrong with the keys of the providers that are on, never the keys themselves."""
    try:
        read_provider_keys(environment, key_variables(providers))
    except ConfigError as error:
        return error.mistakes
    return []


def missing_files(providers: Mapping[str, Options]) -> list[str]:
    """Files that providers answer from, and that are not there."""
    return [
        f"{options.file}: is not there, needed by [provider.{name}]; put it there, or on = false"
        for name, options in providers.items()
        if options.file is not None and not options.file.is_file()
    ]


def service_warnings(specs: Iterable[Spec]) -> list[str]:
    """Ceilings that only a contract or a decision can justify."""
    asked = [spec for spec in specs if not spec.asks_nobody]
    seen = [
        f"{spec.name} may be asked about {spec.ceiling}, and its other users can see what you asked"
        for spec in asked
        if spec.publishes and spec.ceiling > Label.CLEAR
    ]
    return seen + [
        f"{spec.name} may be asked about {spec.ceiling}; make sure that your contract with it allows it"
        for spec in asked
        if not spec.publishes and spec.ceiling > Label.GREEN
    ]


def _services(registry: Registry, specs: Sequence[Spec], missing: Sequence[str]) -> list[str]:
    """A table of the external services that are on, and whose own questions go there."""
    if not specs:
        return ["no external service is on"]
    rows: list[Sequence[str]] = [("service", "name", "asked up to", "answers are", "key")]
    variables = key_variables([spec.name for spec in specs])
    for spec in specs:
        asked = "nobody is asked" if spec.asks_nobody else f"{spec.ceiling}{', published' * spec.publishes}"
        key = _key_state(variables.get(spec.name), missing)
        rows.append((spec.name, spec.title, asked, str(spec.label), key))
    askers = [org.id for org in (registry.host, *registry.partners) if org.enrich_own_queries]
    return [*_table(rows), f"own questions go to them: {' '.join(askers) or 'nobody'}"]


def _key_state(variable: str | None, missing: Sequence[str]) -> str:
    if variable is None:
        return "needs none"
    mistake = next((each for each in missing if each.startswith(f"{variable}:")), None)
    if mistake is None:
        return "there"
    return f"{variable} {'is missing' if 'is missing' in mistake else 'cannot be used'}"


def _agreement_warnings(org: Organisation, today: date) -> list[str]:
    if org.until is None:
        return [f"{org.id} has no end of its agreement; it stays in force until you set one"]
    if org.until < today:
        return [
            f"the agreement with {org.id} ended on {org.until}; it is UNKNOWN now and gets TLP:CLEAR at most"
        ]
    if org.until <= today + timedelta(days=NOTICE_DAYS):
        return [f"the agreement with {org.id} ends on {org.until}; after that day it gets TLP:CLEAR at most"]
    if org.since is not None and org.since > today:
        return [f"the agreement with {org.id} begins on {org.since}; until then it gets TLP:CLEAR at most"]
    return []


def _summary(registry: Registry, today: date) -> list[Sequence[str]]:
    host = registry.host
    rows: list[Sequence[str]] = [("organisation", "name", "teams", "receives", "agreement")]
    rows.append((host.id, host.name, " ".join(sorted(host.teams)), "all but RED", "host"))
    for org in registry.partners:
        period = f"{org.since or '…'} to {org.until or '…'}"
        rows.append((org.id, org.name, " ".join(sorted(org.teams)), _receives(org), period))
    return rows


def _stewards(registry: Registry) -> list[str]:
    """Who sets what channels get by themselves, and in whose time."""
    named = []
    for org in (registry.host, *registry.partners):
        where = "" if org is registry.host else " in its channels"
        if users := " ".join(sorted(one.user for one in org.stewards)):
            named.append(f"{users} ({org.id}{where})")
    return ["", f"digests are set by: {', '.join(named) or 'nobody yet'}; times are of {registry.timezone}"]


def _receives(org: Organisation) -> str:
    """The strictest label that reaches it without being addressed."""
    if org.constituent:
        return "up to AMBER"
    return "up to GREEN" if org.community else "CLEAR"


def _print_cases(cases: Sequence[Case]) -> None:
    heading = ("case", "says", "expected", "decided", "reason", "")
    for line in _table([heading, *map(_row, cases)]):
        click.echo(line)
    wrong = sum(not case.holds for case in cases)
    click.echo(f"\n{_count(len(cases), 'case')}: {len(cases) - wrong} ok, {wrong} MISMATCH")


def _row(case: Case) -> Sequence[str]:
    verdict = "ok" if case.holds else "MISMATCH"
    expected, decided = _word(case.expected), _word(case.decided)
    return (str(case.number), case.says, expected, decided, _reason(case), verdict)


def _reason(case: Case) -> str:
    expected, decided = case.expected.reason, case.decided.reason
    return decided if decided == expected else f"{decided} (expected: {expected})"


def _report(cases: Sequence[Case]) -> dict[str, object]:
    return {
        "cases": len(cases),
        "mismatches": sum(not case.holds for case in cases),
        "decisions": [
            {
                "case": case.number,
                "says": case.says,
                "expected": {"release": case.expected.release, "reason": case.expected.reason},
                "decided": {"release": case.decided.release, "reason": case.decided.reason},
                "ok": case.holds,
            }
            for case in cases
        ],
    }


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows in aligned columns, the first one a heading."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    return [lines[0].rstrip(), "-" * len(lines[0].rstrip()), *(line.rstrip() for line in lines[1:])]


def _content(file: Path) -> bytes:
    with file.open("rb") as opened:
        content = opened.read(MAX_CASES_BYTES + 1)
    if len(content) > MAX_CASES_BYTES:
        raise ConfigError([f"larger than {MAX_CASES_BYTES:,} bytes; is it the right file?"])
    return content


def _fail(file: Path, error: ConfigError) -> NoReturn:
    if len(error.mistakes) == 1:
        raise error
    click.echo(f"{file.name} has {len(error.mistakes)} mistakes:", err=True)
    for mistake in error.mistakes:
        click.echo(f"  {mistake}", err=True)
    raise SystemExit(1)


def _word(decision: Decision) -> str:
    return "release" if decision.release else "withhold"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
