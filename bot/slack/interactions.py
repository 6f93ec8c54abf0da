"""Interactions: buttons and modals. Whoever clicks is judged anew, by their own organisation."""

import asyncio
import html
import re
from collections.abc import Coroutine, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any

import msgspec
from slack_bolt.async_app import AsyncApp

from bot.blocks import (
    DETAILS,
    NEXT,
    OFFER,
    PREVIOUS,
    SHARE,
    SHARE_VIEW,
    Message,
    details_view,
    posting,
    share_view,
    shareable,
)
from bot.chat import Actor, Lookup, Notice, Reply, Surface, mistake
from bot.errors import BotError, UnavailableError, UsageError
from bot.forms import FORM_VIEW, filled_in, form_view, in_words
from bot.sharing import UNKNOWN, Audience
from bot.slack.answering import apologise, plainly, readers_of
from bot.slack.keeping import Keeping, Question
from bot.slack.listen import ACK_SECONDS, ANSWER_SECONDS, Ack, Body, Parts
from bot.slack.outbox import Json, Letter, ReplyUrl, sound_view, words_only
from bot.slack.work import guarded, within
from bot.subscriptions import Purpose

CLICK_SECONDS = 50.0  # a click may take this long: a shared table has up to 20 pages, one message a second
_LOOK_THERE = "Look at its thread, and ask again for what is missing."
_OFFERS = re.compile(rf"{OFFER}[0-9]")
_ANY = re.compile(r".*")  # whatever an older version of us left in a channel


@dataclass(frozen=True, kw_only=True)
class Sharing:
    """What somebody is about to share: exactly these words, with exactly these readers."""

    question: Question
    seen: str  # digest of readers and words
    to: str  # the ReplyUrl where the asker hears of the outcome


@dataclass(frozen=True, kw_only=True)
class Filling:
    """A form that somebody is filling in."""

    question: Question
    purpose: Purpose


@dataclass(frozen=True)
class _Confirmed:
    """What may be posted as it was confirmed, and what it shows."""

    letter: Letter
    reply: Reply


class Interactions:
    """Details of an answer, sharing it with its channel, and what its other buttons offer."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        store = parts.answering.services.store
        self._sharings = Keeping(store, Sharing)
        self._filling = Keeping(store, Filling)

    def register(self, app: AsyncApp) -> None:
        """Tell Bolt about every listener."""
        app.action(DETAILS)(self.details)
        app.action(SHARE)(self.share)
        app.action(PREVIOUS)(self.turn)
        app.action(NEXT)(self.turn)
        app.action(_OFFERS)(self.offer)
        app.view(SHARE_VIEW)(self.submit)
        app.view(FORM_VIEW)(self.fill)
        app.action(_ANY)(_acknowledge)
        app.view(_ANY)(_acknowledge)
        app.view_closed(_ANY)(_acknowledge)

    async def details(self, ack: Ack, body: Body) -> None:
        """Open everything that the answer left out, for the eyes of whoever clicked."""
        await ack()
        self._start(self._details(body), _reply_url(body))

    async def turn(self, ack: Ack, body: Body) -> None:
        """Turn to another page of the details."""
        await ack()
        self._start(self._turn(body), _reply_url(body))

    async def share(self, ack: Ack, body: Body) -> None:
        """Ask for confirmation: who will read it, under which label, and exactly what."""
        await ack()
        self._start(self._share(body), _reply_url(body))

    async def offer(self, ack: Ack, body: Body) -> None:
        """Ask what a button offers, for the eyes of whoever pressed it."""
        await ack()
        self._start(self._offer(body), _reply_url(body))

    async def fill(self, ack: Ack, body: Body) -> None:
        """Set what was filled in as if it had been typed; what is wrong is told at its field."""
        try:
            filling = await self._filling.find(_metadata(body))
            if filling is None or filling.question.user != _user(body):
                raise UsageError("This window is too old; open the form again.")
            words, wrong = in_words(filled_in(_view(body).get("state")), filling.purpose)
            if wrong:
                await ack(response_action="errors", errors=wrong)
                return
            typed = f"{filling.purpose} on {html.escape(words, quote=False)}"  # as Slack sends what is typed
            asked = replace(filling.question, text=typed)
            answer = self._parts.work.start(self._filled(body, asked), seconds=ANSWER_SECONDS)
            view = await within(answer, ACK_SECONDS)
            if view is None:
                raise UnavailableError(
                    f"This takes a while; “{filling.purpose} show” tells whether it is set."
                )
        except BotError as error:
            view = _words_view(error)
        await ack(response_action="update", view=view)

    async def submit(self, ack: Ack, body: Body) -> None:
        """Post what was confirmed, if its readers and its words are still the same; else ask again."""
        try:
            sharing = await self._sharings.take(_metadata(body))
            if sharing is None or sharing.question.user != _user(body):
                raise UsageError("This window is too old; ask again and press Share there.")
            judged = self._parts.work.start(self._judge(body, sharing), seconds=ANSWER_SECONDS)
            again = await within(judged, ACK_SECONDS)
        except BotError as error:
            await ack(response_action="update", view=_words_view(error))
            return
        if again is None or isinstance(again, _Confirmed):
            self._start(self._finish(judged, sharing), ReplyUrl(sharing.to))
            await ack()
        else:
            await ack(response_action="update", view=again)

    def _start(self, work: Coroutine[Any, Any, None], to: ReplyUrl) -> None:
        """Do it, and tell whoever clicked when it fails."""
        with suppress(BotError):  # too much to do: the click stays without effect
            self._parts.work.start(self._telling(work, to), seconds=CLICK_SECONDS + ANSWER_SECONDS)

    async def _telling(self, work: Coroutine[Any, Any, None], to: ReplyUrl) -> None:
        try:
            await guarded(work, CLICK_SECONDS)
        except BotError as error:
            if to.url:  # a click inside a modal brings none
                await self._parts.outbox.respond(to, words_only(apologise(error)))

    async def _details(self, body: Body) -> None:
        parts = self._parts
        actor = await self._actor(body)
        asked = await self._asked(body)
        question = replace(asked, user=actor.user, surface=Surface.BUTTON)
        token = await parts.answering.questions.keep(question)
        view, readers = await self._page(question, actor, 0, token)
        await parts.outbox.open_modal(_trigger(body), actor, view, readers)

    async def _offer(self, body: Body) -> None:
        parts = self._parts
        actor = await self._actor(body)
        question = replace(await self._asked(body), user=actor.user, surface=Surface.BUTTON)
        reply, readers = await self._answer(question, actor)
        if isinstance(reply, Notice) and reply.form is not None:
            filling = Filling(question=question, purpose=reply.form.purpose)
            view = form_view(reply.form, private_metadata=await self._filling.keep(filling))
        else:
            view = details_view(reply, private_metadata=await parts.answering.questions.keep(question))
        await parts.outbox.open_modal(_trigger(body), actor, view, readers)

    async def _filled(self, body: Body, question: Question) -> Json:
        reply, _ = await self._answer(question, await self._actor(body))
        return sound_view(details_view(reply, private_metadata="-"))

    async def _turn(self, body: Body) -> None:
        parts, token = self._parts, _metadata(body)
        question = await parts.answering.questions.find(token)
        if question is None or question.user != _user(body):
            raise UsageError("This window is too old; ask again.")
        actor = await self._actor(body)
        view, readers = await self._page(question, actor, _page_number(body), token)
        await parts.outbox.turn_modal(str(_view(body).get("id", "")), actor, view, readers)

    async def _page(self, question: Question, actor: Actor, page: int, token: str) -> tuple[Json, Audience]:
        """One page of the details, as the person who looks at them may see them."""
        reply, readers = await self._answer(question, actor)
        return details_view(reply, page=page, private_metadata=token), readers

    async def _answer(self, question: Question, actor: Actor) -> tuple[Reply, Audience]:
        """The answer for one person alone, and for whom it was cleared."""
        parts = self._parts
        channel = await parts.audiences.of_conversation(question.conversation)
        reader = parts.audiences.of_person(actor)
        reply = await parts.answering.reply(question, actor, reader, channel)
        return reply, readers_of(reply, reader)

    async def _share(self, body: Body) -> None:
        parts = self._parts
        actor = await self._actor(body)
        question = await self._asked(body)
        if question.user != actor.user:
            raise UsageError("Only the person who asked can share this answer.")
        readers = await parts.audiences.of_conversation(question.conversation, max_age=0)
        view = await self._confirmation(question, actor, readers, _reply_url(body).url)
        await parts.outbox.open_modal(_trigger(body), actor, view, readers)

    async def _confirmation(self, question: Question, actor: Actor, readers: Audience, to: str) -> Json:
        """The modal that shows what these readers would get."""
        reply = await self._shareable(question, actor, readers)
        if isinstance(reply, Notice):
            return details_view(reply, private_metadata="-")
        sharing = Sharing(question=question, seen=_digest(readers, posting(reply)), to=to)
        return share_view(reply, self._names(readers), private_metadata=await self._sharings.keep(sharing))

    async def _judge(self, body: Body, sharing: Sharing) -> "_Confirmed | Json":
        """The letter to post if all is as it was confirmed, else the modal to confirm anew."""
        question = sharing.question
        actor = await self._actor(body)
        readers = await self._parts.audiences.of_conversation(question.conversation, max_age=0)
        reply = await self._shareable(question, actor, readers)
        letter = Letter(posting(reply), readers_of(reply, readers))
        if _digest(readers, letter.message) == sharing.seen:
            return _Confirmed(letter, reply)
        return sound_view(await self._confirmation(question, actor, readers, sharing.to))

    async def _finish(self, judged: "asyncio.Task[_Confirmed | Json]", sharing: Sharing) -> None:
        """Post it with its details; a judgement that came after Slack's patience ended is told in words."""
        confirmed = await judged
        if not isinstance(confirmed, _Confirmed):
            raise UsageError("Readers or words changed meanwhile, so nothing was shared; press Share again.")
        ts = await self._post(confirmed, sharing)
        try:
            for page in confirmed.letter.message.details:
                await self._post(
                    replace(confirmed, letter=replace(confirmed.letter, message=page)), sharing, ts
                )
        except BotError as error:
            raise UsageError(f"The answer was shared, but not all of its details. {_LOOK_THERE}") from error
        done = words_only(plainly("Shared in this channel"))
        await self._parts.outbox.respond(ReplyUrl(sharing.to), done)

    async def _post(self, confirmed: "_Confirmed", sharing: Sharing, thread: str = "") -> str:
        """Post it and keep what it shows."""
        ledger, conversation = self._parts.ledger, sharing.question.conversation
        return await ledger.post(
            conversation, confirmed.letter, confirmed.reply, thread=thread, purpose="share"
        )

    async def _shareable(self, question: Question, actor: Actor, readers: Audience) -> Lookup | Notice:
        """What would be posted for these readers, or why nothing is."""
        if not actor.is_confirmed:
            raise UnavailableError("Slack did not say who is asking; press Share again in a minute.")
        if actor.org == UNKNOWN or actor.org not in readers.orgs:
            raise UsageError("Only members of an organisation that reads this channel can share in it.")
        asked = replace(question, surface=Surface.BUTTON)
        reply = await self._parts.answering.reply(asked, actor, readers, readers)
        if isinstance(reply, Lookup):
            return shareable(reply)
        return reply if isinstance(reply, Notice) else mistake(UsageError("Only a lookup can be shared."))

    def _names(self, readers: Audience) -> list[str]:
        names = self._parts.answering.services.registry.world(self._parts.answering.services.clock()).names
        known = sorted(names.get(org, org) for org in readers.orgs - {UNKNOWN})
        others = ["organisations that Liaison does not know"] if UNKNOWN in readers.orgs else []
        invited = ["whoever accepts the open invitation"] if readers.pending_invite else []
        return known + others + invited

    async def _asked(self, body: Body) -> Question:
        """The question a button belongs to."""
        question = await self._parts.answering.questions.find(str(_action(body).get("value", "")))
        if question is None or not question.may_be_used_by(_user(body), _conversation(body)):
            raise UsageError("This answer is too old for its buttons; ask again.")
        return question

    async def _actor(self, body: Body) -> Actor:
        """Whoever clicked, by their own team: Bolt's context would name ours."""
        user = body.get("user")
        team = user.get("team_id") if isinstance(user, Mapping) else None
        return await self._parts.people.actor(_user(body), team if isinstance(team, str) else "")


def _words_view(error: BotError) -> Json:
    return sound_view(details_view(mistake(error), private_metadata="-"))


def _digest(readers: Audience, message: Message) -> str:
    """Equal for the same readers, whenever they were read, and the same words."""
    seen = msgspec.json.encode((replace(readers, read_at=None), message), order="deterministic")
    return sha256(seen).hexdigest()


def _user(body: Body) -> str:
    return str(_within(body, "user").get("id", ""))


def _conversation(body: Body) -> str:
    return str(_within(body, "channel").get("id", ""))


def _view(body: Body) -> Body:
    return _within(body, "view")


def _metadata(body: Body) -> str:
    return str(_view(body).get("private_metadata", ""))


def _trigger(body: Body) -> str:
    return str(body.get("trigger_id", ""))


def _reply_url(body: Body) -> ReplyUrl:
    return ReplyUrl(str(body.get("response_url", "")))


def _action(body: Body) -> Body:
    actions = body.get("actions")
    first = actions[0] if isinstance(actions, list) and actions else {}
    return first if isinstance(first, Mapping) else {}


def _page_number(body: Body) -> int:
    value = str(_action(body).get("value", ""))
    return int(value) if value.isascii() and value.isdigit() and len(value) <= 3 else 0


def _within(body: Body, key: str) -> Body:
    value = body.get(key)
    return value if isinstance(value, Mapping) else {}


async def _acknowledge(ack: Ack) -> None:
    await ack()
