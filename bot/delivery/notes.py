"""Notes: whoever must know of a correction is told once: readers in the thread, sources, and operators."""

from collections.abc import Iterable
from datetime import timedelta

import msgspec

from bot import amends
from bot.deliveries import SETTLE_SECONDS, Amending, Item, Note, Post
from bot.delivery.alerts import LOG
from bot.delivery.books import Books, Tools, WaitError, about_of, looked_up
from bot.delivery.posting import Letter, LockedOutError, NotTakenError, ReadersChangedError, RefusedError
from bot.sharing import Reach, World, clear

LOOK_BACK = timedelta(hours=25)  # before a note was started, for our clock may be wrong by an hour or a day
OWN_CHANNELS = 20  # looked at to find one of a source


class Notes:
    """What is said of one thread."""

    def __init__(self, tools: Tools, books: Books) -> None:
        self._tools, self._books = tools, books

    async def tell(self, post: Post, world: World) -> None:
        """Say all that is to be said; the post is the one that speaks for its thread."""
        post = await self._with_sources(post, world)
        doing = post.amending or Amending()
        if not doing.is_host_told:
            about = about_of(doing)
            told = {note.source for note in doing.notes}
            untold = _concerned(about, doing.readers, world) - told
            if set(doing.readers) - {world.host}:
                await self._tools.tell(amends.for_operators(post, about, doing.readers, untold))
            doing = msgspec.structs.replace(doing, is_host_told=True)
            post = await self._books.put(post, amending=doing)
        for number in range(len(doing.notes)):
            await self._say(post.ts, number)

    async def _with_sources(self, post: Post, world: World) -> Post:
        """Notes for the sources whose entries others could read, as far as each has a channel of its own."""
        doing = post.amending or Amending()
        if doing.are_sources_told:
            return post
        notes = list(doing.notes)
        about = about_of(doing)
        wished = [item for note in notes for item in note.wished]
        changed = [item for note in notes for item in note.changed]
        told = {amends.key(item) for note in notes if note.source for item in note.about}
        for source in sorted(_concerned(about, doing.readers, world)):
            own = tuple(item for item in about if item.source == source and amends.key(item) not in told)
            channel = await self._channel_of(source, world.host) if own else ""
            if channel:
                cause = amends.cause(own, wished, changed)
                nonce = self._tools.nonce()
                notes.append(Note(channel=channel, nonce=nonce, source=source, about=own, cause=cause))
        doing = msgspec.structs.replace(doing, notes=tuple(notes), are_sources_told=True)
        return await self._books.put(post, amending=doing)

    async def _channel_of(self, source: str, host: str) -> str:
        """A channel where only that source and the host read, now as before."""
        only = {source, host}
        subscribed = [each.subscription.channel for each in await self._tools.store.subscriptions()]
        posts = await self._tools.store.posts(most=1_000)
        own = [each.channel for each in posts if source in each.readers and set(each.readers) <= only]
        # a notice that was posted there before says nothing of its readers
        others = {each.channel for each in posts if each.purpose != amends.NOTE} - set(own)
        candidates = dict.fromkeys([*own, *(each for each in subscribed if each not in others)])
        for channel in list(candidates)[:OWN_CHANNELS]:
            try:
                audience = await self._tools.posting.readers(channel)
            except LockedOutError:
                raise
            except RefusedError:
                continue
            is_theirs = source in audience.orgs and audience.orgs <= only
            if audience.fresh and is_theirs and audience.reach is Reach.CHANNEL:
                return channel
        return ""

    # --- saying once -----------------------------------------------------------------------------------

    async def _say(self, lead: str, number: int) -> None:
        """Post a note unless it stands there already."""
        note = self._note(lead, number)
        if note.is_said:
            return
        try:
            ts = await self._found(lead, number) or await self._send(lead, number)
        except LockedOutError:
            raise
        except RefusedError as error:
            LOG.warning("a note about a correction was not taken (%s)", error.code)
            await self._tools.tell(
                f"A note about a correction could not be posted in {note.channel} ({error.code}); "
                "tell its readers yourself."
            )
        else:
            if ts:
                await self._record(self._note(lead, number), ts)
        await self._put_note(lead, number, is_said=True, started_at=None)

    async def _found(self, lead: str, number: int) -> str:
        """The note, if one is there that was under way when something broke."""
        note = self._note(lead, number)
        if note.started_at is None:
            return ""
        started_at = min(note.started_at, self._tools.clock())  # a clock that went back tells nothing else
        settled_at = started_at + timedelta(seconds=SETTLE_SECONDS)
        if self._tools.clock() < settled_at:
            await self._put_note(lead, number, started_at=started_at)
            raise WaitError(settled_at)
        found = await self._tools.posting.find_marked(
            note.channel, note.nonce, oldest=started_at - LOOK_BACK, thread=note.thread
        )
        for ts in found[1:]:
            await self._tools.posting.withdraw(note.channel, ts)
        return found[0] if found else ""

    async def _send(self, lead: str, number: int) -> str:
        note, post = self._note(lead, number), self._books.posts[lead]
        audience = await self._tools.posting.readers(note.channel)
        if note.source and not audience.orgs <= {note.source, self._tools.registry.host.id}:
            return ""  # not a channel of its own any more
        stored = await looked_up(self._tools.store, [item.indicator for item in note.about])
        world = self._tools.registry.world(self._tools.clock())
        may_be_named = amends.named(note, stored, audience, world)
        cleared = clear(may_be_named, audience, world)
        readers = post.amending.readers if post.amending else ()
        message = (
            amends.notice(post, note, readers, cleared, world)
            if note.source
            else amends.note(post, note.about, cleared)
        )
        names = tuple(Item(one.source, one.indicator, one.label) for one in may_be_named)

        async def starting() -> None:
            await self._put_note(lead, number, started_at=self._tools.clock(), names=names)

        try:
            return await self._tools.posting.post_marked(
                note.channel,
                Letter(message, audience),
                nonce=note.nonce,
                thread=note.thread,
                starting=starting,
            )
        except (NotTakenError, ReadersChangedError, RefusedError):
            await self._put_note(lead, number, started_at=None)
            raise

    def _note(self, lead: str, number: int) -> Note:
        doing = self._books.posts[lead].amending or Amending()
        return doing.notes[number]

    async def _put_note(self, lead: str, number: int, **changed: object) -> None:
        post = self._books.posts[lead]
        doing = post.amending or Amending()
        notes = list(doing.notes)
        notes[number] = msgspec.structs.replace(notes[number], **changed)
        await self._books.put(post, amending=msgspec.structs.replace(doing, notes=tuple(notes)))

    async def _record(self, note: Note, ts: str) -> None:
        """A note is a post like any other."""
        await self._tools.store.record_post(
            Post(
                channel=note.channel,
                ts=ts,
                thread=note.thread,
                purpose=amends.NOTE,
                posted_at=self._tools.clock(),
                items=note.names,
            )
        )


def _concerned(about: Iterable[Item], readers: Iterable[str], world: World) -> set[str]:
    """Partners whose entries somebody else but the host could read."""
    others = set(readers) - {world.host}
    sources = {item.source for item in about} & world.in_force
    return {source for source in sources if others - {source}}
