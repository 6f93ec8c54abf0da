"""Keeping: what a button or modal refers to stays here under a random token, never in the message itself."""

import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from bot.chat import Surface

T = TypeVar("T")
KEPT_SECONDS = 3600.0
MAX_KEPT = 5_000


@dataclass(frozen=True, kw_only=True)
class Question:
    """A command as somebody gave it, in their words."""

    user: str
    text: str
    surface: Surface
    conversation: str

    def may_be_used_by(self, user: str, conversation: str) -> bool:
        """Its buttons work where it was asked: for the asker, and for all when it was asked before all."""
        return conversation == self.conversation and (user == self.user or self.surface is Surface.MENTION)


def random_token() -> str:
    """A word that nobody can guess."""
    return secrets.token_urlsafe(18)


class Keeping(Generic[T]):
    """The values of the last hour; the oldest make room when there are too many."""

    def __init__(
        self,
        *,
        token: Callable[[], str] = random_token,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        self._token, self._timer = token, timer
        self._kept: OrderedDict[str, tuple[float, T]] = OrderedDict()

    def keep(self, value: T) -> str:
        """Put it away; gives the token that finds it again."""
        token = self._token()
        self._kept[token] = (self._timer() + KEPT_SECONDS, value)
        if len(self._kept) > MAX_KEPT:
            self._kept.popitem(last=False)
        return token

    def find(self, token: str) -> T | None:
        """What was put away under it, if that was within the last hour."""
        until, value = self._kept.get(token, (0.0, None))
        return value if until >= self._timer() else None

    def take(self, token: str) -> T | None:
        """The same, for the last time."""
        value = self.find(token)
        self._kept.pop(token, None)
        return value
