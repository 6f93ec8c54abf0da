"""Breaker: leaves a service alone that fails, refuses our key or asks for patience."""

from collections.abc import Callable
from dataclasses import dataclass
from math import isfinite
from random import SystemRandom

from bot.findings import Outcome

FAILURES = 5  # in a row; what was asked before the last success and fails late does not count
FIRST_SECONDS = 15.0  # doubled each time
LONGEST_SECONDS = 600.0
QUOTA_SECONDS = 60.0  # when a service does not say how long
MOST_PATIENCE = 86_400.0  # whatever a service says
JITTER = 0.2  # so much shorter a pause may be, so that many of us do not come back at once


@dataclass(frozen=True)
class Refusal:
    """Why a service is not asked now, and for how many seconds more."""

    outcome: Outcome
    seconds: float


class Breaker:
    """State of one service; `time` counts seconds and never jumps.

    Every call is between `begin` and `end`. After a pause one call tries whether the service is back.
    """

    def __init__(self, time: Callable[[], float], jitter: Callable[[], float] | None = None) -> None:
        self._time = time
        self._jitter = jitter or SystemRandom().random
        self._refusal: Outcome | None = None  # None: all is well
        self._until = 0.0
        self._trial = False  # under way
        self._failures = 0  # in a row
        self._pauses = 0  # in a row
        self._state = 0  # counts changes: what was begun in an earlier state says nothing about this one

    def refusal(self) -> Refusal | None:
        """Why the service is not asked now; None if it may be."""
        if self._refusal is None:
            return None
        left = self._until - self._time()
        if left > 0:
            return Refusal(self._refusal, left)
        if self._refusal is Outcome.QUOTA:
            self._recover()  # it asked for time, not for a trial
            return None
        return Refusal(self._refusal, 0.0) if self._trial else None

    def be_patient(self, seconds: float) -> None:
        """The service asked somebody else for patience; what keeps us from asking anyway stays as it is."""
        if self.refusal() is None and self._refusal is None:
            self._pause(Outcome.QUOTA, seconds)

    def begin(self) -> int:
        """A call is made; give the number back to `end`. Only when nothing refuses."""
        self._trial = self._refusal is not None
        return self._state

    def end(self, call: int, outcome: Outcome | None, again_in: float | None = None) -> None:
        """How the call ended; None if it was not made after all, or nobody waited for the end."""
        is_current = call == self._state
        if is_current:
            self._trial = False
        if outcome is Outcome.QUOTA:
            self._pause(outcome, _patience(again_in, QUOTA_SECONDS))
        elif outcome is Outcome.AUTH:
            self._pause(outcome, LONGEST_SECONDS)
        elif outcome is not None and outcome.is_error and again_in is not None:
            self._pause(outcome, _patience(again_in, FIRST_SECONDS))
        elif outcome is not None and is_current:
            self._fail(outcome) if outcome.is_error else self._recover()

    def _fail(self, outcome: Outcome) -> None:
        self._failures += 1
        if self._failures >= FAILURES or self._refusal is not None:
            length = min(FIRST_SECONDS * 2.0 ** min(self._pauses, 16), LONGEST_SECONDS)
            self._pauses += 1
            self._pause(Outcome.UNAVAILABLE, length * (1.0 - JITTER * self._jitter()))

    def _pause(self, outcome: Outcome, seconds: float) -> None:
        """Until then; a longer pause that is under way stays."""
        until = self._time() + seconds
        if self._refusal is None or until > self._until:
            self._refusal = Outcome.UNAVAILABLE if outcome in _FAILING else outcome
            self._until = until
        self._trial = False
        self._state += 1

    def _recover(self) -> None:
        self._refusal, self._state = None, self._state + 1
        self._failures = self._pauses = 0


_FAILING = (Outcome.TIMEOUT, Outcome.BAD_ANSWER, Outcome.UNAVAILABLE)


def _patience(asked_for: float | None, default: float) -> float:
    """The seconds a service asks for, within reason."""
    if asked_for is None or not isfinite(asked_for):
        return default
    return min(max(asked_for, 1.0), MOST_PATIENCE)
