"""Answering: a question becomes an Ask for its audience, then a Reply, then a letter for the outbox."""

import asyncio
from dataclasses import dataclass, replace

from bot.blocks import in_brief, render
from bot.chat import Actor, Answer, Ask, Lookup, Notice, Recent, Reply, Row, Surface, mistake
from bot.errors import BotError
from bot.services import Services
from bot.sharing import Audience, Reach
from bot.slack.keeping import Keeping, Question
from bot.slack.outbox import Letter
from bot.slack.work import guarded

COMMAND_SECONDS = 15.0


@dataclass(frozen=True, kw_only=True)
class Answered:
    """A reply, its readers and the tokens of its buttons, which stay the same while it grows."""

    reply: Reply
    audience: Audience  # who asked to read it
    details: str
    share: str
    offers: tuple[str, ...] = ()

    @property
    def letter(self) -> Letter:
        """The reply with its buttons, ready for the outbox."""
        message = in_brief(self.reply, share=self.share, details=self.details, offers=self.offers)
        return Letter(message, readers_of(self.reply, self.audience))

    def with_reply(self, reply: Reply) -> "Answered":
        """A later state of the same answer."""
        return replace(self, reply=reply)


@dataclass(frozen=True)
class Answering:
    """Asks the commands."""

    run: Answer
    services: Services
    questions: Keeping[Question]

    async def answer(
        self, question: Question, actor: Actor, audience: Audience, channel: Audience
    ) -> Answered:
        """The answer for that audience with its buttons; a mistake of the asker or of ours, in words."""
        reply, token = await asyncio.gather(
            self.reply(question, actor, audience, channel), self.questions.keep(question)
        )
        is_shareable = question.surface is Surface.SLASH and channel.reach is not Reach.DM
        offered = reply.offers if isinstance(reply, Notice) else ()
        kept = (self.questions.keep(replace(question, text=offer.text)) for offer in offered)
        offers = tuple(await asyncio.gather(*kept))
        share = token if is_shareable else ""
        return Answered(reply=reply, audience=audience, details=token, share=share, offers=offers)

    async def reply(self, question: Question, actor: Actor, audience: Audience, channel: Audience) -> Reply:
        """The same without buttons."""
        ask = Ask(
            verb="",
            text=question.text,
            surface=question.surface,
            actor=actor,
            audience=audience,
            conversation=question.conversation,
            channel=channel,
            world=self.services.registry.world(self.services.clock()),
        )
        try:
            return await guarded(self._run(ask), COMMAND_SECONDS)
        except BotError as error:
            return mistake(error)

    async def _run(self, ask: Ask) -> Reply:
        return await self.run(ask, self.services)


def readers_of(reply: Reply, audience: Audience) -> Audience:
    """Whom a reply is for: those it was cleared for; a notice, too, may speak of those who asked for it."""
    match reply:
        case Notice():
            return audience
        case Lookup(cleared=cleared) | Recent(cleared=cleared):
            return cleared.audience
        case _:
            return reply.audience


def apologise(error: BotError) -> Letter:
    """An error in words for whoever asked."""
    return Letter(render(mistake(error)), None)


def plainly(title: str, *sentences: str) -> Letter:
    """A few words of ours, ready to send."""
    return Letter(render(Notice(title=title, rows=tuple(Row(text=sentence) for sentence in sentences))), None)
