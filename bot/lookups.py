"""A lookup from a text to an answer: the one path of the command line and of Slack."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from bot.answers import entries
from bot.chat import Ask, Lookup, Surface
from bot.enquiries import NOTHING_DECLARED, Declared, Enquiry
from bot.extraction import Found, extract, host_of
from bot.indicators import Indicator, Kind
from bot.services import Inquiry, Services, Store
from bot.sharing import Audience, Cleared, Reach, World, clear, tell

_TOKEN = re.compile(r"[^\s,;|<>\"']{6,300}")
# Somebody meant an indicator: signs between letters or digits as in an address, or a long run of hex digits.
_MEANT = re.compile(r"\w[\[({]?[.:@][\])}]?/{0,2}\w|\A[0-9a-fA-F]{16,}\Z")
_MAX_TOKENS = 2_000  # of one text that are looked at again


async def look_up(indicators: Sequence[Indicator], audience: Audience, world: World, store: Store) -> Lookup:
    """What this audience may know about each, in the order asked; if anything, about hosts of URLs too."""
    asked = _with_hosts(indicators)
    return _answer(indicators, clear(await store.lookup(asked), audience, world, asked=asked))


async def look_up_and_ask(
    indicators: Sequence[Indicator],
    ask: Ask,
    services: Services,
    *,
    declared: Declared = NOTHING_DECLARED,
    on_purpose: bool = False,
) -> Lookup:
    """The same, and what external services say: at once what is known, the rest by `Lookup.more`.

    Services are asked in private only. In front of others it would show whether the asker's organisation
    holds something that forbids to ask, so there a button brings no more than what was heard before.
    """
    asked, world = _with_hosts(indicators), ask.world
    stored = await services.store.lookup(asked)
    cleared = clear(stored, ask.audience, world, asked=asked)
    if services.enrichment is None or not _is_known(ask):
        return _answer(indicators, cleared)
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
    if _is_private(ask):
        return _growing(indicators, cleared, enquiry, await services.enrichment.enquire(enquiry))
    if ask.surface is Surface.BUTTON:
        found = await services.enrichment.remembered(enquiry)
        return _answer(indicators, tell(cleared, found, enquiry.org, world))
    return replace(_answer(indicators, cleared), asks_in_private=True)


def _growing(indicators: Sequence[Indicator], cleared: Cleared, enquiry: Enquiry, inquiry: Inquiry) -> Lookup:
    """The answer as it stands, and how to wait for more of it."""

    async def more() -> Lookup:
        await inquiry.changed()
        return _growing(indicators, cleared, enquiry, inquiry)

    answer = _answer(indicators, tell(cleared, inquiry.findings, enquiry.org, enquiry.world))
    return answer if inquiry.is_done else replace(answer, more=more)


def _is_known(ask: Ask) -> bool:
    return ask.actor.is_confirmed and (ask.actor.org == ask.world.host or ask.actor.org in ask.world.in_force)


def _is_private(ask: Ask) -> bool:
    """Nobody but the asker reads the answer."""
    return ask.audience.reach in (Reach.EPHEMERAL, Reach.DM) and ask.audience.orgs == {ask.actor.org}


def _with_hosts(indicators: Sequence[Indicator]) -> list[Indicator]:
    hosts = (host_of(url) for url in indicators if url.kind is Kind.URL)
    return list(dict.fromkeys([*indicators, *filter(None, hosts)]))


def _answer(indicators: Sequence[Indicator], cleared: Cleared) -> Lookup:
    answers = {entry.indicator: entry for entry in entries(_with_hosts(indicators), cleared)}

    def told() -> Iterator[Indicator]:
        for indicator in indicators:
            yield indicator
            host = host_of(indicator) if indicator.kind is Kind.URL else None
            if host is not None and answers[host].assertions:
                yield host

    return Lookup(entries=tuple(answers[each] for each in dict.fromkeys(told())), cleared=cleared)


def not_understood(text: str, found: Sequence[Found]) -> tuple[str, ...]:
    """What was meant as an indicator and is none, such as a hash that lost a digit."""
    starts = {each.start for each in found}
    tokens = [match for match, _ in zip(_TOKEN.finditer(text), range(_MAX_TOKENS), strict=False)]
    missed = (token for token in tokens if starts.isdisjoint(range(*token.span())))
    return tuple(dict.fromkeys(each[0] for each in missed if _MEANT.search(each[0]) and not extract(each[0])))
