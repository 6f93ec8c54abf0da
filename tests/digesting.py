"""What the tests of digests and summaries are made of: claims, readers, and all that would be sent."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.assertions import Assertion
from bot.attachments import attachments
from bot.blockkit import message_problems
from bot.blocks import Message
from bot.digests import Digest, build
from bot.indicators import Indicator, Kind
from bot.postings import postings
from bot.sharing import Audience, Cleared, Reach, World, clear
from bot.summaries import Summary
from bot.tlp import Label
from tests.oracle import unlabelled, unsafe

NOW = datetime(2026, 11, 23, 0, 0, tzinfo=UTC)
SINCE = NOW - timedelta(days=1)
WORLD = World(
    host="igci",
    now=NOW,
    in_force=frozenset({"kaspersky", "trendmicro", "bureau"}),
    community=frozenset({"kaspersky", "trendmicro", "bureau"}),
    names={
        "igci": "Cyber Fusion Centre",
        "kaspersky": "Kaspersky",
        "trendmicro": "Trend Micro",
        "bureau": "National Bureau",
    },
    aliases={"kaspersky": "Partner K"},
)
CHANNEL = Audience(
    reach=Reach.CHANNEL, orgs=frozenset({"igci", "trendmicro"}), cap=Label.AMBER_STRICT, read_at=NOW
)
HOST_ONLY = Audience(reach=Reach.CHANNEL, orgs=frozenset({"igci"}), cap=Label.AMBER_STRICT, read_at=NOW)


def domain(number: int) -> Indicator:
    return Indicator(Kind.DOMAIN, f"host{number}.example.org")


def claim(indicator: Indicator | int, source: str = "kaspersky", **facts: Any) -> Assertion:
    about = domain(indicator) if isinstance(indicator, int) else indicator
    return Assertion(indicator=about, source=source, **{"label": Label.GREEN, **facts})


def seen(*claims: Assertion, audience: Audience = CHANNEL) -> Cleared:
    return clear(claims, audience, WORLD)


def digest_of(*claims: Assertion, audience: Audience = CHANNEL, **more: Any) -> Digest:
    return build(seen(*claims, audience=audience), **{"since": SINCE, "until": NOW, **more})


def payload(message: Message) -> Mapping[str, object]:
    return {"text": message.text, "blocks": message.blocks}


def complaints(reply: Digest | Summary) -> Iterator[str]:
    """What Slack, the oracle, or a reader who looks for the label would say of its messages."""
    for posting in postings(reply):
        sent = payload(posting.message)
        yield from message_problems(sent)
        yield from unsafe(sent)
        yield from unlabelled(sent)


def everything_sent(digest: Digest) -> list[object]:
    """All bytes of it: messages and files."""
    said = [(posting.message.text, posting.message.blocks) for posting in postings(digest)]
    return [*said, *((file.name, file.content) for file in attachments(digest))]
