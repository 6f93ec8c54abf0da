"""Intents: answers that were about to be posted when something broke are looked for, by their nonces."""

from datetime import timedelta

import msgspec

from bot.deliveries import ANSWER_SECONDS, Amending, Post
from bot.delivery.books import PENDING, Books, OvertakenError, Tools, WaitError, joined
from bot.delivery.posting import LockedOutError, RefusedError

LOOK_BACK = timedelta(hours=25)  # before it was intended, for our clock may be wrong by an hour or a day
QUIET_SECONDS = 86_400.0  # operators hear once in that time that Liaison may not look


class Intents:
    """Those of one thread."""

    def __init__(self, tools: Tools, books: Books) -> None:
        self._tools, self._books = tools, books

    async def complete(self) -> str | None:
        """Give each its `ts`, to be judged anew, or forget it; the root of the thread if there were any.

        Raises WaitError as long as one may be under way.
        """
        root, intents = self._books.root, [each for each in self._books.posts.values() if each.is_intended]
        for intent in intents:
            ts = await self._complete(intent)
            root = ts if intent.ts == root and ts else root
        return root if intents else None

    async def _complete(self, intent: Post) -> str:
        """The `ts` that it goes by from now on, if it stands there."""
        known = self._books.named.get(intent.nonce)
        ts = known.ts if known is not None else await self._found(intent)
        known = known or (await self._tools.store.post(intent.channel, ts) if ts else None)
        if known is not None:
            await self._merge(known, intent)
        elif ts:
            await self._replace(intent, msgspec.structs.replace(intent, ts=ts, state="doubted"))
        return ts

    async def _found(self, intent: Post) -> str:
        posting, now = self._tools.posting, self._tools.clock()
        intent = await self._books.put(intent, posted_at=min(intent.posted_at, now))  # of a clock gone wrong
        settled_at = intent.posted_at + timedelta(seconds=ANSWER_SECONDS)
        if now < settled_at:
            raise WaitError(settled_at)
        try:
            found = await posting.find_marked(
                intent.channel, intent.nonce, oldest=intent.posted_at - LOOK_BACK, thread=intent.thread
            )
        except LockedOutError:
            raise
        except RefusedError as error:
            await self._leave(intent, error.code)
            return ""
        for duplicate in found[1:]:
            await posting.withdraw(intent.channel, duplicate)
        if not found:
            await self._books.put(intent, state="deleted")
        return found[0] if found else ""

    async def _leave(self, intent: Post, code: str) -> None:
        """Nobody lets us look: it is told once, and again where what it would show was taken back."""
        doubted = intent.amending is not None
        if doubted or await self._tools.store.claim("intents left", seconds=QUIET_SECONDS):
            much = (
                "It shows what its readers may not see any more, if it does"
                if doubted
                else "There may be more"
            )
            await self._tools.tell(
                f"An answer being posted in {intent.channel}, {intent.posted_at:%d %b %Y %H:%M} UTC, "
                f"may stand there or not: Slack does not let Liaison look ({code}), nor correct it. {much}. "
                "Look yourself, and delete what must not stand there."
            )
        await self._books.put(intent, state="unreachable", amending=None)

    async def _merge(self, known: Post, intent: Post) -> None:
        """It was completed, and then doubted under its old name by somebody who had read it before."""
        wanted, doing = intent.amending or Amending(), known.amending or Amending()
        doing = msgspec.structs.replace(
            doing,
            wished=joined(doing.wished, wanted.wished),
            changed=joined(doing.changed, wanted.changed),
        )
        state = known.state if known.state in PENDING else "doubted"
        await self._replace(known, msgspec.structs.replace(known, state=state, amending=doing))
        await self._books.put(self._books.posts[intent.ts], state="deleted")

    async def _replace(self, old: Post, new: Post) -> None:
        if not await self._tools.store.replace_post(old, new):
            raise OvertakenError
