"""What goes wrong with the app's calls when a fault is switched on, and Slack's rate limits."""

import asyncio

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox import Sandbox
from bot.sandbox.faults import OVERTAKEN_SECONDS, Fault, Weather
from bot.sandbox.rates import Rates
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


async def test_a_post_whose_answer_comes_too_late_was_made(sandbox: Sandbox, app: StubApp) -> None:
    sandbox.faults.add(Fault("chat.postMessage", "lost_reply", seconds=0.3))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await app.client.chat_postMessage(channel="C0KASP", text="once")
    assert [m.text for m in sandbox.seen_by("U0ANA", "C0KASP")] == ["once"]


async def test_a_slow_post_is_made_after_its_sender_gave_up(sandbox: Sandbox, app: StubApp) -> None:
    sandbox.faults.add(Fault("chat.postMessage", "slow", seconds=0.2))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await app.client.chat_postMessage(channel="C0KASP", text="late")
    assert sandbox.seen_by("U0ANA", "C0KASP") == []
    assert [m.text for m in await sandbox.until(lambda: sandbox.seen_by("U0ANA", "C0KASP"))] == ["late"]


async def test_what_is_overtaken_arrives_right_after_the_next_one(sandbox: Sandbox, app: StubApp) -> None:
    sandbox.faults.add(Fault("chat.postMessage", "overtaken", seconds=60))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await app.client.chat_postMessage(channel="C0KASP", text="first")

    await app.client.chat_postMessage(channel="C0KASP", text="second")

    seen = await sandbox.until(lambda: len(sandbox.seen_by("U0ANA", "C0KASP")) == 2)
    assert seen
    assert [m.text for m in sandbox.seen_by("U0ANA", "C0KASP")] == ["second", "first"]


async def test_a_connection_that_is_cut_before_brings_nothing(sandbox: Sandbox, app: StubApp) -> None:
    sandbox.faults.add(Fault("chat.postMessage", "drop_before"))
    with pytest.raises(aiohttp.ClientError):
        await app.client.chat_postMessage(channel="C0KASP", text="never")
    assert sandbox.seen_by("U0ANA", "C0KASP") == []


async def test_a_refusal_says_what_it_is_told_to(sandbox: Sandbox, app: StubApp) -> None:
    sandbox.faults.add(Fault("chat.postMessage", "refused", code="restricted_action"))
    assert await refusal(app) == (200, "restricted_action", None)
    assert sandbox.calls[-1].error == "restricted_action"


@pytest.mark.parametrize(
    ("method", "kind", "code"),
    [
        ("chat.postMessage", "earthquake", ""),
        ("chat.postMessage", "refused", ""),
        ("chat.postMessage", "error_500", "is_archived"),
        ("delivery", "lost_reply", ""),
    ],
)
def test_faults_that_make_no_sense_are_refused(method: str, kind: str, code: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        Fault(method, kind, code=code)


# --- weather ---------------------------------------------------------------------------------------

STORM = {"drop_after_accept": 0.2, "refused:fatal_error": 0.1, "rate_limited": 0.3}


def test_the_same_seed_brings_the_same_weather() -> None:
    def days(seed: int) -> list[str]:
        weather = Weather(seed, STORM, methods=frozenset({"chat.postMessage"}))
        faults = [weather.fault("chat.postMessage") for _ in range(2_000)]
        return [f"{fault.kind}:{fault.code}".rstrip(":") if fault else "fine" for fault in faults]

    assert days(1) == days(1) != days(2)
    for kind, chance in {**STORM, "fine": 0.4}.items():
        assert days(1).count(kind) / 2_000 == pytest.approx(chance, abs=0.05)


def test_the_weather_is_bad_for_its_methods_only() -> None:
    weather = Weather(1, {"error_500": 1.0}, methods=frozenset({"chat.postMessage"}), seconds=3)

    assert weather.fault("auth.test") is None
    assert weather.fault("chat.postMessage") == Fault("chat.postMessage", "error_500", seconds=3)
    with pytest.raises(ValueError, match="chances"):
        Weather(1, {"error_500": 0.6, "slow": 0.6}, methods=frozenset())


def test_bad_weather_lets_calls_of_one_method_be_overtaken() -> None:
    chances = {"overtaken:files.completeUploadExternal": 1.0}
    weather = Weather(1, chances, methods=frozenset({"files.completeUploadExternal", "chat.postMessage"}))

    late = weather.fault("files.completeUploadExternal")

    assert late == Fault("files.completeUploadExternal", "overtaken", seconds=OVERTAKEN_SECONDS)
    assert weather.fault("chat.postMessage") is None


async def test_weather_comes_after_what_was_switched_on(sandbox: Sandbox, app: StubApp) -> None:
    sandbox.faults.weather = Weather(1, {"error_500": 1.0}, methods=frozenset({"chat.postMessage"}))
    sandbox.faults.add(Fault("chat.postMessage", "token_revoked"))

    assert [(await refusal(app))[0] for _ in range(3)] == [200, 500, 500]
    sandbox.faults.clear()
    await app.client.chat_postMessage(channel="C0KASP", text="x")


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


def test_posts_are_limited_in_the_whole_workspace() -> None:
    clock = Clock()
    rates = Rates(clock)

    through = [rates.wait("chat.postMessage", f"C{number}") for number in range(21)]
    assert through == [0] * 20 + [1]
    clock.move(1)
    assert [rates.wait("chat.postMessage", f"C{number}") for number in range(30, 35)] == [0, 0, 0, 0, 1]


def test_a_refused_post_uses_nothing_up() -> None:
    clock = Clock()
    rates = Rates(clock)

    assert [rates.wait("chat.postMessage", "C1") for _ in range(40)] == [0] * 5 + [1] * 35
    assert [rates.wait("chat.postMessage", f"C{number}") for number in range(2, 17)] == [0] * 15


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
