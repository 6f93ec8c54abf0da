"""Deliveries in the store: begun once for each period, held by one at a time, in order in a channel."""

from datetime import datetime, timedelta

import msgspec

from bot.deliveries import ENDED, LONGEST_LEASE, LONGEST_WAIT, Delivery, State
from bot.errors import InputError
from bot.store import rows
from bot.store.engine import Connection, writing
from bot.subscriptions import Subscribed

MAX_BODY = 64_000_000  # bytes of one delivery as JSON; ten thousand long addresses are 40 MB
MOST = 1_000  # deliveries in one answer
KEPT = 100  # of each channel, the newest, however old they are
KEPT_FOR = timedelta(days=90)  # and all whose periods lie so closely before the newest
FORGOTTEN = 10  # in one go; one is begun

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Delivery)

_DUE = """SELECT since, head FROM subscription, clock
WHERE channel = :channel AND purpose = :purpose AND next_at = :was"""
_MOVE = """UPDATE subscription SET since = :since, next_at = :next_at
WHERE channel = :channel AND purpose = :purpose"""
_BEGIN = """INSERT INTO delivery (channel, purpose, period, state, ended, not_before, body)
VALUES (:channel, :purpose, :period, :state, :ended, :not_before, :body) ON CONFLICT DO NOTHING"""

# A time that lies too far ahead was written by a clock that has gone back since: it counts as past.
_FREE = """SELECT id, body FROM delivery
WHERE id IN (SELECT min(id) FROM delivery WHERE ended = 0 GROUP BY channel)
  AND (not_before IS NULL OR not_before <= :at OR not_before > :latest_try)
  AND (owner IS NULL OR leased_until <= :at OR leased_until > :latest_lease)
ORDER BY id LIMIT :most"""
_HOLD = "UPDATE delivery SET owner = ?, leased_until = ? WHERE id = ?"
_PUT = """UPDATE delivery SET state = :state, ended = :ended, not_before = :not_before, body = :body,
  owner = CASE WHEN :released = 1 THEN NULL ELSE owner END
WHERE channel = :channel AND purpose = :purpose AND period = :period AND owner = :owner"""
_DECIDE = """UPDATE delivery SET state = :state, ended = :ended, not_before = :not_before, body = :body,
  owner = NULL
WHERE channel = :channel AND purpose = :purpose AND period = :period AND state = :was AND ended = 1"""
_MOVABLE = """SELECT id FROM delivery WHERE channel = :old AND NOT EXISTS (SELECT 1 FROM delivery AS there
WHERE there.channel = :new AND there.purpose = delivery.purpose AND there.period = delivery.period)"""
_RENAME = "UPDATE delivery SET channel = ?, owner = NULL, body = ? WHERE id = ?"
# Beyond the newest of a channel; the oldest of them first.
_OLDEST = """SELECT id, period FROM delivery WHERE channel = :channel AND ended = 1
  AND id < (SELECT id FROM delivery WHERE channel = :channel ORDER BY id DESC LIMIT 1 OFFSET :kept)
ORDER BY id LIMIT :most"""
_LATEST = "SELECT body FROM delivery ORDER BY id DESC LIMIT :most"
_LATEST_OF = "SELECT body FROM delivery WHERE channel = :channel ORDER BY id DESC LIMIT :most"


def begin(connection: Connection, subscribed: Subscribed, period: str, next_at: datetime) -> Delivery | None:
    """Write the row of a period and move on, if the subscription is still due then. Raises InputError."""
    which = {"channel": subscribed.subscription.channel, "purpose": subscribed.subscription.purpose.value}
    rows.check_names(period)
    _check_times(next_at)
    with writing(connection, "delivery"):
        due = connection.execute(_DUE, which | {"was": rows.micros(subscribed.next_at)}).fetchone()
        if due is None:
            return None
        since, head = due
        delivery = _due(subscribed, period, since, head)
        written = connection.execute(_BEGIN, _row(delivery)).rowcount > 0
        cursor = head if written else since
        connection.execute(_MOVE, which | {"since": cursor, "next_at": rows.micros(next_at)})
        _forget_oldest(connection, delivery)
    return delivery if written else None


def lease(connection: Connection, owner: str, at: datetime, seconds: float, most: int) -> list[Delivery]:
    """Give the oldest of each channel to that owner, as far as they may be tried and are free.

    Raises InputError.
    """
    rows.check_names(owner)
    _check_times(at)
    if not owner or not 0 < seconds <= LONGEST_LEASE:
        raise InputError(f"a lease has an owner and takes at most {LONGEST_LEASE:.0f} seconds")
    now = rows.micros(at)
    free = {
        "at": now,
        "latest_try": now + int(LONGEST_WAIT * 1e6),
        "latest_lease": now + int(LONGEST_LEASE * 1e6),
        "most": _limit(most),
    }
    until = now + int(seconds * 1e6)
    with writing(connection, "delivery"):
        found = connection.execute(_FREE, free).fetchall()
        connection.executemany(_HOLD, ((owner, until, number) for number, _ in found))
    return [_decoder.decode(body) for _, body in found]


def put(connection: Connection, delivery: Delivery, owner: str, release: bool) -> bool:
    """Write it if that owner has it; whoever's lease was over keeps it until somebody takes it.

    Raises InputError.
    """
    row = _row(delivery)
    with writing(connection, "delivery"):
        written = connection.execute(
            _PUT, row | {"owner": owner, "released": int(release or delivery.state in ENDED)}
        ).rowcount
    return written > 0


def decide(connection: Connection, delivery: Delivery, was: State) -> bool:
    """Write what an operator decided about one that ended like that. Raises InputError."""
    with writing(connection, "delivery"):
        return connection.execute(_DECIDE, _row(delivery) | {"was": was.value}).rowcount > 0


def rename(connection: Connection, old: str, new: str) -> None:
    """Let deliveries go by another channel, where it has none of that period, within a transaction."""
    moved = {"old": old, "new": new}
    for (number,) in connection.execute(_MOVABLE, moved).fetchall():
        [body] = connection.execute("SELECT body FROM delivery WHERE id = ?", (number,)).fetchone()
        delivery = msgspec.structs.replace(_decoder.decode(body), channel=new)
        connection.execute(_RENAME, (new, _encoder.encode(delivery).decode(), number))


def latest(connection: Connection, channel: str | None, most: int) -> list[Delivery]:
    """The last ones that were begun, of a channel or of all, newest first."""
    query = _LATEST if channel is None else _LATEST_OF
    found = connection.execute(query, {"channel": channel, "most": _limit(most)}).fetchall()
    return [_decoder.decode(body) for (body,) in found]


def _due(subscribed: Subscribed, period: str, since: int, upto: int) -> Delivery:
    subscription = subscribed.subscription
    return Delivery(
        channel=subscription.channel,
        purpose=subscription.purpose,
        period=period,
        since=since,
        upto=upto,
        filters=subscription.filters,
        attach=subscription.attach,
        say_nothing_new=subscription.say_nothing_new,
        zone=subscription.schedule.zone,
    )


def _forget_oldest(connection: Connection, begun: Delivery) -> None:
    """A few of the old ones; whatever a clock that goes back could make due again stays."""
    oldest = {"channel": begun.channel, "kept": KEPT - 1, "most": FORGOTTEN}
    for number, period in connection.execute(_OLDEST, oldest).fetchall():
        if _is_long_before(period, begun.period):
            connection.execute("DELETE FROM delivery WHERE id = ?", (number,))


def _is_long_before(period: str, other: str) -> bool:
    try:
        return datetime.fromisoformat(other) - datetime.fromisoformat(period) > KEPT_FOR
    except (ValueError, TypeError):  # not written by our scheduler: nobody knows when it could come again
        return False


def _row(delivery: Delivery) -> dict[str, object]:
    _check_times(delivery.not_before, delivery.started_at, delivery.failing_since, delivery.written_at)
    body = _encoder.encode(delivery)
    if len(body) > MAX_BODY:
        raise InputError(f"a delivery is longer than {MAX_BODY} bytes")
    return {
        "channel": delivery.channel,
        "purpose": delivery.purpose.value,
        "period": delivery.period,
        "state": delivery.state.value,
        "ended": int(delivery.state in ENDED),
        "not_before": None if delivery.not_before is None else rows.micros(delivery.not_before),
        "body": body.decode(),
    }


def _check_times(*times: datetime | None) -> None:
    if any(time is not None and time.tzinfo is None for time in times):
        raise InputError("a time of a delivery has no zone")


def _limit(most: int) -> int:
    return max(0, min(most, MOST))  # SQLite takes a negative limit for none
