"""What Slack's composer makes of typed text: the form in which apps receive and send it."""

import re

# A token that is already in Slack's form is kept: a picked mention, a channel, a link.
_TOKEN = re.compile(
    r"<(?:[@#][A-Z0-9]{2,32}|https?://[^<>\s]{1,2000}|mailto:[^<>\s]{1,400})(?:\|[^<>]{0,400})?>"
)
_LINK = re.compile(
    r"(?P<url>https?://[^\s<>\"|]{1,2000})"
    r"|(?P<mail>\b[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,8})"
    r"|(?<![\w.@/-])(?P<host>(?:[A-Za-z0-9-]{1,63}\.){1,8}(?:com|net|org|info|biz|io|ru|cn|uk|de|fr|eu|top|xyz))(?![\w-])"
)


def wire(text: str) -> str:
    """The text as Slack hands it to an app: `& < >` escaped, URLs, bare domains and addresses made links."""
    parts: list[str] = []
    end = 0
    for token in _TOKEN.finditer(text):
        parts += [_linked(text[end : token.start()]), token.group()]
        end = token.end()
    return "".join([*parts, _linked(text[end:])])


def escape(text: str) -> str:
    """Slack's three entities. https://docs.slack.dev/messaging/formatting-message-text/#escaping"""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _linked(text: str) -> str:
    parts: list[str] = []
    end = 0
    for link in _LINK.finditer(text):
        parts += [escape(text[end : link.start()]), _link(link)]
        end = link.end()
    return "".join([*parts, escape(text[end:])])


def _link(link: re.Match[str]) -> str:
    shown = escape(link.group())
    if link["url"]:
        return f"<{shown}>"
    return f"<mailto:{shown}|{shown}>" if link["mail"] else f"<http://{shown}|{shown}>"
