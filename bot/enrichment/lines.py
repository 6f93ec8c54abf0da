"""Line: one service with what protects it and everybody else from each other."""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.enrichment.breaker import Breaker
from bot.enrichment.places import GONE, LATE, Answer
from bot.enrichment.slots import Slots
from bot.enrichment.steady import Timer, until
from bot.errors import BotError
from bot.findings import Outcome, Report
from bot.indicators import Indicator
from bot.logs import log_mistake
from bot.organisations import Registry
from bot.providers.spec import NoAnswerError, Source, Spec
from bot.sharing import Audience

LOG = logging.getLogger("bot.enrichment")

Spend = Callable[[], Awaitable[datetime | None]]  # None, or when there is something to spend again
_Heard = tuple[Report | None, NoAnswerError | None]


@dataclass(frozen=True)
class Health:
    """How the last questions to a service ended."""

    last_success: datetime | None = None
    last_error: Outcome | None = None
    last_error_at: datetime | None = None


class Line:
    """At most `at_once` questions, each with its deadline, and none while the service is to be left alone."""

    def __init__(
        self, source: Source, registry: Registry, clock: Callable[[], datetime], timer: Timer
    ) -> None:
        self.source = source
        self.spec = source.spec
        self.audience = _who_learns(source.spec, registry)
        self._clock = clock
        self._timer = timer
        self._breaker = Breaker(timer.time)
        self._slots = Slots(self.spec.at_once)
        self._health: dict[str | None, Health] = {}

    async def ask(self, org: str, indicator: Indicator, spend: Spend) -> Answer:
        """Bulkhead, breaker, budget, question, all before one deadline. Whatever happens is an answer."""
        ends = self._timer.time() + self.spec.seconds
        try:
            async with until(self._timer, ends):
                await self._slots.acquire(org)
        except TimeoutError:
            return LATE
        try:
            answer = await (self._ask_nobody if self.spec.asks_nobody else self._try)(
                org, indicator, spend, ends
            )
        finally:
            self._slots.release(org)
        if answer.outcome.is_error and answer.again_at is None:
            return replace(answer, again_at=self.again_at)
        return answer

    @property
    def again_at(self) -> datetime | None:
        """Until when the service is left alone; None if it may be asked."""
        refusal = self._breaker.refusal()
        return None if refusal is None else self._clock() + timedelta(seconds=refusal.seconds)

    def leave_alone(self, seconds: float) -> None:
        """The service asked another replica for patience."""
        if seconds > 0:
            self._breaker.be_patient(seconds)

    def health(self, org: str | None) -> Health:
        """How this organisation's questions ended, or with None everybody's."""
        return self._health.get(org, Health())

    async def _try(self, org: str, indicator: Indicator, spend: Spend, ends: float) -> Answer:
        if refusal := self._breaker.refusal():
            return Answer(refusal.outcome)
        call, outcome, again_in = self._breaker.begin(), None, None
        try:
            async with until(self._timer, ends):
                again_at = await spend()
            if again_at is not None:
                return Answer(Outcome.QUOTA, again_at=again_at)
            report, failure = await self._heard(indicator, ends)
            answer = self._answer(org, report, failure)
            if failure is None or not failure.of_question:
                outcome, again_in = answer.outcome, None if failure is None else failure.again_in
        except (TimeoutError, BotError):  # the store does not say whether the question may be asked
            return GONE
        finally:
            self._breaker.end(call, outcome, again_in)
        return answer

    async def _ask_nobody(self, org: str, indicator: Indicator, _: Spend, ends: float) -> Answer:
        return self._answer(org, *await self._heard(indicator, ends))

    async def _heard(self, indicator: Indicator, ends: float) -> _Heard:
        """What the service says, or why it says nothing."""
        try:
            async with until(self._timer, ends):
                return await self.source.ask(indicator), None
        except NoAnswerError as error:
            return None, error if error.outcome.is_error else NoAnswerError(Outcome.BAD_ANSWER)
        except TimeoutError:
            return None, NoAnswerError(Outcome.TIMEOUT)
        except Exception as error:  # noqa: BLE001 - a provider's mistake is no reason to fail for the others
            log_mistake(LOG, error)
            return None, NoAnswerError(Outcome.BAD_ANSWER)

    def _answer(self, org: str, report: Report | None, failure: NoAnswerError | None) -> Answer:
        now = self._clock()
        for whom in (org, None):
            old = self.health(whom)
            self._health[whom] = (
                replace(old, last_success=now)
                if failure is None
                else replace(old, last_error=failure.outcome, last_error_at=now)
            )
        if failure is not None:
            return Answer(failure.outcome)
        return Answer(Outcome.NOT_FOUND if report is None else Outcome.FOUND, report, now)


def _who_learns(spec: Spec, registry: Registry) -> Audience:
    """Also partners behind the service that the operator of Liaison gave another slug, such as "kasp"."""
    behind = (registry.known_as(operator) for operator in spec.operators)
    return replace(spec.audience, orgs=spec.audience.orgs.union(*behind))
