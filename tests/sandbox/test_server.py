"""The sandbox as a server on this machine: loopback only, and no other web page can use it."""

import socket
from collections.abc import AsyncIterator

import aiohttp
import pytest

from bot.sandbox import Sandbox
from bot.sandbox.typed import wire


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::"])  # noqa: S104 - they must not work
async def test_it_listens_on_loopback_only(host: str) -> None:
    with pytest.raises(ValueError, match="loopback only"):
        await Sandbox().start(host)


async def test_a_port_in_use_is_an_os_error(sandbox: Sandbox) -> None:
    port = int(sandbox.url.rpartition(":")[2])
    with pytest.raises(OSError, match=str(port)):
        await Sandbox().start(port=port)


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="needs IPv6")
async def test_it_listens_on_ipv6_too(http: aiohttp.ClientSession) -> None:
    sandbox = Sandbox()
    await sandbox.start("::1")
    async with http.get(f"{sandbox.url}/page/state") as answer:
        assert answer.status == 200
    await sandbox.stop()


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8484", "127.0.0.1.evil.example", "192.0.2.1", ""]
)
async def test_another_name_for_this_machine_is_refused(
    sandbox: Sandbox, http: aiohttp.ClientSession, host: str
) -> None:
    for path in ("/", "/page/state", "/api/auth.test"):
        async with http.get(f"{sandbox.url}{path}", headers={"Host": host}) as answer:
            assert answer.status in (400, 421)


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1"])
async def test_another_web_page_cannot_act(
    sandbox: Sandbox, http: aiohttp.ClientSession, origin: str
) -> None:
    body = {"user": "U0ANA", "channel": "C0KASP", "text": "hello"}
    for path in ("/page/say", "/api/chat.postMessage", "/response/x", "/upload/v1/x"):
        async with http.post(f"{sandbox.url}{path}", json=body, headers={"Origin": origin}) as answer:
            assert answer.status == 403
    assert sandbox.seen_by("U0ANA", "C0KASP") == []


async def test_a_form_cannot_act(sandbox: Sandbox, http: aiohttp.ClientSession) -> None:
    body = {"user": "U0ANA", "channel": "C0KASP", "text": "hello"}
    async with http.post(f"{sandbox.url}/page/say", data=body) as answer:
        assert answer.status == 404
    assert sandbox.seen_by("U0ANA", "C0KASP") == []


async def test_the_page_may_load_nothing_but_itself(sandbox: Sandbox, http: aiohttp.ClientSession) -> None:
    for path in ("/", "/app.js", "/blocks.js", "/store.js", "/style.css"):
        async with http.get(f"{sandbox.url}{path}") as answer:
            policy = answer.headers["Content-Security-Policy"]
            text = await answer.text()
            assert "default-src 'none'" in policy
            assert "unsafe" not in policy
            assert "innerHTML" not in text
            assert "http://" not in text.replace(sandbox.url, "")


@pytest.mark.parametrize(
    ("act", "body", "status"),
    [
        ("say", {"user": "U0KIRA", "channel": "C0TREND", "text": "x"}, 409),
        ("say", {"user": "U0KIRA"}, 400),
        ("dm", {"user": "U0NINA"}, 409),
        ("shout", {"user": "U0KIRA"}, 404),
        ("submit", {"user": "U0KIRA", "view": "V0", "values": {}}, 409),
    ],
)
async def test_what_a_person_cannot_do_is_refused_with_a_sentence(
    sandbox: Sandbox, http: aiohttp.ClientSession, act: str, body: dict[str, str], status: int
) -> None:
    async with http.post(f"{sandbox.url}/page/{act}", json=body) as answer:
        assert answer.status == status
        assert (await answer.json())["error"].endswith(".")


async def test_the_page_shows_a_person_only_their_channels(
    sandbox: Sandbox, http: aiohttp.ClientSession
) -> None:
    await sandbox.say("U0ANA", "C0TREND", "not for Kira")
    async with http.get(f"{sandbox.url}/page/state?user=U0KIRA&channel=C0TREND") as answer:
        state = await answer.json()
    assert [place["id"] for place in state["channels"]] == ["C0KASP", "C0ALL"]
    assert "not for Kira" not in str(state)


@pytest.mark.parametrize(
    ("typed", "sent"),
    [
        ("a & b < c", "a &amp; b &lt; c"),
        ("http://evil.com/a?b=1&c=2", "<http://evil.com/a?b=1&amp;c=2>"),
        ("see evil.com, ok", "see <http://evil.com|evil.com>, ok"),
        ("evil[.]com hxxp://evil.example", "evil[.]com hxxp://evil.example"),
        ("me@evil.com", "<mailto:me@evil.com|me@evil.com>"),
        ("<@U0LIAISON> hi", "<@U0LIAISON> hi"),
        ("<http://evil.com|evil.com>", "<http://evil.com|evil.com>"),
        ("<!channel> <script>", "&lt;!channel&gt; &lt;script&gt;"),
    ],
)
def test_typed_text_becomes_what_slack_hands_over(typed: str, sent: str) -> None:
    assert wire(typed) == sent
