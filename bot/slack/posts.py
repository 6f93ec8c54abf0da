"""Posts: what Liaison says in a channel by itself, so that it can be found again, corrected and withdrawn.

The other half of the outbox. Each call is one request to Slack that is never repeated here: its errors tell
whoever keeps the books whether Slack took it (`NotTakenError`, `RateLimitedError`, `PerhapsTakenError`) or
never will (`RefusedError`). Slack has no key that makes a post unique: its nonce stands for one.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bot.errors import UnavailableError
from bot.services import Store
from bot.sharing import Audience
from bot.slack.audience import Audiences, same_readers
from bot.slack.calls import (
    NotTakenError,
    PerhapsTakenError,
    RateLimitedError,
    RefusedError,
    TokenRefusedError,
    WebApi,
)
from bot.slack.outbox import EVENT_TYPE, Letter, ReadersChangedError, marked, payload
from bot.slack.pace import CHANNEL_SECONDS, PER_SECOND, TIER_3_PER_SECOND, Pace
from bot.slack.together import Together
from bot.tempo import REAL, Tempo
from bot.turns import Lane

LOOK_SECONDS = 20.0  # the last look at the readers
# Words beneath a post follow it closely: a look this old will do for them, for Slack allows fewer looks than
# posts. What is heard of a change makes it void at once, but it may be another replica that hears it: so the
# time is short. Files may take long to upload: they have their own.
BENEATH_SECONDS = 5.0
POST_SECONDS = 15.0  # together with the look well below deliveries.SETTLE_SECONDS
MAX_AGE_SECONDS = 300.0  # what was cleared longer ago is cleared again, for agreements and labels change, too
READ_SECONDS = 10.0
MAX_FILE_BYTES = 20_000_000
LOOK_BURST = 40  # of the 50 that Slack takes at once
PAGE = 200
MAX_PAGES = 25  # of history; more talk than that since a post is not read through

Starting = Callable[[], Awaitable[object]]


class HistoryRefusedError(RefusedError):
    """Slack does not let us look whether a message stands there; `code` says why."""


class UneditableError(RefusedError):
    """That message cannot be changed or deleted by us any more; `code` says why."""


class FilesRefusedError(RefusedError):
    """No file can be put there; say it in words instead. `code` says why."""


async def nothing() -> None:
    """What is to be done before a post unless its sender says otherwise."""


@dataclass(frozen=True)
class Paces:
    """One pace for each method that makes or changes messages, and one for looks at who reads them.

    A look costs a call of conversations.info, of which Slack allows fewer than posts; people who ask Liaison
    something need some of them, too.
    """

    look: Pace
    post: Pace
    update: Pace
    delete: Pace

    @classmethod
    def kept(cls, tempo: Tempo = REAL, store: Store | None = None) -> "Paces":
        """Those of Slack's limits, kept by that timer, together with all other replicas on the store."""

        def pace(
            method: str, per_second: float, burst: int = 1, channel_seconds: float = CHANNEL_SECONDS
        ) -> Pace:
            lane = Lane(method, 1 / per_second, burst, channel_seconds)
            return Pace(
                per_second=per_second,
                burst=burst,
                channel_seconds=channel_seconds,
                timer=tempo.timer,
                later=tempo.later,
                shared=None if store is None else Together(store, lane, rest=tempo.rest),
            )

        return cls(
            look=pace("conversations.info", TIER_3_PER_SECOND, LOOK_BURST, 0),
            post=pace("chat.postMessage", PER_SECOND),
            update=pace("chat.update", TIER_3_PER_SECOND),
            delete=pace("chat.delete", TIER_3_PER_SECOND),
        )


class Posts:
    """Marked posts in channels. `own_user` is the bot's user id."""

    def __init__(
        self,
        slack: WebApi,
        audiences: Audiences,
        *,
        own_user: str,
        clock: Callable[[], datetime],
        paces: Paces | None = None,
    ) -> None:
        self._slack, self._audiences, self._own_user, self._clock = slack, audiences, own_user, clock
        self._paces = paces or Paces.kept()

    async def readers(self, conversation: str) -> Audience:
        """Who reads it, asked now. Raises RefusedError, RateLimitedError, NotTakenError, never guesses."""
        await self._paces.look.turn(conversation)
        return await self._readers(conversation)

    # --- saying ----------------------------------------------------------------------------------------

    async def post_marked(
        self,
        conversation: str,
        letter: Letter,
        *,
        nonce: str,
        thread: str = "",
        starting: Starting = nothing,
        checking: Starting = nothing,
    ) -> str:
        """Post once where all members read it, with the nonce in its metadata; gives its `ts`.

        `starting` is awaited when its turn has come and before anything is sent: the place to write down that
        a post may be under way from now on, for at most LOOK_SECONDS + POST_SECONDS on our side. `checking`
        is awaited last, after the look at the readers: if it raises, nothing is sent.
        Raises ReadersChangedError, RefusedError, RateLimitedError, NotTakenError, PerhapsTakenError.
        """
        arguments = {
            "channel": conversation,
            **payload(letter.message),
            "metadata": marked(nonce),
            "unfurl_links": False,  # Slack must fetch nothing, whatever got past the defanging
            "unfurl_media": False,
            **({"thread_ts": thread} if thread else {}),
        }
        known_for = BENEATH_SECONDS if thread else 0.0
        await self._turn(self._paces.post, conversation, letter, known_for)
        await starting()
        await self._look(conversation, letter, known_for)
        await checking()
        answer = await self._send("chat.postMessage", arguments, self._paces.post, conversation)
        if not isinstance(ts := answer.get("ts"), str) or not ts:
            raise PerhapsTakenError
        return ts

    async def correct(self, conversation: str, ts: str, letter: Letter) -> None:
        """Put other words into a post of ours; twice does no harm.

        Raises UneditableError and what `post_marked` raises.
        """
        arguments = {"channel": conversation, "ts": ts, **payload(letter.message)}
        await self._turn(self._paces.update, conversation, letter)
        await self._look(conversation, letter)
        with _uneditable():
            await self._send("chat.update", arguments, self._paces.update, conversation)

    async def withdraw(self, conversation: str, ts: str) -> None:
        """Delete a post of ours, or find it gone; twice does no harm.

        Raises UneditableError, RefusedError, RateLimitedError, NotTakenError, PerhapsTakenError.
        """
        await self._paces.delete.turn(conversation)
        arguments = {"channel": conversation, "ts": ts}
        with _uneditable(but=("message_not_found",)):
            await self._send("chat.delete", arguments, self._paces.delete, conversation)

    # --- files -----------------------------------------------------------------------------------------

    async def attach(
        self,
        conversation: str,
        name: str,
        content: bytes,
        letter: Letter,
        *,
        thread: str,
        starting: Starting = nothing,
        checking: Starting = nothing,
    ) -> str:
        """Put a file beneath a post where all members read it; gives the file's id.

        The letter's text stands with it; its audience is that of the file, too. `starting` and `checking` are
        awaited as in `post_marked`, with the file uploaded. Before a second try ask `find_attached`.
        Raises FilesRefusedError and what `post_marked` raises.
        """
        with _refused_as(FilesRefusedError):
            if not 0 < len(content) <= MAX_FILE_BYTES:
                raise RefusedError("file_too_large")
            file_id = await self._upload(name, content)
            await self._turn(self._paces.post, conversation, letter)
            await starting()
            await self._look(conversation, letter)
            await checking()
            arguments = {
                "files": [{"id": file_id, "title": name}],
                "channel_id": conversation,
                "initial_comment": letter.message.text,
                "thread_ts": thread,
            }
            await self._send("files.completeUploadExternal", arguments, self._paces.post, conversation)
        return file_id

    async def delete_file(self, file_id: str) -> None:
        """Delete a file of ours wherever it is shared, or find it gone; twice does no harm.

        Raises UneditableError and the rest as `withdraw`.
        """
        with _uneditable(but=("file_not_found", "file_deleted")):
            await self._slack.once("files.delete", seconds=POST_SECONDS, json={"file": file_id})

    async def withdraw_file(self, conversation: str, file_id: str, *, oldest: datetime, thread: str) -> None:
        """Delete the message with which a file of ours was put beneath a post since then, and the file.

        Raises HistoryRefusedError, UneditableError and the rest as `withdraw`.
        """
        found = [(ts, each) async for ts, each in self._own(conversation, oldest, thread)]
        for ts, message in found:
            if any(file.get("id") == file_id for file in _objects(message.get("files"))):
                await self.withdraw(conversation, ts)
        await self.delete_file(file_id)

    async def _upload(self, name: str, content: bytes) -> str:
        """Bring the content to Slack, where nobody sees it yet; gives its id."""
        try:
            announced = await self._asking("files.getUploadURLExternal", filename=name, length=len(content))
            await self._slack.upload(str(announced.get("upload_url", "")), content)
        except RateLimitedError:
            raise
        except UnavailableError as error:
            raise NotTakenError from error  # whatever arrived: it is shared with nobody
        return str(announced.get("file_id", ""))

    # --- looking ---------------------------------------------------------------------------------------

    async def find_marked(
        self, conversation: str, nonce: str, *, oldest: datetime, thread: str = ""
    ) -> list[str]:
        """The `ts` of our posts with that nonce since then, oldest first; in a thread if one is named.

        Of what others wrote nothing is looked at or kept. Raises HistoryRefusedError, TokenRefusedError,
        RateLimitedError, NotTakenError, PerhapsTakenError.
        """
        found = [ts async for ts, each in self._own(conversation, oldest, thread) if _nonce(each) == nonce]
        return sorted(found, key=_order)

    async def find_attached(
        self, conversation: str, name: str, *, oldest: datetime, thread: str
    ) -> list[str]:
        """The ids of our files of that name beneath a post since then, oldest first. Raises the same."""
        found = [(ts, each) async for ts, each in self._own(conversation, oldest, thread)]
        return [
            str(file.get("id", ""))
            for _, message in sorted(found, key=lambda one: _order(one[0]))
            for file in _objects(message.get("files"))
            if file.get("title") == name and file.get("mode") != "tombstone"
        ]

    async def _own(
        self, conversation: str, oldest: datetime, thread: str
    ) -> AsyncIterator[tuple[str, Mapping[str, Any]]]:
        """Time and content of our own messages there, page by page in Slack's order."""
        method = "conversations.replies" if thread else "conversations.history"
        arguments: dict[str, str | int | bool] = {
            "channel": conversation,
            "oldest": f"{oldest.timestamp():.6f}",
            "include_all_metadata": True,
            "limit": PAGE,
            **({"ts": thread} if thread else {}),
        }
        for _ in range(MAX_PAGES):
            with _refused_as(HistoryRefusedError):
                answer = await self._asking(method, **arguments)
            messages = answer.get("messages")
            if not isinstance(messages, list):
                raise HistoryRefusedError("odd_answer")
            for message in _objects(messages):
                if message.get("user") == self._own_user and isinstance(ts := message.get("ts"), str):
                    yield ts, message
            cursor = _cursor(answer)
            if not cursor:
                return
            arguments["cursor"] = cursor
        raise HistoryRefusedError("too_much_history")

    # --- the rest --------------------------------------------------------------------------------------

    async def _turn(self, pace: Pace, conversation: str, letter: Letter, known_for: float = 0.0) -> None:
        is_known = self._audiences.was_asked(conversation, max_age=known_for)
        if letter.audience is not None and not is_known:
            await self._paces.look.turn(conversation)
        await pace.turn(conversation)

    async def _look(self, conversation: str, letter: Letter, known_for: float = 0.0) -> None:
        """The last look: those who read it now are those it was cleared for."""
        if letter.audience is None:
            return
        readers = await self._readers(conversation, known_for)
        if not same_readers(letter.audience, readers) or self._is_old(letter.audience):
            raise ReadersChangedError(readers)

    async def _readers(self, conversation: str, known_for: float = 0.0) -> Audience:
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                return await self._audiences.asked(conversation, max_age=known_for)
        except RateLimitedError as error:
            await self._paces.look.refused("", error.seconds)
            raise
        except (UnavailableError, TimeoutError) as error:
            raise NotTakenError from error

    def _is_old(self, audience: Audience) -> bool:
        read_at = audience.read_at
        return read_at is None or abs(self._clock() - read_at) > timedelta(seconds=MAX_AGE_SECONDS)

    async def _send(
        self, method: str, arguments: Mapping[str, object], pace: Pace, conversation: str
    ) -> Mapping[str, Any]:
        """One request; when Slack asks for patience, all that go the same way have it."""
        try:
            return await self._slack.once(method, seconds=POST_SECONDS, json=dict(arguments))
        except RateLimitedError as error:
            await pace.refused(conversation, error.seconds)
            raise

    async def _asking(self, method: str, **arguments: str | int | bool) -> Mapping[str, Any]:
        return await self._slack.once(method, seconds=READ_SECONDS, params=arguments, http_verb="GET")


@contextmanager
def _uneditable(*, but: tuple[str, ...] = ()) -> Iterator[None]:
    """Tell refusals that concern one message or file; what is `but` means that it is gone as it should be."""
    try:
        yield
    except RefusedError as error:
        if error.code in but:
            return
        if error.code in _CLOSED:
            raise UneditableError(error.code) from error
        raise


@contextmanager
def _refused_as(kind: type[RefusedError]) -> Iterator[None]:
    try:
        yield
    except (TokenRefusedError, kind):
        raise
    except RefusedError as error:
        raise kind(error.code) from error


def _nonce(message: Mapping[str, Any]) -> object:
    metadata = message.get("metadata")
    if not isinstance(metadata, Mapping) or metadata.get("event_type") != EVENT_TYPE:
        return None
    payload = metadata.get("event_payload")
    return payload.get("nonce") if isinstance(payload, Mapping) else None


def _objects(values: object) -> list[Mapping[str, Any]]:
    return [each for each in values if isinstance(each, Mapping)] if isinstance(values, list) else []


def _cursor(answer: Mapping[str, Any]) -> str:
    metadata = answer.get("response_metadata")
    return str(metadata.get("next_cursor") or "") if isinstance(metadata, Mapping) else ""


def _order(ts: str) -> tuple[int, str]:
    """Slack's times as text sort by length first."""
    return len(ts), ts


_CLOSED = frozenset(
    (
        *("edit_window_closed", "message_not_found", "cant_update_message", "cant_delete_message"),
        *("compliance_exports_prevent_deletion", "cant_delete_file"),
    )
)
