"""Options: how the operator runs one provider, read from its table in liaison.toml and its key."""

from dataclasses import dataclass, replace
from pathlib import Path

from bot.providers.spec import Budget, Spec
from bot.secret import Secret
from bot.tlp import Label


@dataclass(frozen=True, kw_only=True)
class Options:
    """A provider that is turned on. None leaves the provider's own default."""

    key: Secret | None = None
    url: str | None = None  # another base address: a regional one, a portal, or a local fake
    file: Path | None = None  # of providers that answer from a file
    ceiling: Label | None = None
    label: Label | None = None
    per_minute: int | None = None
    per_day: int | None = None
    per_month: int | None = None
    seconds: float | None = None


def as_run(spec: Spec, options: Options) -> Spec:
    """The provider's own declaration with what the operator changed."""
    budget = Budget(
        per_minute=_or(options.per_minute, spec.budget.per_minute),
        per_day=_or(options.per_day, spec.budget.per_day),
        per_month=_or(options.per_month, spec.budget.per_month),
    )
    return replace(
        spec,
        budget=budget,
        ceiling=spec.ceiling if options.ceiling is None else options.ceiling,
        label=spec.label if options.label is None else options.label,
        seconds=spec.seconds if options.seconds is None else options.seconds,
    )


def _or(changed: int | None, default: int | None) -> int | None:
    return default if changed is None else changed
