"""haproxy.cfg with the real HAProxy, before two real replicas: both serve, one may stop at any time."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest
import pytest_asyncio

from bot.slack import verify
from tests.deploy.replicas import HOSTS, Stand, is_up, standing, until

ANA, EVERYBODY = "U0ANA", "C0ALL"
QUESTIONS = 12


pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def stand(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stand]:
    async with standing(tmp_path_factory.mktemp("stand")) as started:
        yield started


async def ask(stand: Stand, times: int) -> list[str]:
    """What Ana reads after so many slash commands, by Slack's own way: TLS, the proxy, whichever replica."""

    def type_all() -> list[str]:
        for _ in range(times):
            stand.slack.act("slash", ANA, EVERYBODY, "who")
        return stand.slack.seen_by(ANA, EVERYBODY)

    return [text for text in await asyncio.to_thread(type_all) if "Cyber Fusion Centre" in text]


async def test_what_is_not_of_slacks_shape_ends_at_the_proxy(stand: Stand) -> None:
    host = "{0.scheme}://{0.netloc}".format(urlsplit(stand.url))
    tls = ssl.create_default_context(cafile=str(stand.authority))
    served = len(stand.served())
    big, text = b"x" * (verify.MAX_BODY_BYTES + 1), {"Content-Type": "text/plain"}
    asked: tuple[tuple[str, str, dict[str, Any], int], ...] = (
        ("GET", stand.url, {}, 405),
        ("POST", f"{host}/healthz", {"data": b"x"}, 404),
        ("POST", f"{host}/livez", {"data": b"x"}, 404),
        ("POST", stand.url, {"data": big}, 413),
        ("POST", stand.url, {"data": _in_pieces(), "headers": text}, 400),
        ("POST", stand.url, {"data": b"x", "headers": {"X-Long": "x" * 17_000}}, 400),
        ("POST", stand.url, {"data": b"unsigned"}, 401),  # the bot's own word
    )

    async with aiohttp.ClientSession() as session:
        for method, url, options, status in asked:
            with suppress(aiohttp.ClientConnectionError):  # it may be told before it has sent everything
                async with session.request(method, url, ssl=tls, **options) as response:
                    assert (method, url, response.status) == (method, url, status)

    assert len(stand.served()) == served + 1


async def _in_pieces() -> AsyncIterator[bytes]:
    yield b"x"


async def test_whoever_sends_slowly_is_cut_off_before_a_bot_waits(stand: Stand) -> None:
    address, served = urlsplit(stand.url), stand.served()
    tls = ssl.create_default_context(cafile=str(stand.authority))
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", address.port, ssl=tls, server_hostname="localhost"
    )
    writer.write(b"POST /slack/events HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nonly this")

    said = await asyncio.wait_for(reader.read(100), 15)
    writer.close()

    assert b" 408 " in said
    assert stand.served() == served


async def test_old_tls_is_refused(stand: Stand) -> None:
    tls = ssl.create_default_context(cafile=str(stand.authority))
    tls.minimum_version = tls.maximum_version = ssl.TLSVersion.TLSv1_2
    tls.set_ciphers("AES256-GCM-SHA384")  # without forward secrecy

    async with aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.ClientConnectorSSLError):
            await session.post(stand.url, data=b"x", ssl=tls)


async def test_both_replicas_serve_and_one_that_stops_takes_no_question_along(stand: Stand) -> None:
    served = len(stand.served())

    answers = await ask(stand, QUESTIONS)

    assert len(answers) == QUESTIONS
    assert len(stand.served()) == served + QUESTIONS
    assert len(set(stand.served())) == len(HOSTS)

    questions = asyncio.create_task(ask(stand, QUESTIONS))
    await asyncio.to_thread(stand.stop, HOSTS[0])
    assert len(await questions) == 2 * QUESTIONS  # those before, and as many again

    await until(lambda: is_up(stand.log, 1))
    served = len(stand.served())
    assert len(await ask(stand, 3)) == 2 * QUESTIONS + 3
    assert len(set(stand.served()[served:])) == 1
