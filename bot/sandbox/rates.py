"""Slack's rate limits: tiers by method, one message a second in each channel, some hundred a minute in all.

https://docs.slack.dev/apis/web-api/rate-limits/
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

_PER_MINUTE = {1: 1, 2: 20, 3: 50, 4: 100}
_TIER = {
    "auth.test": 4,
    "users.info": 4,
    "conversations.info": 3,
    "conversations.members": 4,
    "conversations.open": 3,
    "conversations.history": 3,
    "conversations.replies": 3,
    "chat.postEphemeral": 4,
    "chat.update": 3,
    "chat.delete": 3,
    "chat.getPermalink": 4,
    "views.open": 4,
    "views.update": 4,
    "files.getUploadURLExternal": 4,
    "files.completeUploadExternal": 4,
    "files.delete": 3,
    "apps.connections.open": 1,
}
_BURST_POSTS = 5  # "short bursts" above one a second are let through; how many Slack does not say
_ALL_POSTS_PER_MINUTE = 240  # "several hundred messages per minute" in a workspace
_ALL_POSTS_BURST = 20


@dataclass(frozen=True)
class _Limit:
    key: str
    per_second: float
    burst: int


@dataclass
class _Bucket:
    tokens: float
    at: float


def tier(method: str) -> int:
    """Its tier; methods whose tier is not known count as tier 3."""
    return _TIER.get(method, 3)


class Rates:
    """Counts calls and says when one is too many."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._buckets: dict[str, _Bucket] = {}

    def wait(self, method: str, channel: str) -> int:
        """Seconds for Retry-After, or 0 when the call is within the limits; a refused one does not count."""
        limits = _limits(method, channel)
        missing = max(self._missing(limit) for limit in limits)
        if missing > 0:
            return max(1, math.ceil(missing))
        for limit in limits:
            self._buckets[limit.key].tokens -= 1
        return 0

    def _missing(self, limit: _Limit) -> float:
        """Seconds until there is room for one more."""
        now = self._clock().timestamp()
        bucket = self._buckets.setdefault(limit.key, _Bucket(limit.burst, now))
        bucket.tokens = min(limit.burst, bucket.tokens + (now - bucket.at) * limit.per_second)
        bucket.at = now
        return (1 - bucket.tokens) / limit.per_second


def _limits(method: str, channel: str) -> tuple[_Limit, ...]:
    if method == "chat.postMessage":
        return (
            _Limit(f"{method} {channel}", 1.0, _BURST_POSTS),
            _Limit(method, _ALL_POSTS_PER_MINUTE / 60, _ALL_POSTS_BURST),
        )
    per_minute = _PER_MINUTE[tier(method)]
    return (_Limit(method, per_minute / 60, per_minute),)
