"""What must never be in a payload to Slack: live markup, mentions, links, hidden characters, no label.

The tests ask it about everything that would be sent. It shares no code with the rendering or with the
defanging that it judges, and refuses what it does not know.
"""

import html
import re
import unicodedata
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import resources

# Element types that show text and nothing else; user, usergroup, channel, broadcast, mrkdwn, markdown, image,
# video and whatever Slack invents next are absent on purpose. For the one kind of link see `_is_known_page`.
_HARMLESS = re.compile(
    r"header|section|divider|context|actions|input|button|plain_text_input|static_select|conversations_select"
    r"|rich_text(_section|_list|_quote|_preformatted)?|text|date|table|raw_text|plain_text|modal|home"
)
_UNSEEN = re.compile(
    r"type|(action|block|callback|external|trigger|view)_id|private_metadata|value|style|name|format|channel"
    r"|user|hash|ts|thread_ts|response_action|initial_conversation"
)
_DANGEROUS = {
    "url": "links",
    "image_url": "loads an image",
    "attachments": "is parsed as mrkdwn",
    "markdown_text": "is parsed as Markdown",
    "link_names": "makes mentions of names",
    "title_link": "links",
    "icon_url": "loads an image",
}
_DATE = re.compile(r"<!date\^\d{1,12}\^[A-Za-z0-9 {}_:,-]{1,60}\|[A-Za-z0-9 :,-]{1,60}>")
_BARE = re.compile(r"[<>]|&(?!amp;|lt;|gt;)")
_LABEL = re.compile(r"TLP:(CLEAR|GREEN|AMBER\+STRICT|AMBER|RED)(?![A-Za-z+])")
_SCHEME = re.compile(
    r"(?<![a-z0-9])(?:(?:https?|s?ftps?|wss?|file|smb|ldaps?|ssh|git|tcp|udp|rdp|vnc|slack)://\S"
    r"|mailto:[^\s@]{1,64}@)"
)
_DOTTED = re.compile(r"[\w-]{1,63}(?:\.[\w-]{1,63})+")
_DOTTED_ASCII = re.compile(_DOTTED.pattern, re.ASCII)
# Full-width forms and East Asian full stops: browsers read them as ASCII in addresses.
_WIDE = {**{0xFEE0 + code: chr(code) for code in range(0x21, 0x7F)}, 0x3002: ".", 0xFF61: "."}
_BLANK = "\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0"  # letters and marks that show nothing
# Pages of external services about one hash or one entry of theirs: what stands before and behind the digits.
_KNOWN_PAGES = (
    ("https://www.virustotal.com/gui/file/", ""),
    ("https://www.virustotal.com/gui/url/", ""),
    ("https://opentip.kaspersky.com/", ""),
    ("https://opentip.kaspersky.com/", "/"),
    ("https://hashlookup.circl.lu/lookup/md5/", ""),
    ("https://hashlookup.circl.lu/lookup/sha1/", ""),
    ("https://hashlookup.circl.lu/lookup/sha256/", ""),
    ("https://bazaar.abuse.ch/sample/", "/"),
    ("https://threatfox.abuse.ch/ioc/", "/"),
    ("https://urlhaus.abuse.ch/url/", "/"),
)
_HEX = frozenset("0123456789abcdefABCDEF")
_QUAD = re.compile(r"(?:\d{1,3}\.){3}\d{1,3}", re.ASCII)


def unsafe(payload: object) -> list[str]:
    """What a message, view or list of blocks holds that must not be sent, a sentence each; empty if none."""
    found = [*_walk(payload, "payload")]
    if isinstance(payload, Mapping):
        if isinstance(payload.get("text"), str):
            found += _live_markup(payload["text"], "payload.text")
        if payload.get("response_type") == "in_channel":
            found.append("payload.response_type: in_channel shows everybody what the asker typed.")
        found += [
            f"payload.{key}: would make Slack fetch links."
            for key in ("unfurl_links", "unfurl_media")
            if payload.get(key)
        ]
    return found


def unlabelled(payload: Mapping[str, object]) -> list[str]:
    """Where a message or view does not start with its TLP label; empty if it does everywhere."""
    found = []
    text, blocks = payload.get("text"), payload.get("blocks")
    if "type" not in payload and not (isinstance(text, str) and _LABEL.match(text)):
        found.append("payload.text: does not start with a TLP label.")
    if blocks is not None and not _LABEL.match(_first_words(blocks)):
        found.append("payload.blocks: do not start with a TLP label.")
    return found


def _walk(value: object, path: str) -> Iterator[str]:
    if isinstance(value, Mapping):
        kind = value.get("type")
        if kind == "link":
            yield from _link(value, path)
            return
        if kind is not None and not _HARMLESS.fullmatch(str(kind)):
            yield f"{path}: is of type {kind}, which is more than text."
        for key, each in value.items():
            if key in _DANGEROUS:
                yield f"{path}.{key}: {_DANGEROUS[key]}."
            if not _UNSEEN.fullmatch(str(key)):
                yield from _walk(each, f"{path}.{key}")
    elif isinstance(value, list | tuple):
        for number, each in enumerate(value):
            yield from _walk(each, f"{path}[{number}]")
    elif isinstance(value, str):
        yield from _hidden(value, path)
        yield from _clickable(value, path)


def _link(element: Mapping[str, object], path: str) -> Iterator[str]:
    """Words of ours that open a page known to be harmless, and nothing else about them."""
    if element.keys() != {"type", "url", "text", "style"} or element["style"] != {"bold": True}:
        yield f"{path}: is a link of another form than ours."
    if not _is_known_page(element.get("url")):
        yield f"{path}.url: leads elsewhere than to a known page about a hash."
    if not element.get("text"):
        yield f"{path}.text: is missing, so Slack would show the address."
    yield from _walk(element.get("text"), f"{path}.text")


def _is_known_page(url: object) -> bool:
    if not isinstance(url, str):
        return False
    middles = (
        url[len(start) : len(url) - len(end)]
        for start, end in _KNOWN_PAGES
        if url.startswith(start) and url.endswith(end)
    )
    return any(0 < len(middle) <= 128 and set(middle) <= _HEX for middle in middles)


def _hidden(text: str, path: str) -> Iterator[str]:
    for character in sorted(set(text) - {"\n", "\t"}):
        if unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp") or character in _BLANK:
            yield f"{path}: holds U+{ord(character):04X}, which cannot be seen."


def _live_markup(text: str, path: str) -> Iterator[str]:
    if bare := _BARE.search(_DATE.sub("", text)):
        yield f"{path}: holds an unescaped {bare[0]}."


def _clickable(text: str, path: str) -> Iterator[str]:
    """Whatever a chat client might make a link of, read as generously as the most eager one would."""
    plain = html.unescape(_DATE.sub("", text)).translate(_WIDE).lower()
    if found := _SCHEME.search(plain):
        yield f"{path}: {found[0]!r} starts a link."
    for address in {found[0] for each in (_DOTTED, _DOTTED_ASCII) for found in each.finditer(plain)}:
        if _is_address(address):
            yield f"{path}: {address!r} can be clicked."


def _is_address(dotted: str) -> bool:
    last = dotted.rpartition(".")[2]
    return dotted.startswith("www.") or last in _top_level() or _QUAD.fullmatch(dotted) is not None


@cache
def _top_level() -> frozenset[str]:
    """Last labels of all public suffixes, in both spellings."""
    rules = resources.files("publicsuffixlist").joinpath("public_suffix_list.dat").read_text("utf-8")
    labels = {line.split()[0].rpartition(".")[2] for line in rules.splitlines() if line and line[:2] != "//"}
    return frozenset(labels | {label.encode("idna").decode() for label in labels})


def _first_words(value: object) -> str:
    """The first text a reader sees."""
    if isinstance(value, Mapping):
        if isinstance(value.get("text"), str):
            return str(value["text"])
        return next(filter(None, map(_first_words, value.values())), "")
    if isinstance(value, list | tuple):
        return next(filter(None, map(_first_words, value)), "")
    return ""
