"""The CSV file of an answer reaches its asker alone, in the direct conversation, or a word says why not."""

from dataclasses import replace

import pytest

from bot.blocks import render
from bot.chat import Actor, Notice
from bot.manifest import EVENTS, SCOPES
from bot.sandbox import Sandbox
from bot.sandbox.faults import Fault
from bot.sharing import Audience, Reach
from bot.slack import identity, outbox
from bot.slack.audience import alone
from bot.slack.calls import RefusedError, WebApi, is_slacks
from bot.slack.identity import People
from bot.slack.outbox import Attachment, Letter, Outbox, ReadersChangedError
from bot.tlp import Label
from tests.enriching import Script
from tests.slack.conftest import HASH, MakeStage, Stage, claim, registry

ENRICH = f"enrich {HASH}"
ANA = Actor("U0ANA", "igci")
NAME = "enrichment.csv"


async def _enriched(stage: Stage, services: Script, *, by: str = "U0ANA", text: str = ENRICH) -> str:
    """Ask by slash command in a shared channel; gives the id of the direct conversation."""
    await stage.sandbox.slash(by, "C0KASP", text)
    services.answer()
    await stage.sandbox.settled()
    return stage.sandbox.open_dm(by)


async def test_after_a_slash_command_it_comes_by_direct_message(make_stage: MakeStage) -> None:
    services = Script("VirusTotal")
    async with make_stage(claim(), enrichment=services) as stage:
        conversation = await _enriched(stage, services)

        [message] = stage.sandbox.seen_by("U0ANA", conversation)
        assert [file.name for file in message.files] == [NAME]
        assert "VirusTotal" in message.files[0].text
        assert message.text.startswith("TLP:GREEN · all about 1 indicator as a file")
        [answer] = stage.sandbox.seen_by("U0ANA", "C0KASP")
        assert "A CSV file with all of it comes by direct message." in answer.readable
        for channel in stage.sandbox.workspace.channels.values():
            assert channel.id == conversation or not any(each.files for each in channel.messages)


async def test_in_a_direct_message_it_stands_below_the_answer(make_stage: MakeStage) -> None:
    services = Script("VirusTotal")
    async with make_stage(claim(), enrichment=services) as stage:
        conversation = stage.sandbox.open_dm("U0KIRA")
        await stage.sandbox.say("U0KIRA", conversation, ENRICH)
        await services.asked.wait()
        services.answer()
        await stage.sandbox.settled()

        [_, answer, file] = stage.sandbox.seen_by("U0KIRA", conversation)
        assert (bool(answer.files), [each.name for each in file.files]) == (False, [NAME])
        assert "comes by direct message" not in answer.readable
        assert stage.calls("conversations.open") == []


async def test_a_lookup_brings_no_file(make_stage: MakeStage) -> None:
    services = Script("VirusTotal")
    async with make_stage(claim(), enrichment=services) as stage:
        await _enriched(stage, services, text=f"lookup {HASH}")

        assert stage.calls("files.getUploadURLExternal") == []


async def test_what_only_an_ephemeral_answer_may_show_stays_out_of_it(make_stage: MakeStage) -> None:
    red = claim(label=Label.RED, persons=frozenset(("U0ANA",)), family="secret")
    services = Script("VirusTotal")
    async with make_stage(red, claim(source="trendmicro"), enrichment=services) as stage:
        conversation = await _enriched(stage, services)

        shown = "\n".join(message.readable for message in stage.sandbox.seen_by("U0ANA", "C0KASP"))
        [message] = stage.sandbox.seen_by("U0ANA", conversation)
        assert "secret" in shown
        assert "secret" not in message.readable
        assert "RED" not in message.readable
        assert message.files


async def test_a_workspace_that_takes_no_files_is_told(make_stage: MakeStage) -> None:
    services = Script("VirusTotal")
    sandbox = Sandbox(scopes=frozenset(SCOPES) - {"files:write"}, events=frozenset(EVENTS))
    async with make_stage(claim(), enrichment=services, sandbox=sandbox) as stage:
        await _enriched(stage, services)

        [answer, words] = stage.sandbox.seen_by("U0ANA", "C0KASP")
        assert "47/65" in answer.readable
        assert "does not take files from Liaison" in words.readable


@pytest.mark.parametrize("method", ["conversations.open", "upload", "files.completeUploadExternal"])
async def test_a_file_that_did_not_get_through_is_told(make_stage: MakeStage, method: str) -> None:
    services = Script("VirusTotal")
    async with make_stage(claim(), enrichment=services) as stage:
        stage.sandbox.faults.add(Fault(method, "error_500", times=3))
        await _enriched(stage, services)

        [_, words] = stage.sandbox.seen_by("U0ANA", "C0KASP")
        assert "the CSV file could not be sent" in words.readable


@pytest.mark.parametrize("method", ["upload", "files.completeUploadExternal"])
async def test_in_a_direct_message_that_is_told_there(make_stage: MakeStage, method: str) -> None:
    services = Script("VirusTotal")
    async with make_stage(claim(), enrichment=services) as stage:
        stage.sandbox.faults.add(Fault(method, "error_500", times=3))
        assert "the CSV file could not be sent" in await _asked_directly(stage, services)


async def _asked_directly(stage: Stage, services: Script) -> str:
    """What stands last in the direct conversation."""
    conversation = stage.sandbox.open_dm("U0KIRA")
    await stage.sandbox.say("U0KIRA", conversation, ENRICH)
    await services.asked.wait()
    services.answer()
    await stage.sandbox.settled()
    return stage.sandbox.seen_by("U0KIRA", conversation)[-1].readable


async def test_a_reader_who_changes_sides_during_the_upload_gets_no_file(
    make_stage: MakeStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(identity, "ACTOR_SECONDS", 0.0)
    services = Script("VirusTotal")
    async with make_stage(claim(), enrichment=services) as stage:
        upload = WebApi.upload

        async def meanwhile(self: WebApi, url: str, content: bytes) -> None:
            await upload(self, url, content)
            users = stage.sandbox.workspace.users
            users["U0ANA"] = replace(users["U0ANA"], team="T0TREND")

        monkeypatch.setattr(WebApi, "upload", meanwhile)
        conversation = await _enriched(stage, services)

        assert stage.calls("upload")
        assert stage.calls("files.completeUploadExternal") == []
        assert stage.sandbox.seen_by("U0ANA", conversation) == []


async def test_a_file_that_was_cleared_for_an_ephemeral_answer_is_not_sent(stage: Stage) -> None:
    for_a_moment = alone(Reach.EPHEMERAL, ANA, stage.clock())
    with pytest.raises(ReadersChangedError):
        await _outbox(stage).attach("D0ANA", ANA, _file(for_a_moment), sharing=_nobody)

    assert stage.calls("files.getUploadURLExternal") == []


@pytest.mark.parametrize("size", [0, outbox.MAX_FILE_BYTES + 1])
async def test_empty_and_huge_files_are_not_sent(stage: Stage, size: int) -> None:
    readers = alone(Reach.DM, ANA, stage.clock())
    file = replace(_file(readers), content=b"x" * size)
    with pytest.raises(RefusedError):
        await _outbox(stage).attach("D0ANA", ANA, file, sharing=_nobody)

    assert stage.calls("files.getUploadURLExternal") == []


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://files.slack.com/upload/v1/abc", True),
        ("http://files.slack.com/upload/v1/abc", False),
        ("https://files.slack.com.evil.example/upload", False),
        ("https://files.slack.com@evil.example/upload", False),
        ("https://files.slack.com:8443/upload", False),
        ("https://hooks.slack.com/upload", False),
        ("https://evil.example/files.slack.com", False),
        ("", False),
    ],
)
def test_a_file_goes_to_slacks_own_upload_host_only(url: str, expected: bool) -> None:
    assert is_slacks("files", url, "https://slack.com/api/") is expected


async def test_an_upload_address_elsewhere_is_not_used(
    make_stage: MakeStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = Script("VirusTotal")
    async with make_stage(claim(), enrichment=services) as stage:
        monkeypatch.setattr(stage.sandbox._api, "base_url", "http://192.0.2.1")
        await _enriched(stage, services)

        [_, words] = stage.sandbox.seen_by("U0ANA", "C0KASP")
        assert "could not be sent" in words.readable
        assert stage.calls("upload") + stage.calls("files.completeUploadExternal") == []


def _outbox(stage: Stage) -> Outbox:
    slack = stage.bot.connection.slack
    return Outbox(slack, None, People(slack, registry()), clock=stage.clock)  # type: ignore[arg-type]  # no channels here


def _file(readers: Audience) -> Attachment:
    notice = Notice(title="x")
    return Attachment(NAME, b"x", Letter(render(notice), readers), notice)


async def _nobody(_: str) -> None:
    """Who keeps no ledger."""
