"""Answers that stay are kept with what they show, and follow what their readers may see."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

import msgspec

from bot.deliveries import Item
from bot.sandbox.workspace import Message
from bot.tlp import Label
from tests.slack.conftest import HASH, MakeStage, Stage, claim

FAMILY = "kaspersky-green-family"
SECONDS = 10.0


def _posted(stage: Stage, channel: str) -> list[Message]:
    """What everybody in a conversation can read from Liaison."""
    messages = stage.sandbox.workspace.channel(channel).messages
    return [m for m in messages if m.user == "U0LIAISON" and not m.ephemeral]


def _reads(stage: Stage, channel: str) -> str:
    return "\n".join(message.readable for message in _posted(stage, channel))


async def _until(stage: Stage, channel: str, holds: Callable[[str], bool]) -> str:
    """Have the bot look, until what stands in the channel is as it should be."""
    corrections = stage.bot.connection.services.corrections
    assert corrections is not None
    async with asyncio.timeout(SECONDS):
        while not holds(text := _reads(stage, channel)):
            corrections.readers_changed(channel)
            stage.clock.ahead += timedelta(seconds=1)
            await asyncio.sleep(0.02)
    return text


async def test_an_answer_to_a_mention_is_kept_with_what_it_showed_and_to_whom(make_stage: MakeStage) -> None:
    async with make_stage(claim(), claim(source="trendmicro", label=Label.AMBER_STRICT)) as stage:
        await stage.mention("U0TOMO", "C0TREND")

        [post] = await stage.store.posts(channel="C0TREND")

        [message] = _posted(stage, "C0TREND")
        assert (post.ts, post.thread, post.purpose) == (message.ts, message.thread_ts, "answer")
        assert post.items == (Item("kaspersky", claim().indicator, Label.GREEN),)
        assert set(post.readers) == {"igci", "trendmicro"}


async def test_an_answer_that_shows_nothing_needs_no_place_in_the_ledger(make_stage: MakeStage) -> None:
    async with make_stage(claim(label=Label.AMBER_STRICT)) as stage:
        await stage.mention("U0TOMO", "C0TREND")
        await stage.mention("U0TOMO", "C0TREND", "help")

        assert await stage.store.posts() == []


async def test_what_a_source_revokes_goes_out_of_answers_that_stand(make_stage: MakeStage) -> None:
    async with make_stage(claim()) as stage:
        assert FAMILY in await stage.mention("U0TOMO", "C0TREND")

        await stage.store.remark(msgspec.structs.replace(claim(), revoked=True))

        text = await _until(stage, "C0TREND", lambda text: FAMILY not in text and "correction" in text)
        assert HASH not in text


async def test_a_shared_answer_is_withdrawn_from_those_who_join(make_stage: MakeStage) -> None:
    async with make_stage(claim()) as stage:
        delivery = await stage.sandbox.slash("U0ANA", "C0KASP", f"lookup {HASH}")
        await stage.sandbox.click("U0ANA", "C0KASP", delivery.shown[0].ts, "share")
        await stage.sandbox.settled()
        [view] = stage.sandbox.views_of("U0ANA")
        await stage.sandbox.submit("U0ANA", view.id, {})
        await stage.sandbox.settled()
        assert FAMILY in _reads(stage, "C0KASP")
        assert {post.purpose for post in await stage.store.posts()} == {"share"}

        await stage.sandbox.invite("T0NEWCO", "C0KASP")
        await stage.sandbox.accept("T0NEWCO", "C0KASP")
        await stage.sandbox.settled()

        text = await _until(stage, "C0KASP", lambda text: FAMILY not in text)
        assert HASH not in text
