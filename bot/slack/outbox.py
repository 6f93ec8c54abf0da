"""Outbox: answers, shares and modals, sent after a last look at who will read them.

It and `bot.slack.posts`, for what Liaison says by itself, are the only places that send anything to Slack.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.blockkit import message_problems, view_problems
from bot.blocks import Message
from bot.chat import Actor, Reply
from bot.errors import BotError, UnavailableError
from bot.sharing import Audience, Reach
from bot.slack.audience import FRESH_SECONDS, Audiences, alone, same_readers
from bot.slack.calls import PAUSE_SECONDS, RefusedError, WebApi
from bot.slack.identity import People

RESPONSE_USES = 5  # https://docs.slack.dev/interactivity/handling-user-interaction/
RESPONSE_SECONDS = 10.0
MAX_FILE_BYTES = 1_000_000
TRIGGER_SECONDS = 3.0
EVENT_TYPE = "liaison_post"

Json = dict[str, object]
Sharing = Callable[[str], Awaitable[object]]


class ReadersChangedError(BotError):
    """Others than those it was cleared for would read it; nothing was sent. `readers` do, if known."""

    def __init__(self, readers: Audience | None = None) -> None:
        super().__init__("Who reads this conversation changed just now, so nothing was said; ask again.")
        self.readers = readers


@dataclass(frozen=True)
class Letter:
    """A rendered message and the audience it was cleared for; None if it holds nothing from the store."""

    message: Message
    audience: Audience | None


@dataclass(frozen=True)
class Attachment:
    """A file for one person, and the letter that goes with it; both were cleared for the same audience."""

    name: str
    content: bytes
    letter: Letter
    shows: Reply


@dataclass(frozen=True)
class Ephemeral:
    """A checked answer that only one person sees; made by the outbox alone."""

    payload: Json


class ReplyUrl:
    """Slack's address for answers to one command or click; who knows it can use it, so it is never shown."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.uses = 0

    def __repr__(self) -> str:
        return "***"


class Outbox:
    """Posts, answers, modals. Nothing is sent twice: a post whose answer got lost stays as it is."""

    def __init__(
        self, slack: WebApi, audiences: Audiences, people: People, *, clock: Callable[[], datetime]
    ) -> None:
        self._slack, self._audiences, self._people, self._clock = slack, audiences, people, clock

    async def post(self, conversation: str, letter: Letter, *, thread: str = "", nonce: str = "") -> str:
        """Post where all members read it; gives its `ts`. With a nonce it can be found again.

        Raises ReadersChangedError, RefusedError, UnavailableError.
        """
        readers = await self._audiences.of_conversation(conversation, max_age=0)
        self._check(letter, readers)
        return await self._post(conversation, letter.message, thread, nonce)

    async def post_direct(
        self, conversation: str, actor: Actor, letter: Letter, *, thread: str = "", nonce: str = ""
    ) -> str:
        """Post in the direct conversation with that one person; gives its `ts`. Raises the same."""
        self._check(letter, await self._alone(Reach.DM, actor))
        return await self._post(conversation, letter.message, thread, nonce)

    async def change_direct(self, conversation: str, ts: str, actor: Actor, letter: Letter) -> None:
        """Put other words into a message there; twice if need be, for it does no harm. Raises the same."""
        self._check(letter, await self._alone(Reach.DM, actor))
        arguments = {"channel": conversation, "ts": ts, **payload(letter.message)}
        try:
            await self._slack.write("chat.update", arguments)
        except UnavailableError:
            await asyncio.sleep(PAUSE_SECONDS)
            await self._slack.write("chat.update", arguments)

    async def open_direct(self, actor: Actor) -> str:
        """The direct conversation with that person. Raises RefusedError, UnavailableError."""
        answer = await self._slack.write("conversations.open", {"users": actor.user})
        channel = answer.get("channel")
        found = str(channel.get("id", "")) if isinstance(channel, Mapping) else ""
        if not found.startswith("D"):
            raise RefusedError("channel_not_found")
        return found

    async def attach(
        self, conversation: str, actor: Actor, file: Attachment, *, sharing: Sharing, thread: str = ""
    ) -> None:
        """Put a file into the direct conversation with that one person. Raises the same.

        `sharing` is awaited with its id when it is uploaded and before anybody can read it.
        """
        if not 0 < len(file.content) <= MAX_FILE_BYTES:
            raise RefusedError("file_too_large")
        self._check(file.letter, await self._alone(Reach.DM, actor))
        announced = await self._slack.read(
            "files.getUploadURLExternal", filename=file.name, length=len(file.content)
        )
        file_id = str(announced.get("file_id", ""))
        await self._slack.upload(str(announced.get("upload_url", "")), file.content)
        self._check(file.letter, await self._alone(Reach.DM, actor))
        await sharing(file_id)
        await self._slack.write(
            "files.completeUploadExternal",
            {
                "files": [{"id": file_id, "title": file.name}],
                "channel_id": conversation,
                "initial_comment": file.letter.message.text,
                **({"thread_ts": thread} if thread else {}),
            },
        )

    async def ephemeral(self, actor: Actor, letter: Letter) -> Ephemeral:
        """Check an answer that only the actor will see. Raises ReadersChangedError.

        What was cleared for a channel may be shown to one of its readers: every one of them may see it.
        """
        if letter.audience is not None and letter.audience.reach is Reach.CHANNEL:
            await self._check_may_see(actor, letter.audience)
        else:
            self._check(letter, await self._alone(Reach.EPHEMERAL, actor))
        return Ephemeral({"response_type": "ephemeral", **payload(letter.message)})

    async def respond(self, to: ReplyUrl, answer: Ephemeral, *, replace: bool = False) -> None:
        """Answer a command or click; `replace` puts it in the place of what was clicked."""
        try:
            await self._use(to, answer, replace)
        except UnavailableError:
            if not replace:
                raise
            await asyncio.sleep(PAUSE_SECONDS)  # once more: the same words in the same place do no harm
            await self._use(to, answer, replace)

    async def open_modal(self, trigger: str, actor: Actor, view: Json, audience: Audience) -> None:
        """Open a modal whose words were cleared for that audience, which the actor must belong to."""
        await self._check_may_see(actor, audience)
        arguments = {"trigger_id": trigger, "view": sound_view(view)}
        await self._slack.write("views.open", arguments, seconds=TRIGGER_SECONDS)

    async def turn_modal(self, view_id: str, actor: Actor, view: Json, audience: Audience) -> None:
        """Put another page into an open modal."""
        await self._check_may_see(actor, audience)
        await self._slack.write("views.update", {"view_id": view_id, "view": sound_view(view)})

    async def _post(self, conversation: str, message: Message, thread: str, nonce: str) -> str:
        arguments = {
            "channel": conversation,
            **payload(message),
            **({"metadata": marked(nonce)} if nonce else {}),
            "unfurl_links": False,  # Slack must fetch nothing, whatever got past the defanging
            "unfurl_media": False,
            **({"thread_ts": thread} if thread else {}),
        }
        answer = await self._slack.write("chat.postMessage", arguments)
        return str(answer.get("ts", ""))

    async def _alone(self, reach: Reach, actor: Actor) -> Audience:
        """The audience of that person as Slack says it now."""
        now = await self._people.actor(actor.user)
        return alone(reach, now, self._clock())

    async def _check_may_see(self, actor: Actor, audience: Audience) -> None:
        """A modal shows its one reader what was cleared for them, or for a conversation they read."""
        now = await self._people.actor(actor.user)
        is_other = audience.reach is Reach.EPHEMERAL and audience.persons != {actor.user}
        if is_other or now.org not in audience.orgs or self._is_old(audience):
            raise ReadersChangedError

    def _check(self, letter: Letter, readers: Audience) -> None:
        if letter.audience is None:
            return
        if not same_readers(letter.audience, readers) or self._is_old(letter.audience):
            raise ReadersChangedError

    def _is_old(self, audience: Audience) -> bool:
        read_at = audience.read_at
        return read_at is None or abs(self._clock() - read_at) > timedelta(seconds=FRESH_SECONDS)

    async def _use(self, to: ReplyUrl, answer: Ephemeral, replace: bool) -> None:
        if to.uses >= RESPONSE_USES:
            raise RefusedError("used_url")
        to.uses += 1
        body = {**answer.payload, "replace_original": replace}
        status = await self._slack.post_to("hooks", to.url, seconds=RESPONSE_SECONDS, json=body)
        if status != 200:
            raise RefusedError(f"response_url_{status}")


def words_only(letter: Letter) -> Ephemeral:
    """An answer that holds nothing from the store needs no look at its reader."""
    if letter.audience is not None:
        raise ReadersChangedError
    return Ephemeral({"response_type": "ephemeral", **payload(letter.message)})


def sound_view(view: Json) -> Json:
    """The view, if Slack would take it. Raises ValueError, which is a mistake of ours."""
    if found := view_problems(view):
        raise ValueError(f"{len(found)} problems in a view")
    return view


def marked(nonce: str) -> Json:
    """The metadata that a post is found again by: opaque, for every member can read it."""
    return {"event_type": EVENT_TYPE, "event_payload": {"nonce": nonce}}


def payload(message: Message) -> Json:
    """What every way of sending has in common. Raises ValueError, which is a mistake of ours."""
    payload: Json = {"text": message.text, "blocks": list(message.blocks)}
    if found := message_problems(payload):
        raise ValueError(f"{len(found)} problems in a message")
    return payload
