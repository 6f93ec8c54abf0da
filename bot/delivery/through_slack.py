"""Through Slack: the outbox's marked posts as couriers know them, with Slack's errors in their words."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from bot.delivery import posting
from bot.delivery.posting import Letter, Starting, nothing
from bot.errors import UnavailableError
from bot.sharing import Audience
from bot.slack import calls, outbox, posts
from bot.slack.posts import Posts


class ThroughSlack:
    """`posting.Posting` on Slack, and what corrections need besides."""

    def __init__(self, posts: Posts) -> None:
        self._posts = posts

    async def readers(self, conversation: str) -> Audience:
        """Who reads that channel, asked now."""
        with _in_their_words():
            return await self._posts.readers(conversation)

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
        """Post once where all members read it, with the nonce in its metadata; gives its `ts`."""
        with _in_their_words():
            return await self._posts.post_marked(
                conversation,
                _as_slack(letter),
                nonce=nonce,
                thread=thread,
                starting=starting,
                checking=checking,
            )

    async def find_marked(
        self, conversation: str, nonce: str, *, oldest: datetime, thread: str = ""
    ) -> list[str]:
        """The `ts` of our posts with that nonce since then, oldest first."""
        with _in_their_words():
            return await self._posts.find_marked(conversation, nonce, oldest=oldest, thread=thread)

    async def correct(self, conversation: str, ts: str, letter: Letter) -> None:
        """Put other words into a post of ours."""
        with _in_their_words():
            await self._posts.correct(conversation, ts, _as_slack(letter))

    async def withdraw(self, conversation: str, ts: str) -> None:
        """Delete a post of ours, or find it gone."""
        with _in_their_words():
            await self._posts.withdraw(conversation, ts)

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
        """Put a file beneath a post where all members read it; gives the file's id."""
        with _in_their_words():
            return await self._posts.attach(
                conversation,
                name,
                content,
                _as_slack(letter),
                thread=thread,
                starting=starting,
                checking=checking,
            )

    async def find_attached(
        self, conversation: str, name: str, *, oldest: datetime, thread: str
    ) -> list[str]:
        """The ids of files of that name that we put beneath a post since then."""
        with _in_their_words():
            return await self._posts.find_attached(conversation, name, oldest=oldest, thread=thread)

    async def withdraw_file(self, conversation: str, file_id: str, *, oldest: datetime, thread: str) -> None:
        """Delete a file that we put beneath a post since then, and the message that it came with."""
        with _in_their_words():
            await self._posts.withdraw_file(conversation, file_id, oldest=oldest, thread=thread)

    async def delete_file(self, file_id: str) -> None:
        """Delete a file of ours, or find it gone."""
        with _in_their_words():
            await self._posts.delete_file(file_id)


def _as_slack(letter: Letter) -> outbox.Letter:
    return outbox.Letter(letter.message, letter.audience)


@contextmanager
def _in_their_words() -> Iterator[None]:
    try:
        yield
    except calls.RateLimitedError as error:
        raise posting.RateLimitedError(error.seconds) from error
    except calls.RefusedError as error:
        kind = next(theirs for ours, theirs in _REFUSALS if isinstance(error, ours))
        raise kind(error.code) from error
    except outbox.ReadersChangedError as error:
        raise posting.ReadersChangedError(str(error), error.readers) from error
    except (calls.NotTakenError, calls.PerhapsTakenError) as error:
        raise _OTHERS[type(error)](str(error)) from error


_REFUSALS: tuple[tuple[type[calls.RefusedError], type[posting.RefusedError]], ...] = (
    (calls.TokenRefusedError, posting.LockedOutError),
    (posts.HistoryRefusedError, posting.HistoryRefusedError),
    (posts.FilesRefusedError, posting.FilesRefusedError),
    (posts.UneditableError, posting.UneditableError),
    (calls.RefusedError, posting.RefusedError),
)
_OTHERS: dict[type[UnavailableError], type[UnavailableError]] = {
    calls.NotTakenError: posting.NotTakenError,
    calls.PerhapsTakenError: posting.PerhapsTakenError,
}
