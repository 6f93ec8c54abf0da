"""An answer grows as services answer: one message, few changes, the last one always, for its readers only."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from bot.chat import Lookup
from bot.findings import Outcome
from bot.sandbox.deliveries import Timing
from bot.sandbox.faults import Fault
from bot.services import Store
from bot.sharing import Audience, Cleared, Reach
from bot.slack import growing, identity, listen, work
from bot.slack.growing import APART_SECONDS, EXTRA_SECONDS, states
from bot.slack.outbox import RESPONSE_USES
from tests.enriching import SERVICES, Beat, Script, at_once
from tests.slack.conftest import ASK, HASH, MakeStage, Stage, claim, strict_sandbox

STORED, FOUND = "kaspersky-green-family", "47/65"
MOST_STATES = len(EXTRA_SECONDS) + 1


async def _grown(stage: Stage, services: Script) -> None:
    """Let one service after the other answer, each after the one before was shown."""
    for service in services.services:
        services.answer(service)
        await asyncio.sleep(0.02)


# --- when which state is shown --------------------------------------------------------------------------


class Growth:
    """An answer of which a test makes new states."""

    def __init__(self) -> None:
        audience = Audience(reach=Reach.DM, orgs=frozenset({"igci"}))
        self.empty = Lookup(entries=(), cleared=Cleared(audience, ()))  # the words of no state matter here
        self.coming: asyncio.Queue[Lookup | Exception] = asyncio.Queue()

    def state(self, number: int, *, is_last: bool = False) -> Lookup:
        more = None if is_last else self._more
        return replace(self.empty, not_understood=(str(number),), more=more)

    async def _more(self) -> Lookup:
        state = await self.coming.get()
        if isinstance(state, Exception):
            raise state
        return state


async def _steps() -> None:
    """Let everything happen that needs no time."""
    for _ in range(20):
        await asyncio.sleep(0)


async def _follow(first: Lookup, hurry: asyncio.Event, pause: growing.Pause, seen: list[Lookup]) -> None:
    async for state in states(first, hurry, pause):
        seen.append(state)  # noqa: PERF401 - one by one, while a test looks on


async def test_states_are_gathered_and_stay_apart() -> None:
    growth, beat, seen = Growth(), Beat(), list[Lookup]()
    task = asyncio.create_task(_follow(growth.state(0), asyncio.Event(), beat, seen))
    for number in range(1, 6):
        growth.coming.put_nowait(growth.state(number))
    await _steps()
    assert seen == []  # too early
    beat.beat()
    await _steps()
    beat.beat()
    await _steps()

    assert [state.not_understood for state in seen] == [("5",)]
    growth.coming.put_nowait(growth.state(6, is_last=True))
    await _steps()
    assert len(seen) == 1  # not a moment later, even the last one
    beat.beat()
    await asyncio.wait_for(task, 5)
    assert [state.not_understood for state in seen] == [("5",), ("6",)]
    assert seen[-1].more is None
    assert min(beat.wanted[0], beat.wanted[2]) == APART_SECONDS


async def test_of_many_states_few_are_shown_and_the_last_one_once() -> None:
    growth, seen = Growth(), list[Lookup]()

    async def grow(seconds: float) -> None:
        growth.coming.put_nowait(growth.state(len(seen)))
        await _steps()

    for number in range(3):
        growth.coming.put_nowait(growth.state(number))
    task = asyncio.create_task(_follow(growth.state(0), asyncio.Event(), grow, seen))
    await _steps()
    while len(seen) < len(EXTRA_SECONDS):
        await _steps()
    for number in range(50):
        growth.coming.put_nowait(growth.state(number))
    await _steps()
    growth.coming.put_nowait(growth.state(99, is_last=True))
    await asyncio.wait_for(task, 5)

    assert len(seen) == MOST_STATES < RESPONSE_USES
    assert [state.more is None for state in seen] == [False, False, False, True]


async def test_a_complete_answer_has_no_later_state() -> None:
    seen: list[Lookup] = []
    await _follow(Growth().state(0, is_last=True), asyncio.Event(), at_once, seen)

    assert seen == []


@pytest.mark.parametrize("why", ["stop", "patience", "mistake"])
async def test_whatever_happens_a_last_state_is_shown(
    why: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    growth, hurry, seen = Growth(), asyncio.Event(), list[Lookup]()
    if why == "stop":
        hurry.set()
    elif why == "patience":
        monkeypatch.setattr(growing, "PATIENCE_SECONDS", 0.01)
    else:
        growth.coming.put_nowait(RuntimeError("secret.example"))
    await asyncio.wait_for(_follow(growth.state(1), hurry, at_once, seen), 5)

    assert [(state.not_understood, state.more) for state in seen] == [(("1",), None)]
    assert ("RuntimeError" in caplog.text) is (why == "mistake")
    assert "secret" not in caplog.text


# --- below a slash command ------------------------------------------------------------------------------


async def test_the_stores_part_is_there_at_once_and_the_rest_takes_its_place(make_stage: MakeStage) -> None:
    services = Script("VirusTotal", "OpenTIP")
    async with make_stage(claim(), enrichment=services) as stage:
        delivery = await stage.sandbox.slash("U0ANA", "C0HOST", ASK)
        assert STORED in delivery.shown[0].readable
        assert "asking OpenTIP, VirusTotal" in delivery.shown[0].readable

        services.answer("VirusTotal")
        await stage.sandbox.until(lambda: stage.calls("response_url"))
        services.answer("OpenTIP", outcome=Outcome.NOT_FOUND)
        await stage.sandbox.settled()

        [answer] = stage.sandbox.seen_by("U0ANA", "C0HOST")
        assert STORED in answer.readable
        assert FOUND in answer.readable
        assert "asking" not in answer.readable
        assert all(call.arguments["replace_original"] is True for call in stage.calls("response_url"))


@pytest.mark.parametrize("is_slow", [False, True])
async def test_a_response_url_always_has_a_use_left_for_the_last_state(
    make_stage: MakeStage, monkeypatch: pytest.MonkeyPatch, is_slow: bool
) -> None:
    services = Script(*SERVICES)
    async with make_stage(claim(), enrichment=services) as stage:
        if is_slow:  # "Looking…" first: then the first state is a use, too
            monkeypatch.setattr(listen, "ACK_SECONDS", 0.0)
        stage.sandbox.faults.add(Fault("response_url", "error_500", times=2))
        await stage.sandbox.slash("U0ANA", "C0HOST", ASK)
        await services.asked.wait()
        await _grown(stage, services)
        await stage.sandbox.settled()

        [answer] = stage.sandbox.seen_by("U0ANA", "C0HOST")
        assert answer.readable.count(FOUND) == 2 * len(SERVICES)
        assert "asking" not in answer.readable
        assert len(stage.calls("response_url")) <= RESPONSE_USES


async def test_what_services_know_already_needs_no_second_message(make_stage: MakeStage) -> None:
    async with make_stage(claim(), enrichment=_Knowing()) as stage:
        delivery = await stage.sandbox.slash("U0ANA", "C0HOST", ASK)
        await stage.sandbox.settled()

        assert FOUND in delivery.shown[0].readable
        assert stage.calls("response_url") == []


class _Knowing(Script):
    async def enquire(self, enquiry: object) -> object:  # type: ignore[override]  # what it gives is the same
        asked = await super().enquire(enquiry)  # type: ignore[arg-type]
        self.answer()
        return asked


# --- in a direct message --------------------------------------------------------------------------------


async def test_a_direct_message_is_changed_in_its_place(make_stage: MakeStage) -> None:
    services = Script(*SERVICES)
    async with make_stage(claim(), enrichment=services) as stage:
        conversation = stage.sandbox.open_dm("U0KIRA")
        await stage.sandbox.say("U0KIRA", conversation, ASK)
        await stage.sandbox.until(lambda: stage.calls("chat.postMessage"))
        await _grown(stage, services)
        await stage.sandbox.settled()

        [_, answer] = stage.sandbox.seen_by("U0KIRA", conversation)
        assert answer.readable.count(FOUND) == 2 * len(SERVICES)
        assert STORED in answer.readable
        assert 0 < len(stage.calls("chat.update")) <= MOST_STATES
        assert len(stage.calls("chat.postMessage")) == 1


@pytest.mark.parametrize("kind", ["error_500", "drop_after_accept", "rate_limited"])
async def test_a_change_survives_a_failure_of_slack(make_stage: MakeStage, kind: str) -> None:
    services = Script("VirusTotal")
    async with make_stage(claim(), enrichment=services) as stage:
        stage.sandbox.faults.add(Fault("chat.update", kind, seconds=0.05))
        conversation = await _asked_directly(stage)
        services.answer()
        await stage.sandbox.settled()

        [_, answer] = stage.sandbox.seen_by("U0KIRA", conversation)
        assert FOUND in answer.readable


async def test_what_cannot_be_changed_is_posted_anew_at_the_end(make_stage: MakeStage) -> None:
    services = Script("VirusTotal", "OpenTIP")
    async with make_stage(claim(), enrichment=services) as stage:
        conversation = await _asked_directly(stage)
        answer = stage.sandbox.seen_by("U0KIRA", conversation)[-1]
        stage.sandbox.workspace.delete(answer)
        await _grown(stage, services)
        await stage.sandbox.settled()

        [_, answer] = stage.sandbox.seen_by("U0KIRA", conversation)
        assert answer.readable.count(FOUND) == 2 * 2
        assert {call.error for call in stage.calls("chat.update")} == {"message_not_found"}
        assert len(stage.calls("chat.postMessage")) == 2


async def _asked_directly(stage: Stage, text: str = ASK) -> str:
    """The conversation, with the first state in it."""
    conversation = stage.sandbox.open_dm("U0KIRA")
    await stage.sandbox.say("U0KIRA", conversation, text)
    await stage.sandbox.until(lambda: stage.calls("chat.postMessage"))
    await stage.sandbox.until(lambda: len(stage.sandbox.seen_by("U0KIRA", conversation)) == 2)
    return conversation


# --- in a channel ---------------------------------------------------------------------------------------


async def test_a_mention_asks_nobody_and_is_posted_once(make_stage: MakeStage) -> None:
    services = Script()
    async with make_stage(claim(), enrichment=services) as stage:
        answer = await stage.mention("U0KIRA", "C0KASP")

        assert STORED in answer
        assert services.enquiries == []
        assert [len(stage.calls(each)) for each in ("chat.postMessage", "chat.update")] == [1, 0]


# --- who may not read it any more -----------------------------------------------------------------------


def _moved(stage: Stage, user: str) -> None:
    """That person works for somebody else now."""
    users = stage.sandbox.workspace.users
    users[user] = replace(users[user], team="T0TREND")


@pytest.mark.parametrize("text", [ASK, f"enrich {HASH}"])
@pytest.mark.parametrize("surface", ["slash", "direct"])
async def test_nothing_more_is_said_to_whom_it_was_not_cleared_for(
    make_stage: MakeStage, monkeypatch: pytest.MonkeyPatch, surface: str, text: str
) -> None:
    monkeypatch.setattr(identity, "ACTOR_SECONDS", 0.0)
    services = Script("VirusTotal")
    async with make_stage(claim(), enrichment=services) as stage:
        if surface == "slash":
            await stage.sandbox.slash("U0ANA", "C0HOST", text)
        else:
            await _asked_directly(stage, text)
        calls = len(stage.calls("chat.postMessage"))
        _moved(stage, "U0ANA")
        _moved(stage, "U0KIRA")
        services.answer()
        await stage.sandbox.settled()

        sent = ("response_url", "chat.update", "files.getUploadURLExternal", "files.completeUploadExternal")
        assert [call for method in sent for call in stage.calls(method)] == []
        assert len(stage.calls("chat.postMessage")) == calls


# --- buttons --------------------------------------------------------------------------------------------


async def test_buttons_work_while_it_grows_and_after(make_stage: MakeStage) -> None:
    services = Script("VirusTotal")
    long = claim(context="x" * 900)
    async with make_stage(long, enrichment=services) as stage:
        delivery = await stage.sandbox.slash("U0ANA", "C0KASP", ASK)
        ts = delivery.shown[0].ts
        await stage.sandbox.click("U0ANA", "C0KASP", ts, "details")
        await stage.sandbox.until(lambda: stage.calls("views.open"))
        await stage.sandbox.click("U0ANA", "C0KASP", ts, "share")
        await stage.sandbox.until(lambda: len(stage.calls("views.open")) == 2)
        for inquiry in services.inquiries:
            inquiry.answer(services.services, Outcome.FOUND)
        await stage.sandbox.settled()
        services.known = list(services.inquiries[0].findings)

        await stage.sandbox.click("U0ANA", "C0KASP", ts, "share")
        await stage.sandbox.until(lambda: len(stage.calls("views.open")) == 3)

        before, after = (str(view.view) for view in stage.sandbox.views_of("U0ANA")[-2:])
        assert FOUND not in before
        assert FOUND in after


# --- stopping -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("surface", ["slash", "direct"])
async def test_a_stop_sends_the_last_state(
    make_stage: MakeStage, monkeypatch: pytest.MonkeyPatch, surface: str
) -> None:
    monkeypatch.setattr(work, "LAST_WORDS_SECONDS", work.DRAIN_SECONDS - 0.2)
    services = Script("VirusTotal", "OpenTIP")
    sandbox = strict_sandbox()
    stop = _kept_open(sandbox, monkeypatch)
    async with make_stage(claim(), enrichment=services, sandbox=sandbox) as stage:
        place = "C0HOST" if surface == "slash" else await _asked_directly(stage)
        if surface == "slash":
            await stage.sandbox.slash("U0ANA", place, ASK)
        services.answer("VirusTotal")
    user = "U0ANA" if surface == "slash" else "U0KIRA"
    last = sandbox.seen_by(user, place)[-1].readable
    await stop()

    assert FOUND in last
    assert "asking" not in last
    assert "OpenTIP" in last  # and that it did not answer in time
    assert services.is_closed


def _kept_open(sandbox: object, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Awaitable[None]]:
    """Let the sandbox outlive the stage, as Slack outlives the bot."""
    stop = sandbox.stop  # type: ignore[attr-defined]

    async def later() -> None:
        """Not yet."""

    monkeypatch.setattr(sandbox, "stop", later)
    return stop  # type: ignore[no-any-return]


async def test_what_asks_services_is_closed_before_the_store(make_stage: MakeStage) -> None:
    services = _Writing()
    async with make_stage(enrichment=services) as stage:
        services.store = stage.store

    assert services.is_closed


class _Writing(Script):
    """Has something to write down when it is closed."""

    store: Store

    async def close(self) -> None:
        await self.store.claim("last words", seconds=1)
        await super().close()


async def test_the_acknowledgement_does_not_wait_for_services(
    make_stage: MakeStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    impatient = Timing(ack=0.4, retries=())
    services = Script()
    async with make_stage(claim(), enrichment=services, sandbox=strict_sandbox(timing=impatient)) as stage:
        delivery = await stage.sandbox.slash("U0ANA", "C0HOST", ASK)
        services.answer()
        await stage.sandbox.settled()

        assert delivery.acknowledged
        assert STORED in delivery.shown[0].readable
