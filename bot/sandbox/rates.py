"""Slack's rate limits: tiers by method, and one message a second in each channel.

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
    "apps.connections.open": 1,
}
_BURST_POSTS = 5  # "short bursts" above one a second are let through; how many Slack does not say


@dataclass
class _Bucket:
    tokens: float
    at: float


class Rates:
    """Counts calls and says when one is too many."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._buckets: dict[str, _Bucket] = {}

    def wait(self, method: str, channel: str) -> int:
        """Seconds for Retry-After, or 0 when the call is within the limits."""
        if method == "chat.postMessage":
            return self._take(f"{method} {channel}", per_second=1.0, burst=_BURST_POSTS)
        per_minute = _PER_MINUTE[_TIER.get(method, 3)]
        return self._take(method, per_second=per_minute / 60, burst=per_minute)

    def _take(self, key: str, *, per_second: float, burst: int) -> int:
        now = self._clock().timestamp()
        bucket = self._buckets.setdefault(key, _Bucket(burst, now))
        bucket.tokens = min(burst, bucket.tokens + (now - bucket.at) * per_second)
        bucket.at = now
        if bucket.tokens >= 1:
            bucket.tokens -= 1
            return 0
        return max(1, math.ceil((1 - bucket.tokens) / per_second))
