"""Listen: what people ask in Slack, acknowledged at once and answered as its readers allow."""

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from slack_bolt.async_app import AsyncApp

from bot.chat import Actor, Surface
from bot.errors import BotError, UnavailableError
from bot.sharing import Reach
from bot.slack.answering import Answered, Answering, apologise, plainly
from bot.slack.audience import Audiences, alone
from bot.slack.growing import PATIENCE_SECONDS, Growing, goes_on
from bot.slack.identity import People
from bot.slack.keeping import Question
from bot.slack.ledger import Ledger
from bot.slack.outbox import Ephemeral, Outbox, ReadersChangedError, ReplyUrl, words_only
from bot.slack.places import BelowCommand, InDirectMessage
from bot.slack.work import Work, within

ACK_SECONDS = 2.0  # Slack waits three; what is not ready by then comes later
TRIES = 2
ANSWER_SECONDS = 25.0  # one question may take this long in all
GROWING_SECONDS = ANSWER_SECONDS + PATIENCE_SECONDS + 25.0  # the same with what services say, and its file
MAX_TEXT = 40_000  # characters of one question, where Slack cuts messages, too
LOG = logging.getLogger("bot.listen")

Ack = Callable[..., Awaitable[Any]]
Body = Mapping[str, Any]

_ANY = re.compile(r".*")
_MENTION = re.compile(r"<@([A-Z0-9]{1,32})(?:\|[^<>]{0,200})?>")
_AROUND = " \t\r\n:,"


@dataclass(frozen=True)
class Parts:
    """What listeners work with."""

    answering: Answering
    people: People
    audiences: Audiences
    outbox: Outbox
    ledger: Ledger
    work: Work
    growing: Growing
    own_user: str


@dataclass(frozen=True)
class _First:
    """The answer to a slash command as it stood at first."""

    actor: Actor
    answered: Answered
    ready: Ephemeral


class Listeners:
    """Commands, mentions, direct messages, and events that change who reads a channel."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def register(self, app: AsyncApp) -> None:
        """Tell Bolt about every listener."""
        app.command(_ANY)(self.slash)  # an administrator may have given it another name
        app.event("app_mention")(self.mention)
        app.event("message")(self.direct_message)
        for event in ("channel_shared", "channel_unshared", "member_joined_channel", "member_left_channel"):
            app.event(event)(self.readers_changed)
        app.event("channel_id_changed")(self.channel_id_changed)
        app.event(_ANY)(_ignore)  # whatever else somebody subscribed us to

    async def slash(self, ack: Ack, body: Body) -> None:
        """Answer a slash command: in the acknowledgement what is quick enough, the rest afterwards."""
        to = ReplyUrl(str(body.get("response_url", "")))
        try:
            answer = self._parts.work.start(self._slash(body), seconds=ANSWER_SECONDS)
            first = await within(answer, ACK_SECONDS)
            if first is None:
                self._parts.work.start(self._respond_later(answer, to), seconds=GROWING_SECONDS)
                ready = words_only(plainly("Looking…"))
            else:
                if goes_on(first.answered.reply):
                    self._parts.work.start(self._follow(first, to), seconds=GROWING_SECONDS)
                ready = first.ready
        except BotError as error:
            ready = words_only(apologise(error))
        await ack(**ready.payload)

    async def mention(self, event: Body) -> None:
        """Answer @Liaison in the thread, for everybody who reads the channel."""
        if is_from_person(event, self._parts.own_user) and not is_direct(event):
            self._start(self._answer_mention(event), ANSWER_SECONDS)

    async def direct_message(self, event: Body) -> None:
        """Answer a direct message for the person who wrote it."""
        if is_from_person(event, self._parts.own_user) and event.get("channel_type") == "im":
            self._start(self._answer_direct(event), GROWING_SECONDS)

    async def readers_changed(self, event: Body) -> None:
        """Forget who read the channel: the next answer asks Slack, and what was posted is judged anew."""
        self._parts.audiences.forget(_channel(event))
        if (corrections := self._parts.answering.services.corrections) is not None:
            corrections.readers_changed(_channel(event))

    async def channel_id_changed(self, event: Body) -> None:
        """A channel got another id, as happens when a share begins."""
        old, new = str(event.get("old_channel_id", "")), str(event.get("new_channel_id", ""))
        self._parts.audiences.renamed(old, new)
        await self._parts.answering.services.store.channel_renamed(old, new)
        if (corrections := self._parts.answering.services.corrections) is not None:
            await corrections.channel_renamed(old, new)

    def _start(self, answer: Any, seconds: float) -> None:
        try:
            self._parts.work.start(answer, seconds=seconds)
        except BotError:
            LOG.warning("a question was dropped: there is too much to do")

    async def _slash(self, body: Body) -> "_First":
        parts = self._parts
        conversation = str(body.get("channel_id", ""))
        actor, channel = await asyncio.gather(
            parts.people.actor(str(body.get("user_id", "")), str(body.get("team_id", ""))),
            parts.audiences.of_conversation(conversation),
        )
        question = Question(
            user=actor.user,
            text=str(body.get("text", ""))[:MAX_TEXT],
            surface=Surface.SLASH,
            conversation=conversation,
        )
        answered = await parts.answering.answer(question, actor, parts.audiences.of_person(actor), channel)
        return _First(actor, answered, await parts.outbox.ephemeral(actor, answered.letter))

    async def _respond_later(self, answer: "asyncio.Task[_First]", to: ReplyUrl) -> None:
        try:
            first = await answer
        except BotError as error:
            await self._parts.outbox.respond(to, words_only(apologise(error)), replace=True)
        else:
            with suppress(UnavailableError):  # a later state may get through
                await self._parts.outbox.respond(to, first.ready, replace=True)
            await self._follow(first, to)

    async def _follow(self, first: "_First", to: ReplyUrl) -> None:
        place = BelowCommand(self._parts.ledger, first.actor, to)
        await self._parts.growing.follow(first.answered, place)

    async def _answer_mention(self, event: Body) -> None:
        parts, conversation = self._parts, _channel(event)
        actor = await parts.people.actor(str(event["user"]), event.get("user_team"))
        question = Question(
            user=actor.user,
            text=typed(event, parts.own_user),
            surface=Surface.MENTION,
            conversation=conversation,
        )
        for _ in range(TRIES):  # the second time for the readers that the outbox saw
            readers = await parts.audiences.of_conversation(conversation)
            answered = await parts.answering.answer(question, actor, readers, readers)
            with suppress(ReadersChangedError):
                await parts.ledger.post(conversation, answered.letter, answered.reply, thread=_thread(event))
                return
        await parts.outbox.post(conversation, apologise(ReadersChangedError()), thread=_thread(event))

    async def _answer_direct(self, event: Body) -> None:
        parts, conversation = self._parts, _channel(event)
        user, thread = str(event["user"]), str(event.get("thread_ts") or "")
        question = Question(
            user=user, text=typed(event, parts.own_user), surface=Surface.DM, conversation=conversation
        )
        for _ in range(TRIES):  # the second time for whom Slack named at last
            actor = await parts.people.actor(user, event.get("user_team"))
            readers = alone(Reach.DM, actor, parts.answering.services.clock())
            answered = await parts.answering.answer(question, actor, readers, readers)
            with suppress(ReadersChangedError):
                ts = await parts.ledger.post_direct(
                    conversation, actor, answered.letter, answered.reply, thread=thread
                )
                place = InDirectMessage(parts.ledger, actor, conversation, ts, thread=thread)
                await parts.growing.follow(answered, place)
                return
        await parts.outbox.post_direct(conversation, actor, apologise(ReadersChangedError()), thread=thread)


def typed(event: Body, own_user: str) -> str:
    """What somebody said to Liaison: what stands behind its name, or before it if nothing does."""
    text = str(event.get("text", ""))[:MAX_TEXT]
    for mention in _MENTION.finditer(text):
        if mention[1] == own_user:
            return text[mention.end() :].strip(_AROUND) or text[: mention.start()].strip(_AROUND)
    return text.strip()


def is_from_person(event: Body, own_user: str) -> bool:
    """A message that a person just wrote: not a bot's, not our own, not an edit or a system message."""
    is_odd = event.get("subtype") or event.get("bot_id") or event.get("edited")
    user = event.get("user")
    return not is_odd and isinstance(user, str) and bool(user) and user != own_user


def is_direct(event: Body) -> bool:
    """Slack sends a mention in a direct message twice; the direct message counts."""
    return _channel(event).startswith("D")


def _channel(event: Body) -> str:
    channel = event.get("channel", "")
    return str(channel.get("id", "")) if isinstance(channel, Mapping) else str(channel)


def _thread(event: Body) -> str:
    return str(event.get("thread_ts") or event.get("ts") or "")


async def _ignore() -> None:
    """Take it and do nothing."""
