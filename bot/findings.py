"""Finding: one external service's answer about one indicator, or why there is none."""

from datetime import datetime
from enum import StrEnum

import msgspec

from bot.indicators import Indicator
from bot.tlp import Label
from bot.verdicts import Verdict

MAX_FACTS = 12  # of one report


class Outcome(StrEnum):
    """How asking ended. An error is not absence: only FOUND and NOT_FOUND speak of the indicator."""

    FOUND = "found"
    NOT_FOUND = "not found"
    PENDING = "pending"  # it is being asked
    BLOCKED = "not asked"  # the release policy forbids it
    QUOTA = "quota"  # our share of its budget, or the service's own patience, is used up
    AUTH = "auth"  # it does not take our key
    TIMEOUT = "timeout"
    BAD_ANSWER = "bad answer"  # what came back could not be read
    UNAVAILABLE = "unavailable"  # down, or failing so often that it is left alone for a while

    @property
    def is_error(self) -> bool:
        """Whether the service should have answered and did not."""
        return self in _ERRORS


_ERRORS = frozenset({Outcome.QUOTA, Outcome.AUTH, Outcome.TIMEOUT, Outcome.BAD_ANSWER, Outcome.UNAVAILABLE})


class Report(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a service says, in words common to all. Texts are the service's own: untrusted, but not long.

    The store keeps it as JSON without defaults: renaming a field needs a migration.
    """

    verdict: Verdict = Verdict.UNKNOWN
    score: str | None = None  # as that service gives it: "47/65", "Zone Red", "confidence 75"
    family: str | None = None
    first_seen: datetime | None = None  # aware UTC
    last_seen: datetime | None = None
    link: str | None = None  # a page for people; made by us from a hash, never taken from an answer
    facts: tuple[tuple[str, str], ...] = ()  # name and value, at most MAX_FACTS


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One service, one indicator. A report beside an error is stale: of an earlier time, `fetched_at`."""

    indicator: Indicator
    provider: str  # slug
    title: str  # how the service is called
    outcome: Outcome
    label: Label = Label.CLEAR  # how far it may travel among those who may know of the question
    terms: Label = Label.CLEAR  # how far the service lets its report travel, whoever asked
    report: Report | None = None  # None: it knows nothing, or nothing was ever heard
    fetched_at: datetime | None = None  # aware UTC
    again_at: datetime | None = None  # when it can be asked again
    reason: str = ""  # why it was not asked, for the host's eyes only

    @property
    def is_stale(self) -> bool:
        """Whether its report is of an earlier time, as it could not be asked now."""
        return self.outcome.is_error and self.report is not None

    @property
    def verdict(self) -> Verdict:
        """What it comes to; also a stale report still speaks."""
        return Verdict.UNKNOWN if self.report is None else self.report.verdict
