"""Who read a channel when it was looked at last: what the next digest is written for until the next look."""

import msgspec

from bot.errors import InputError
from bot.sharing import Audience
from bot.store import rows
from bot.store.engine import Connection, writing

MAX_BODY = 200_000  # bytes of an audience as JSON

_encoder = msgspec.json.Encoder(order="deterministic")
_decoder = msgspec.json.Decoder(Audience)

_PUT = """INSERT INTO readers (channel, body) VALUES (?, ?)
ON CONFLICT (channel) DO UPDATE SET body = excluded.body"""


def keep(connection: Connection, channel: str, audience: Audience) -> None:
    """Put them in the place of those of the look before. Raises InputError."""
    rows.check_names(channel)
    body = _encoder.encode(audience)
    if len(body) > MAX_BODY:
        raise InputError(f"the readers of a channel are longer than {MAX_BODY} bytes")
    with writing(connection, "readers"):
        connection.execute(_PUT, (channel, body.decode()))


def known(connection: Connection, channel: str) -> Audience | None:
    """Those of the last look."""
    found = connection.execute("SELECT body FROM readers WHERE channel = ?", (channel,)).fetchone()
    return _decoder.decode(found[0]) if found else None
