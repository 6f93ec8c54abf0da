"""Turns: when the next call of one kind may be made, by whichever replica. Pure.

Each kind of call is a lane. The store keeps for a lane and for each of its channels when the next call is
due and until when Slack wants to be left alone; here is reckoned what becomes of them.
"""

from dataclasses import dataclass

MAX_AHEAD = 60.0  # seconds; no turn is given further ahead: who waits for it has better things to do
AT_ONCE = 0.001  # seconds that are no wait: clocks tell no less when they are added up
MAX_HOLD = 3_600.0  # what Slack asks for at the most; more was written by a clock that went wrong


@dataclass(frozen=True)
class Lane:
    """Calls of one kind that all replicas make at one pace; after a silence `burst` may be made at once."""

    name: str
    seconds: float  # between two of them
    burst: int = 1
    channel_seconds: float = 0.0  # between two in one channel


@dataclass(frozen=True)
class Turn:
    """Given: wait so many seconds, then go. Not given: ask again in so many seconds."""

    is_given: bool
    seconds: float


@dataclass(frozen=True)
class Line:
    """What is kept of a lane or of one of its channels, in seconds of a clock."""

    due: float = 0.0  # when the next call would be made without bursts
    held_until: float = 0.0  # Slack wants to be left alone until then

    def sane(self, now: float) -> "Line":
        """Without what a clock wrote that has gone back since."""
        due = self.due if self.due <= now + MAX_AHEAD + MAX_HOLD else now
        held_until = self.held_until if self.held_until <= now + MAX_HOLD else now
        return Line(due, held_until)


def taken(lane: Lane, whole: Line, channel: Line, now: float) -> tuple[Turn, Line, Line]:
    """A turn in that channel, and what is kept of the lane and of the channel afterwards.

    Who must wait for a channel takes nothing: others may go first.
    """
    whole, channel = whole.sane(now), channel.sane(now)
    free_at = max(now, channel.due, channel.held_until, whole.held_until)
    ahead = (lane.burst - 1) * lane.seconds
    at = max(now, whole.due - ahead)
    if free_at > at + AT_ONCE or at > now + MAX_AHEAD:
        return Turn(False, max(free_at, at) - now), whole, channel
    after = Line(max(whole.due, now) + lane.seconds, whole.held_until)
    return Turn(True, at - now), after, Line(at + lane.channel_seconds, channel.held_until)
