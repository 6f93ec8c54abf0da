"""Replies as Slack messages and modals: the label first, the same words as blocks and as plain text.

Takes `Cleared` and what was made of it, nothing else; how text is made safe is in layout.py.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, groupby, islice
from typing import TypedDict

from bot import digest_cards, service_lines, summary_cards
from bot.answers import Entry
from bot.blockkit import MAX_HEADER
from bot.cards import NO_VERDICT, card, counts, dated, headline, is_brief, is_empty, newest, summary, titled
from bot.chat import Lookup, Notice, Preview, Recent, Reply, Row
from bot.digests import Digest
from bot.layout import (
    Block,
    Bullets,
    Button,
    Buttons,
    Footnote,
    Heading,
    Line,
    Paragraph,
    Part,
    Words,
    blocks,
    joined,
    pages,
    plain,
    words,
)
from bot.service_lines import speaks
from bot.services import Written
from bot.sharing import Audience, Cleared, Reach
from bot.summaries import Summary
from bot.tlp import Label

SHARE = "share"  # action ids
DETAILS = "details"
OFFER = "offer_"  # and its number
PREVIOUS = "previous_page"  # their values are page numbers
NEXT = "next_page"
SHARE_VIEW = "share_view"  # callback ids
DETAILS_VIEW = "details_view"

MAX_DETAILS = 20  # messages in a thread, pages in a modal; Slack takes about one message a second
_MAX_FALLBACK = 3_800  # Slack recommends up to 4,000 characters of text
_MAX_PREVIEW = 90  # blocks of a modal that are left for what will be posted
_MAX_MISSED = 5
_SHARE_TITLE = "Share to channel"
_NOTHING = "nothing to show"
_NOBODY_NAMED = "Slack did not say who is asking, so only TLP:CLEAR is told. Ask again in a minute."
_READERS_UNSURE = (
    "Slack did not say for sure who reads this, so only TLP:CLEAR is told. The command “who” tells more."
)
_IN_PRIVATE = "External services are asked in private only: write to me directly."
_LATER = "No service is asked and no button works while the store takes no writes: ask again later."
_PREVIEW = "Nobody else sees this. The channel would get it so now, and what is new until then."
RED = (
    "TLP:RED goes to nobody else: no service was asked, and what lists held here say is not shown. "
    "With tlp:amber+strict nothing leaves either, and they answer."
)
_BY_MESSAGE = "A CSV file with all of it comes by direct message."
_REFUSAL = (
    Paragraph(((Words("Nothing of this can be shown in this conversation."),),)),
    Footnote(Words("Its readers and its cap decide; the command “who” tells both.")),
)


@dataclass(frozen=True, kw_only=True)
class Message:
    """What can be posted: `text` says the same as `blocks`; `details` belong into the thread below it."""

    label: Label
    text: str
    blocks: tuple[Block, ...]
    details: "tuple[Message, ...]" = ()


class _Payload(TypedDict):
    text: str
    blocks: tuple[Block, ...]


def render(reply: Reply, *, share: str = "", details: str = "", offers: Sequence[str] = ()) -> Message:
    """The reply as a message and its details; a token makes the button "Share" or "Details", if it helps.

    `offers` are the tokens of what a notice offers, in that order.
    """
    first, more = _pages(reply)
    buttons = [*_buttons(reply, share, details if more else ""), *_offers(reply, offers)]
    return _message(reply, [*first, *_row_of(buttons)], more)


def in_brief(reply: Reply, *, share: str = "", details: str = "", offers: Sequence[str] = ()) -> Message:
    """The same without its details, which take most of the time and are shown to whoever asks for them."""
    first, more = _pages(reply, at_most=1)
    buttons = [*_buttons(reply, share, details if more else ""), *_offers(reply, offers)]
    return _message(reply, [*first, *_row_of(buttons)], [])


def posting(reply: Reply) -> Message:
    """The message that "Share" posts: all of it was shown by `share_view`, whose room is limited."""
    return _message(reply, *_previewed(reply))


def note(reply: Digest | Summary) -> Message:
    """The words beside the file of a digest or the chart of a summary."""
    told = digest_cards.file_title(reply) if isinstance(reply, Digest) else summary_cards.CHART_TITLE
    return Message(label=reply.label, **_payload([Heading(_heading(reply.label, told))]))


def shareable(reply: Lookup) -> Lookup:
    """What is worth showing to others: without the indicators nobody may be told anything about.

    It stays where it is posted, so it tells when services answered and not how long ago that was.
    """
    told = (replace(entry, findings=tuple(filter(speaks, entry.findings))) for entry in reply.entries)
    known = tuple(entry for entry in told if not is_empty(entry))
    return replace(
        reply,
        entries=known,
        not_understood=(),
        asks_in_private=False,
        asks_later=False,
        is_red=False,
        wants_file=False,
        at=None,
    )


def details_view(reply: Reply, *, page: int = 0, private_metadata: str) -> Block:
    """A modal with one page (from 0) of the details, or the reply itself if it has none."""
    first, more = _pages(reply)
    shown = more or [first]
    page = min(max(page, 0), len(shown) - 1)
    turns = [Button(PREVIOUS, Words("Previous"), str(page - 1))] if page else []
    turns += [Button(NEXT, Words("Next"), str(page + 1))] if page + 1 < len(shown) else []
    label = _label(reply)
    heading = Heading(_part(reply, page, len(shown)) if more else _heading(label, _title(reply)))
    parts = [heading, *shown[page], *([Buttons(tuple(turns))] if turns else [])]
    return _modal(DETAILS_VIEW, "Details", parts, private_metadata)


def share_view(reply: Lookup, readers: Sequence[str], *, private_metadata: str) -> Block:
    """A modal that asks for confirmation: who will read it, under which label, and exactly what.

    `reply` is `shareable` of what was cleared for the readers; `readers` are the names of organisations.
    Without anything to share it has no button "Share".
    """
    label = _label(reply)
    if not reply.entries:
        return _modal(
            SHARE_VIEW, _SHARE_TITLE, [Heading(_heading(label, _NOTHING)), *_REFUSAL], private_metadata
        )
    first, more = _previewed(reply)
    thread = Paragraph(((Words("And in its thread", "bold"),),))
    parts = [
        Heading(_heading(label, "for everybody in this channel")),
        Paragraph(((Words("Who will read it", "bold"),), (words(", ".join(readers), at_most=10_000),))),
        Footnote(Words("So will any organisation that joins later: it can read the history.")),
        Paragraph(((Words("What will be posted", "bold"),), (_heading(label, _title(reply)),))),
        *first,
        *([thread] if more else []),
        *(part for page in more for part in page),
    ]
    submit = {"type": "plain_text", "text": "Share"}
    return {**_modal(SHARE_VIEW, _SHARE_TITLE, parts, private_metadata), "submit": submit}


def _message(reply: Reply, first: Sequence[Part], more: Sequence[Sequence[Part]]) -> Message:
    label = _label(reply)
    details = (
        Message(label=label, **_payload([Heading(_part(reply, number, len(more))), *page]))
        for number, page in enumerate(more)
    )
    shown = _payload([Heading(_heading(label, _title(reply))), *first])
    return Message(label=label, **shown, details=tuple(details))


def _pages(reply: Reply, *, at_most: int = MAX_DETAILS) -> tuple[tuple[Part, ...], list[tuple[Part, ...]]]:
    """What stands in the message itself, and what follows in its details."""
    notes, body = [*_missed(reply), *_hints(reply)], _body(reply)
    is_long = isinstance(reply, Lookup) and len(reply.entries) > 1  # what stands below may be on another page
    parts = [*_dated(reply), *_doubts(reply), *([*notes, *body] if is_long else [*body, *notes])]
    first, *rest = pages(parts) if parts else [()]
    if rest:
        first = (*first, Footnote(Words("Continued in the details.")))
    more = list(islice(chain(rest, pages(_full(reply))), at_most + 1))
    if len(more) > at_most:
        cut = Footnote(Words("There is more. Look up fewer indicators at once to see all of it."))
        more = [*more[: at_most - 1], (*more[at_most - 1], cut)]
    return first, more


def _previewed(reply: Reply) -> tuple[tuple[Part, ...], list[tuple[Part, ...]]]:
    """The pages that fit into one modal."""
    first, more = _pages(reply)
    kept: list[tuple[Part, ...]] = []
    for page in more:
        if len(first) + sum(map(len, kept)) + len(page) > _MAX_PREVIEW:
            break
        kept.append(page)
    return first, kept


def _doubts(reply: Reply) -> list[Part]:
    """Why so little is told, if Slack left open to whom; whatever the store holds, the words are the same."""
    audience = _audience(reply)
    if audience is None or audience.fresh:
        return []
    is_alone = audience.reach in (Reach.EPHEMERAL, Reach.DM)
    return [Footnote(Words(_NOBODY_NAMED if is_alone else _READERS_UNSURE))]


def _dated(reply: Reply) -> list[Part]:
    return dated(reply.as_of) if isinstance(reply, Lookup | Recent) else []


def _missed(reply: Reply) -> list[Part]:
    """So that nobody takes a mistyped hash for one that was looked up."""
    missed = reply.not_understood if isinstance(reply, Lookup) else ()
    if not missed:
        return []
    more = f" and {len(missed) - _MAX_MISSED} more" if len(missed) > _MAX_MISSED else ""
    return [Footnote(words(f"⚠️ Not understood, so not looked up: {', '.join(missed[:_MAX_MISSED])}{more}"))]


def _hints(reply: Reply) -> list[Part]:
    """Why services say nothing, and where the file is; the same words whatever is stored."""
    if not isinstance(reply, Lookup):
        return []
    told = (
        (_IN_PRIVATE, reply.asks_in_private),
        (_LATER, reply.asks_later),
        (RED, reply.is_red and not reply.asks_in_private),
        (_BY_MESSAGE, reply.wants_file and reply.cleared.audience.reach is Reach.EPHEMERAL),
    )
    return [Footnote(Words(text)) for text, is_so in told if is_so]


def _body(reply: Reply) -> list[Part]:
    match reply:
        case Notice(rows=rows, footer=footer):
            small_print = [Footnote(words(footer, at_most=1_000))] if footer else []
            return [*_rows(rows), *small_print]
        case Recent(cleared=cleared, period=period, more=more):
            return _recent(cleared, period, more)
        case Digest():
            return digest_cards.body(reply)
        case Summary():
            return summary_cards.body(reply)
        case Preview(told=told):
            return [Footnote(Words(_PREVIEW)), *_body(_written(told))]
        case Lookup(entries=()):
            return [*_REFUSAL]
        case Lookup(entries=(entry,), at=at):
            return card(entry, brief=True, at=at)
        case Lookup(entries=entries, at=at):
            hint = [Footnote(Words(NO_VERDICT))] if any(map(is_empty, entries)) else []
            findings = [entry.findings for entry in entries]
            sums = service_lines.sums(chain.from_iterable(findings), at)
            return [*service_lines.progress(findings), *sums, *hint, summary(entries)]


def _full(reply: Reply) -> Iterator[Part]:
    """What the details add to the message."""
    match reply:
        case Lookup(entries=(entry,), at=at):
            return iter([] if is_brief(entry) else card(entry, brief=False, at=at))
        case Lookup(entries=entries, at=at):
            return (part for entry in entries if not is_empty(entry) for part in titled(entry, at=at))
        case Digest():
            return digest_cards.complete(reply)
        case Preview(told=told):
            return _full(_written(told))
        case _:
            return iter(())


def _recent(cleared: Cleared, period: str, more: bool) -> list[Part]:
    if not cleared.shown:
        return [Paragraph(((words(f"Nothing to show for the last {period}."),),))]
    hint = "There is more: narrow it down by kind or family, for example “recent 24h domain”."
    return [newest(cleared.shown), *([Footnote(Words(hint))] if more else [])]


def _rows(rows: Sequence[Row]) -> Iterator[Part]:
    """What can be typed as a list, what only explains as text."""
    for is_code, group in groupby(rows, lambda row: bool(row.code)):
        lines = tuple(map(_row, group))
        yield Bullets(lines) if is_code else Paragraph(lines)


def _row(row: Row) -> Line:
    code = (words(row.code, "code"),) if row.code else ()
    return joined([code, (words(row.text, at_most=2_000),) if row.text or not code else ()], "  ")


def _buttons(reply: Reply, share: str, details: str) -> list[Button]:
    worth_sharing = isinstance(reply, Lookup) and any(map(_is_news, shareable(reply).entries))
    buttons = [Button(SHARE, Words("Share to channel…"), share)] if share and worth_sharing else []
    buttons += [Button(DETAILS, Words("Details"), details)] if details else []
    return buttons


def _row_of(buttons: Sequence[Button]) -> list[Part]:
    return [Buttons(tuple(buttons))] if buttons else []


def _offers(reply: Reply, tokens: Sequence[str]) -> list[Button]:
    offered = reply.offers if isinstance(reply, Notice) else ()
    named = zip(offered, tokens, strict=False)
    return [
        Button(f"{OFFER}{number}", Words(offer.words), token) for number, (offer, token) in enumerate(named)
    ]


def _is_news(entry: Entry) -> bool:
    """Whether it tells others anything: that a service knows nothing is not shared."""
    return bool(entry.assertions) or any(each.report is not None for each in entry.findings)


def _payload(parts: Sequence[Part]) -> "_Payload":
    return {"text": plain(parts, at_most=_MAX_FALLBACK), "blocks": blocks(parts)}


def _modal(callback: str, title: str, parts: Sequence[Part], private_metadata: str) -> Block:
    return {
        "type": "modal",
        "callback_id": callback,
        "title": {"type": "plain_text", "text": title},
        "close": {"type": "plain_text", "text": "Close"},
        "private_metadata": private_metadata,
        "blocks": blocks(parts, tables=False),
    }


def _label(reply: Reply) -> Label:
    match reply:
        case Lookup(cleared=cleared) | Recent(cleared=cleared):
            return cleared.label
        case Preview(told=told):
            return told.label
        case _:
            return reply.label


def _audience(reply: Reply) -> Audience | None:
    """Who will read it; None for words about Liaison itself."""
    match reply:
        case Notice():
            return None
        case Lookup(cleared=cleared) | Recent(cleared=cleared):
            return cleared.audience
        case _:
            return reply.audience


def _written(told: Written) -> Digest | Summary:
    if isinstance(told, Digest | Summary):
        return told
    raise TypeError("only digests and summaries are written")


def _title(reply: Reply) -> str:
    match reply:
        case Notice(title=title):
            return title
        case Recent(cleared=cleared, period=period, more=more):
            number = len(cleared.shown)
            new = f"newest {number} of the last {period}" if more else f"{number} new in the last {period}"
            return new if cleared.shown else _NOTHING
        case Digest():
            return digest_cards.title(reply)
        case Summary():
            return summary_cards.title(reply)
        case Preview(told=told):
            return f"preview of the {_title(_written(told))}"
        case Lookup(entries=(entry,)):
            return headline(entry)
        case Lookup(entries=entries):
            return f"{len(entries)} indicators: {counts(entries)}"


def _heading(label: Label, title: str) -> Words:
    prefix = f"{label} · "
    return Words(prefix + words(title, at_most=MAX_HEADER - len(prefix)).text)


def _part(reply: Reply, number: int, total: int) -> Words:
    name = "digest list" if isinstance(reply, Digest) else "details"
    return _heading(_label(reply), f"{name} {number + 1} of {total}" if total > 1 else name)
