"""What vt-py makes of VirusTotal's answers: why `vt_wire` uses nothing of it but `get_async`.

None of this is relied on. If a newer vt-py fails here, look whether the wire may become simpler.
https://docs.virustotal.com/reference/errors
"""

import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
import vt
from aiohttp import web

from bot.sandbox.services import Fakes, Trouble, start_all
from bot.sandbox.services.knowledge import MALICIOUS
from tests.providers.replies import sample
from tests.providers.server import KEY, Server, answering, running

SHA256 = "2f" * 32
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
async def fakes() -> AsyncIterator[Fakes]:
    started = await start_all()
    yield started
    await started.stop()


@pytest.fixture
async def client(server: Server) -> AsyncIterator[vt.Client]:
    """vt-py as it comes."""
    async with vt.Client(KEY, host=server.url, timeout=1) as one:
        yield one


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
        await client.get_object_async("/files/{}", SHA256)

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
        await client.get_object_async("/files/{}", SHA256)


async def test_an_error_of_vt_py_shows_the_key(server: Server, client: vt.Client) -> None:
    """The reason why no error of vt-py leaves the wire."""
    server.answers(answering(200, PAGE, HTML))

    with pytest.raises(aiohttp.ContentTypeError) as raised:
        await client.get_object_async("/files/{}", SHA256)

    assert KEY in repr(raised.value)


async def test_vt_py_itself_would_take_the_key_along(server: Server, trap: Server, client: vt.Client) -> None:
    """The reason for the fence."""
    server.answers(web.Response(status=302, headers={"Location": f"{trap.url}/"}))

    await client.get_async("/files/{}", SHA256)

    assert [one.headers["X-Apikey"] for one in trap.asked] == [KEY]


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
