"""Typesetting: a digest or a summary as the pieces that are posted, each with what it shows."""

from collections.abc import Sequence

from bot.attachments import Attachment, attachments
from bot.blocks import note
from bot.charts import chart
from bot.deliveries import Item, figures
from bot.delivery.edition import Piece, Sheet, file, sheet
from bot.digests import Digest
from bot.postings import Posting, instead, items_in, postings
from bot.summaries import Summary


def of_digest(digest: Digest, items: Sequence[Item]) -> tuple[Piece, ...]:
    """The message, its thread and its files; `items` are all claims in it. Takes seconds for very many."""
    counted = figures(digest.label)

    def of(posting: Posting) -> Sheet:
        """A message that counts what it does not name says so."""
        named = items_in(posting.indicators, items)
        return sheet(posting.message, named if len(named) == len(items) else (*named, counted))

    otherwise = tuple(map(of, instead(digest))) if digest.is_filed else ()
    words = sheet(note(digest))
    files = [
        file(
            each.name,
            each.content,
            words=words,
            items=items_in(each.indicators, items),
            instead=otherwise,
        )
        for each in attachments(digest)
    ]
    return (*map(of, postings(digest)), *files)


def of_summary(summary: Summary) -> tuple[Piece, ...]:
    """The message, and a chart of what it tells in words, too."""
    picture: Attachment = chart(summary)
    told = (figures(summary.label),)
    drawn = file(picture.name, picture.content, words=sheet(note(summary)), items=told)
    return (*(sheet(each.message, told) for each in postings(summary)), drawn)
