"""Postings: the messages that a digest or a summary becomes, each with the indicators that it shows. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from bot import digest_cards
from bot.blocks import Message, render
from bot.deliveries import Item
from bot.digests import Digest
from bot.indicators import Indicator
from bot.layout import Table, pages
from bot.summaries import Summary


@dataclass(frozen=True)
class Posting:
    """One message, and what of the store stands in it."""

    message: Message
    indicators: frozenset[Indicator]


def postings(reply: Digest | Summary) -> tuple[Posting, ...]:
    """The message itself and what follows in its thread; figures show no indicator."""
    message = render(reply)
    if isinstance(reply, Summary):
        return tuple(Posting(each, frozenset()) for each in (message, *message.details))
    shown = [frozenset(digest_cards.named(reply)), *_of_pages(reply)]
    if len(shown) != 1 + len(message.details):  # the message ran over into its thread
        shown = [frozenset(digest_cards.named(reply)).union(*shown)] * (1 + len(message.details))
    return tuple(map(Posting, (message, *message.details), shown))


def instead(digest: Digest) -> tuple[Posting, ...]:
    """What follows in the thread where Slack refuses the file: the best rows, and that there are more."""
    return postings(replace(digest, files_refused=True))[1:]


def items_in(indicators: frozenset[Indicator], items: Iterable[Item]) -> tuple[Item, ...]:
    """Those `digests.items` that a posting may show, for the ledger; in doubt one more."""
    return tuple(item for item in items if item.indicator in indicators)


def _of_pages(digest: Digest) -> list[frozenset[Indicator]]:
    """Each page of the thread takes the next rows of the list."""
    found = []
    place = 0
    for page in pages(digest_cards.complete(digest)):
        rows = sum(len(part.rows) for part in page if isinstance(part, Table))
        found.append(frozenset(shown.indicator for shown in digest.listed[place : place + rows]))
        place += rows
    return found
