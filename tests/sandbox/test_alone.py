"""A sandbox in its own process tells what stands in it and does what people would do."""

from collections.abc import Iterator

import aiohttp
import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox import Fault, SlackError
from bot.sandbox.alone import Alone, own_sandbox
from bot.sandbox.faults import Weather

METADATA = {"event_type": "digest", "event_payload": {"nonce": "n1"}}


@pytest.fixture(scope="module")
def alone() -> Iterator[Alone]:
    with own_sandbox(strict_rates=True) as started:
        yield started


def _client(alone: Alone) -> AsyncWebClient:
    return AsyncWebClient(token=alone.bot_token, base_url=alone.api_url, retry_handlers=[])


async def test_it_tells_posts_with_their_nonces(alone: Alone) -> None:
    client = _client(alone)
    first = await client.chat_postMessage(channel="C0KASP", text="first", metadata=METADATA)
    await client.chat_postMessage(channel="C0KASP", text="beneath", thread_ts=first["ts"])
    await client.chat_update(channel="C0KASP", ts=first["ts"], text="corrected")
    alone.act("say", "U0ANA", "C0KASP", "not of the bot")

    told = [
        (post.text, post.nonce, post.thread == first["ts"], post.edited) for post in alone.posted("C0KASP")
    ]
    assert told == [("corrected", "n1", False, True), ("beneath", "", True, False)]
    assert alone.seen_by("U0KIRA", "C0KASP")[-1] == "not of the bot"
    assert alone.calls()["chat.postMessage"] == 2


async def test_faults_and_weather_reach_it(alone: Alone) -> None:
    client = _client(alone)
    alone.add(Fault("auth.test", "drop_before"))
    with pytest.raises(aiohttp.ClientError):
        await client.auth_test()
    alone.forecast(Weather(1, {"drop_before": 1.0}, methods=frozenset({"auth.test"})))
    with pytest.raises(aiohttp.ClientError):
        await client.auth_test()
    alone.clear()
    assert (await client.auth_test())["ok"]


async def test_people_act_in_it(alone: Alone) -> None:
    alone.act("invite", "T0TREND", "C0KASP")
    alone.act("accept", "T0TREND", "C0KASP")

    info = await _client(alone).conversations_info(channel="C0KASP")
    assert "T0TREND" in info["channel"]["connected_team_ids"]
    with pytest.raises(SlackError):
        alone.act("accept", "T0TREND", "C0KASP")


def test_it_ends_with_its_block() -> None:
    with own_sandbox() as short:
        pass
    with pytest.raises(OSError, match="closed"):
        short.posted("C0KASP")
