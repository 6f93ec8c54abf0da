"""A lookup from a text to an answer: the one path of the command line and of Slack."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import msgspec

from bot.answers import entries, is_answered
from bot.chat import Ask, Lookup, Surface
from bot.enquiries import NOTHING_DECLARED, Declared, Enquiry, unread
from bot.extraction import Found, extract, host_of
from bot.findings import Finding, Outcome
from bot.indicators import Indicator, Kind
from bot.services import Inquiry, Services, Store
from bot.sharing import Audience, Cleared, Reach, World, clear
from bot.telling import tell

_TOKEN = re.compile(r"[^\s,;|<>\"']{6,300}")
# Somebody meant an indicator: signs between letters or digits as in an address, or a long run of hex digits.
_MEANT = re.compile(r"\w[\[({]?[.:@][\])}]?/{0,2}\w|\A[0-9a-fA-F]{16,}\Z")
OLD = timedelta(seconds=5)
_MAX_STEPS = 4  # from hash to hash of a file, each by the word of another source
_MAX_TOKENS = 2_000  # of one text that are looked at again
_TYPED = frozenset({Surface.SLASH, Surface.MENTION, Surface.DM})  # by a person in Slack


def as_of(store: Store, now: datetime) -> datetime | None:
    """What time the last answer is of, if it is so old, or the store so ill, that its reader must know."""
    lag = store.read_lag()
    return now - lag if lag > OLD or not store.takes_writes() else None


async def look_up(indicators: Sequence[Indicator], audience: Audience, world: World, store: Store) -> Lookup:
    """What this audience may know about each, in the order asked; if anything, about hosts of URLs too."""
    asked = _with_hosts(indicators)
    stored = await store.lookup(asked, may_be_stale=True)
    answer = _answer(indicators, clear(stored, audience, world, asked=asked), world)
    return replace(answer, as_of=as_of(store, world.now))


async def look_up_and_ask(
    indicators: Sequence[Indicator],
    ask: Ask,
    services: Services,
    *,
    declared: Declared = NOTHING_DECLARED,
    on_purpose: bool = False,
) -> Lookup:
    """The same, and what external services say: at once what is known, the rest by `Lookup.more`.

    What somebody typed is counted for summaries; who presses a button asks nothing new.
    """
    answer = await _looked_up(indicators, ask, services, declared, on_purpose=on_purpose)
    if (known_at := as_of(services.store, ask.world.now)) is not None:
        answer = annotated(answer, as_of=known_at)
    if ask.surface not in _TYPED or not _is_known(ask):
        return answer
    return _Counting(frozenset(indicators), ask, services.store).first(answer)


async def _looked_up(
    indicators: Sequence[Indicator],
    ask: Ask,
    services: Services,
    declared: Declared,
    *,
    on_purpose: bool,
) -> Lookup:
    """The answer.

    Services are asked in private only. In front of others it would show whether the asker's organisation
    holds something that forbids to ask, so there a button brings no more than what was heard before.
    """
    asked, world = _with_hosts(indicators), ask.world
    stored = await services.store.lookup(asked, may_be_stale=True)
    cleared = clear(stored, ask.audience, world, asked=asked)
    if services.enrichment is None or not _is_known(ask):
        return _answer(indicators, cleared, world)
    if not services.store.takes_writes():
        return replace(_answer(indicators, cleared, world), asks_later=True)
    if not is_private(ask) and ask.surface is not Surface.BUTTON:
        return replace(_answer(indicators, cleared, world), asks_in_private=True)
    enquiry = Enquiry(
        indicators=tuple(dict.fromkeys(indicators)),
        asker=Audience(
            reach=Reach.EPHEMERAL, orgs=frozenset({ask.actor.org}), persons=frozenset({ask.actor.user})
        ),
        world=world,
        stored=stored,
        declared=declared,
        on_purpose=on_purpose,
    )
    enquiry = await _with_all_that_counts(enquiry, asked, services.store)
    if not is_private(ask):
        question = _Asked(indicators, cleared, None, enquiry)
        return _told(question, await services.enrichment.remembered(enquiry))
    stays = clear(stored, replace(ask.audience, reach=Reach.DM), world, asked=asked) if on_purpose else None
    question = _Asked(indicators, cleared, stays, enquiry)
    return _growing(question, await services.enrichment.enquire(enquiry))


async def _with_all_that_counts(enquiry: Enquiry, asked: Sequence[Indicator], store: Store) -> Enquiry:
    """The enquiry with what the store holds about everything that the question tells of, however linked."""
    read = set(asked)
    for _ in range(_MAX_STEPS):
        more = unread(enquiry, read)
        if not more:
            break
        read |= set(more)
        enquiry = replace(enquiry, stored=[*enquiry.stored, *await store.lookup(more, may_be_stale=True)])
    return enquiry


@dataclass(frozen=True)
class _Counting:
    """Counts one question once, and each indicator as answered as soon as anything is known of it."""

    indicators: frozenset[Indicator]
    ask: Ask
    store: Store

    def first(self, answer: Lookup) -> Lookup:
        """The answer as it stands at first."""
        known = self._known(answer)
        self._count(len(self.indicators), known)
        return self._counted(answer, known)

    def _counted(self, answer: Lookup, before: int) -> Lookup:
        """The same, of which that many were counted as known, and counted as it grows."""
        if answer.more is None:
            return answer
        waiting = answer.more

        async def more() -> Lookup:
            newer = await waiting()
            known = max(before, self._known(newer))
            if known > before:
                self._count(0, known - before)
            return self._counted(newer, known)

        return replace(answer, more=more)

    def _known(self, answer: Lookup) -> int:
        return sum(entry.indicator in self.indicators and is_answered(entry) for entry in answer.entries)

    def _count(self, asked: int, answered: int) -> None:
        self.store.count_asked(self.ask.actor.org, at=self.ask.world.now, asked=asked, answered=answered)


def annotated(answer: Lookup, **facts: Any) -> Lookup:
    """The same with these fields about the question, now and as it grows."""
    if answer.more is None:
        return replace(answer, **facts)
    waiting = answer.more

    async def more() -> Lookup:
        return annotated(await waiting(), **facts)

    return replace(answer, **facts, more=more)


def cut_off(answer: Lookup) -> Lookup:
    """The same for good: what is still pending did not answer in time."""
    return replace(
        answer,
        entries=tuple(replace(each, findings=_in_time(each.findings)) for each in answer.entries),
        cleared=replace(answer.cleared, findings=_in_time(answer.cleared.findings)),
        lasting=None if answer.lasting is None else cut_off(answer.lasting),
        more=None,
    )


def _in_time(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    return tuple(
        msgspec.structs.replace(each, outcome=Outcome.TIMEOUT) if each.outcome is Outcome.PENDING else each
        for each in findings
    )


@dataclass(frozen=True)
class _Asked:
    """A question on its way: what the store told about it, and what of that may stay in a file."""

    indicators: Sequence[Indicator]
    cleared: Cleared
    lasting: Cleared | None
    enquiry: Enquiry


def _growing(asked: _Asked, inquiry: Inquiry) -> Lookup:
    """The answer as it stands, and how to wait for more of it."""

    async def more() -> Lookup:
        await inquiry.changed()
        return _growing(asked, inquiry)

    answer = _told(asked, inquiry.findings)
    return answer if inquiry.is_done else replace(answer, more=more)


def _told(asked: _Asked, findings: Sequence[Finding]) -> Lookup:
    """The store's part and what of these findings its readers may see."""
    asker, world = asked.enquiry.org, asked.enquiry.world
    answer = _answer(asked.indicators, tell(asked.cleared, findings, asker, world), world)
    if asked.lasting is None:
        return answer
    stays = _answer(asked.indicators, tell(asked.lasting, findings, asker, world), world)
    return replace(answer, lasting=stays)


def _is_known(ask: Ask) -> bool:
    return ask.actor.is_confirmed and (ask.actor.org == ask.world.host or ask.actor.org in ask.world.in_force)


def is_private(ask: Ask) -> bool:
    """Nobody but the asker reads the answer."""
    return ask.audience.reach in (Reach.EPHEMERAL, Reach.DM) and ask.audience.orgs == {ask.actor.org}


def _with_hosts(indicators: Sequence[Indicator]) -> list[Indicator]:
    hosts = (host_of(url) for url in indicators if url.kind is Kind.URL)
    return list(dict.fromkeys([*indicators, *filter(None, hosts)]))


def _answer(indicators: Sequence[Indicator], cleared: Cleared, world: World) -> Lookup:
    answers = {entry.indicator: entry for entry in entries(_with_hosts(indicators), cleared)}

    def told() -> Iterator[Indicator]:
        for indicator in indicators:
            yield indicator
            host = host_of(indicator) if indicator.kind is Kind.URL else None
            if host is not None and answers[host].assertions:
                yield host

    told_of = tuple(answers[each] for each in dict.fromkeys(told()))
    return Lookup(entries=told_of, cleared=cleared, at=world.now)


def not_understood(text: str, found: Sequence[Found]) -> tuple[str, ...]:
    """What was meant as an indicator and is none, such as a hash that lost a digit."""
    starts = {each.start for each in found}
    tokens = [match for match, _ in zip(_TOKEN.finditer(text), range(_MAX_TOKENS), strict=False)]
    missed = (token for token in tokens if starts.isdisjoint(range(*token.span())))
    return tuple(dict.fromkeys(each[0] for each in missed if _MEANT.search(each[0]) and not extract(each[0])))
