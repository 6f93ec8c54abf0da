"""Refang: make defanged and marked-up text readable again, in this one place, which remembers where."""

import re
from bisect import bisect_right
from collections.abc import Callable

# Stands for a dot that somebody defanged: such a token is an address on purpose, whatever it looks like.
DEFANGED_DOT = "\ue000"

_UNSEEN = "\u00ad\u034f\u061c\u115f\u1160\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufe0f\ufeff\ue000"
_INVISIBLE = re.compile(f"[{_UNSEEN}]+")
_FULL_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
_LOOK_ALIKES = str.maketrans(
    "\u3002\uff61\u2024\u2010\u2011\u2012\ufe63\u2215\u2044\u00a0\u2007\u202f\u3000", "...----//    "
)
_LOOK_ALIKES |= _FULL_WIDTH

# https://docs.slack.dev/messaging/formatting-message-text: links, mentions and three entities.
_SLACK = re.compile(
    r"[<&](?:(?P<link>(?:https?|ftp|mailto):[^<>|\s]{1,8000})(?:\|(?P<label>[^<>\n]{0,8000}))?>"
    r"|[@#!][^<>\n]{1,300}>|(?:tel|sip):[^<>\n]{1,300}>|(?P<entity>amp|lt|gt);)"
)
_ENTITIES = {"amp": "&", "lt": "<", "gt": ">"}

# One class of first characters, so that the search skips quickly over all others.
_MARK = re.compile(
    r"[ \[({<\\\]](?:"
    r"(?<=[\[({]) ?(?P<sign>[.:/@]{1,3}|[dD][oO][tT]|[aA][tT]) ?[\])}]"
    r"|(?<= )[\[({](?<=\w [\[({])(?P<spaced>[.@]|[dD][oO][tT]|[aA][tT])[\])}] (?=\w)"  # evil [dot] example
    r"|(?<=<)(?P<angled>[.@])>"
    r"|(?<=[\[(])(?P<scheme>[hH][tTxX]{2}[pP][sS]?)[\])](?=:)"
    r"|(?<=\w\[)(?P<opened>[.:])(?=\w)"
    r"|(?<=\w\.\])(?P<closed>)(?=\w)"  # only the bracket goes
    r"|(?<=\w\\)(?P<escaped>[._])(?=\w)"
    r"|(?<=[\w:/]\\)(?P<slash>/))"  # JSON: http:\/\/evil.example\/a
)
_WORDS = {"dot": ".", "at": "@"}
_DOTTED_NEXT = re.compile(r"[\w-]{1,63}(?:\.| ?[\[({](?:\.|[dD][oO][tT]))")  # so that array[at] stays

_SCHEME = re.compile(
    r"(?<![a-z0-9])(?:(?P<http>h[tx*_]{2}p|meow)|f[tx*]p)(?P<secure>s?)(?=://|\Z)", re.IGNORECASE
)


class Readable:
    """A text made readable, which knows where each of its characters stood in the original."""

    __slots__ = ("_layers", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self._layers: list[tuple[list[int], list[int]]] = []

    def origin(self, position: int) -> int:
        """The offset in the original of an offset in the readable text."""
        for new, old in reversed(self._layers):
            at = bisect_right(new, position) - 1
            position = old[at] + position - new[at]
        return position

    def rewrite(self, pattern: re.Pattern[str], replacement: Callable[[re.Match[str]], str | None]) -> None:
        """Replace every match; None leaves one as it is."""
        pieces: list[str] = []
        new, old = [0], [0]
        done = length = 0
        for found in pattern.finditer(self.text):
            instead = replacement(found)
            if instead is None:
                continue
            start, end = found.span()
            pieces += (self.text[done:start], instead)
            length += start - done
            new += (length, length + len(instead))
            old += (start, end)
            length += len(instead)
            done = end
        if done:
            self.text = "".join((*pieces, self.text[done:]))
            self._layers.append((new, old))


def readable(text: str) -> Readable:
    """Undo what hides addresses: invisible and wide characters, Slack's markup, every common defanging.

    Dots that were defanged come out as DEFANGED_DOT; schemes stay as they are, see `live_scheme`.
    """
    result = Readable(text)
    if not text.isascii():
        result.text = text.translate(_LOOK_ALIKES)
        result.rewrite(_INVISIBLE, lambda found: "")
    if "<" in text or "&" in text:
        result.rewrite(_SLACK, _without_markup)
    result.rewrite(_MARK, _without_mark)
    return result


def refang(text: str) -> str:
    """A value as it was before somebody defanged it: `hxxp[:]//evil[.]example` is http://evil.example."""
    plain = readable(text).text.replace(DEFANGED_DOT, ".")
    return _SCHEME.sub(_live_scheme, plain) if "://" in plain else plain


def live_scheme(text: str) -> str:
    """The scheme that a defanged one stands for, in lower case: `hXXps` is https."""
    return _SCHEME.sub(_live_scheme, text.lower())


def _live_scheme(found: re.Match[str]) -> str:
    return ("http" if found["http"] else "ftp") + found["secure"].lower()


def _without_markup(found: re.Match[str]) -> str:
    link, label, entity = found.group("link", "label", "entity")
    if entity:
        return _ENTITIES[entity]
    if link is None:
        return " "
    link = link.removeprefix("mailto:").replace("&amp;", "&")
    apart = (
        "" if found.string.endswith("://", 0, found.start()) else " "
    )  # hxxp://<http://evil.example/a|...>
    label = (label or "").replace("&amp;", "&")
    if "/" not in label and link == f"http://{label}":  # Slack linked a bare domain; nobody typed a URL
        return f"{apart}{label} "
    return f"{apart}{link} " if label in link else f"{apart}{link} {label} "


def _without_mark(found: re.Match[str]) -> str | None:
    name = found.lastgroup or ""
    written = found[name]
    sign = _WORDS.get(written.lower(), written)
    if sign == "@" and written != sign and not _DOTTED_NEXT.match(found.string, found.end()):
        return None
    return DEFANGED_DOT if sign == "." and name != "escaped" else sign
