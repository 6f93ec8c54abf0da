"""Subscriptions in the store: one row for each channel and purpose, with its cursor and when it is due."""

from datetime import datetime
from functools import cache
from itertools import starmap

import msgspec

from bot.errors import InputError
from bot.schedules import parse
from bot.store import delivering, renaming, rows
from bot.store.engine import Connection, Dialect, writing
from bot.subscriptions import Attach, Filters, Purpose, Subscribed, Subscription

Row = tuple[str, Purpose, str, str, Attach | None, int, str, int, int]

_encoder = msgspec.json.Encoder(order="deterministic")
_decoder = msgspec.json.Decoder(list[Row])
_filters = msgspec.json.Decoder(Filters)

_COLUMNS = "channel, purpose, schedule, filters, attach, say_nothing_new, set_by, since, next_at"

_PUT = f"""INSERT INTO subscription ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, (SELECT head FROM clock), ?)
ON CONFLICT (channel, purpose) DO UPDATE SET schedule = excluded.schedule, filters = excluded.filters,
  attach = excluded.attach, say_nothing_new = excluded.say_nothing_new, set_by = excluded.set_by,
  next_at = excluded.next_at"""  # noqa: S608 (constants)

_RENAME = (
    """UPDATE subscription SET channel = :new WHERE channel = :old AND NOT EXISTS (SELECT 1
FROM subscription AS there WHERE there.channel = :new AND there.purpose = subscription.purpose)""",
    "DELETE FROM subscription WHERE channel = :old",
    "DELETE FROM readers WHERE channel = :old",  # who reads the new one is looked at
)


def subscribe(connection: Connection, subscription: Subscription, next_at: datetime) -> None:
    """Put it in the place of the old one, whose cursor stays. Raises InputError."""
    _check(subscription, next_at)
    row = (
        subscription.channel,
        subscription.purpose.value,
        str(subscription.schedule),
        _encoder.encode(subscription.filters).decode(),
        subscription.attach and subscription.attach.value,
        int(subscription.say_nothing_new),
        subscription.set_by,
        rows.micros(next_at),
    )
    with writing(connection, "delivery"):
        connection.execute(_PUT, row)


def unsubscribe(connection: Connection, channel: str, purpose: Purpose) -> bool:
    """Delete the row; False if there is none."""
    with writing(connection, "delivery"):
        deleted = connection.execute(
            "DELETE FROM subscription WHERE channel = ? AND purpose = ?", (channel, purpose.value)
        )
    return deleted.rowcount > 0


def rename(connection: Connection, old: str, new: str) -> None:
    """Let subscriptions and deliveries of one channel go by another id. Raises InputError."""
    rows.check_names(old, new)
    if old == new:
        return
    with writing(connection, "delivery"):
        for statement in _RENAME:
            connection.execute(statement, {"old": old, "new": new})
        delivering.rename(connection, old, new)
        renaming.note(connection, old, new)


def subscriptions(
    connection: Connection, channel: str | None, due: datetime | None = None
) -> list[Subscribed]:
    """All of them, or those of one channel or due by then, the next due first. Raises InputError."""
    wanted = {"channel": channel, "due": due and rows.micros(due)}
    [found] = connection.execute(every(connection.dialect), wanted).fetchone()
    return sorted(starmap(_subscribed, _decoder.decode(found)), key=_next)


@cache
def every(dialect: Dialect) -> str:
    """The statement that reads subscriptions: all, or those of one channel or due by a moment."""
    return (
        f"SELECT {dialect.listed(_COLUMNS)} FROM subscription"  # noqa: S608 (constants)
        " WHERE (CAST(:channel AS TEXT) IS NULL OR channel = :channel)"
        " AND (CAST(:due AS BIGINT) IS NULL OR next_at <= :due)"
    )


def _check(subscription: Subscription, next_at: datetime) -> None:
    rows.check_names(subscription.channel, subscription.set_by)
    if next_at.tzinfo is None:
        raise InputError("the time of the next delivery has no zone")


def _subscribed(
    channel: str,
    purpose: Purpose,
    schedule: str,
    filters: str,
    attach: Attach | None,
    say_nothing_new: int,
    set_by: str,
    since: int,
    next_at: int,
) -> Subscribed:
    subscription = Subscription(
        channel=channel,
        purpose=purpose,
        schedule=parse(schedule, "UTC"),
        filters=_filters.decode(filters),
        attach=attach,
        say_nothing_new=bool(say_nothing_new),
        set_by=set_by,
    )
    return Subscribed(subscription=subscription, since=since, next_at=rows.moment(next_at))


def _next(subscribed: Subscribed) -> tuple[datetime, str, str]:
    return subscribed.next_at, subscribed.subscription.channel, subscribed.subscription.purpose
