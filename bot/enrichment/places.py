"""Place: one indicator at one service in one enquiry, and the finding that an answer makes there. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.enquiries import Permit
from bot.findings import Finding, Outcome, Report
from bot.indicators import Indicator
from bot.providers.spec import Spec
from bot.tlp import Label, strictest


@dataclass(frozen=True)
class Answer:
    """What asking brought, the same for everybody who waits for it."""

    outcome: Outcome
    report: Report | None = None
    fetched_at: datetime | None = None
    again_at: datetime | None = None


PENDING, BLOCKED, LATE = Answer(Outcome.PENDING), Answer(Outcome.BLOCKED), Answer(Outcome.TIMEOUT)
GONE = Answer(Outcome.UNAVAILABLE)  # nobody asks any more, or too much is under way


@dataclass(frozen=True)
class Place:
    """`kept` is what the service said before to the organisation that asks; None if nothing is known."""

    indicator: Indicator
    spec: Spec
    permit: Permit
    kept: Finding | None = None

    @property
    def is_open(self) -> bool:
        """Whether the service may be asked; a local list tells nobody that it was."""
        return self.permit.granted or (self.spec.asks_nobody and self.permit.may_hear)

    @property
    def may_use_kept(self) -> bool:
        """Whether what was said before may be shown: only if it may be asked now. Local lists need none."""
        return self.permit.granted and not self.spec.asks_nobody

    def kept_answer(self, now: datetime) -> Answer | None:
        """What is kept, if it is fresh."""
        return None if self.kept is None or not self.may_use_kept else fresh(self.kept, self.spec, now)

    def finding(self, answer: Answer) -> Finding:
        """The answer under this enquiry's label; beside an error stands what was said before."""
        stale = self._stale if answer.outcome.is_error else None
        report, fetched_at = (answer.report, answer.fetched_at) if stale is None else stale
        speaks = report is not None or answer.outcome is Outcome.NOT_FOUND
        return Finding(
            indicator=self.indicator,
            provider=self.spec.name,
            title=self.spec.title,
            outcome=answer.outcome,
            label=self._label(speaks=speaks),
            terms=self.spec.label if speaks else Label.CLEAR,
            report=report,
            fetched_at=fetched_at,
            again_at=answer.again_at,
            reason=self.permit.reason if answer.outcome is Outcome.BLOCKED else "",
        )

    @property
    def _stale(self) -> tuple[Report, datetime | None] | None:
        if self.kept is None or self.kept.report is None or not self.may_use_kept:
            return None
        return self.kept.report, self.kept.fetched_at

    def _label(self, *, speaks: bool) -> Label:
        """That something was asked or refused is for the asker, who would read nothing if it were RED."""
        if speaks:
            return strictest((self.spec.label, self.permit.label))
        return min(self.permit.label, Label.AMBER_STRICT)


def fresh(kept: Finding, spec: Spec, now: datetime) -> Answer | None:
    """What is kept, if it is fresh. A time in the future is not: then a clock was wrong."""
    if kept.fetched_at is None:
        return None
    lengths = {Outcome.FOUND: spec.fresh_found, Outcome.NOT_FOUND: spec.fresh_missing}
    if not timedelta(0) <= now - kept.fetched_at < lengths.get(kept.outcome, timedelta(0)):
        return None
    return Answer(kept.outcome, kept.report, kept.fetched_at)
