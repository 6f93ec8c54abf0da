"""Edition: a digest or summary as it was written for certain readers, kept until all of it is delivered."""

from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256
from typing import Any

import msgspec

from bot.blocks import Message
from bot.deliveries import Item
from bot.delivery.posting import Letter
from bot.sharing import Audience
from bot.tlp import Label

_encoder = msgspec.json.Encoder(order="deterministic")


class Sheet(msgspec.Struct, frozen=True, kw_only=True):
    """One message and what it shows."""

    label: Label
    text: str
    blocks: tuple[Mapping[str, Any], ...] = ()
    items: tuple[Item, ...] = ()


class File(msgspec.Struct, frozen=True, kw_only=True):
    """A file, the words that stand with it, and those that are posted if no file can be."""

    name: str  # unique beneath its message
    content: bytes
    words: Sheet
    instead: Sheet


class Edition(msgspec.Struct, frozen=True, kw_only=True):
    """What one delivery posts: the first sheet in the channel, the others and the file beneath it."""

    audience: Audience
    sheets: tuple[Sheet, ...]
    file: File | None = None

    def letter(self, sheet: Sheet) -> Letter:
        """A sheet as it is posted."""
        return Letter(Message(label=sheet.label, text=sheet.text, blocks=tuple(sheet.blocks)), self.audience)


_decoder = msgspec.json.Decoder(Edition)


def sheet(message: Message, items: tuple[Item, ...]) -> Sheet:
    """A message as it is kept."""
    return Sheet(label=message.label, text=message.text, blocks=tuple(message.blocks), items=items)


def encode(edition: Edition) -> str:
    """As JSON."""
    return _encoder.encode(edition).decode()


def decode(text: str) -> Edition:
    """What `encode` was given."""
    return _decoder.decode(text)


def digest_of(audience: Audience) -> str:
    """The same for the same readers, whenever they were read."""
    return sha256(_encoder.encode(replace(audience, read_at=None))).hexdigest()


def continued(old: Edition, new: Edition | None, posted: int) -> Edition:
    """The rest of `new` behind the `posted` sheets of `old` that stand there; None: nothing may follow."""
    standing = old.sheets[:posted]
    if new is None:
        return msgspec.structs.replace(old, sheets=standing, file=None)
    rest = tuple(each for each in new.sheets[1:] if each not in standing)
    return msgspec.structs.replace(new, sheets=standing + rest)
