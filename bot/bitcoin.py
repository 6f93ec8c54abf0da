"""Bitcoin addresses: base58check and bech32, taken only when their checksum holds."""

import hashlib
import re
from itertools import chain

_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_LEGACY = re.compile(r"[13][1-9A-HJ-NP-Za-km-z]{25,34}", re.ASCII)
_SEGWIT = re.compile(r"bc1[ac-hj-np-z02-9]{11,71}", re.ASCII)
_GENERATOR = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_BECH32_CHECKSUMS = {1, 0x2BC830A3}  # BIP 173 and BIP 350


def bitcoin_address(text: str) -> str | None:
    """The canonical form of a Bitcoin address; None if it is not one or its checksum is wrong."""
    if _LEGACY.fullmatch(text):
        return text if _base58_holds(text) else None
    lower = text.lower() if text.isupper() else text  # BIP 173: one case throughout
    return lower if _SEGWIT.fullmatch(lower) and _bech32_holds(lower) else None


def _base58_holds(text: str) -> bool:
    number = 0
    for character in text:
        number = number * 58 + _BASE58.index(character)
    if number >= 1 << 200:
        return False
    raw = number.to_bytes(25, "big")
    digest = hashlib.sha256(hashlib.sha256(raw[:21]).digest()).digest()
    return raw[0] in (0, 5) and raw[21:] == digest[:4]


def _bech32_holds(text: str) -> bool:
    """https://github.com/bitcoin/bips/blob/master/bip-0173.mediawiki"""
    human = "bc"
    expanded = chain(
        (ord(c) >> 5 for c in human), (0,), (ord(c) & 31 for c in human), map(_BECH32.index, text[3:])
    )
    checksum = 1
    for value in expanded:
        top = checksum >> 25
        checksum = (checksum & 0x1FFFFFF) << 5 ^ value
        for bit, generator in enumerate(_GENERATOR):
            checksum ^= generator if top >> bit & 1 else 0
    return checksum in _BECH32_CHECKSUMS
