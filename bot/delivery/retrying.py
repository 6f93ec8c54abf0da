"""Retrying: what becomes of a delivery when a step of it fails: longer and longer waits, and an end. Pure."""

from datetime import datetime, timedelta

import msgspec

from bot.deliveries import LONGEST_WAIT, SETTLE_SECONDS, Delivery, State
from bot.delivery.posting import HistoryRefusedError, LockedOutError, RateLimitedError, RefusedError

FIRST_WAIT = 2.0  # seconds
MOST_WAIT = 900.0
PATIENCE = timedelta(hours=24)
FEWEST_TRIES = 10  # however long a suspended machine took for them

_SETTLE = timedelta(seconds=SETTLE_SECONDS)


def failed(delivery: Delivery, error: Exception, *, now: datetime, jitter: float) -> Delivery:
    """How it goes on after an error in its present step; `jitter` lies between 0 and 1."""
    if isinstance(error, RefusedError) and not isinstance(error, LockedOutError):
        state = State.UNCERTAIN if isinstance(error, HistoryRefusedError) else State.PARKED
        return _ended(delivery, state, error)
    since = now if delivery.failing_since is None else min(delivery.failing_since, now)
    tries = delivery.tries + 1
    if now - since >= PATIENCE and tries >= FEWEST_TRIES:
        state = State.PARKED if delivery.started_at is None else State.UNCERTAIN
        return _ended(msgspec.structs.replace(delivery, tries=tries), state, error)
    return msgspec.structs.replace(
        delivery,
        tries=tries,
        failing_since=since,
        not_before=now + timedelta(seconds=_wait(delivery, error, jitter, now)),
        error=error_name(error),
    )


def unsent(delivery: Delivery) -> Delivery:
    """The same when surely nothing is under way."""
    state = State.COMPILED if delivery.state is State.SENDING else delivery.state
    return msgspec.structs.replace(delivery, state=state, started_at=None)


def got_on(delivery: Delivery) -> Delivery:
    """The same after a step that worked."""
    return msgspec.structs.replace(delivery, tries=0, failing_since=None, not_before=None, error="")


def taken_up(delivery: Delivery) -> Delivery:
    """One that ended, to go on because an operator says so: from the start, or behind what stands there.

    What may have arrived is looked for when all of it stands there, and taken away if it is one too many.
    """
    return msgspec.structs.replace(
        got_on(delivery),
        state=State.SENT if delivery.ts else State.DUE,
        message="",
        started_at=None,
        resent=delivery.resent or delivery.state is State.UNCERTAIN,
    )


def dropped(delivery: Delivery) -> Delivery:
    """One that an operator lets go."""
    return msgspec.structs.replace(delivery, state=State.DROPPED, message="")


def settled_at(started_at: datetime) -> datetime:
    """When what was sent then stands there or never will."""
    return started_at + _SETTLE


def error_name(error: Exception) -> str:
    """For operators: the class, and Slack's word if there is one."""
    name = type(error).__name__
    return f"{name}: {error.code}" if isinstance(error, RefusedError) else name


def _ended(delivery: Delivery, state: State, error: Exception) -> Delivery:
    """What was written is kept no longer than it is needed."""
    return msgspec.structs.replace(delivery, state=state, message="", error=error_name(error))


def _wait(delivery: Delivery, error: Exception, jitter: float, now: datetime) -> float:
    wait = min(MOST_WAIT, FIRST_WAIT * 2.0 ** min(delivery.tries, 20)) * (1 + jitter) / 2
    if isinstance(error, RateLimitedError):
        wait = min(LONGEST_WAIT, error.seconds + wait / 2)
    if delivery.started_at is not None:
        wait = max(wait, (settled_at(min(delivery.started_at, now)) - now).total_seconds())
    return wait
