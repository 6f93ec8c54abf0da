"""What became of one request to Slack, as exactly as it can be known; tried against every fault there is."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from slack_sdk.web.async_client import AsyncWebClient

from bot.errors import UnavailableError
from bot.sandbox import Fault, Sandbox
from bot.slack.calls import (
    UNSAID_WAIT,
    NotTakenError,
    PerhapsTakenError,
    RateLimitedError,
    RefusedError,
    TokenRefusedError,
    WebApi,
    open_client,
)
from tests.slack.conftest import strict_sandbox

POST = {"channel": "C0KASP", "text": "once"}


@asynccontextmanager
async def calling(token: str, url: str) -> AsyncIterator[WebApi]:
    client: AsyncWebClient = open_client(token, url)
    yield WebApi(client)
    assert client.session is not None
    await client.session.close()


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    started = strict_sandbox()
    await started.start()
    yield started
    await started.stop()


@pytest.fixture
async def slack(sandbox: Sandbox) -> AsyncIterator[WebApi]:
    async with calling(sandbox.bot_token, sandbox.api_url) as api:
        yield api


@pytest.mark.parametrize(
    ("fault", "expected", "stands"),
    [
        (Fault("chat.postMessage", "drop_before"), PerhapsTakenError, 0),
        (Fault("chat.postMessage", "drop_after_accept"), PerhapsTakenError, 1),
        (Fault("chat.postMessage", "lost_reply", seconds=0.6), PerhapsTakenError, 1),
        (Fault("chat.postMessage", "slow", seconds=0.6), PerhapsTakenError, 0),
        (Fault("chat.postMessage", "error_500"), PerhapsTakenError, 0),
        (Fault("chat.postMessage", "refused", code="internal_error"), PerhapsTakenError, 0),
        (Fault("chat.postMessage", "refused", code="fatal_error"), PerhapsTakenError, 0),
        (Fault("chat.postMessage", "refused", code="service_unavailable"), PerhapsTakenError, 0),
        (Fault("chat.postMessage", "rate_limited", seconds=7), RateLimitedError, 0),
        (Fault("chat.postMessage", "refused", code="rate_limited"), RateLimitedError, 0),
        (Fault("chat.postMessage", "token_revoked"), TokenRefusedError, 0),
        (Fault("chat.postMessage", "refused", code="is_archived"), RefusedError, 0),
        (Fault("chat.postMessage", "refused", code="restricted_action"), RefusedError, 0),
    ],
    ids=lambda value: f"{value.kind} {value.code}" if isinstance(value, Fault) else None,
)
async def test_each_fault_is_told_for_what_it_is(
    sandbox: Sandbox, slack: WebApi, fault: Fault, expected: type[Exception], stands: int
) -> None:
    sandbox.faults.add(fault)
    with pytest.raises(
        UnavailableError if issubclass(expected, UnavailableError) else RefusedError
    ) as caught:
        await slack.once("chat.postMessage", seconds=0.3, json=POST)

    assert type(caught.value) is expected
    assert len(sandbox.seen_by("U0KIRA", "C0KASP")) == stands
    assert len([call for call in sandbox.calls if call.method == "chat.postMessage"]) <= 1


@pytest.mark.parametrize("code", ["channel_not_found", "not_in_channel", "is_archived", "restricted_action"])
async def test_a_refusal_keeps_slacks_word_for_it(sandbox: Sandbox, slack: WebApi, code: str) -> None:
    sandbox.faults.add(Fault("chat.postMessage", "refused", code=code))
    with pytest.raises(RefusedError) as caught:
        await slack.once("chat.postMessage", seconds=1, json=POST)

    assert (type(caught.value), caught.value.code) == (RefusedError, code)


@pytest.mark.parametrize("token", ["xoxb-wrong", "xoxb-revoked"])
async def test_a_wrong_token_is_a_trouble_of_its_own(sandbox: Sandbox, token: str) -> None:
    async with calling(token, sandbox.api_url) as api:
        with pytest.raises(TokenRefusedError):
            await api.once("chat.postMessage", seconds=1, json=POST)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7.0),
        ("0.5", 0.5),
        ("", UNSAID_WAIT),
        ("soon", UNSAID_WAIT),
        ("-1", UNSAID_WAIT),
        ("1e9", UNSAID_WAIT),
        ("nan", UNSAID_WAIT),
    ],
)
async def test_the_patience_that_slack_asks_for_is_known(header: str, seconds: float) -> None:
    answer = web.json_response(
        {"ok": False, "error": "ratelimited"}, status=429, headers={"Retry-After": header}
    )
    async with answering(answer) as (url, _), calling("xoxb-x", url) as api:
        with pytest.raises(RateLimitedError) as caught:
            await api.once("chat.postMessage", seconds=1, json=POST)

    assert caught.value.seconds == seconds


async def test_who_cannot_be_reached_took_nothing() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/api/"
        async with calling("xoxb-x", url) as api:
            with pytest.raises(NotTakenError):
                await api.once("chat.postMessage", seconds=1, json=POST)


async def test_a_name_that_does_not_resolve_took_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy"):
        monkeypatch.delenv(name, raising=False)
    async with calling("xoxb-x", "http://slack.invalid/api/") as api:
        with pytest.raises(NotTakenError):
            await api.once("chat.postMessage", seconds=5, json=POST)


@pytest.mark.parametrize(
    "answer",
    [
        web.Response(text="<html>", content_type="text/html"),
        web.Response(text="<html>", content_type="text/html", status=403),
        web.Response(text="{", content_type="application/json"),
        web.Response(text="[]", content_type="application/json"),
        web.Response(status=204),
    ],
    ids=["a page", "a page that refuses", "half an answer", "a list", "nothing"],
)
async def test_an_answer_that_says_nothing_leaves_it_open(answer: web.Response) -> None:
    async with answering(answer) as (url, heard), calling("xoxb-x", url) as api:
        with pytest.raises(PerhapsTakenError):
            await api.once("chat.postMessage", seconds=1, json=POST)

    assert heard == ["/api/chat.postMessage"]


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_a_redirect_is_not_followed(status: int) -> None:
    moved = web.Response(status=status, headers={"Location": "/elsewhere"})
    async with answering(moved) as (url, heard), calling("xoxb-x", url) as api:
        with pytest.raises(PerhapsTakenError):
            await api.once("chat.postMessage", seconds=1, json=POST)

    assert heard == ["/api/chat.postMessage"]


async def test_patience_ends_with_the_time_there_is(sandbox: Sandbox, slack: WebApi) -> None:
    sandbox.faults.add(Fault("chat.postMessage", "rate_limited", seconds=60))
    with pytest.raises(RateLimitedError):
        async with asyncio.timeout(1):
            await slack.write("chat.postMessage", POST)


@asynccontextmanager
async def answering(answer: web.Response) -> AsyncIterator[tuple[str, list[str]]]:
    """A server that always says the same, and the paths that were asked for."""
    heard: list[str] = []

    async def say(request: web.Request) -> web.Response:
        heard.append(request.path)
        return answer

    app = web.Application()
    app.add_routes([web.route("*", "/{path:.*}", say)])
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}/api/", heard
    await runner.cleanup()
