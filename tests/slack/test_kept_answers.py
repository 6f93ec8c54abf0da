"""Whatever becomes of an answer on its way, the ledger never shows less than can be read."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from bot.deliveries import Item, Post
from bot.sandbox.faults import Fault
from bot.slack.calls import WebApi
from bot.slack.outbox import Outbox
from bot.tlp import Label
from tests.enriching import Script
from tests.slack.conftest import HASH, MakeStage, Stage, claim
from tests.slack.test_ledger import FAMILY, _posted, _reads, _until

SHOWN = Item("kaspersky", claim().indicator, Label.GREEN)
ENRICH = f"enrich {HASH}"
SECONDS = 10.0


async def _revoke(stage: Stage) -> None:
    await stage.store.remark(msgspec.structs.replace(claim(), revoked=True))


async def _kept(stage: Stage, number: int = 1) -> list[Post]:
    """The posts in the ledger, as soon as there are that many; the oldest first."""
    async with asyncio.timeout(SECONDS):
        posts = await stage.store.posts()
        while len(posts) != number:
            await asyncio.sleep(0.02)
            posts = await stage.store.posts()
    return posts[::-1]


def _asks_privately(stage: Stage, text: str) -> Any:
    return stage.sandbox.say("U0KIRA", stage.sandbox.open_dm("U0KIRA"), text)


async def test_an_answer_in_a_direct_message_is_kept_with_its_one_reader(make_stage: MakeStage) -> None:
    async with make_stage(claim()) as stage:
        await stage.direct("U0TOMO")

        [post] = await stage.store.posts()
        conversation = stage.sandbox.open_dm("U0TOMO")
        [message] = _posted(stage, conversation)
        assert (post.channel, post.ts, post.readers) == (conversation, message.ts, ("trendmicro",))
        assert (post.state, post.items) == ("shown", (SHOWN,))


async def test_what_a_source_revokes_goes_out_of_direct_messages(make_stage: MakeStage) -> None:
    async with make_stage(claim()) as stage:
        conversation = stage.sandbox.open_dm("U0TOMO")
        assert FAMILY in await stage.direct("U0TOMO")

        await _revoke(stage)

        text = await _until(stage, conversation, lambda text: FAMILY not in text and "correction" in text)
        assert HASH not in text


async def test_a_direct_message_can_be_retracted(make_stage: MakeStage) -> None:
    async with make_stage(claim()) as stage:
        conversation = stage.sandbox.open_dm("U0TOMO")
        await stage.direct("U0TOMO")

        told = await stage.direct("U0KIRA", f"retract {HASH}")

        assert "1 post showed this of your organisation." in told
        await _until(stage, conversation, lambda text: FAMILY not in text and "correction" in text)


async def test_an_answer_that_slack_did_not_acknowledge_is_found_and_corrected(make_stage: MakeStage) -> None:
    async with make_stage(claim()) as stage:
        stage.sandbox.faults.add(Fault("chat.postMessage", "drop_after_accept"))
        assert FAMILY in await stage.mention("U0TOMO", "C0TREND")
        [intent] = await stage.store.posts()
        assert (intent.is_intended, intent.items) == (True, (SHOWN,))

        await _revoke(stage)
        stage.clock.ahead += timedelta(minutes=4)

        text = await _until(stage, "C0TREND", lambda text: FAMILY not in text and "correction" in text)
        assert HASH not in text
        assert not any(each.is_intended for each in await stage.store.posts())


async def test_what_slack_did_not_take_is_not_in_the_ledger(make_stage: MakeStage) -> None:
    async with make_stage(claim()) as stage:
        stage.sandbox.faults.add(Fault("chat.postMessage", "refused", code="is_archived"))
        await stage.mention("U0TOMO", "C0TREND")

        assert await stage.store.posts() == []


async def test_where_liaison_may_not_look_it_says_so_once(
    make_stage: MakeStage, caplog: pytest.LogCaptureFixture
) -> None:
    async with make_stage(claim()) as stage:
        stage.sandbox.faults.add(Fault("chat.postMessage", "drop_after_accept"))
        stage.sandbox.faults.add(Fault("conversations.replies", "refused", times=99, code="missing_scope"))
        await stage.mention("U0TOMO", "C0TREND")
        stage.clock.ahead += timedelta(minutes=4)
        await _revoke(stage)

        async with asyncio.timeout(SECONDS):
            while [each.state for each in await stage.store.posts()] != ["unreachable"]:
                stage.bot.connection.services.corrections.readers_changed("C0TREND")  # type: ignore[union-attr]
                await asyncio.sleep(0.02)
        assert sum("operators are told" in each for each in caplog.messages) == 1


async def test_a_claim_that_changes_while_its_answer_is_written_is_not_posted(
    make_stage: MakeStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with make_stage(claim()) as stage:
        real = stage.store.record_post

        async def meanwhile(post: Post) -> None:
            await real(post)
            monkeypatch.undo()
            await _revoke(stage)

        monkeypatch.setattr(stage.store, "record_post", meanwhile)
        text = await stage.mention("U0TOMO", "C0TREND")

        assert FAMILY not in text
        assert await stage.store.posts() == []


async def test_what_services_say_is_in_the_ledger_before_it_can_be_read(
    make_stage: MakeStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    services, seen = Script("VirusTotal"), list[set[str]]()
    async with make_stage(claim(), enrichment=services) as stage:
        real = WebApi.write

        async def looking(api: WebApi, method: str, arguments: Any, **more: Any) -> Mapping[str, Any]:
            if method in ("chat.update", "files.completeUploadExternal"):
                posts = await stage.store.posts()
                seen.append({item.source for post in posts for item in post.items})
            return await real(api, method, arguments, **more)

        monkeypatch.setattr(WebApi, "write", looking)
        await _asks_privately(stage, ENRICH)
        await services.asked.wait()
        services.answer()
        await stage.sandbox.settled()

        assert seen
        assert all("service:virustotal" in each for each in seen)
        answer, file = await _kept(stage, 2)
        assert answer.busy_until is None
        assert file.files == (file.ts,)
        assert {each.source for each in file.items} == {"kaspersky", "service:virustotal"}


async def test_a_growing_answer_does_not_take_the_place_of_its_correction(make_stage: MakeStage) -> None:
    services = Script("VirusTotal")
    async with make_stage(claim(), enrichment=services) as stage:
        conversation = stage.sandbox.open_dm("U0KIRA")
        await stage.sandbox.say("U0KIRA", conversation, ENRICH)
        await services.asked.wait()
        await _kept(stage)
        corrections = stage.bot.connection.services.corrections
        assert corrections is not None
        await corrections.retract([claim().indicator], source=None, by="U0OPS")
        await _until(stage, conversation, lambda text: FAMILY not in text and "correction" in text)

        services.answer()
        await stage.sandbox.settled()

        assert FAMILY not in _reads(stage, conversation)


async def test_a_correction_waits_for_whoever_changes_the_message(
    make_stage: MakeStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    services, reached, go_on = Script("VirusTotal"), asyncio.Event(), asyncio.Event()
    async with make_stage(claim(), enrichment=services) as stage:
        conversation = stage.sandbox.open_dm("U0KIRA")
        real = Outbox.change_direct

        async def slowly(*arguments: Any) -> None:
            reached.set()
            await go_on.wait()
            await real(*arguments)

        monkeypatch.setattr(Outbox, "change_direct", slowly)
        await stage.sandbox.say("U0KIRA", conversation, ENRICH)
        await services.asked.wait()
        services.answer()
        await reached.wait()
        corrections = stage.bot.connection.services.corrections
        assert corrections is not None
        await corrections.retract([claim().indicator], source=None, by="U0OPS")
        go_on.set()
        await stage.sandbox.settled()
        stage.clock.ahead += timedelta(minutes=2)

        await _until(stage, conversation, lambda text: FAMILY not in text and "correction" in text)


async def test_a_file_goes_when_its_source_revokes_what_is_in_it(make_stage: MakeStage) -> None:
    services = Script("VirusTotal")
    async with make_stage(claim(), enrichment=services) as stage:
        conversation = stage.sandbox.open_dm("U0TOMO")
        await stage.sandbox.say("U0TOMO", conversation, ENRICH)
        await services.asked.wait()
        services.answer()
        await stage.sandbox.settled()
        assert any(message.files for message in _posted(stage, conversation))

        await _revoke(stage)

        await _until(stage, conversation, lambda text: FAMILY not in text and "correction" in text)
        async with asyncio.timeout(SECONDS):
            files = [message.files for message in _posted(stage, conversation)]
            while any(files):
                await asyncio.sleep(0.02)
                files = [message.files for message in _posted(stage, conversation)]
