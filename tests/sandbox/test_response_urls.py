"""Response URLs and trigger ids: how often and how long they work, and what they can do."""

from typing import Any

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.webhook.async_client import AsyncWebhookClient
from slack_sdk.webhook.webhook_response import WebhookResponse

from bot.sandbox import Fault, Sandbox, Timing
from tests.sandbox.parts import Clock
from tests.sandbox.stub_app import StubApp

BUTTON = {
    "type": "actions",
    "elements": [{"type": "button", "action_id": "more", "text": {"type": "plain_text", "text": "More"}}],
}
MODAL = {
    "type": "modal",
    "title": {"type": "plain_text", "text": "Share"},
    "blocks": [{"type": "section", "text": {"type": "plain_text", "text": "Sure?"}}],
}


async def asked(sandbox: Sandbox, app: StubApp) -> AsyncWebhookClient:
    """The response URL of a command of Ana's."""
    await sandbox.slash("U0ANA", "C0KASP", "lookup 192.0.2.7")
    return AsyncWebhookClient(app.bodies[-1]["response_url"], retry_handlers=[])


async def send(url: AsyncWebhookClient, **body: Any) -> WebhookResponse:
    return await url.send_dict(body)


async def test_an_answer_is_ephemeral_unless_said_otherwise(sandbox: Sandbox, app: StubApp) -> None:
    url = await asked(sandbox, app)
    answer = await send(url, text="for you")
    assert (answer.status_code, answer.body) == (200, "ok")
    (seen,) = sandbox.seen_by("U0ANA", "C0KASP")
    assert (seen.text, seen.only_for) == ("for you", "U0ANA")
    assert sandbox.seen_by("U0KIRA", "C0KASP") == []


async def test_in_channel_echoes_the_command_once(sandbox: Sandbox, app: StubApp) -> None:
    url = await asked(sandbox, app)
    for word in ("one", "two"):
        await send(url, text=word, response_type="in_channel")
    assert [m.text for m in sandbox.seen_by("U0KIRA", "C0KASP")] == ["/intel lookup 192.0.2.7", "one", "two"]


async def test_it_works_five_times(sandbox: Sandbox, app: StubApp) -> None:
    url = await asked(sandbox, app)
    statuses = [(await send(url, text=f"{number}")).status_code for number in range(6)]
    assert statuses == [200, 200, 200, 200, 200, 404]
    assert "used_url" in (await send(url, text="more")).body
    assert len(sandbox.seen_by("U0ANA", "C0KASP")) == 5


async def test_it_works_for_thirty_minutes() -> None:
    clock = Clock()
    sandbox = Sandbox(clock=clock)
    await sandbox.start()
    app = StubApp(sandbox)
    sandbox.connect(await app.start())
    url = await asked(sandbox, app)
    clock.move(1799)
    assert (await send(url, text="in time")).status_code == 200
    clock.move(2)
    late = await send(url, text="too late")
    assert (late.status_code, "expired_url" in late.body) == (404, True)
    await app.stop()
    await sandbox.stop()


async def test_a_guessed_url_does_nothing(sandbox: Sandbox) -> None:
    answer = await send(AsyncWebhookClient(f"{sandbox.url}/response/guess"), text="x")
    assert answer.status_code == 404


async def test_an_ephemeral_is_replaced_and_deleted(sandbox: Sandbox, app: StubApp) -> None:
    url = await asked(sandbox, app)
    await send(url, text="working on it", blocks=[BUTTON])
    first = sandbox.seen_by("U0ANA", "C0KASP")[0]
    await send(url, text="done", replace_original=True)
    (seen,) = sandbox.seen_by("U0ANA", "C0KASP")
    assert (seen.ts, seen.text, seen.blocks, seen.only_for) == (first.ts, "done", (), "U0ANA")
    await send(url, delete_original=True)
    assert sandbox.seen_by("U0ANA", "C0KASP") == []


async def test_a_click_replaces_the_message_it_was_in(sandbox: Sandbox, app: StubApp) -> None:
    posted = await app.client.chat_postMessage(channel="C0KASP", text="choose", blocks=[BUTTON])
    await sandbox.click("U0KIRA", "C0KASP", posted["ts"], "more")
    url = AsyncWebhookClient(app.bodies[-1]["response_url"])
    await send(url, text="only Kira")
    await send(url, text="chosen", replace_original=True)
    assert [m.text for m in sandbox.seen_by("U0ANA", "C0KASP")] == ["chosen"]
    assert [m.text for m in sandbox.seen_by("U0KIRA", "C0KASP")] == ["chosen", "only Kira"]


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"text": ""}, "no_text"),
        ({"text": 3}, "invalid_payload"),
        ({"text": "x", "blocks": "x"}, "invalid_payload"),
        ({"text": "x", "blocks": [{"type": "?"}]}, "invalid_blocks"),
    ],
)
async def test_a_bad_body_is_refused(
    sandbox: Sandbox, app: StubApp, body: dict[str, Any], error: str
) -> None:
    answer = await send(await asked(sandbox, app), **body)
    assert (answer.status_code, error in answer.body) == (400, True)
    assert sandbox.calls[-1].error == error


async def test_faults_hit_response_urls_too(sandbox: Sandbox, app: StubApp) -> None:
    url = await asked(sandbox, app)
    sandbox.faults.add(Fault("response_url", "error_500"))
    assert (await send(url, text="x")).status_code == 500
    assert (await send(url, text="x")).status_code == 200


# --- triggers --------------------------------------------------------------------------------------


async def opened(app: StubApp, trigger: str) -> str:
    """The error of opening a modal, or an empty string."""
    try:
        await app.client.views_open(trigger_id=trigger, view=MODAL)
    except SlackApiError as error:
        return str(error.response["error"])
    return ""


async def test_a_trigger_opens_one_modal(sandbox: Sandbox, app: StubApp) -> None:
    await sandbox.slash("U0ANA", "C0KASP", "help")
    trigger = app.bodies[-1]["trigger_id"]
    assert await opened(app, trigger) == ""
    assert await opened(app, trigger) == "exchanged_trigger_id"
    assert await opened(app, "1.2.guess") == "invalid_trigger_id"
    assert len(sandbox.views_of("U0ANA")) == 1


async def test_a_trigger_is_good_for_three_seconds() -> None:
    clock = Clock()
    sandbox = Sandbox(clock=clock, timing=Timing())
    await sandbox.start()
    app = StubApp(sandbox)
    sandbox.connect(await app.start())
    await sandbox.slash("U0ANA", "C0KASP", "help")
    clock.move(3.5)
    assert await opened(app, app.bodies[-1]["trigger_id"]) == "expired_trigger_id"
    await app.stop()
    await sandbox.stop()
