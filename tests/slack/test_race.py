"""Between question and answer the readers may change: what was cleared for others is never sent."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta

import pytest

from bot.indicators import Indicator
from bot.sandbox.sandbox import Sandbox
from bot.services import Store
from tests.slack.conftest import MakeStage, claim

Change = Callable[[Sandbox], Awaitable[None]]


async def _invite(sandbox: Sandbox) -> None:
    await sandbox.invite("T0NEWCO", "C0TREND")


async def _join(sandbox: Sandbox) -> None:
    await sandbox.invite("T0NEWCO", "C0TREND")
    await sandbox.accept("T0NEWCO", "C0TREND")


async def _guest(sandbox: Sandbox) -> None:
    sandbox.workspace.join("U0GUEST", "C0TREND")


@pytest.mark.parametrize("change", [_invite, _join, _guest])
async def test_who_joins_between_question_and_answer_is_counted(
    make_stage: MakeStage, monkeypatch: pytest.MonkeyPatch, change: Change
) -> None:
    async with make_stage(claim()) as stage:
        assert "family" in await stage.mention("U0TOMO", "C0TREND")  # Liaison knows the readers now
        _meanwhile(stage.store, monkeypatch, lambda: change(stage.sandbox))

        answer = await stage.mention("U0TOMO", "C0TREND")

        assert "family" not in answer
        assert "nothing to show" in answer


async def test_when_the_readers_keep_changing_nothing_is_said(
    make_stage: MakeStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with make_stage(claim()) as stage:
        turns = iter((_guest, _invite))  # an answer is written twice
        _meanwhile(stage.store, monkeypatch, lambda: next(turns)(stage.sandbox), times=2)

        answer = await stage.mention("U0TOMO", "C0TREND")

        assert "family" not in answer
        assert "nothing was said" in answer


async def test_a_reader_who_leaves_changes_the_next_answer(make_stage: MakeStage) -> None:
    async with make_stage(claim()) as stage:
        stage.sandbox.workspace.join("U0GUEST", "C0TREND")
        assert "family" not in await stage.mention("U0TOMO", "C0TREND")

        await stage.sandbox.leave("U0GUEST", "C0TREND")
        await stage.sandbox.settled()

        assert "family" in await stage.mention("U0TOMO", "C0TREND")


async def test_what_was_cleared_more_than_a_minute_ago_is_not_sent(
    make_stage: MakeStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    claims = (claim(f"{number:064x}", context="x" * 900) for number in range(40))
    async with make_stage(claim(), *claims) as stage:
        many = " ".join(f"{number:064x}" for number in range(40))
        delivery = await stage.sandbox.slash("U0ANA", "C0TREND", many)

        async def wait() -> None:
            stage.clock.ahead += timedelta(seconds=61)

        _meanwhile(stage.store, monkeypatch, wait, times=2)
        answer = await stage.answer("U0ANA", "C0TREND")
        await stage.sandbox.click("U0ANA", "C0TREND", delivery.shown[0].ts, "details")
        await stage.sandbox.settled()

        assert "family" not in answer
        assert "nothing was said" in answer
        assert stage.calls("views.open") == []


def _meanwhile(
    store: Store, monkeypatch: pytest.MonkeyPatch, change: Callable[[], Awaitable[None]], *, times: int = 1
) -> None:
    """Let something happen while an answer is written: the readers were read, and nothing is sent yet."""
    lookup, left = store.lookup, [times]

    async def changing(indicators: Sequence[Indicator], *, may_be_stale: bool = False) -> object:
        if may_be_stale and left[0]:
            left[0] -= 1
            await change()
        return await lookup(indicators, may_be_stale=may_be_stale)

    monkeypatch.setattr(store, "lookup", changing)
