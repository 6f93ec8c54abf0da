"""Amends: what of a post may still be shown, and the words that take the place of the rest. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import msgspec

from bot.assertions import Assertion
from bot.blocks import Message
from bot.deliveries import FIGURES, Item, Note, Post
from bot.digest_cards import table
from bot.digests import rank
from bot.indicators import Indicator
from bot.layout import Footnote, Heading, Paragraph, Part, Words, blocks, pages, plain, words
from bot.sharing import UNKNOWN, Audience, Cleared, World, called, clear, may_release
from bot.tlp import Label

SERVICE = (
    "service:"  # before the name of an external service, in the place of a source; no slug holds a colon
)
NOTE = "correction"  # the purpose of posts that tell of corrections
LISTED = 25  # entries in a corrected post
_NAMED = 10  # entries in a note
_MAX_FALLBACK = 3_800
_PURPOSES = {"answer": "answer", "share": "answer", "digest": "digest", "summary": "summary"}
_COPIED = "Liaison cannot take back what people have read, copied or been notified of."
_COUNTED = "Summaries that counted an entry leave their figures as they were."

Key = tuple[str, Indicator]
Stored = Mapping[Key, Assertion]


@dataclass(frozen=True)
class Judged:
    """One post as its readers of now may see it."""

    post: Post
    stay: tuple[Assertion, ...] = ()
    kept: tuple[Item, ...] = ()  # items that stay, under the labels of now
    taken: tuple[Item, ...] = ()  # may stand there no longer
    stale: tuple[Item, ...] = ()  # may, but not as it stands there
    names_too_much: bool = False  # a source by a name that not all readers may know

    @property
    def is_affected(self) -> bool:
        """Whether it must not stay as it is."""
        return bool(self.taken or self.stale or self.names_too_much)


def judge(post: Post, stored: Stored, audience: Audience, world: World) -> Judged:
    """Decide for everything that a post shows; `stored` holds what is known of it now."""
    doing = post.amending
    wished = set(map(key, doing.wished)) if doing else set[Key]()
    changed = set(map(key, doing.changed)) if doing else set[Key]()
    stay: dict[Key, Assertion] = {}
    kept, taken, stale = list[Item](), list[Item](), list[Item]()
    for item in post.items:
        one = _claim(item, post, stored, world)
        if one is None or key(item) in wished or not _may_stand(one, post, audience, world):
            taken.append(item)
            continue
        stay[key(item)] = one
        kept.append(msgspec.structs.replace(item, label=max(item.label, one.label)))
        if one.label > item.label or (one.revoked and key(item) in changed and post.purpose != NOTE):
            stale.append(item)  # a note has said that it was revoked, under the label of then
    shown = tuple(one for place, one in stay.items() if not place[0].startswith((SERVICE, FIGURES)))
    is_known = all(_is_called_as_then(one.source, post, audience, world) for one in shown)
    return Judged(post, shown, tuple(kept), tuple(taken), tuple(stale), names_too_much=not is_known)


def key(item: Item) -> Key:
    """What an item is about, whatever its label."""
    return item.source, item.indicator


def corrected(judged: Judged, audience: Audience, world: World) -> Message | None:
    """What a post says instead; None if nothing of it can be said. What services said is left out."""
    if not judged.stay or is_file(judged.post) or judged.post.purpose == NOTE:
        return None
    cleared = clear(judged.stay, audience, world)
    if not cleared.shown:
        return None
    best = sorted(cleared.shown, key=rank)
    more = len(best) - LISTED
    parts: list[Part] = [
        Paragraph(((*_of(judged.post), Words(", corrected. What may be shown here now:")),)),
        table(best[:LISTED]),
        *(
            [Footnote(Words(f"{more:,} more were shown here: look them up or ask for “recent”."))]
            if more > 0
            else []
        ),
    ]
    return _message(cleared.label, f"corrected {_PURPOSES.get(judged.post.purpose, 'post')}", parts)


def note(post: Post, about: Sequence[Item], cleared: Cleared) -> Message:
    """A word to those who read what was corrected: it names only what they may still see."""
    others = len(_entries_of(about)) - len(cleared.shown)
    parts: list[Part] = [Paragraph(((*_of(post), Words(" was corrected.")),))]
    if cleared.shown:
        parts += [
            Paragraph(((Words("Withdrawn or marked anew by their source:"),),)),
            table(sorted(cleared.shown, key=rank)),
        ]
    if others > 0:
        why = "withdrawn, or not for everybody who reads here now"
        parts.append(Paragraph(((Words(f"No longer shared here: {_entries(others)}, {why}."),),)))
    if _has_figures(about):
        parts.append(Paragraph(((Words("Its figures go: they were counted for other readers."),),)))
    return _message(cleared.label, "correction", [*parts, _small_print(about)])


def notice(post: Post, note: Note, readers: Iterable[str], cleared: Cleared, world: World) -> Message:
    """A word to a source in its own channel: what of its entries had been readable, and by whom."""
    names = sorted({called(org, cleared.audience, world) for org in readers})
    others = len(_entries_of(note.about)) - len(cleared.shown)
    who = words(", ".join(names) or "nobody else", at_most=1_000)
    place = "in a direct conversation" if is_direct(post) else "in another channel"
    why = _CAUSES.get(note.cause, "no longer shows entries of your organisation")
    told = (*_of(post), Words(f" {place} {why}. Until then it could be read by: "), who)
    parts: list[Part] = [
        Paragraph((told,)),
        *([table(sorted(cleared.shown, key=rank))] if cleared.shown else []),
    ]
    if others > 0:
        parts.append(Paragraph(((Words(f"Not to be named in this channel: {_entries(others)}."),),)))
    title = "what you changed was corrected" if note.cause == "changed" else "your entries were taken back"
    return _message(cleared.label, title, [*parts, _small_print(note.about)])


def for_operators(post: Post, about: Sequence[Item], readers: Iterable[str], untold: Iterable[str]) -> str:
    """The same for the host, without data; `untold` are sources for which there is no channel."""
    who = ", ".join(sorted(readers)) or "nobody known"
    missing = ", ".join(sorted(untold))
    entries = len(_entries_of(about))
    gone = [*([_entries(entries)] if entries else []), *(["its figures"] if _has_figures(about) else [])]
    place = f"the direct conversation {post.channel}" if is_direct(post) else post.channel
    return (
        f"The {post.purpose} in {place} of {_day(post.posted_at)} "
        f"does not show {' and '.join(gone)} any more. "
        f"Until then these could read it: {who}. {_COPIED}"
        + (f" {_COUNTED}" if entries else "")
        + (f" Tell these sources yourself, Liaison has no channel for it: {missing}." if missing else "")
    )


def named(note: Note, stored: Stored, audience: Audience, world: World) -> list[Assertion]:
    """Those of the claims that may be named to that audience, as far as nobody wished otherwise."""
    known = {key(item): stored[key(item)] for item in note.about if key(item) in stored}
    for item in note.wished:
        known.pop(key(item), None)
    return [one for one in known.values() if may_release(one, audience, world).release][:_NAMED]


def cause(about: Iterable[Item], wished: Iterable[Item], changed: Iterable[Item]) -> str:
    """Why entries went: changed by their source, wished, or for the sake of readers; "" for several."""
    keys, asked, anew = (set(map(key, items)) for items in (about, wished, changed))
    if keys <= anew - asked:
        return "changed"
    if keys <= asked:
        return "wished"
    return "" if keys & (asked | anew) else "readers"


def is_direct(post: Post) -> bool:
    """Whether one person alone reads it; Slack's ids of direct conversations begin with a D."""
    return post.channel.startswith("D")


def is_file(post: Post) -> bool:
    """Whether it is a file, which can be deleted and not edited."""
    return post.ts in post.files


def root(post: Post) -> str:
    """The message that its thread hangs on."""
    return post.thread or post.ts


def _claim(item: Item, post: Post, stored: Stored, world: World) -> Assertion | None:
    """What a service said was cleared for those who could read it then; figures as their post says."""
    if not item.source.startswith((SERVICE, FIGURES)):
        return stored.get(key(item))
    is_counted = item.source == FIGURES
    readers = frozenset(post.entitled if is_counted else post.readers)
    return Assertion(
        indicator=item.indicator,
        source=world.host,
        label=item.label,
        addressed_to=readers,
        only_orgs=readers if is_counted and UNKNOWN not in readers else None,
    )


def _may_stand(one: Assertion, post: Post, audience: Audience, world: World) -> bool:
    return may_release(one, audience, _as_posted(one, post, world)).release


def _is_called_as_then(source: str, post: Post, audience: Audience, world: World) -> bool:
    then = replace(audience, orgs=frozenset(post.readers) or audience.orgs)
    joined = replace(then, orgs=then.orgs | audience.orgs)
    return called(source, then, world) == called(source, joined, world)


def _as_posted(one: Assertion, post: Post, world: World) -> World:
    """What expires after it was posted may stand there: it was true then, and nobody took it back."""
    if one.not_after is not None and post.posted_at <= one.not_after < world.now:
        return replace(world, now=one.not_after)
    return world


def _of(post: Post) -> tuple[Words, ...]:
    purpose = _PURPOSES.get(post.purpose, "post")
    return (Words(f"The {purpose} of {_day(post.posted_at)}"),)


def _entries_of(about: Iterable[Item]) -> set[Key]:
    return {key(item) for item in about if item.source != FIGURES}


def _has_figures(about: Iterable[Item]) -> bool:
    return any(item.source == FIGURES for item in about)


def _small_print(about: Iterable[Item]) -> Footnote:
    return Footnote(Words(f"{_COPIED} {_COUNTED}" if _entries_of(about) else _COPIED))


def _day(time: datetime) -> str:
    return f"{time:%d %b %Y %H:%M} UTC"


def _entries(number: int) -> str:
    return "1 entry" if number == 1 else f"{number:,} entries"


def _message(label: Label, title: str, parts: Sequence[Part]) -> Message:
    first = [Heading(Words(f"{label} · {title}")), *next(iter(pages(parts)))]
    return Message(label=label, text=plain(first, at_most=_MAX_FALLBACK), blocks=blocks(first))


_CAUSES = {
    "changed": "was corrected, for it showed what your organisation has withdrawn or marked anew",
    "wished": "no longer shows entries of your organisation, as was asked with “retract”",
    "readers": "no longer shows entries of your organisation, for others read there now",
}
