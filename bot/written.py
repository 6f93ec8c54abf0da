"""Written: a digest or a summary as text for a terminal and as plain JSON values. Pure."""

from collections.abc import Iterable
from datetime import datetime

from bot import digest_cards, summary_cards
from bot.digests import Changed, Digest
from bot.layout import Heading, Part, plain, words
from bot.sharing import Shown
from bot.summaries import Dealings, Summary

_NO_LIMIT = 10**9  # characters


def as_text(told: Digest | Summary) -> str:
    """The label, then the message and its thread, defanged as for Slack; dates as Slack's `<!date…>`."""
    if isinstance(told, Digest):
        parts: list[Part] = [*digest_cards.body(told), *digest_cards.complete(told)]
        title = digest_cards.title(told)
    else:
        parts, title = summary_cards.body(told), summary_cards.title(told)
    return plain([Heading(words(f"{told.label} · {title}", at_most=1_000)), *parts], at_most=_NO_LIMIT)


def as_json(told: Digest | Summary) -> dict[str, object]:
    """Plain JSON values; times are ISO 8601 or null. `listed` are the first claims of a digest, not all."""
    common: dict[str, object] = {"label": str(told.label), "readers": sorted(told.audience.orgs)}
    return {**common, **(_digest(told) if isinstance(told, Digest) else _summary(told))}


def _digest(digest: Digest) -> dict[str, object]:
    return {
        "since": _iso(digest.since),
        "until": _iso(digest.until),
        "new_indicators": digest.indicators,
        "new_claims": digest.claims,
        "kinds": _counts(digest.kinds),
        "families": [
            {"family": group.family, "indicators": group.indicators, "kinds": _counts(group.kinds)}
            for group in digest.groups
        ],
        "families_in_all": digest.families,
        "listed": [_claim(shown) for shown in digest.listed],
        "changed": [_change(change) for change in digest.changed],
        "changes": _counts(digest.changes),
        "attach": digest.attach.value if digest.attach else None,
    }


def _summary(summary: Summary) -> dict[str, object]:
    return {
        "since": _iso(summary.bounds[-2]),
        "until": _iso(summary.bounds[-1]),
        "new_claims": summary.reports,
        "days": [
            {"until": _iso(end), "new_claims": number}
            for end, number in zip(summary.bounds[1:], summary.days, strict=True)
        ],
        "sources": _counts(summary.sources),
        "kinds": _counts(summary.kinds),
        "families": _counts(summary.families),
        "without_family": summary.unnamed,
        "emerging": [
            {"family": each.family, "new_claims": each.reports, "usual": each.usual}
            for each in summary.emerging
        ],
        "is_comparable": summary.is_comparable,
        "feeds": [{"source": feed.source, "days_ago": feed.days} for feed in summary.feeds],
        "dealings": _dealings(summary.dealings) if summary.dealings else None,
    }


def _dealings(dealings: Dealings) -> dict[str, object]:
    return {
        "organisation": dealings.org,
        "asked": dealings.asked.asked if dealings.asked else None,
        "answered": dealings.asked.answered if dealings.asked else None,
        "agreements": [{"name": each.name, "until": each.until.isoformat()} for each in dealings.agreements],
    }


def _change(change: Changed) -> dict[str, object]:
    was = None if change.was is None else str(change.was)
    return {"what": change.what.value, "was": was, "claim": _claim(change.shown) if change.shown else None}


def _claim(shown: Shown) -> dict[str, object]:
    return {
        "kind": shown.indicator.kind.value,
        "value": shown.indicator.value,
        "label": str(shown.label),
        "source": shown.source,
        "family": shown.family,
        "confidence": shown.confidence,
        "first_seen": _iso(shown.first_seen),
        "last_seen": _iso(shown.last_seen),
        "context": shown.context,
        "to_ids": shown.to_ids,
        "revoked": shown.revoked,
    }


def _counts(numbers: Iterable[tuple[str, int]]) -> dict[str, int]:
    return {str(name): number for name, number in numbers}


def _iso(time: datetime | None) -> str | None:
    return None if time is None else time.isoformat()
