"""Leases in the store: each thing is done by one replica at a time, who may leave a note for the others."""

from collections.abc import Sequence
from typing import NamedTuple

from bot.errors import BotError, InputError
from bot.leases import Lease
from bot.store import rows
from bot.store.engine import Connection, writing

LONGEST = 3_600.0  # seconds; one that ends later was written by a clock that went wrong, and counts as over
MAX_NOTE = 200  # characters
FORGET_EVERY = 500  # leases taken between two times that old ones are deleted

_READ = "SELECT owner, until, note FROM lease WHERE name = ?"
_PUT = """INSERT INTO lease (name, owner, until, note) VALUES (?, ?, ?, ?)
ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, until = excluded.until, note = excluded.note"""
_FORGET = "DELETE FROM lease WHERE until < ?"
_NOBODY = ""


class Wish(NamedTuple):
    """To take or keep a lease, or to end it and leave a note for so long."""

    name: str
    owner: str
    seconds: float
    is_end: bool = False
    note: str = ""


def checked(wish: Wish) -> Wish:
    """What `settle` takes. Raises InputError."""
    rows.check_names(wish.name, wish.owner, wish.note)
    if not wish.owner or not 0 <= wish.seconds <= LONGEST or len(wish.note) > MAX_NOTE:
        raise InputError(f"a lease has an owner, takes at most {LONGEST:.0f} seconds and has a short note")
    return wish


def settle(connection: Connection, wishes: Sequence[Wish], now: int) -> list[Lease | BotError]:
    """Grant each in its turn what nobody else has; how it stands then."""
    with writing(connection, "lease"):
        return [_settle(connection, each, now) for each in wishes]


def look(connection: Connection, names: Sequence[str], now: int) -> list[Lease | BotError]:
    """How they stand, as somebody sees it who has none of them."""
    return [_lease(_read(connection, name), "", now) for name in names]


def forget(connection: Connection, now: int) -> None:
    """Delete what is over."""
    with writing(connection, "lease"):
        connection.execute(_FORGET, (now,))


def _settle(connection: Connection, wish: Wish, now: int) -> Lease:
    lease = _lease(_read(connection, wish.name), wish.owner, now)
    is_wanted = lease.is_ours if wish.is_end else lease.is_ours or lease.is_free
    if not is_wanted:
        return lease
    owner = _NOBODY if wish.is_end else wish.owner
    row = (owner, now + int(wish.seconds * 1e6), wish.note)
    connection.execute(_PUT, (wish.name, *row))
    return _lease(row, wish.owner, now)


def _read(connection: Connection, name: str) -> tuple[str, int, str]:
    owner, until, note = connection.execute(_READ, (name,)).fetchone() or (_NOBODY, 0, "")
    return owner, until, note


def _lease(row: tuple[str, int, str], owner: str, now: int) -> Lease:
    held_by, until, note = row
    left = (until - now) / 1e6
    if not 0 < left <= LONGEST + 1:
        return Lease()
    if held_by == _NOBODY:
        return Lease(note=note)
    return Lease(is_ours=held_by == owner, seconds=left)
