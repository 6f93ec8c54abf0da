"""Posting: what the courier needs of the place it brings messages to, and the ways in which that can fail.

Nothing here knows Slack; `bot.delivery.through_slack` makes it out of Slack.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.blocks import Message
from bot.errors import BotError, UnavailableError
from bot.sharing import Audience

Starting = Callable[[], Awaitable[object]]


async def nothing() -> None:
    """What is to be done before a post unless its sender says otherwise."""


class NotTakenError(UnavailableError):
    """Nothing arrived: it can be tried again without a look at what stands there."""


class RateLimitedError(NotTakenError):
    """Nothing was taken, and nothing will be for so many seconds."""

    def __init__(self, seconds: float) -> None:
        super().__init__("Slack asks Liaison to slow down; it tries again by itself.")
        self.seconds = seconds


class PerhapsTakenError(UnavailableError):
    """It was on its way when something broke: it may stand there, now or in a while."""


class ReadersChangedError(BotError):
    """Others than those it was cleared for would read it, or that was too long ago; nothing was sent.

    `readers` do, as the look at them said right then, if there was one.
    """

    def __init__(self, words: str = "", readers: Audience | None = None) -> None:
        super().__init__(words or "Who reads it changed just now.")
        self.readers = readers


class ClaimsChangedError(BotError):
    """What it shows is not for its readers any more; nothing was sent."""


class RefusedError(BotError):
    """Refused for good; `code` says why in Slack's words."""

    def __init__(self, code: str) -> None:
        super().__init__(f"Slack refuses that ({code}).")
        self.code = code


class LockedOutError(RefusedError):
    """The token is not taken (any more): nothing gets through, whatever it is, until there is another."""


class HistoryRefusedError(RefusedError):
    """We are not let see whether a message stands there."""


class FilesRefusedError(RefusedError):
    """No file can be put there."""


class UneditableError(RefusedError):
    """That message cannot be deleted by us any more."""


@dataclass(frozen=True)
class Letter:
    """A rendered message and the audience that it was cleared for."""

    message: Message
    audience: Audience


class Posting(Protocol):
    """Marked posts in channels. Every call is one request that is never repeated by itself."""

    async def readers(self, conversation: str) -> Audience:
        """Who reads that channel, asked now. Raises RefusedError, UnavailableError."""

    async def post_marked(
        self,
        conversation: str,
        letter: Letter,
        *,
        nonce: str,
        thread: str = "",
        starting: Starting,
        checking: Starting = nothing,
    ) -> str:
        """Post once where all members read it, with the nonce in its metadata; gives its `ts`.

        `starting` is awaited when its turn has come and before the last look at the readers: the place to
        write down that a post may be under way from now on, for less than SETTLE_SECONDS. `checking` is
        awaited after that look: if it raises, nothing is sent.
        Raises ReadersChangedError, RefusedError, NotTakenError, PerhapsTakenError.
        """

    async def find_marked(
        self, conversation: str, nonce: str, *, oldest: datetime, thread: str = ""
    ) -> list[str]:
        """The `ts` of our posts with that nonce since then, oldest first; in a thread if one is named.

        Raises HistoryRefusedError, LockedOutError, UnavailableError.
        """

    async def withdraw(self, conversation: str, ts: str) -> None:
        """Delete a post of ours, or find it gone. Raises RefusedError, UnavailableError."""

    async def attach(
        self,
        conversation: str,
        name: str,
        content: bytes,
        letter: Letter,
        *,
        thread: str,
        starting: Starting,
        checking: Starting = nothing,
    ) -> str:
        """Put a file beneath a post where all members read it; gives the file's id.

        `starting` and `checking` are awaited as in `post_marked`.
        Raises FilesRefusedError and what `post_marked` raises.
        """

    async def find_attached(
        self, conversation: str, name: str, *, oldest: datetime, thread: str
    ) -> list[str]:
        """The ids of files of that name that we put beneath a post since then. Raises as `find_marked`."""

    async def withdraw_file(self, conversation: str, file_id: str, *, oldest: datetime, thread: str) -> None:
        """Delete a file that we put beneath a post since then, and the message that it came with.

        Raises as `find_marked` and `withdraw`.
        """
