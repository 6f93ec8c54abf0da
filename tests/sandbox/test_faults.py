"""What goes wrong with the app's calls when a fault is switched on, and Slack's rate limits."""

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox import Fault, Sandbox
from tests.sandbox.parts import Clock
from tests.sandbox.stub_app import StubApp


async def refusal(app: StubApp) -> tuple[int, str | None, str | None]:
    """Status, error and Retry-After of a post that does not go well."""
    with pytest.raises(SlackApiError) as caught:
        await app.client.chat_postMessage(channel="C0KASP", text="x")
    response = caught.value.response
    return response.status_code, response.get("error"), response.headers.get("Retry-After")


async def test_a_post_whose_answer_is_lost_was_made(sandbox: Sandbox, app: StubApp) -> None:
    sandbox.faults.add(Fault("chat.postMessage", "drop_after_accept"))
    with pytest.raises(aiohttp.ClientError):
        await app.client.chat_postMessage(channel="C0KASP", text="once")
    assert [m.text for m in sandbox.seen_by("U0ANA", "C0KASP")] == ["once"]


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("error_500", (500, None, None)),
        ("rate_limited", (429, "ratelimited", "7")),
        ("token_revoked", (200, "token_revoked", None)),
    ],
)
async def test_a_refused_post_was_not_made(
    sandbox: Sandbox, app: StubApp, kind: str, expected: tuple[int, str | None, str | None]
) -> None:
    sandbox.faults.add(Fault("chat.postMessage", kind, seconds=7))
    assert await refusal(app) == expected
    assert sandbox.seen_by("U0ANA", "C0KASP") == []
    assert [(call.method, call.error) for call in sandbox.calls] == [("chat.postMessage", kind)]


async def test_a_fault_happens_as_often_as_it_says(sandbox: Sandbox, app: StubApp) -> None:
    sandbox.faults.add(Fault("chat.postMessage", "token_revoked", times=2))
    assert [(await refusal(app))[1] for _ in range(2)] == ["token_revoked"] * 2
    await app.client.chat_postMessage(channel="C0KASP", text="x")


async def test_other_methods_do_not_meet_it(sandbox: Sandbox, app: StubApp) -> None:
    sandbox.faults.add(Fault("chat.postMessage", "error_500"))
    assert (await app.client.auth_test())["ok"]
    sandbox.faults.clear()
    await app.client.chat_postMessage(channel="C0KASP", text="x")


async def test_a_slow_call_ends_well(sandbox: Sandbox, app: StubApp) -> None:
    sandbox.faults.add(Fault("auth.test", "slow", seconds=0.1))
    assert (await app.client.auth_test())["ok"]


# --- rates -----------------------------------------------------------------------------------------


async def test_posts_are_limited_by_channel() -> None:
    clock = Clock()
    strict = Sandbox(clock=clock, strict_rates=True)
    await strict.start()
    client = AsyncWebClient(token=strict.bot_token, base_url=strict.api_url, retry_handlers=[])

    for _ in range(5):  # a short burst is let through
        await client.chat_postMessage(channel="C0KASP", text="x")
    with pytest.raises(SlackApiError) as caught:
        await client.chat_postMessage(channel="C0KASP", text="x")
    assert (caught.value.response.status_code, caught.value.response["error"]) == (429, "ratelimited")
    assert caught.value.response.headers["Retry-After"] == "1"

    await client.chat_postMessage(channel="C0ALL", text="another channel")
    clock.move(1)
    await client.chat_postMessage(channel="C0KASP", text="x")
    await strict.stop()


async def test_a_tier_three_method_takes_fifty_a_minute() -> None:
    strict = Sandbox(clock=Clock(), strict_rates=True)
    await strict.start()
    client = AsyncWebClient(token=strict.bot_token, base_url=strict.api_url, retry_handlers=[])
    for _ in range(50):
        await client.conversations_info(channel="C0KASP")
    with pytest.raises(SlackApiError, match="ratelimited"):
        await client.conversations_info(channel="C0KASP")
    assert (await client.users_info(user="U0ANA"))["ok"]
    await strict.stop()


async def test_without_strict_rates_nothing_is_limited(app: StubApp) -> None:
    for _ in range(60):
        await app.client.conversations_info(channel="C0KASP")
