"""Amending: one thread's posts are judged anew, corrected or withdrawn, and whoever must know is told.

What is about to be done is written down first, and everything can be done twice: whoever comes after a crash
begins again with a look at the readers. Only messages that tell of it are sent once: by their nonces.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

import msgspec

from bot import amends
from bot.amends import Judged, Key
from bot.assertions import Assertion
from bot.blocks import Message
from bot.deliveries import Amending, Note, Post
from bot.delivery.alerts import LOG
from bot.delivery.books import PENDING, Books, OvertakenError, Tools, WaitError, about_of, looked_up
from bot.delivery.intents import Intents
from bot.delivery.notes import Notes
from bot.delivery.posting import Letter, LockedOutError, NotTakenError, ReadersChangedError, RefusedError
from bot.sharing import Audience, World

SURE_SECONDS = 45.0  # what Slack does not say for sure must stay so for that long before it counts
BUSY = timedelta(seconds=300)  # nobody changes a message for so long: a clock that went wrong said so
REWRITES = 3  # in one go


@dataclass(frozen=True)
class _Scene:
    """What everything is judged by."""

    audience: Audience
    stored: Mapping[Key, Assertion]
    world: World


class Thread:
    """The posts of one thread."""

    def __init__(self, tools: Tools, channel: str, root: str) -> None:
        self._tools, self._channel = tools, channel
        self._is_at(root)

    async def amend(self) -> None:
        """Bring all of it to its end. Raises WaitError, UnavailableError, LockedOutError: come again."""
        for _ in range(REWRITES):
            try:
                await self._open()
                await self._amend()
            except (ReadersChangedError, OvertakenError):
                continue
            return
        raise NotTakenError("Who reads that channel keeps changing; Liaison tries again by itself.")

    async def give_up(self) -> None:
        """It failed for too long."""
        await self._books.load()
        waiting = [each for each in self._books.posts.values() if each.state in PENDING or each.amending]
        await self._unreachable(waiting)
        for post in waiting:
            await self._books.put(self._books.posts[post.ts], amending=None)

    def _is_at(self, root: str) -> None:
        self._root = root
        self._books = Books(self._tools.store, self._channel, root)
        self._notes = Notes(self._tools, self._books)

    async def _open(self) -> None:
        """Read what is to be judged. What was never completed is found first, or known not to be there."""
        await self._books.load()
        root = await Intents(self._tools, self._books).complete()
        if root is not None:
            self._is_at(root)
            await self._books.load()
        now = self._tools.clock()
        busy = [each.busy_until for each in self._books.posts.values() if each.busy_until is not None]
        if busy := [until for until in busy if now < until <= now + BUSY]:
            raise WaitError(max(busy))

    async def _amend(self) -> None:
        posts = list(self._books.posts.values())
        if not posts:
            return
        try:
            audience = await self._tools.posting.readers(self._channel)
        except LockedOutError:
            raise
        except RefusedError:
            await self._unreachable([each for each in posts if each.state in PENDING])
            return
        scene = await self._scene(audience)
        judged = [amends.judge(each, scene.stored, audience, scene.world) for each in posts]
        self._be_sure(audience, any(each.taken for each in judged))
        await self._begin(judged, audience)
        for each in judged:
            await self._act(each, scene)
        await self._end(scene)

    async def _scene(self, audience: Audience) -> _Scene:
        shown = (item.indicator for post in self._books.posts.values() for item in post.items)
        stored = await looked_up(self._tools.store, shown)
        return _Scene(audience, stored, self._tools.registry.world(self._tools.clock()))

    def _be_sure(self, audience: Audience, is_anything_taken: bool) -> None:
        """A moment in which Slack does not tell must not cost what may stand there."""
        unsure, now = self._tools.unsure_since, self._tools.clock()
        if audience.fresh:
            unsure.pop(self._channel, None)
        elif is_anything_taken:
            sure_at = unsure.setdefault(self._channel, now) + timedelta(seconds=SURE_SECONDS)
            if now < sure_at:
                raise WaitError(sure_at)

    # --- writing down ----------------------------------------------------------------------------------

    async def _begin(self, judged: Sequence[Judged], audience: Audience) -> None:
        """Write down what is about to happen: first the post that speaks for all of them."""
        affected = [each for each in judged if each.is_affected]
        if affected and (lead := self._lead(affected)) is not None:
            await self._speak(lead, affected, audience)
        for each in affected:
            post = self._books.posts[each.post.ts]
            await self._books.put(post, state="correcting" if each.stay else "deleting")

    def _lead(self, affected: Sequence[Judged]) -> Post | None:
        speaking = [each for each in self._books.posts.values() if each.amending and each.amending.notes]
        spoken_for = [
            self._books.posts[each.post.ts] for each in affected if each.post.purpose != amends.NOTE
        ]
        return next(iter((*speaking, *spoken_for)), None)

    async def _speak(self, lead: Post, affected: Sequence[Judged], audience: Audience) -> None:
        """One note for all that is newly found; what was told before is not told again."""
        doing = lead.amending or Amending()
        told = set(map(amends.key, about_of(doing)))
        found = {amends.key(item): item for each in affected for item in (*each.taken, *each.stale)}
        fresh = tuple(item for key, item in found.items() if key not in told)
        if not fresh:
            return
        readers = {*doing.readers, *audience.orgs, *(org for each in affected for org in each.post.readers)}
        place = "" if any(each.post.ts == self._root and not each.stay for each in affected) else self._root
        wished = tuple(item for each in affected if each.post.amending for item in each.post.amending.wished)
        changed = tuple(
            item for each in affected if each.post.amending for item in each.post.amending.changed
        )
        nonce = self._tools.nonce()
        note = Note(
            channel=self._channel, thread=place, nonce=nonce, about=fresh, wished=wished, changed=changed
        )
        doing = msgspec.structs.replace(
            doing,
            notes=(*doing.notes, note),
            readers=tuple(sorted(readers)),
            are_sources_told=False,
            is_host_told=False,
        )
        state = lead.state if lead.state in PENDING else "doubted"
        await self._books.put(lead, state=state, amending=doing)

    # --- doing -----------------------------------------------------------------------------------------

    async def _act(self, judged: Judged, scene: _Scene) -> None:
        post = self._books.posts[judged.post.ts]
        if post.state == "correcting":
            message = amends.corrected(judged, scene.audience, scene.world)
            if message is not None and await self._correct(post, message, scene.audience):
                readers = tuple(sorted({*post.readers, *scene.audience.orgs}))
                await self._books.put(post, items=judged.kept, readers=readers)
                return
            post = await self._books.put(post, state="deleting")
        if post.state == "deleting":
            await self._withdraw(post)

    async def _correct(self, post: Post, message: Message, audience: Audience) -> bool:
        """False if it must be withdrawn instead."""
        try:
            await self._tools.posting.correct(self._channel, post.ts, Letter(message, audience))
        except LockedOutError:
            raise
        except RefusedError as error:
            LOG.warning("a post could not be corrected (%s), so it is withdrawn", error.code)
            return False
        return True

    async def _withdraw(self, post: Post) -> None:
        posting = self._tools.posting
        try:
            for file in post.files:
                await posting.delete_file(file)
            if not amends.is_file(post):
                await posting.withdraw(self._channel, post.ts)
        except LockedOutError:
            raise
        except RefusedError as error:
            if error.code not in _GONE:
                await self._unreachable([post])
                return
        await self._books.put(post, items=())

    async def _unreachable(self, posts: Sequence[Post]) -> None:
        """Slack lets us do nothing about it."""
        for post in posts:
            await self._tools.tell(
                f"A post ({post.purpose}, {post.ts}) in {post.channel} may show what its readers may not "
                "see, and Slack does not let Liaison change or delete it. Look at it yourself, and delete it."
            )
            await self._books.put(post, state="unreachable")

    # --- ending ----------------------------------------------------------------------------------------

    async def _end(self, scene: _Scene) -> None:
        """What is done is done; the post that speaks for all of them ends when everything is said."""
        for post in list(self._books.posts.values()):
            if post.amending is None or not post.amending.notes:
                await self._finish(post)
        for post in list(self._books.posts.values()):
            if post.amending is not None and post.amending.notes:
                await self._notes.tell(post, scene.world)
                await self._finish(self._books.posts[post.ts])

    async def _finish(self, post: Post) -> None:
        ends = {"correcting": "corrected", "deleting": "deleted", "doubted": "shown"}
        if post.state in ends or post.amending is not None:
            await self._books.put(post, state=ends.get(post.state, post.state), amending=None)


_GONE = frozenset(("message_not_found", "file_not_found", "file_deleted"))
