"""A lookup from a text to an answer: the one path of the command line and of Slack."""

import re
from collections.abc import Iterator, Sequence

from bot.answers import entries
from bot.chat import Lookup
from bot.extraction import Found, extract, host_of
from bot.indicators import Indicator, Kind
from bot.services import Store
from bot.sharing import Audience, World, clear

_TOKEN = re.compile(r"[^\s,;|<>\"']{6,300}")
# Somebody meant an indicator: signs between letters or digits as in an address, or a long run of hex digits.
_MEANT = re.compile(r"\w[\[({]?[.:@][\])}]?/{0,2}\w|\A[0-9a-fA-F]{16,}\Z")
_MAX_TOKENS = 2_000  # of one text that are looked at again


async def look_up(indicators: Sequence[Indicator], audience: Audience, world: World, store: Store) -> Lookup:
    """What this audience may know about each, in the order asked; if anything, about hosts of URLs too."""
    hosts = {url: host_of(url) for url in indicators if url.kind is Kind.URL}
    asked = list(dict.fromkeys([*indicators, *filter(None, hosts.values())]))
    cleared = clear(await store.lookup(asked), audience, world, asked=asked)
    answers = {entry.indicator: entry for entry in entries(asked, cleared)}

    def told() -> Iterator[Indicator]:
        for indicator in indicators:
            yield indicator
            host = hosts.get(indicator)
            if host is not None and answers[host].assertions:
                yield host

    return Lookup(entries=tuple(answers[each] for each in dict.fromkeys(told())), cleared=cleared)


def not_understood(text: str, found: Sequence[Found]) -> tuple[str, ...]:
    """What was meant as an indicator and is none, such as a hash that lost a digit."""
    starts = {each.start for each in found}
    tokens = [match for match, _ in zip(_TOKEN.finditer(text), range(_MAX_TOKENS), strict=False)]
    missed = (token for token in tokens if starts.isdisjoint(range(*token.span())))
    return tuple(dict.fromkeys(each[0] for each in missed if _MEANT.search(each[0]) and not extract(each[0])))
