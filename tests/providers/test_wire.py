"""HttpWire against real servers: it carries questions to one service, and nothing ever leads it elsewhere."""

import asyncio
import gzip
import ssl
import subprocess
import tracemalloc
from collections.abc import AsyncIterator
from pathlib import Path
from shutil import which

import aiohttp
import pytest
from aiohttp import web

from bot.errors import ConfigError
from bot.findings import Outcome
from bot.providers.remote import MAX_BODY, Request
from bot.providers.spec import NoAnswerError
from bot.providers.wire import Fence, HttpWire, OutsideError, asking
from tests.providers.server import KEY, Server, everything_told, opened, running, speaking

QUESTION = Request(path="api/lookup", headers={"x-api-key": KEY})


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with running() as started:
        yield started


@pytest.fixture
async def wire(server: Server) -> AsyncIterator[HttpWire]:
    async with opened(HttpWire(server.url, seconds=0.3)) as one:
        yield one


async def failure(wire: HttpWire, request: Request = QUESTION) -> Outcome:
    with pytest.raises(NoAnswerError) as raised:
        await wire.send(request)
    assert KEY not in everything_told(raised.value)
    return raised.value.outcome


# What it carries.


async def test_a_question_arrives_as_it_stands(server: Server, wire: HttpWire) -> None:
    await wire.send(
        Request(
            path="api/url/http%3A%2F%2Fc2.example.org%2F%3Fa%3D1",
            query={"request": "http://c2.example.org/?a=1&b=ü"},
            headers={"x-api-key": KEY},
        )
    )

    [asked] = server.asked
    assert asked.raw_path == (
        "/api/url/http%3A%2F%2Fc2.example.org%2F%3Fa%3D1"
        "?request=http%3A%2F%2Fc2.example.org%2F%3Fa%3D1%26b%3D%C3%BC"
    )
    assert asked.query["request"] == "http://c2.example.org/?a=1&b=ü"
    assert asked.headers["x-api-key"] == KEY
    assert asked.headers["user-agent"] == "liaison"


async def test_forms_and_json_are_sent(server: Server, wire: HttpWire) -> None:
    await wire.send(Request(method="POST", path="", form={"query": "get_info", "hash": "0f"}))
    await wire.send(Request(method="POST", path="/", json={"query": "search_hash"}))

    assert [(one.method, one.path) for one in server.asked] == [("POST", "/"), ("POST", "/")]
    assert server.bodies == [b"query=get_info&hash=0f", b'{"query": "search_hash"}']
    assert server.asked[0].content_type == "application/x-www-form-urlencoded"
    assert server.asked[1].content_type == "application/json"


async def test_a_base_address_may_have_a_path(server: Server) -> None:
    async with opened(HttpWire(f"{server.url}/api/v1/")) as wire:
        await wire.send(Request(path="search"))

    assert server.asked[0].path == "/api/v1/search"


@pytest.mark.parametrize("status", [200, 204, 400, 403, 404, 429, 500, 503])
async def test_every_status_is_a_reply(server: Server, wire: HttpWire, status: int) -> None:
    server.answers(
        web.Response(status=status, body=b"" if status == 204 else b"{}", headers={"Retry-After": "9"})
    )

    reply = await wire.send(QUESTION)

    assert (reply.status, reply.headers["retry-after"]) == (status, "9")


async def test_a_compressed_answer_is_unfolded(server: Server, wire: HttpWire) -> None:
    server.answers(web.Response(body=gzip.compress(b'{"a": 1}'), headers={"Content-Encoding": "gzip"}))

    assert (await wire.send(QUESTION)).body == b'{"a": 1}'


@pytest.mark.parametrize("name", ["Auth-Key", "x-api-key", "Authorization"])
async def test_an_answer_that_quotes_the_key_is_none(server: Server, wire: HttpWire, name: str) -> None:
    """Else the key would be shown as a signature or a tag; an error page is shown to nobody."""
    request = Request(path="/a", headers={name: f"Bearer {KEY}", "Accept": "application/json"})
    server.answers(web.json_response({"query_status": "ok", "data": [{"signature": KEY}]}))

    assert await failure(wire, request) is Outcome.BAD_ANSWER

    server.answers(web.json_response({"accept": "application/json"}))
    assert (await wire.send(request)).status == 200
    server.answers(web.json_response({"error": KEY}, status=401))
    assert (await wire.send(request)).status == 401


async def test_connections_are_used_again(server: Server, wire: HttpWire) -> None:
    for _ in range(5):
        await wire.send(QUESTION)

    assert len(server.peers) == 1


async def test_no_more_connections_are_open_than_allowed(server: Server) -> None:
    async with opened(HttpWire(server.url, connections=3)) as wire:
        await asyncio.gather(*(wire.send(QUESTION) for _ in range(20)))

    assert len(server.peers) <= 3


async def test_it_can_be_used_again_after_it_was_closed(server: Server, wire: HttpWire) -> None:
    await wire.close()
    await wire.close()

    assert (await wire.send(QUESTION)).status == 200


# Where it goes.


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_a_reply_and_not_an_order(server: Server, wire: HttpWire, status: int) -> None:
    server.answers(web.Response(status=status, headers={"Location": f"{server.url}/elsewhere"}))

    reply = await wire.send(QUESTION)

    assert reply.status == status
    assert [one.path for one in server.asked] == ["/api/lookup"]


async def test_cookies_are_not_kept(server: Server) -> None:
    server.answers(web.Response(body=b"{}", headers={"Set-Cookie": "who=liaison; Path=/"}))

    by_name = server.url.replace("127.0.0.1", "localhost")  # addresses get no cookies anyway
    async with opened(HttpWire(by_name)) as wire:
        await wire.send(QUESTION)
        await wire.send(QUESTION)

    assert all("cookie" not in one.headers for one in server.asked)


async def test_a_proxy_of_the_environment_is_not_used(
    server: Server, wire: HttpWire, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)

    assert (await wire.send(QUESTION)).status == 200


@pytest.mark.parametrize(
    "elsewhere",
    [
        "http://127.0.0.1:1/api/lookup",
        "http://127.0.0.2/api/lookup",
        "http://[::1]/api/lookup",
        "http://localhost/api/lookup",
        "https://www.example.org/api/lookup",
    ],
)
async def test_the_fence_lets_nothing_through_but_the_question(elsewhere: str) -> None:
    """Whatever a client library makes of a redirect."""
    asking("http://127.0.0.1:8080", QUESTION)

    async with aiohttp.ClientSession(connector=Fence()) as session:
        with pytest.raises(OutsideError):
            await session.get(elsewhere)


@pytest.mark.parametrize(
    "url",
    [
        "http://www.example.org",
        "http://192.0.2.1",
        "http://127.0.0.1.example.org",
        "ftp://www.example.org",
        "www.example.org",
        "https://",
        "https://www.example.org:99999",
        "http://[::1",
        "https://user:password@www.example.org",
        "https://www.example.org?key=1",
        "https://www.example.org#key",
        "",
    ],
)
def test_only_https_addresses_without_a_key_are_taken(url: str) -> None:
    with pytest.raises(ConfigError, match="https://"):
        HttpWire(url)


@pytest.mark.parametrize("url", ["https://www.example.org", "http://localhost:8080/", "http://[::1]:80"])
def test_this_machine_may_be_asked_without_https(url: str) -> None:
    assert HttpWire(url)


@pytest.mark.skipif(which("openssl") is None, reason="needs openssl")
async def test_a_certificate_that_nobody_vouches_for_is_not_accepted(tmp_path: Path) -> None:
    async with running(_own_certificate(tmp_path)) as server, opened(HttpWire(server.url)) as wire:
        outcome = await failure(wire)

    assert server.url.startswith("https://127.0.0.1")
    assert outcome is Outcome.UNAVAILABLE
    assert server.asked == []


def _own_certificate(folder: Path) -> ssl.SSLContext:
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=127.0.0.1",
    ]
    subprocess.run(
        [*command, "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)],
        check=True,
        capture_output=True,
        timeout=30,
    )
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    return context


# What goes wrong.


async def test_the_largest_answer_is_read_and_one_byte_more_is_not(server: Server, wire: HttpWire) -> None:
    server.answers(web.Response(body=b" " * MAX_BODY))
    assert len((await wire.send(QUESTION)).body) == MAX_BODY

    server.answers(web.Response(body=b" " * (MAX_BODY + 1)))
    assert await failure(wire) is Outcome.BAD_ANSWER


async def test_a_small_answer_that_unfolds_into_a_large_one_is_given_up(
    server: Server, wire: HttpWire
) -> None:
    bomb = gzip.compress(b" " * (50 * MAX_BODY), 9)
    server.answers(web.Response(body=bomb, headers={"Content-Encoding": "gzip"}))
    tracemalloc.start()
    try:
        outcome = await failure(wire)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert outcome is Outcome.BAD_ANSWER
    assert peak < 5 * MAX_BODY


@pytest.mark.parametrize(
    ("words", "hangs_up", "outcome"),
    [
        (b"", False, Outcome.TIMEOUT),  # takes the question and stays silent
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{", False, Outcome.TIMEOUT),
        (b"", True, Outcome.UNAVAILABLE),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{", True, Outcome.UNAVAILABLE),
        (
            b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nabcd",
            True,
            Outcome.UNAVAILABLE,
        ),
        (b"SSH-2.0-OpenSSH_9.9\r\n\r\n", True, Outcome.BAD_ANSWER),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 10_000 + b"\r\n\r\n", True, Outcome.BAD_ANSWER),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", True, Outcome.BAD_ANSWER),
    ],
    ids=["silent", "half", "hangs up", "cut", "not gzip", "not http", "long headers", "bad chunk"],
)
async def test_what_is_no_answer(words: bytes, hangs_up: bool, outcome: Outcome) -> None:
    async with speaking(words, hangs_up=hangs_up) as url, opened(HttpWire(url, seconds=0.2)) as wire:
        assert await failure(wire) is outcome


async def test_nobody_listens() -> None:
    async with running() as server:
        url = server.url

    async with opened(HttpWire(url)) as wire:
        assert await failure(wire) is Outcome.UNAVAILABLE


async def test_a_question_given_up_leaves_the_wire_usable(server: Server, wire: HttpWire) -> None:
    server.hold()
    question = asyncio.create_task(wire.send(QUESTION))
    await server.reached()
    question.cancel()
    with pytest.raises(asyncio.CancelledError):
        await question
    server.release()

    assert (await wire.send(QUESTION)).status == 200
