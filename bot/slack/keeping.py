"""Keeping: what a button or modal refers to is in the store under a random token, not in the message.

So a button works whichever replica Slack asks, and after a restart.
"""

import asyncio
import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

import msgspec

from bot.chat import Surface
from bot.errors import BotError
from bot.services import Store, require_writes

T = TypeVar("T")
KEPT_SECONDS = 3600.0
KEEP_SECONDS = 1.0  # that an answer waits for its buttons; a busy store keeps them a little later
MAX_TOKEN = 100  # characters of what somebody may send back to us
LOG = logging.getLogger("bot.keeping")


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
    """Values of one class, such as `Question`; each is found for an hour."""

    def __init__(self, store: Store, kind: type[T], *, token: Callable[[], str] = random_token) -> None:
        self._store, self._token = store, token
        self._prefix = f"{kind.__name__} "
        self._decoder = msgspec.json.Decoder(kind)

    async def keep(self, value: T) -> str:
        """Put it away; gives the token that finds it again, or "" while the store takes no writes.

        Where it fails all the same the button is soon too old.
        """
        if not self._store.takes_writes():
            return ""
        token = self._token()
        body = self._prefix + msgspec.json.encode(value).decode()
        try:
            async with asyncio.timeout(KEEP_SECONDS):
                await self._store.keep(token, body, seconds=KEPT_SECONDS)
        except (BotError, TimeoutError):
            LOG.warning("what a button refers to is not kept yet")
        return token

    async def find(self, token: str) -> T | None:
        """What was put away under it, if that was within the last hour. Raises BotError."""
        require_writes(self._store)  # what a standby does not know may be there all the same
        return self._read(await self._store.kept(token)) if 0 < len(token) <= MAX_TOKEN else None

    async def take(self, token: str) -> T | None:
        """The same, for the last time: of two who ask one gets it."""
        require_writes(self._store)
        return self._read(await self._store.take_kept(token)) if 0 < len(token) <= MAX_TOKEN else None

    def _read(self, body: str | None) -> T | None:
        """None also for what is of another kind, or was kept by another version of Liaison."""
        if body is None or not body.startswith(self._prefix):
            return None
        try:
            return self._decoder.decode(body.removeprefix(self._prefix))
        except msgspec.DecodeError:
            return None
