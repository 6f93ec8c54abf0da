"""Subscriptions: what a channel gets by itself, when, and how much of it. Pure."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.indicators import Kind
from bot.schedules import Schedule
from bot.sharing import Shown


class Purpose(StrEnum):
    """What is posted by itself."""

    DIGEST = "digest"  # what is new for those who read the channel
    SUMMARY = "summary"  # the figures of a day


class Attach(StrEnum):
    """The form of the file that goes with a digest."""

    CSV = "csv"
    STIX = "stix"


@dataclass(frozen=True, kw_only=True)
class Filters:
    """What of the new assertions a digest is about; empty means everything."""

    kinds: frozenset[Kind] = frozenset()
    families: frozenset[str] = frozenset()  # in folded case
    sources: frozenset[str] = frozenset()  # as the readers know them: slug, alias or name, in folded case
    min_confidence: int | None = None  # 0-100; claims without a confidence pass

    def keep(self, shown: Shown) -> bool:
        """Whether it is wanted. Judged after the release policy, on what the readers may see."""
        return (
            (not self.kinds or shown.indicator.kind in self.kinds)
            and (not self.families or (shown.family or "").casefold() in self.families)
            and (not self.sources or not self.sources.isdisjoint(_names(shown)))
            and (shown.confidence is None or shown.confidence >= (self.min_confidence or 0))
        )


@dataclass(frozen=True, kw_only=True)
class Subscription:
    """One channel's digest or summary as somebody set it."""

    channel: str  # Slack id
    purpose: Purpose
    schedule: Schedule
    filters: Filters = Filters()
    attach: Attach | None = None
    say_nothing_new: bool = False  # post also when nothing is new
    set_by: str = ""  # Slack user id


@dataclass(frozen=True, kw_only=True)
class Subscribed:
    """A subscription with what the store knows of it."""

    subscription: Subscription
    since: int  # the sequence number up to which everything was delivered or is on its way
    next_at: datetime  # aware UTC


def _names(shown: Shown) -> set[str]:
    return {shown.source.casefold(), shown.source_name.casefold()}
