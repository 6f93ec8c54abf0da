"""VtWire: what it needs of vt-py. A newer vt-py that behaves differently fails here, or in test_vt_py.

https://docs.virustotal.com/reference/errors
"""

import asyncio
import gzip
import json
import logging
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from bot.errors import ConfigError
from bot.findings import Outcome, Report
from bot.indicators import Indicator, Kind
from bot.providers.options import Options
from bot.providers.remote import MAX_BODY, Remote, Request
from bot.providers.spec import NoAnswerError
from bot.providers.virustotal import VirusTotal
from bot.providers.vt_wire import VtWire
from bot.secret import Secret
from tests.providers.replies import sample
from tests.providers.server import KEY, Server, answering, everything_told, opened, running, speaking

FILE = Indicator(Kind.SHA256, "2f" * 32)
PATH = f"/api/v3/files/{FILE.value}"
JSON, HTML = "application/json", "text/html"
PAGE = "<html><body>Please verify that you are human</body></html>"
FOUND = json.dumps(sample("virustotal", "file-malicious"))


def error(case: str) -> str:
    return json.dumps(sample("virustotal", case))


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with running() as started:
        yield started


@pytest.fixture
async def trap() -> AsyncIterator[Server]:
    """Another host, which nobody should ever ask."""
    async with running() as started:
        yield started


@pytest.fixture
async def wire(server: Server) -> AsyncIterator[VtWire]:
    async with opened(VtWire(Secret(KEY), server.url, seconds=0.3)) as one:
        yield one


async def outcome(wire: VtWire) -> Outcome:
    """What comes of the question; an error tells neither key nor hash to anybody."""
    try:
        report = await Remote(VirusTotal(Options()), wire).ask(FILE)
    except NoAnswerError as error:
        told = everything_told(error) + repr(wire)
        assert KEY not in told
        assert FILE.value not in told
        return error.outcome
    return Outcome.FOUND if isinstance(report, Report) else Outcome.NOT_FOUND


# What it carries.


async def test_a_question_arrives_as_virustotal_documents_it(server: Server, wire: VtWire) -> None:
    await wire.send(VirusTotal(Options()).request(FILE))

    [asked] = server.asked
    assert (asked.method, asked.raw_path) == ("GET", PATH)
    assert asked.headers["X-Apikey"] == KEY
    assert asked.headers["User-Agent"].startswith("liaison; vtpy ")
    assert set(asked.headers) == {"Host", "X-Apikey", "User-Agent", "Accept", "Accept-Encoding"}


@pytest.mark.parametrize(
    "indicator",
    [
        Indicator(Kind.IPV4, "192.0.2.1"),
        Indicator(Kind.IPV6, "2001:db8::1"),
        Indicator(Kind.DOMAIN, "xn--e1afmkfd.xn--p1ai"),
        Indicator(Kind.DOMAIN, "../users/{0}?y#z"),
        Indicator(Kind.URL, "http://c2.example.org/ü?a=1#b"),
        Indicator(Kind.URL, "http://c2.example.org/" + "a" * 4000),
    ],
)
async def test_no_value_leads_to_another_place(server: Server, wire: VtWire, indicator: Indicator) -> None:
    """vt-py puts paths together and normalises them."""
    request = VirusTotal(Options()).request(indicator)

    await wire.send(request)

    [asked] = server.asked
    assert asked.raw_path == f"/api/v3/{request.path}"


async def test_an_answer_comes_back_whole(server: Server, wire: VtWire) -> None:
    body = gzip.compress(FOUND.encode())
    server.answers(web.Response(body=body, headers={"Content-Encoding": "gzip", "Retry-After": "7"}))

    reply = await wire.send(Request(path="files/x"))

    assert (reply.status, reply.headers["retry-after"], reply.body) == (200, "7", FOUND.encode())


async def test_an_answer_that_quotes_the_key_is_none(server: Server, wire: VtWire) -> None:
    server.answers(web.json_response({"data": {"attributes": {"meaningful_name": KEY}}}))

    with pytest.raises(NoAnswerError) as refused:
        await wire.send(Request(path="files/a"))

    assert refused.value.outcome is Outcome.BAD_ANSWER


async def test_the_address_may_be_written_in_any_way(server: Server) -> None:
    server.answers(answering(200, FOUND, JSON))
    address = server.url.replace("127.0.0.1", "LocalHost").replace("http", "HTTP")

    async with opened(VtWire(Secret(KEY), f"{address}/")) as wire:
        assert await outcome(wire) is Outcome.FOUND


async def test_one_client_serves_many_questions_at_once(server: Server) -> None:
    server.answers(answering(200, FOUND, JSON))
    async with opened(VtWire(Secret(KEY), server.url, connections=4)) as wire:
        outcomes = await asyncio.gather(*(outcome(wire) for _ in range(40)))

    assert set(outcomes) == {Outcome.FOUND}
    assert len(server.peers) <= 4


async def test_it_can_be_used_again_after_it_was_closed(server: Server, wire: VtWire) -> None:
    await wire.send(Request(path="files/x"))
    await wire.close()
    await wire.close()

    assert (await wire.send(Request(path="files/x"))).status == 200


def test_the_key_goes_over_https_only() -> None:
    with pytest.raises(ConfigError):
        VtWire(Secret(KEY), "http://www.virustotal.com")


# What comes of each answer.

TABLE = [
    (200, FOUND, JSON, Outcome.FOUND),
    (404, error("not-found-404"), JSON, Outcome.NOT_FOUND),
    (404, PAGE, HTML, Outcome.BAD_ANSWER),
    (429, error("quota-429"), JSON, Outcome.QUOTA),
    (429, error("too-many-429"), JSON, Outcome.QUOTA),
    (429, PAGE, HTML, Outcome.QUOTA),
    (401, error("wrong-credentials-401"), JSON, Outcome.AUTH),
    (403, error("forbidden-403"), JSON, Outcome.AUTH),
    (400, error("invalid-400"), JSON, Outcome.BAD_ANSWER),
    (400, "[]", JSON, Outcome.BAD_ANSWER),
    (204, "", JSON, Outcome.UNAVAILABLE),
    (500, PAGE, HTML, Outcome.UNAVAILABLE),
    (503, error("transient-503"), JSON, Outcome.UNAVAILABLE),
    (200, PAGE, HTML, Outcome.BAD_ANSWER),
    (200, FOUND[:200], JSON, Outcome.BAD_ANSWER),
    (200, "{}", JSON, Outcome.BAD_ANSWER),
    (200, '{"data": {"attributes": {"id": 1, "error": 2, "x_date": null}}}', JSON, Outcome.FOUND),
]


@pytest.mark.parametrize(("status", "body", "content_type", "expected"), TABLE)
async def test_each_documented_answer(
    server: Server,
    wire: VtWire,
    status: int,
    body: str,
    content_type: str,
    expected: Outcome,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    server.answers(answering(status, body, content_type))

    assert await outcome(wire) is expected
    assert KEY not in caplog.text


@pytest.mark.parametrize(
    ("words", "hangs_up", "expected"),
    [
        (b"", False, Outcome.TIMEOUT),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{", False, Outcome.TIMEOUT),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n", False, Outcome.TIMEOUT),
        (b"", True, Outcome.UNAVAILABLE),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{", True, Outcome.UNAVAILABLE),
        (b"220 mail.example.org ESMTP\r\n\r\n", True, Outcome.BAD_ANSWER),
    ],
    ids=["silent", "half", "half a chunk", "hangs up", "cut", "not http"],
)
async def test_what_is_no_answer(words: bytes, hangs_up: bool, expected: Outcome) -> None:
    async with (
        speaking(words, hangs_up=hangs_up) as url,
        opened(VtWire(Secret(KEY), url, seconds=0.2)) as wire,
    ):
        assert await outcome(wire) is expected


async def test_nobody_listens() -> None:
    async with running() as server:
        url = server.url

    async with opened(VtWire(Secret(KEY), url)) as wire:
        assert await outcome(wire) is Outcome.UNAVAILABLE


@pytest.mark.parametrize("encoding", ["identity", "gzip"])
async def test_an_answer_that_is_too_large_is_given_up(server: Server, wire: VtWire, encoding: str) -> None:
    large = b" " * (MAX_BODY + 1)
    body = gzip.compress(large) if encoding == "gzip" else large
    server.answers(web.Response(body=body, headers={"Content-Encoding": encoding}))

    assert await outcome(wire) is Outcome.BAD_ANSWER

    server.answers(answering(200, FOUND, JSON))
    assert await outcome(wire) is Outcome.FOUND


async def test_a_question_given_up_leaves_the_wire_usable(server: Server, wire: VtWire) -> None:
    server.hold()
    question = asyncio.create_task(outcome(wire))
    await server.reached()
    question.cancel()
    with pytest.raises(asyncio.CancelledError):
        await question
    server.release()
    server.answers(answering(200, FOUND, JSON))

    assert await outcome(wire) is Outcome.FOUND


# Redirects: vt-py follows them and takes the key along.


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_no_redirect_is_obeyed(server: Server, trap: Server, wire: VtWire, status: int) -> None:
    server.answers(web.Response(status=status, headers={"Location": f"{trap.url}{PATH}"}))

    assert await outcome(wire) is Outcome.BAD_ANSWER
    assert trap.asked == []
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    "location",
    [
        "/api/v3/users/me",
        f"{PATH}?x=1",
        f"{PATH}/",
        "//127.0.0.2/",
        "https://www.example.org/",
        "http://localhost:1/",
        "http://[::1]/",
        "ftp://www.example.org/",
        "http://",
        "",
    ],
)
async def test_not_even_one_to_itself(server: Server, wire: VtWire, location: str) -> None:
    server.answers(web.Response(status=302, headers={"Location": location}))

    assert await outcome(wire) is Outcome.BAD_ANSWER
    assert [one.raw_path for one in server.asked][1:] in ([], [PATH])


async def test_a_redirect_in_a_circle_ends_at_once(server: Server, wire: VtWire) -> None:
    server.answers(web.Response(status=302, headers={"Location": PATH}))

    assert await outcome(wire) is Outcome.BAD_ANSWER
    assert len(server.asked) <= 2
