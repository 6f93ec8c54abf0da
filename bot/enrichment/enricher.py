"""Enricher: asks external services, in one order, and never more than may be asked.

For each indicator and each service, in the order of this file:

1. kind: does the service answer such indicators?
2. gate: does every marking that the asker sees, and the asker's own, allow the question?
3. what is kept: did this organisation have it answered a short while ago?
4. single flight: is the same question of this organisation under way, here or at another replica? Then wait
   for that one.
5. bulkhead, breaker, budget, deadline: `Line.ask`, within the flight, so that only questions that are
   really asked cost something.
6. keep: for this organisation, for a while.

What is kept, what is spent and what is under way belongs to one organisation: no other learns from the speed,
the age or the end of an answer what was asked before.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from bot.budgets import Allowance
from bot.enquiries import Enquiry, Gate
from bot.enrichment.elsewhere import Elsewhere
from bot.enrichment.flights import Flight, Flights, Question
from bot.enrichment.lines import Line
from bot.enrichment.places import BLOCKED, Answer, Place, fresh
from bot.enrichment.shares import Share, share, word
from bot.enrichment.steady import LoopTimer, Timer, steadied
from bot.enrichment.underway import Underway
from bot.errors import BotError, ConfigError
from bot.findings import Finding, Outcome
from bot.logs import log_mistake
from bot.organisations import Registry
from bot.providers.spec import Source
from bot.services import Standing, Store

DEADLINE_SECONDS = 8.0  # of one enquiry
LOCAL_SECONDS = 0.05  # that an answer waits for local lists
KEEP = timedelta(days=30)  # what a service said, for when it does not answer
CLOSE_SECONDS = 5.0  # of one source
LOG = logging.getLogger("bot.enrichment")


class Enricher:
    """`services.Enrichment`; `open` it before use. `off` names the services that are turned off, by slug."""

    def __init__(
        self,
        sources: Iterable[Source],
        store: Store,
        registry: Registry,
        *,
        clock: Callable[[], datetime],
        steady: Callable[[], datetime] | None = None,
        timer: Timer | None = None,
        deadline: float = DEADLINE_SECONDS,
        off: Mapping[str, str] | None = None,
    ) -> None:
        self._store = store
        self._registry = registry
        self._clock = clock
        self._steady = steady or steadied(clock)
        self._timer = timer or LoopTimer()
        self._deadline = deadline
        self._off = dict(off or {})
        self._flights = Flights()
        self._elsewhere = Elsewhere(store, self._timer, self._kept)
        self._lines = {one.spec.name: Line(one, registry, clock, self._timer) for one in sources}

    async def open(self) -> None:
        """Open all sources; if one cannot, close them again. Raises ConfigError with all mistakes."""
        opening = (line.source.open() for line in self._lines.values())
        failed = [each for each in await asyncio.gather(*opening, return_exceptions=True) if each is not None]
        if not failed:
            return
        await self.close()
        for error in failed:
            if not isinstance(error, ConfigError):
                raise error
        raise ConfigError(
            [each for error in failed if isinstance(error, ConfigError) for each in error.mistakes]
        )

    async def close(self) -> None:
        """Cancel what is under way, then close all sources."""
        await self._flights.close()
        await asyncio.gather(*(_close(line.source) for line in self._lines.values()))

    async def enquire(self, enquiry: Enquiry) -> Underway:
        """Ask every able service that may be asked; what is kept and fresh is there at once."""
        ends, shares = self._timer.time() + self._deadline, dict[str, Share]()
        with self._flights.landing() as landed:
            places = await self._with_kept(enquiry.org, self._places(enquiry))
        underway = Underway(self._timer, ends)  # from here on nothing waits, so nothing is left half done
        for place in places:
            question = Question(enquiry.org, place.spec.name, place.indicator)
            if answer := self._known(place) or landed.get(question):
                underway.know(place, answer)
                continue
            if question.provider not in shares:
                shares[question.provider] = share(place.spec, enquiry.org, enquiry.world)
            fly = partial(self._fly, shares[question.provider])
            self._flights.join(question, fly, underway.expect(place), on_purpose=enquiry.on_purpose)
        await underway.settle(LOCAL_SECONDS)
        underway.begin()
        return underway

    async def remembered(self, enquiry: Enquiry) -> tuple[Finding, ...]:
        """What was found before for that organisation and may still be used; asks nobody."""
        places = await self._with_kept(enquiry.org, self._places(enquiry))
        known = ((place, place.kept_answer(self._clock())) for place in places)
        return tuple(place.finding(answer) for place, answer in known if answer and answer.report)

    async def standing(self, org: str) -> list[Standing]:
        """How the services are doing; of budgets and of the past only what is that organisation's."""
        world = self._registry.world(self._clock())
        shown = {name: share(line.spec, org, world).shown for name, line in self._lines.items()}
        limited = {name: allowance for name, allowance in shown.items() if allowance is not None}
        spent = await self._store.spent(list(limited.values()), at=self._steady()) if limited else []
        used = dict(zip(limited, spent, strict=True))
        of = None if org == world.host else org  # the host runs Liaison
        on = [_standing(line, of, used.get(name), shown[name]) for name, line in self._lines.items()]
        return on + [Standing(provider=name, title=title, is_on=False) for name, title in self._off.items()]

    def _places(self, enquiry: Enquiry) -> list[Place]:
        """Kind and gate: every indicator at every service that answers its kind."""
        gate = Gate(enquiry)
        return [
            Place(indicator, line.spec, gate.judge(indicator, line.audience, line.spec.label))
            for indicator in dict.fromkeys(enquiry.indicators)
            for line in self._lines.values()
            if indicator.kind in line.spec.kinds
        ]

    async def _with_kept(self, org: str, places: Sequence[Place]) -> Sequence[Place]:
        """With what was kept for this organisation, in one reading of the store."""
        asked = dict.fromkeys(place.indicator for place in places if place.may_use_kept)
        found = await self._store.findings(org, list(asked)) if asked else []
        kept = {(finding.indicator, finding.provider): finding for finding in found}
        return [replace(place, kept=kept.get((place.indicator, place.spec.name))) for place in places]

    def _known(self, place: Place) -> Answer | None:
        """What needs no question."""
        return place.kept_answer(self._clock()) if place.is_open else BLOCKED

    async def _fly(self, share: Share, flight: Flight) -> None:
        """Hear what another replica was told, or ask ourselves and let the others know."""
        question, line = flight.question, self._lines[flight.question.provider]
        if line.spec.asks_nobody:
            flight.land(await line.ask(question.org, question.indicator, _nothing_to_spend))
            return
        line.leave_alone(await self._elsewhere.patience(question.provider))
        if (heard := await self._elsewhere.heard(question, line.spec.seconds)) is not None:
            flight.land(heard)
            return
        failure: Answer | None = None
        try:
            answer, is_asked = await self._ask(share, flight, line)
            failure = answer if is_asked and answer.outcome.is_error else None
        finally:
            await self._elsewhere.end(question, failure)
        flight.land(answer)  # whoever asks again after a failure is the first to do so

    async def _ask(self, share: Share, flight: Flight, line: Line) -> tuple[Answer, bool]:
        """Ask, tell what the service says, keep it; gives also whether the service was asked."""
        org, provider, indicator = flight.question
        is_asked = False

        async def spend() -> datetime | None:
            nonlocal is_asked
            again_at = await self._spend(share, flight)
            is_asked = again_at is None
            return again_at

        answer = await line.ask(org, indicator, spend)
        if not answer.outcome.is_error:
            flight.land(answer)
            await self._keep(flight.question, answer)
        elif answer.outcome is Outcome.QUOTA and is_asked and answer.again_at is not None:
            seconds = (answer.again_at - self._clock()).total_seconds()
            await self._elsewhere.leave_alone(provider, seconds)
        return answer, is_asked

    async def _keep(self, question: Question, answer: Answer) -> None:
        if answer.fetched_at is None:
            return
        org, provider, indicator = question
        spec = self._lines[provider].spec
        finding = Finding(
            indicator=indicator,
            provider=provider,
            title=spec.title,
            outcome=answer.outcome,
            label=spec.label,
            report=answer.report,
            fetched_at=answer.fetched_at,
        )
        try:
            await self._store.keep_findings(org, [finding], until=answer.fetched_at + KEEP)
        except BotError as error:  # it was told; the next question asks again
            log_mistake(LOG, error)

    async def _kept(self, question: Question) -> Answer | None:
        """What is fresh by now."""
        found = await self._store.findings(question.org, [question.indicator])
        kept = next((each for each in found if each.provider == question.provider), None)
        spec = self._lines[question.provider].spec
        return None if kept is None else fresh(kept, spec, self._clock())

    async def _spend(self, share: Share, flight: Flight) -> datetime | None:
        """Take one question from the organisation's share; else when there is one again."""
        at = self._steady()
        if (opens := share.opens(at)) > at:
            return opens
        allowances = share.on_purpose if flight.on_purpose else share.allowances
        return await self._store.spend([*allowances, *share.of_all], at=at) if allowances else None


async def _nothing_to_spend() -> None:
    """Local lists have no budget."""


def _standing(line: Line, org: str | None, used: int | None, shown: Allowance | None) -> Standing:
    health = line.health(org)
    return Standing(
        provider=line.spec.name,
        title=line.spec.title,
        is_on=True,
        used=used,
        most=None if shown is None else shown.most,
        period="day" if shown is None else word(shown.period),
        last_success=health.last_success,
        last_error=health.last_error,
        last_error_at=health.last_error_at,
        again_at=line.again_at,
    )


async def _close(source: Source) -> None:
    try:
        async with asyncio.timeout(CLOSE_SECONDS):
            await source.close()
    except Exception as error:  # noqa: BLE001 - the others are closed all the same
        log_mistake(LOG, error)
