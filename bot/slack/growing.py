"""Growing: an answer that is shown at once, changed as external services answer, and followed by its file.

Slack takes five messages through one response URL and about 50 changes of messages a minute in all
conversations, so what comes in is gathered: few states are shown, and the last one always.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing, suppress
from dataclasses import dataclass
from typing import Protocol

from bot.answer_csv import as_csv
from bot.blocks import render
from bot.chat import Lookup, Notice, Reply, Row
from bot.errors import BotError
from bot.logs import log_mistake
from bot.lookups import cut_off
from bot.slack.answering import Answered
from bot.slack.outbox import Attachment, Letter, ReadersChangedError

Pause = Callable[[float], Awaitable[None]]

APART_SECONDS = 1.2  # between two states
EXTRA_SECONDS = (0.0, 1.2, 2.4)  # more patience before each state but the last; their number is the limit
PATIENCE_SECONDS = 30.0  # in all; the enquiry's own deadline comes long before
FILE_NAME = "enrichment.csv"
LOG = logging.getLogger("bot.growing")


class Place(Protocol):
    """Where an answer stands."""

    async def change(self, letter: Letter, reply: Reply, *, is_last: bool) -> None:
        """Put these words in its place. Raises ReadersChangedError, or another BotError if that failed."""

    async def attach(self, file: Attachment) -> None:
        """Hand over the file that belongs to it, or say why there is none."""


@dataclass(frozen=True)
class Growing:
    """Follows answers to their end; `hurry` is set when the bot is about to stop."""

    hurry: asyncio.Event
    pause: Pause = asyncio.sleep

    async def follow(self, answered: Answered, place: Place) -> None:
        """Show the later states of an answer, and send its file. Who may not read them any more gets none."""
        reply = answered.reply
        with suppress(ReadersChangedError):
            async with aclosing(states(reply, self.hurry, self.pause)) as newer:
                async for reply in newer:
                    await _show(answered.with_reply(reply), place)
            if file := _file(reply):
                await place.attach(file)


async def _show(answered: Answered, place: Place) -> None:
    """One state. When Slack does not take it the next one may get through."""
    try:
        await place.change(answered.letter, answered.reply, is_last=not grows(answered.reply))
    except ReadersChangedError:
        raise
    except BotError:
        LOG.warning("a state of an answer did not get through")


def grows(reply: Reply) -> bool:
    """Whether more of it is on its way."""
    return isinstance(reply, Lookup) and reply.more is not None


def goes_on(reply: Reply) -> bool:
    """Whether anything follows the answer as it stands: later states or a file."""
    return grows(reply) or (isinstance(reply, Lookup) and reply.wants_file)


async def states(
    first: Reply, hurry: asyncio.Event, pause: Pause = asyncio.sleep
) -> AsyncGenerator[Lookup, None]:
    """The later states of an answer, some time apart; the last one is complete or `cut_off`."""
    if not isinstance(first, Lookup) or first.more is None:
        return
    growth = _Growth(first)
    growing = asyncio.create_task(growth.follow())
    over = asyncio.create_task(_first_of(growing, hurry.wait(), asyncio.sleep(PATIENCE_SECONDS)))
    try:
        for extra in EXTRA_SECONDS:
            await pause(APART_SECONDS)
            await _first_of(over, pause(extra))
            await _first_of(over, growth.news.wait())
            if over.done() or growth.latest.more is None:
                break
            yield growth.take()
        else:
            await pause(APART_SECONDS)
        await over
        if growing.done() and (error := growing.exception()):
            log_mistake(LOG, error)
        yield growth.latest if growth.latest.more is None else cut_off(growth.latest)
    finally:
        growing.cancel()
        over.cancel()
        await asyncio.gather(growing, over, return_exceptions=True)


class _Growth:
    """The newest state of an answer, and whether it was taken yet."""

    def __init__(self, first: Lookup) -> None:
        self.latest = first
        self.news = asyncio.Event()

    async def follow(self) -> None:
        while self.latest.more is not None:
            self.latest = await self.latest.more()
            self.news.set()

    def take(self) -> Lookup:
        self.news.clear()
        return self.latest


async def _first_of(*awaitables: Awaitable[object]) -> None:
    """Wait for one of them; tasks that were given go on, the rest is given up."""
    tasks = [asyncio.ensure_future(each) for each in awaitables]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task, given in zip(tasks, awaitables, strict=True):
            if task is not given:
                task.cancel()


def _file(reply: Reply) -> Attachment | None:
    """The file that belongs to an answer, with what of it may stay in the direct conversation."""
    if not isinstance(reply, Lookup) or not reply.wants_file:
        return None
    lasting = reply.lasting or reply
    hint = Row(text="A line for each indicator and service. Its label says how far it may travel.")
    number = len(lasting.entries)
    asked = f"{number} indicators" if number > 1 else "1 indicator"
    words = Notice(title=f"all about {asked} as a file", rows=(hint,), label=lasting.cleared.label)
    letter = Letter(render(words), lasting.cleared.audience)
    return Attachment(FILE_NAME, as_csv(lasting).encode(), letter, lasting)
