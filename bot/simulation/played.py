"""Played: what really happened in a simulated day, as the sandbox heard it. Pure.

Of what was shown only the words are kept that give away a claim, looked for wherever they stand, files
included, in the forms that people write them.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.simulation.world import Claim

SERVICE = "service"  # the kind of what a service was asked
SETTLED = timedelta(seconds=60)  # readers and claims younger than that may not be known yet

_WORD = re.compile(r"\b(?:zq[0-9a-f]{11}|zd[0-9a-f]{11}|[0-9a-f]{64}|[0-9a-f]{32})\b", re.ASCII)
_ADDRESS = re.compile(r"\b45\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}\b", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class Told:
    """Something that somebody could read from that moment on: a message, an edit, a modal, a question."""

    at: datetime
    place: str  # a channel's id, or the name of a service
    kind: str  # channel, mpim, im, ephemeral, modal or service
    ts: str
    thread: str = ""
    nonce: str = ""  # of what the bot says by itself
    is_edit: bool = False
    readers: frozenset[str]  # users
    orgs: frozenset[str]  # organisations in it by connection or invitation: slugs, "" for strangers
    newcomers: frozenset[str] = frozenset()  # users and organisations that read along for less than SETTLED
    words: frozenset[str]  # that give away a claim: see `telling`
    head: str = ""


@dataclass(frozen=True, kw_only=True)
class Arrived:
    """When a batch of the script was really stored."""

    begun: datetime
    done: datetime


@dataclass(frozen=True, kw_only=True)
class Standing:
    """What stands in a channel in the end."""

    place: str
    ts: str
    nonce: str
    thread: str
    words: frozenset[str]
    head: str


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What became of a question."""

    number: int
    at: datetime
    seconds: float | None  # real ones until it was answered; None: it never was
    refusals: int = 0  # polite ones, before
    tries: int = 1


@dataclass(frozen=True)
class Heard:
    """What the sandbox has to say of a day."""

    told: Sequence[Told]
    standing: Sequence[Standing]
    asked: Sequence[Asked]
    calls: Counter[tuple[datetime, str, bool]]  # by hour, tier, whether it was one too many


@dataclass(frozen=True, kw_only=True)
class Play:
    """What really happened."""

    told: Sequence[Told]
    standing: Sequence[Standing]
    asked: Sequence[Asked]
    batches: Sequence[Arrived]  # one for each of the script's


def telling(text: str) -> frozenset[str]:
    """The words in a text that give away a claim, defanged or not."""
    plain = text.casefold().replace("[.]", ".").replace("(.)", ".").replace("&#46;", ".")
    return frozenset((*_WORD.findall(plain), *_ADDRESS.findall(plain)))


def names(claim: Claim) -> frozenset[str]:
    """The words that give a claim away: that of its value, and that of its family."""
    return telling(f"{claim.value} {claim.family}")
