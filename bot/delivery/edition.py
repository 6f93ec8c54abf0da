"""Edition: a digest or summary as it was written for certain readers, kept until all of it is delivered."""

import zlib
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

_encoder = msgspec.json.Encoder()
_orderly_encoder = msgspec.json.Encoder(order="deterministic")


class Sheet(msgspec.Struct, frozen=True, kw_only=True, tag="sheet"):
    """One message and what it shows."""

    label: Label
    text: str
    blocks: tuple[Mapping[str, Any], ...] = ()
    items: tuple[Item, ...] = ()


class File(msgspec.Struct, frozen=True, kw_only=True, tag="file"):
    """A file, the words that stand with it, and what is posted where no file can be.

    It may be long: what is in it is kept with zlib, so that nothing is held up by writing it down.
    """

    name: str  # unique beneath its message
    packed: bytes  # its content
    packed_items: bytes
    words: Sheet
    instead: tuple[Sheet, ...] = ()

    @property
    def items(self) -> tuple[Item, ...]:
        """What it shows."""
        return _items_decoder.decode(zlib.decompress(self.packed_items))

    @property
    def content(self) -> bytes:
        """As it is put into the channel."""
        return zlib.decompress(self.packed)


Piece = Sheet | File


class Edition(msgspec.Struct, frozen=True, kw_only=True):
    """What one delivery posts: the first piece, a sheet, into the channel, the others beneath it."""

    audience: Audience
    pieces: tuple[Piece, ...]  # none if there is nothing to say
    entitled: tuple[str, ...] = ()  # who might read all of it, too: `sharing.entitled`
    changes_upto: int = 0  # the number of the last change that it tells of, if it concerns its channel
    judged_upto: int = 0  # that of the last one before it was begun: of later ones it may know nothing

    def letter(self, sheet: Sheet) -> Letter:
        """A sheet as it is posted."""
        blocks = tuple(dict(block) for block in sheet.blocks)
        return Letter(Message(label=sheet.label, text=sheet.text, blocks=blocks), self.audience)


_decoder = msgspec.json.Decoder(Edition)
_items_decoder = msgspec.json.Decoder(tuple[Item, ...])


def sheet(message: Message, items: tuple[Item, ...] = ()) -> Sheet:
    """A message as it is kept."""
    return Sheet(label=message.label, text=message.text, blocks=message.blocks, items=items)


def file(
    name: str,
    content: bytes,
    *,
    words: Sheet,
    items: tuple[Item, ...] = (),
    instead: tuple[Sheet, ...] = (),
) -> File:
    """A file as it is kept."""
    packed_items = zlib.compress(_encoder.encode(items), 1)
    return File(
        name=name, packed=zlib.compress(content, 1), packed_items=packed_items, words=words, instead=instead
    )


def encode(edition: Edition) -> str:
    """As JSON."""
    return _encoder.encode(edition).decode()


def decode(text: str) -> Edition:
    """What `encode` was given."""
    return _decoder.decode(text)


def digest_of(audience: Audience) -> str:
    """The same for the same readers, whenever they were read."""
    return sha256(_orderly_encoder.encode(replace(audience, read_at=None))).hexdigest()


def continued(old: Edition, new: Edition, standing: int) -> Edition:
    """The rest of `new` behind the pieces of `old` that stand there."""
    said = old.pieces[:standing]
    rest = tuple(each for each in new.pieces[1:] if each not in said)
    return msgspec.structs.replace(new, pieces=said + rest)


def without_files(edition: Edition, standing: int) -> Edition:
    """Words in the place of the files that are not there yet."""
    said, rest = edition.pieces[:standing], edition.pieces[standing:]
    words = [each for each in rest if isinstance(each, Sheet)]
    instead = next((each.instead for each in rest if isinstance(each, File)), ())
    return msgspec.structs.replace(edition, pieces=(*said, *words, *instead))
