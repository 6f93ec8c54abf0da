"""retract through the whole product: what stands in a channel goes, as far as the claims are the asker's."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from bot.tlp import Label
from tests.slack.conftest import HASH, MakeStage, Stage, claim
from tests.slack.test_set_up import named

KASPERSKYS, TRENDS = "kaspersky-amber-family", "trendmicro-green-family"
RETRACT = f"retract {HASH}"
SECONDS = 10.0


@pytest.fixture
async def answered(make_stage: MakeStage) -> AsyncIterator[Stage]:
    """An answer with claims of two sources stands in the channel of one of them."""
    async with make_stage(
        claim(label=Label.AMBER), claim(source="trendmicro"), organisations=named()
    ) as stage:
        text = await stage.mention("U0KIRA", "C0KASP")
        assert KASPERSKYS in text
        assert TRENDS in text
        yield stage


async def gone(stage: Stage, *families: str) -> str:
    """What stands in the channel as soon as none of these does."""
    async with asyncio.timeout(SECONDS):
        text = standing(stage)
        while any(family in text for family in families):
            await asyncio.sleep(0.02)
            text = standing(stage)
    return text


def standing(stage: Stage) -> str:
    messages = stage.sandbox.workspace.channel("C0KASP").messages
    return "\n".join(m.readable for m in messages if m.user == "U0LIAISON" and not m.ephemeral)


async def test_a_source_takes_back_its_own_wherever_it_stands(answered: Stage) -> None:
    """Tomo does not read that channel."""
    told = await answered.direct("U0TOMO", RETRACT)

    assert "1 post showed this of your organisation." in told
    assert KASPERSKYS in await gone(answered, TRENDS)


async def test_an_operator_takes_back_what_anybody_said(answered: Stage) -> None:
    told = await answered.answer("U0ANA", "C0HOST", RETRACT)

    assert "1 post showed this." in told
    await gone(answered, TRENDS, KASPERSKYS)


async def test_who_said_nothing_changes_nothing(answered: Stage) -> None:
    told = await answered.answer("U0OPS", "C0HOST", RETRACT)  # of the host, and no operator

    assert "No post of Liaison that it knows of shows this of your organisation" in told
    assert {KASPERSKYS in standing(answered), TRENDS in standing(answered)} == {True}
