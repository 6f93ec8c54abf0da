"""Markings met on the way to one assertion, added up: the strictest counts, an unread one quarantines."""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

from bot import tlp
from bot.errors import InputError
from bot.tlp import UNMARKED, Label, Pap

_Level = TypeVar("_Level", Label, Pap)


@dataclass(frozen=True)
class Marking:
    """What the markings on one thing come to."""

    label: Label | None = None  # None: none found
    unread: bool = False  # one was found that nobody here understands
    pap: Pap | None = None

    def __or__(self, other: "Marking") -> "Marking":
        return Marking(
            _stricter(self.label, other.label), self.unread or other.unread, _stricter(self.pap, other.pap)
        )

    def resolved(self, default: Label) -> Label:
        """The label of the assertion: what was found, the default for none, never less than an unread one."""
        found = default if self.label is None else self.label
        return max(UNMARKED, found) if self.unread else found

    def allows(self, other: "Marking", default: Label) -> bool:
        """Whether a fact marked `other` may stand in an assertion marked like this."""
        within = other.label is None or other.label <= self.resolved(default)
        return within and (not other.unread or self.unread)


NONE = Marking()
UNREAD = Marking(unread=True)
UNREADABLE_TAG = "tlp:?"  # stands for a tag that is no text


def of_label(text: object) -> Marking:
    """A field that should hold a TLP label; empty is none."""
    if text is None or (isinstance(text, str) and not text.strip()):
        return NONE
    try:
        return Marking(tlp.parse(_plain(text))) if isinstance(text, str) else UNREAD
    except InputError:
        return UNREAD


def of_pap(text: object) -> Marking:
    """A field that should hold a PAP level; one that cannot be read permits nothing."""
    if text is None or (isinstance(text, str) and not text.strip()):
        return NONE
    try:
        return Marking(pap=tlp.parse_pap(_plain(text))) if isinstance(text, str) else Marking(pap=Pap.RED)
    except InputError:
        return Marking(pap=Pap.RED)


def of_tag(tag: str) -> Marking | None:
    """A tag, if it is a marking: everything that begins with `tlp` or `pap:`. None for other tags."""
    plain = _plain(tag).casefold()
    if plain.startswith("tlp"):
        return of_label(plain)
    return of_pap(plain) if plain.startswith("pap:") else None


def of_tags(tags: Iterable[str]) -> Marking:
    """All the markings among tags."""
    total = NONE
    for tag in tags:
        total |= of_tag(tag) or NONE
    return total


def _plain(text: str) -> str:
    """Full-width letters and colons as plain ones, so that no look-alike hides a label."""
    return unicodedata.normalize("NFKC", text[:200]).strip()


def _stricter(one: _Level | None, other: _Level | None) -> _Level | None:
    if one is None or other is None:
        return other if one is None else one
    return max(one, other)
