"""VtWire, and what vt-py does: a newer vt-py that behaves differently fails here.

https://docs.virustotal.com/reference/errors
"""

import asyncio
import gzip
import json
import logging
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
import vt
from aiohttp import web

from bot.errors import ConfigError
from bot.findings import Outcome, Report
from bot.indicators import Indicator, Kind
from bot.providers.options import Options
from bot.providers.remote import MAX_BODY, Remote, Request
from bot.providers.spec import NoAnswerError
from bot.providers.virustotal import VirusTotal
from bot.providers.vt_wire import VtWire
from bot.sandbox.services import Fakes, Trouble, start_all
from bot.sandbox.services.knowledge import MALICIOUS
from bot.secret import Secret
from tests.providers.replies import sample
from tests.providers.server import KEY, Server, everything_told, opened, running, speaking

FILE = Indicator(Kind.SHA256, "2f" * 32)
PATH = f"/api/v3/files/{FILE.value}"
JSON, HTML = "application/json", "text/html"
PAGE = "<html><body>Please verify that you are human</body></html>"
FOUND = json.dumps(sample("virustotal", "file-malicious"))


def error(case: str) -> str:
    return json.dumps(sample("virustotal", case))


def answering(status: int, body: str, content_type: str, **headers: str) -> web.Response:
    return web.Response(status=status, body=body.encode(), headers={"Content-Type": content_type, **headers})


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


@pytest.fixture
async def fakes() -> AsyncIterator[Fakes]:
    started = await start_all()
    yield started
    await started.stop()


@pytest.fixture
async def client(server: Server) -> AsyncIterator[vt.Client]:
    """vt-py as it comes."""
    async with vt.Client(KEY, host=server.url, timeout=1) as one:
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


async def test_vt_py_itself_would_take_the_key_along(server: Server, trap: Server, client: vt.Client) -> None:
    """The reason for the fence: if this fails, look whether it is still needed."""
    server.answers(web.Response(status=302, headers={"Location": f"{trap.url}/"}))

    await client.get_async("/files/{}", FILE.value)

    assert [one.headers["X-Apikey"] for one in trap.asked] == [KEY]


# What vt-py makes of the same answers, which is not used: the reasons, and a sign of change.


@pytest.mark.parametrize(
    ("status", "body", "content_type", "code"),
    [
        (404, error("not-found-404"), JSON, "NotFoundError"),
        (429, error("quota-429"), JSON, "QuotaExceededError"),
        (429, error("too-many-429"), JSON, "TooManyRequestsError"),
        (429, PAGE, HTML, "ClientError"),
        (401, error("wrong-credentials-401"), JSON, "WrongCredentialsError"),
        (403, error("forbidden-403"), JSON, "ForbiddenError"),
        (204, "", JSON, "ServerError"),
        (500, PAGE, HTML, "ServerError"),
        (503, error("transient-503"), JSON, "ServerError"),
    ],
)
async def test_vt_py_has_one_error_with_a_code(
    server: Server, client: vt.Client, status: int, body: str, content_type: str, code: str
) -> None:
    server.answers(answering(status, body, content_type))

    with pytest.raises(vt.APIError) as raised:
        await client.get_object_async("/files/{}", FILE.value)

    assert raised.value.code == code


@pytest.mark.parametrize(
    ("status", "body", "content_type", "kind"),
    [
        (200, PAGE, HTML, aiohttp.ContentTypeError),
        (200, FOUND[:200], JSON, json.JSONDecodeError),
        (200, "{}", JSON, ValueError),
        (400, "[]", JSON, AttributeError),
        (200, '{"data": {"id": "a", "type": "file", "attributes": {"id": 1}}}', JSON, AttributeError),
    ],
)
async def test_vt_py_raises_all_kinds_of_errors_for_what_it_cannot_read(
    server: Server, client: vt.Client, status: int, body: str, content_type: str, kind: type[Exception]
) -> None:
    server.answers(answering(status, body, content_type))

    with pytest.raises(kind):
        await client.get_object_async("/files/{}", FILE.value)


async def test_an_error_of_vt_py_shows_the_key(server: Server, client: vt.Client) -> None:
    """The reason why no error of vt-py leaves the wire."""
    server.answers(answering(200, PAGE, HTML))

    with pytest.raises(aiohttp.ContentTypeError) as raised:
        await client.get_object_async("/files/{}", FILE.value)

    assert KEY in repr(raised.value)


# vt-py and the sandbox's VirusTotal.


async def vt_py_hears(fakes: Fakes, trouble: Trouble | None, value: str) -> Any:
    """What vt-py itself makes of the fake's answer: an object, or an error."""
    fake = fakes.virustotal
    fake.trouble = trouble
    async with vt.Client(fake.key, host=fake.url, timeout=0.3) as client:
        try:
            return await client.get_object_async("/files/{}", value)
        except (vt.APIError, aiohttp.ClientError, ValueError, TimeoutError) as error:
            return error


async def test_vt_py_takes_the_fake_for_virustotal(fakes: Fakes) -> None:
    known = await vt_py_hears(fakes, None, MALICIOUS)

    assert (known.type, known.sha256) == ("file", MALICIOUS)
    assert known.last_analysis_stats["malicious"] > 0
    assert fakes.mistakes == []


@pytest.mark.parametrize(
    ("trouble", "value", "code"),
    [
        (None, "00" * 32, "NotFoundError"),
        (Trouble.QUOTA, MALICIOUS, "QuotaExceededError"),
        (Trouble.AUTH, MALICIOUS, "WrongCredentialsError"),
        (Trouble.EMPTY_204, MALICIOUS, "ServerError"),
        (Trouble.SERVER_ERROR, MALICIOUS, "ServerError"),
        (Trouble.UNAVAILABLE_JSON, MALICIOUS, "ServerError"),
    ],
)
async def test_vt_py_reads_the_errors_of_the_fake(
    fakes: Fakes, trouble: Trouble | None, value: str, code: str
) -> None:
    raised = await vt_py_hears(fakes, trouble, value)

    assert isinstance(raised, vt.APIError)
    assert raised.code == code


@pytest.mark.parametrize(
    ("trouble", "kind"),
    [
        (Trouble.HTML, aiohttp.ContentTypeError),
        (Trouble.MALFORMED, ValueError),
        (Trouble.DRIP, TimeoutError),
        (Trouble.HUNG, TimeoutError),
        (Trouble.RESET, aiohttp.ClientConnectionError),
        (Trouble.CUT_OFF, aiohttp.ClientPayloadError),
    ],
)
async def test_vt_py_fails_with_the_fake_as_with_virustotal(
    fakes: Fakes, trouble: Trouble, kind: type[Exception]
) -> None:
    assert isinstance(await vt_py_hears(fakes, trouble, MALICIOUS), kind)
