"""Former ids of channels: what was said of a channel under its old id is true of it under the new one."""

from bot.store.engine import Connection

MOST = 20  # ids looked at for one channel

_PUT = "INSERT INTO renamed (channel, former) VALUES (?, ?) ON CONFLICT (channel, former) DO NOTHING"
_FORMER = "SELECT former FROM renamed WHERE channel = ? ORDER BY former"


def note(connection: Connection, old: str, new: str) -> None:
    """Write down that a channel goes by another id, within the transaction that renames it."""
    connection.execute(_PUT, (new, old))


def former(connection: Connection, channel: str) -> list[str]:
    """Every id that it had before, as far as they were written down."""
    known = [channel]
    for each in known:
        found = (old for (old,) in connection.execute(_FORMER, (each,)).fetchall())
        known += [old for old in found if old not in known][: MOST - len(known)]
    return known[1:]
