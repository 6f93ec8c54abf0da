"""How the fake services go wrong when they shall."""

import asyncio
import json
from typing import Any

import aiohttp
import pytest

from bot.sandbox.services import HOSTILE, MAX_ANSWER, Fakes, Trouble
from bot.sandbox.services.knowledge import MALICIOUS
from tests.sandbox.asking import SERVICES, asking, good_question, key_of


@pytest.mark.parametrize(
    ("service", "status", "words"),
    [
        ("virustotal", 429, "QuotaExceededError"),
        ("opentip", 403, ""),
        ("hashlookup", 429, "Too Many Requests"),
        ("malwarebazaar", 429, "Too Many Requests"),
        ("threatfox", 429, "Too Many Requests"),
        ("urlhaus", 429, "Too Many Requests"),
        ("trend", 429, "Too many API requests"),
    ],
)
async def test_each_service_has_its_own_way_to_say_that_it_is_enough(
    fakes: Fakes, client: aiohttp.ClientSession, service: str, status: int, words: str
) -> None:
    fakes[service].trouble, fakes[service].retry_after = Trouble.QUOTA, 120
    async with asking(client, fakes, service, **good_question(service)) as response:
        assert words in await response.text()
    assert (response.status, response.headers["Retry-After"]) == (status, "120")


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize(
    ("trouble", "statuses", "content_type"),
    [
        (Trouble.AUTH, {401, 403}, None),
        (Trouble.SERVER_ERROR, {500}, "text/html"),
        (Trouble.UNAVAILABLE_JSON, {503}, "application/json"),
        (Trouble.EMPTY_204, {204}, None),
        (Trouble.HTML, {200}, "text/html"),
        (Trouble.REDIRECT, {307}, None),
    ],
)
async def test_what_is_said_in_the_place_of_an_answer(
    fakes: Fakes,
    client: aiohttp.ClientSession,
    service: str,
    trouble: Trouble,
    statuses: set[int],
    content_type: str | None,
) -> None:
    fakes[service].trouble = trouble
    async with asking(client, fakes, service, **good_question(service)) as response:
        await response.read()
    assert response.status in statuses
    assert content_type in (None, response.content_type)
    assert fakes.mistakes == []


@pytest.mark.parametrize("service", SERVICES)
async def test_answers_that_cannot_be_read_as_they_should(
    fakes: Fakes, client: aiohttp.ClientSession, service: str
) -> None:
    bodies = {}
    for trouble in (None, Trouble.MALFORMED, Trouble.HOSTILE, Trouble.WRONG_TYPES, Trouble.OVERSIZED):
        fakes[service].trouble = trouble
        async with asking(client, fakes, service, **good_question(service)) as response:
            assert response.status == 200
            bodies[trouble] = await response.text()

    right, oversized = bodies[None], bodies[Trouble.OVERSIZED]
    assert right.startswith(bodies[Trouble.MALFORMED])
    assert len(bodies[Trouble.MALFORMED]) < len(right)
    assert json.loads(bodies[Trouble.WRONG_TYPES]).keys() == json.loads(right).keys()
    assert json.loads(bodies[Trouble.WRONG_TYPES]) != json.loads(right)
    assert HOSTILE in str(texts(json.loads(bodies[Trouble.HOSTILE])))
    assert len(oversized) > MAX_ANSWER
    assert json.loads(oversized) == json.loads(right)


def texts(value: Any) -> str:
    """All texts of a JSON value, one after the other."""
    match value:
        case dict():
            return "".join(map(texts, value.values()))
        case list():
            return "".join(map(texts, value))
    return value if isinstance(value, str) else ""


async def test_a_bomb_is_small_on_the_way_and_large_where_it_arrives(fakes: Fakes) -> None:
    fakes.virustotal.trouble = Trouble.BOMB
    async with (
        aiohttp.ClientSession(auto_decompress=False) as client,
        asking(client, fakes, "virustotal", f"/api/v3/files/{MALICIOUS}") as response,
    ):
        packed = await response.read()

    assert response.headers["Content-Encoding"] == "gzip"
    assert len(packed) < MAX_ANSWER / 20


@pytest.mark.parametrize("trouble", [Trouble.RESET, Trouble.CUT_OFF])
async def test_a_connection_is_cut(fakes: Fakes, client: aiohttp.ClientSession, trouble: Trouble) -> None:
    fakes.virustotal.trouble = trouble
    with pytest.raises(aiohttp.ClientError):
        async with asking(client, fakes, "virustotal", f"/api/v3/files/{MALICIOUS}") as response:
            await response.read()
    fakes.virustotal.trouble = None
    async with asking(client, fakes, "virustotal", f"/api/v3/files/{MALICIOUS}") as response:
        assert response.status == 200


@pytest.mark.parametrize("trouble", [Trouble.HUNG, Trouble.DRIP, Trouble.SLOW])
async def test_an_answer_does_not_come_in_time(
    fakes: Fakes, client: aiohttp.ClientSession, trouble: Trouble
) -> None:
    fakes.virustotal.trouble = trouble
    with pytest.raises(TimeoutError):
        async with (
            asyncio.timeout(0.1),
            asking(client, fakes, "virustotal", f"/api/v3/files/{MALICIOUS}") as response,
        ):
            await response.read()
    assert [call.value for call in fakes.virustotal.calls] == [MALICIOUS]


async def test_a_slow_answer_is_right_in_the_end(fakes: Fakes, client: aiohttp.ClientSession) -> None:
    fakes.virustotal.trouble, fakes.virustotal.slow_seconds = Trouble.SLOW, 0.05
    async with asking(client, fakes, "virustotal", f"/api/v3/files/{MALICIOUS}") as response:
        assert (await response.json())["data"]["id"] == MALICIOUS


async def test_who_follows_a_redirect_is_caught_with_the_key(
    fakes: Fakes, client: aiohttp.ClientSession
) -> None:
    fakes.malwarebazaar.trouble = Trouble.REDIRECT
    question = good_question("malwarebazaar")
    url, headers = f"{fakes.malwarebazaar.url}/api/v1/", key_of(fakes, "malwarebazaar")
    async with client.post(url, headers=headers, data=question["data"]) as response:
        await response.read()

    assert fakes.trap.keys_arrived == 1
    assert fakes.mistakes == ["trap: a redirect was followed: POST"]
