"""Turns in the store: one pace for the calls of all replicas; `bot.turns` reckons, here it is kept."""

from collections.abc import Sequence

from bot.errors import BotError
from bot.store import rows
from bot.store.engine import Connection, writing
from bot.turns import MAX_HOLD, Lane, Line, Turn, taken

FORGET_SECONDS = 7_200.0  # after which a channel's line says nothing any more
FORGET_EVERY = 1_000  # turns between two times that such lines are deleted
WHOLE = ""  # stands for a lane as a whole where others name a channel

Wanted = tuple[Lane, str]  # and a channel
Place = tuple[str, str]  # lane and channel

_READ = "SELECT due, held_until FROM turn WHERE lane = ? AND channel = ?"
_PUT = """INSERT INTO turn (lane, channel, due, held_until) VALUES (?, ?, ?, ?)
ON CONFLICT (lane, channel) DO UPDATE SET due = excluded.due, held_until = excluded.held_until"""
_OTHERS = "SELECT count(*) FROM turn WHERE lane = ? AND channel <> ? AND held_until > ?"
_FORGET = "DELETE FROM turn WHERE due < ? AND held_until < ?"


def checked(lane: Lane, channel: str) -> Wanted:
    """What `take` takes. Raises InputError."""
    rows.check_names(lane.name, channel)
    return lane, channel


def take(connection: Connection, wanted: Sequence[Wanted], now: int) -> list[Turn | BotError]:
    """A turn for each, in their order, or when to ask again."""
    lines: dict[Place, Line] = {}
    turns: list[Turn | BotError] = []
    with writing(connection, "turn"):
        for lane, channel in wanted:
            places = (lane.name, WHOLE), (lane.name, channel)
            for place in places:
                if place not in lines:
                    lines[place] = _read(connection, place)
            whole, own = (lines[place] for place in places)
            turn, lines[places[0]], lines[places[1]] = taken(lane, whole, own, now / 1e6)
            turns.append(turn)
        for place, line in lines.items():
            _put(connection, place, line)
    return turns


def hold(connection: Connection, wanted: Wanted, seconds: float, now: int) -> None:
    """Leave a channel alone for so long; if another one is held, too, or none is named, all of them."""
    lane, channel = wanted
    until = now / 1e6 + max(0.0, min(seconds, MAX_HOLD))
    with writing(connection, "turn"):
        [others] = connection.execute(_OTHERS, (lane.name, channel, now)).fetchone()
        for each in dict.fromkeys((channel, WHOLE) if others else (channel,)):
            line = _read(connection, (lane.name, each)).sane(now / 1e6)
            _put(connection, (lane.name, each), Line(line.due, max(line.held_until, until)))


def forget(connection: Connection, now: int) -> None:
    """Delete lines that say nothing any more."""
    old = now - int(FORGET_SECONDS * 1e6)
    with writing(connection, "turn"):
        connection.execute(_FORGET, (old, old))


def _read(connection: Connection, place: Place) -> Line:
    found = connection.execute(_READ, place).fetchone()
    return Line(found[0] / 1e6, found[1] / 1e6) if found else Line()


def _put(connection: Connection, place: Place, line: Line) -> None:
    connection.execute(_PUT, (*place, int(line.due * 1e6), int(line.held_until * 1e6)))
