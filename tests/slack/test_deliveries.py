"""Acknowledged in time whatever is slow, answered once however often it comes, finished before a stop."""

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import pytest

import commands
from bot.app import running
from bot.errors import UnavailableError
from bot.manifest import EVENTS_PATH
from bot.sandbox import payloads
from bot.sandbox.deliveries import Delivery, Timing
from bot.sandbox.faults import Fault
from bot.services import Services, Store
from bot.slack import listen, outbox
from bot.slack.calls import RefusedError
from bot.slack.work import Work, guarded, within
from bot.store import open_store
from tests.slack.conftest import ASK, Clock, MakeStage, Stage, claim, registry, settings_of, strict_sandbox

FAMILY = "kaspersky-green-family"


def _slow(store: Store, monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    lookup = store.lookup

    async def slowly(indicators: Any, **how: Any) -> Any:
        await asyncio.sleep(seconds)
        return await lookup(indicators, **how)

    monkeypatch.setattr(store, "lookup", slowly)


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> Timing:
    """Slack's patience and ours, ten times shorter."""
    monkeypatch.setattr(listen, "ACK_SECONDS", 0.2)
    return Timing(ack=0.4, retries=(0.0, 0.1, 0.1))


def test_liaison_answers_before_slack_loses_patience() -> None:
    assert Timing().ack > listen.ACK_SECONDS


# --- acknowledged in time ------------------------------------------------------------------------------


async def test_a_slow_store_is_answered_later(
    make_stage: MakeStage, monkeypatch: pytest.MonkeyPatch, hurried: Timing
) -> None:
    async with make_stage(claim(), sandbox=strict_sandbox(timing=hurried)) as stage:
        _slow(stage.store, monkeypatch, 0.6)

        delivery = await stage.sandbox.slash("U0ANA", "C0KASP", ASK)
        await stage.sandbox.settled()

        assert delivery.error is None
        assert "Looking" in delivery.text
        [answer] = stage.sandbox.seen_by("U0ANA", "C0KASP")
        assert FAMILY in answer.readable  # it took the place of "Looking"


@pytest.mark.parametrize("method", ["users.info", "conversations.info", "conversations.members"])
async def test_a_slow_slack_is_no_reason_to_be_late(
    make_stage: MakeStage, hurried: Timing, method: str
) -> None:
    async with make_stage(claim(), sandbox=strict_sandbox(timing=hurried)) as stage:
        stage.sandbox.faults.add(Fault(method, "slow", seconds=0.6))

        delivery = await stage.sandbox.slash("U0ANA", "C0KASP", ASK)
        await stage.sandbox.settled()

        assert delivery.acknowledged
        assert FAMILY in stage.sandbox.seen_by("U0ANA", "C0KASP")[-1].readable


async def test_an_event_is_acknowledged_before_it_is_answered(
    make_stage: MakeStage, monkeypatch: pytest.MonkeyPatch, hurried: Timing
) -> None:
    async with make_stage(claim(), sandbox=strict_sandbox(timing=hurried)) as stage:
        _slow(stage.store, monkeypatch, 0.6)

        answer = await stage.mention("U0KIRA", "C0KASP")

        assert FAMILY in answer
        assert [len(d.attempts) for d in stage.sandbox.deliveries] == [1]


async def test_a_store_that_never_answers_ends_in_words(
    make_stage: MakeStage, monkeypatch: pytest.MonkeyPatch, hurried: Timing
) -> None:
    monkeypatch.setattr("bot.slack.answering.COMMAND_SECONDS", 0.3)
    async with make_stage(claim(), sandbox=strict_sandbox(timing=hurried)) as stage:
        _slow(stage.store, monkeypatch, 60)

        answer = await stage.answer("U0ANA", "C0KASP")

        assert "took too long" in answer


async def test_a_mistake_of_ours_shows_its_number_and_nothing_else(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(_: object, **__: object) -> object:
        raise RuntimeError("secret.example")

    monkeypatch.setattr(stage.store, "lookup", broken)

    answer = await stage.answer("U0ANA", "C0KASP")

    number = answer.partition("error ")[2][:8]
    assert len(number) == 8
    assert f"error {number}: RuntimeError" in caplog.text
    assert "secret" not in answer + caplog.text


async def test_too_much_to_do_is_said_at_once(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage.bot.connection.work, "_at_once", 0)

    delivery = await stage.sandbox.slash("U0ANA", "C0KASP", ASK)

    assert "too much to do" in delivery.shown[0].readable


# --- answered once -------------------------------------------------------------------------------------


async def test_a_retried_event_is_answered_once(make_stage: MakeStage, hurried: Timing) -> None:
    async with make_stage(claim(), sandbox=strict_sandbox(timing=hurried)) as stage:
        stage.sandbox.faults.add(Fault("delivery", "drop_after_accept", times=2))

        await stage.mention("U0KIRA", "C0KASP")

        assert len(stage.sandbox.deliveries[0].attempts) == 3
        assert len(stage.calls("chat.postMessage")) == 1


async def test_an_event_retried_after_a_restart_is_answered_once(
    make_stage: MakeStage, tmp_path: Path
) -> None:
    path = tmp_path / "kept.db"
    async with make_stage(claim(), path=path) as stage:
        await stage.mention("U0KIRA", "C0KASP")
        [payload] = [delivery.payload for delivery in stage.sandbox.deliveries]

    async with make_stage(path=path) as stage:
        stage.sandbox._courier.event(Delivery(kind="event", payload=payload))
        await stage.sandbox.settled()

        assert stage.sandbox.deliveries[0].acknowledged
        assert stage.calls("chat.postMessage") == []


async def test_a_post_whose_reply_got_lost_is_not_posted_again(stage: Stage) -> None:
    stage.sandbox.faults.add(Fault("chat.postMessage", "drop_after_accept"))

    answer = await stage.mention("U0KIRA", "C0KASP")

    assert answer.count("TLP:AMBER · 🔴") == 2  # text and blocks of one message


async def test_a_post_that_slack_did_not_take_is_sent_when_it_may(stage: Stage) -> None:
    stage.sandbox.faults.add(Fault("chat.postMessage", "rate_limited", seconds=0.05))

    assert "trendmicro-green-family" in await stage.mention("U0KIRA", "C0KASP")


async def test_a_revoked_token_stops_nothing_but_the_answer(stage: Stage) -> None:
    stage.sandbox.faults.add(Fault("chat.postMessage", "token_revoked"))
    assert await stage.mention("U0KIRA", "C0KASP") == ""

    assert "trendmicro-green-family" in await stage.mention("U0KIRA", "C0KASP")


@pytest.mark.parametrize("kind", ["error_500", "drop_after_accept", "rate_limited"])
async def test_a_late_answer_survives_a_failure_of_the_response_url(
    make_stage: MakeStage, monkeypatch: pytest.MonkeyPatch, hurried: Timing, kind: str
) -> None:
    async with make_stage(claim(), sandbox=strict_sandbox(timing=hurried)) as stage:
        _slow(stage.store, monkeypatch, 0.6)
        stage.sandbox.faults.add(Fault("response_url", kind, seconds=0.05))

        await stage.sandbox.slash("U0ANA", "C0KASP", ASK)
        await stage.sandbox.settled()

        [answer] = stage.sandbox.seen_by("U0ANA", "C0KASP")
        assert FAMILY in answer.readable


async def test_a_response_url_leads_to_slack_or_nowhere(stage: Stage, hurried: Timing) -> None:
    answer = outbox.Ephemeral({"text": "TLP:CLEAR"})
    for url in (
        "http://198.51.100.7/x",
        "https://hooks.slack.com.evil.example/",
        stage.sandbox.url[:-1] + "1/x",
    ):
        with pytest.raises(RefusedError):
            await _outbox(stage).respond(outbox.ReplyUrl(url), answer)

    assert stage.calls("response_url") == []


async def test_a_response_url_is_used_five_times_at_most(stage: Stage) -> None:
    delivery = await stage.sandbox.slash("U0ANA", "C0KASP", "help")
    to = outbox.ReplyUrl(delivery.payload["response_url"])
    for _ in range(5):
        await _outbox(stage).respond(to, outbox.Ephemeral({"text": "TLP:CLEAR"}))

    with pytest.raises(RefusedError):
        await _outbox(stage).respond(to, outbox.Ephemeral({"text": "TLP:CLEAR"}))
    assert "response" not in repr(to)


def _outbox(stage: Stage) -> outbox.Outbox:
    return outbox.Outbox(stage.bot.connection.slack, None, None, clock=stage.clock)  # type: ignore[arg-type]  # unused


async def test_a_claim_that_takes_long_loses_no_answer(
    make_stage: MakeStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An import in another process may keep the store's writer waiting for longer than Slack waits."""
    impatient = Timing(ack=0.5, retries=(0.0, 0.1, 0.1))
    async with make_stage(claim(), sandbox=strict_sandbox(timing=impatient)) as stage:
        claim_at_once = stage.store.claim

        async def slowly(key: str, *, seconds: float) -> bool:
            won = await claim_at_once(key, seconds=seconds)
            await asyncio.sleep(2.2 if won and key.startswith("event ") else 0)
            return won

        monkeypatch.setattr(stage.store, "claim", slowly)
        await stage.sandbox.say("U0KIRA", "C0KASP", f"<@U0LIAISON> {ASK}")

        await stage.sandbox.until(lambda: stage.calls("chat.postMessage"))
        await stage.sandbox.settled()

        assert len(stage.calls("chat.postMessage")) == 1


# --- stopping ------------------------------------------------------------------------------------------


async def test_a_stop_finishes_what_is_under_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hurried: Timing
) -> None:
    sandbox, clock = strict_sandbox(timing=hurried), Clock()
    await sandbox.start()
    store = await open_store(f"sqlite:///{tmp_path / 'drain.db'}")
    await store.add([claim()])
    _slow(store, monkeypatch, 0.5)
    async with running(settings_of(sandbox), Services(store, registry(), clock), commands.answer) as bot:
        sandbox.connect(bot.url + EVENTS_PATH)
        slash = await sandbox.slash("U0ANA", "C0KASP", ASK)
        await sandbox.say("U0KIRA", "C0KASP", f"<@U0LIAISON> {ASK}")
        await sandbox.until(lambda: any(d.acknowledged for d in sandbox.deliveries if d.kind == "event"))

    seen = [message.readable for message in sandbox.seen_by("U0ANA", "C0KASP")]
    await sandbox.stop()

    assert "Looking" in slash.text or FAMILY in slash.text
    assert sum(FAMILY in words for words in seen) == 2


async def test_work_that_does_not_end_is_cut_off() -> None:
    under_way = Work()
    under_way.start(asyncio.sleep(60), seconds=60)

    begun = time.monotonic()

    assert await under_way.drain(seconds=0.05) == 1
    assert time.monotonic() - begun < 5


async def test_what_follows_from_work_is_waited_for() -> None:
    under_way, done = Work(), []

    async def follow() -> None:
        await asyncio.sleep(0.02)
        done.append("followed")

    async def lead() -> None:
        await asyncio.sleep(0.02)
        under_way.start(follow(), seconds=1)

    under_way.start(lead(), seconds=1)

    assert await under_way.drain() == 0
    assert done == ["followed"]


async def test_a_wait_ends_and_the_work_goes_on() -> None:
    under_way = Work()
    task = under_way.start(asyncio.sleep(0.05, "done"), seconds=1)

    assert await within(task, 0.001) is None
    assert await within(task, 1) == "done"


async def test_everything_has_a_deadline() -> None:
    with pytest.raises(UnavailableError):
        await guarded(asyncio.sleep(60), 0.01)


async def test_events_that_nobody_asked_for_are_taken_and_forgotten(stage: Stage) -> None:
    inner = {"type": "team_join", "user": {"id": "U0ANA"}}
    delivery = Delivery(kind="event", payload=payloads.event(stage.sandbox.workspace, inner, channel=None))

    stage.sandbox._courier.event(delivery)
    await stage.sandbox.settled()

    assert delivery.acknowledged
    assert json.dumps([call.method for call in stage.sandbox.calls]) == '["auth.test"]'
