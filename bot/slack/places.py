"""Places: where an answer stands, how it is changed there, and where its file goes."""

from bot.chat import Actor, Reply
from bot.errors import BotError
from bot.slack.answering import plainly
from bot.slack.calls import RefusedError
from bot.slack.ledger import Ledger
from bot.slack.outbox import (
    RESPONSE_USES,
    Attachment,
    Letter,
    ReadersChangedError,
    ReplyUrl,
    words_only,
)

# With the last state there may be a second try, or a word about the file.
_KEPT_USES = 2


class BelowCommand:
    """The answer to a slash command, which its asker alone sees; its file goes into a direct message."""

    def __init__(self, ledger: Ledger, actor: Actor, to: ReplyUrl) -> None:
        self._ledger, self._outbox, self._actor, self._to = ledger, ledger.outbox, actor, to

    async def change(self, letter: Letter, reply: Reply, *, is_last: bool) -> None:
        """Take the place of what stands there, as long as Slack still takes the last state after it."""
        if is_last or self._to.uses < RESPONSE_USES - _KEPT_USES:
            ready = await self._outbox.ephemeral(self._actor, letter)
            await self._outbox.respond(self._to, ready, replace=True)

    async def attach(self, file: Attachment) -> None:
        """Send it to the asker's direct conversation, or say below the answer that it could not be sent."""
        try:
            conversation = await self._outbox.open_direct(self._actor)
            await self._ledger.attach(conversation, self._actor, file)
        except ReadersChangedError:
            raise
        except BotError as error:
            await self._outbox.respond(self._to, words_only(_no_file(error)))


class InDirectMessage:
    """The answer in the direct conversation with one person."""

    def __init__(self, ledger: Ledger, actor: Actor, conversation: str, ts: str, *, thread: str) -> None:
        self._ledger, self._actor = ledger, actor
        self._conversation, self._ts, self._thread = conversation, ts, thread

    async def change(self, letter: Letter, reply: Reply, *, is_last: bool) -> None:
        """Change the message; the last state is posted anew when Slack does not let it be changed."""
        try:
            await self._ledger.change_direct(self._conversation, self._ts, self._actor, letter, reply)
        except RefusedError:
            if is_last:
                await self._ledger.post_direct(
                    self._conversation, self._actor, letter, reply, thread=self._thread
                )

    async def attach(self, file: Attachment) -> None:
        """Put it below the answer, or say that it could not be sent."""
        try:
            await self._ledger.attach(self._conversation, self._actor, file, thread=self._thread)
        except ReadersChangedError:
            raise
        except BotError as error:
            await self._ledger.outbox.post_direct(
                self._conversation, self._actor, _no_file(error), thread=self._thread
            )


def _no_file(error: BotError) -> Letter:
    why = (
        "This workspace does not take files from Liaison." if isinstance(error, RefusedError) else str(error)
    )
    return plainly("the CSV file could not be sent", why, "Press “Details” below the answer for all of it.")
