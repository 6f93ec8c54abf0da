"""Only what Slack signed for us gets in, once; whatever comes, the answer is never 500."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlencode

import aiohttp
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.manifest import EVENTS_PATH
from bot.sandbox.deliveries import signature
from bot.slack import verify
from tests.slack.conftest import ASK, MakeStage, Stage, claim

FORM = "application/x-www-form-urlencoded"
COMMAND = {
    "command": "/intel",
    "text": ASK,
    "user_id": "U0ANA",
    "team_id": "T0HOST",
    "channel_id": "C0KASP",
    "trigger_id": "1.2.3",
    "response_url": "https://hooks.slack.com/commands/x",
}
RAW = urlencode(COMMAND).encode()
REFUSED = 401


class Sender:
    """Sends bytes to the bot as they are."""

    def __init__(self, stage: Stage, session: aiohttp.ClientSession) -> None:
        self._stage, self._session = stage, session

    def headers(self, raw: bytes, *, ahead: float = 0.0) -> dict[str, str]:
        """What Slack would send along."""
        timestamp = str(int(self._stage.clock().timestamp() + ahead))
        return self.signed(raw, timestamp)

    def signed(self, raw: bytes, timestamp: str) -> dict[str, str]:
        """A good signature over any timestamp."""
        secret = self._stage.sandbox.signing_secret
        return {
            "X-Slack-Request-Timestamp": timestamp,
            "X-Slack-Signature": signature(secret, timestamp, raw),
            "Content-Type": FORM,
        }

    async def send(self, raw: bytes | AsyncIterator[bytes], headers: dict[str, str]) -> tuple[int, bytes]:
        """Status and body."""
        url = self._stage.bot.url + EVENTS_PATH
        async with self._session.post(url, data=raw, headers=headers) as response:
            return response.status, await response.read()


@pytest.fixture
async def sender(stage: Stage) -> AsyncIterator[Sender]:
    """To a bot on a stage."""
    async with aiohttp.ClientSession() as session:
        yield Sender(stage, session)


async def test_a_signed_request_is_answered(sender: Sender) -> None:
    status, body = await sender.send(RAW, sender.headers(RAW))

    assert status == 200
    assert "kaspersky-amber-family" in body.decode()


@pytest.mark.parametrize(
    "timestamp",
    [
        *("abc", "1_700000000", " 1700000000", "1700000000 ", "1" * 5000, "170000000", "-170000000"),
        *("", "1700000000.0", "+170000000", "0x12345678"),
    ],
)
async def test_an_odd_timestamp_is_refused_however_well_signed(sender: Sender, timestamp: str) -> None:
    status, _ = await sender.send(RAW, sender.signed(RAW, timestamp))

    assert status == REFUSED


@pytest.mark.parametrize("ahead", [-301.0, 302.0, -86_400.0, 3e8])
async def test_an_old_or_future_request_is_refused(sender: Sender, ahead: float) -> None:
    status, _ = await sender.send(RAW, sender.headers(RAW, ahead=ahead))

    assert status == REFUSED


@pytest.mark.parametrize("ahead", [-290.0, 290.0])
async def test_five_minutes_of_drift_are_forgiven(sender: Sender, ahead: float) -> None:
    status, _ = await sender.send(RAW, sender.headers(RAW, ahead=ahead))

    assert status == 200


@pytest.mark.parametrize(
    "wrong", ["", "v0=", "v0=" + "0" * 64, "v0=é", "v1=abc", "\x80\xff", "v0=" + "f" * 5000]
)
async def test_a_wrong_signature_is_refused(sender: Sender, wrong: str) -> None:
    status, _ = await sender.send(RAW, {**sender.headers(RAW), "X-Slack-Signature": wrong})

    assert status == REFUSED


async def test_a_changed_byte_is_refused(sender: Sender) -> None:
    status, _ = await sender.send(RAW + b"&", sender.headers(RAW))

    assert status == REFUSED


@pytest.mark.parametrize("missing", ["X-Slack-Signature", "X-Slack-Request-Timestamp"])
async def test_an_unsigned_request_is_refused(sender: Sender, missing: str) -> None:
    headers = sender.headers(RAW)
    del headers[missing]

    status, _ = await sender.send(RAW, headers)

    assert status == REFUSED


@pytest.mark.parametrize(
    "raw", [b"{" * 100_000, b'{"a":' + b"9" * 100_000 + b"}", b"\xff\xfe", b"payload=[[[", b""]
)
async def test_an_unsigned_bomb_is_refused_before_it_is_parsed(sender: Sender, raw: bytes) -> None:
    status, _ = await sender.send(raw, {"Content-Type": "application/json"})

    assert status == REFUSED


@pytest.mark.parametrize("in_chunks", [False, True])
async def test_a_large_body_is_not_read(sender: Sender, in_chunks: bool) -> None:
    raw = b"x" * (verify.MAX_BODY_BYTES + 1)

    async def chunks() -> AsyncIterator[bytes]:
        yield raw

    status, _ = await sender.send(chunks() if in_chunks else raw, sender.headers(raw))

    assert status == 413


async def test_a_slow_body_is_given_up(sender: Sender, stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verify, "BODY_SECONDS", 0.1)
    host, port = stage.bot.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))

    writer.write(f"POST {EVENTS_PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc".encode())
    answer = await reader.readline()
    writer.close()

    assert b" 408 " in answer


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "GZIP"])
@pytest.mark.parametrize("packed", [b"x" * 100, gzip.compress(RAW), gzip.compress(bytes(10_000_000))])
async def test_a_compressed_body_is_judged_as_it_came(sender: Sender, packed: bytes, encoding: str) -> None:
    """Rubbish, the body that Slack signed, and a bomb: none of them is unpacked."""
    status, _ = await sender.send(packed, {**sender.headers(RAW), "Content-Encoding": encoding})

    assert status == REFUSED


async def test_who_hangs_up_early_is_no_failure_of_ours(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    host, port = stage.bot.url.removeprefix("http://").split(":")
    _, writer = await asyncio.open_connection(host, int(port))

    writer.write(f"POST {EVENTS_PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc".encode())
    await writer.drain()
    await asyncio.sleep(0.05)  # until the bot waits for the rest
    writer.close()
    await writer.wait_closed()
    await asyncio.sleep(0.05)

    assert caplog.records == []


async def test_a_replayed_request_is_refused_and_runs_nothing(sender: Sender) -> None:
    headers = sender.headers(RAW)

    first, again = await sender.send(RAW, headers), await sender.send(RAW, headers)

    assert (first[0], again[0]) == (200, REFUSED)
    assert b"family" not in again[1]


async def test_slacks_own_retry_within_the_second_is_taken_and_runs_nothing(sender: Sender) -> None:
    headers = sender.headers(RAW)
    await sender.send(RAW, headers)

    assert await sender.send(RAW, {**headers, "X-Slack-Retry-Num": "1"}) == (200, b"")


async def test_of_many_replays_at_once_one_is_answered(sender: Sender) -> None:
    headers = sender.headers(RAW)

    answers = await asyncio.gather(*(sender.send(RAW, headers) for _ in range(20)))

    assert sorted(status for status, _ in answers) == [200] + [REFUSED] * 19


async def test_a_replay_is_known_after_a_restart(make_stage: MakeStage, tmp_path: Path) -> None:
    path = tmp_path / "kept.db"
    async with make_stage(claim(), path=path) as before, aiohttp.ClientSession() as session:
        first = Sender(before, session)
        headers = first.headers(RAW)
        assert (await first.send(RAW, headers))[0] == 200
        secret = before.sandbox.signing_secret

    async with make_stage(path=path) as after, aiohttp.ClientSession() as session:
        after.sandbox.signing_secret = secret
        status, _ = await Sender(after, session).send(RAW, headers)

    assert status == REFUSED


async def test_the_door_stays_shut_when_the_memory_of_replays_is_gone(stage: Stage, sender: Sender) -> None:
    await stage.store.close()

    status, _ = await sender.send(RAW, sender.headers(RAW))

    assert status == 503


@pytest.mark.parametrize("content_type", [FORM, "application/json", "text/plain"])
@pytest.mark.parametrize(
    "raw",
    [
        *(b"", b"\xff\xfe\xfd", b"{", b"[]", b"null", b'"x"', b"{}", b'{"type":1}', b'{"event":7}'),
        *(b"payload=[]", b"payload=null", b"payload=%7B%7D", b"payload={", b"command=%2Fintel"),
        *(b'{"type":"event_callback","event":[]}', b'{"type":"event_callback","event":{"type":[]}}'),
        json.dumps({"type": "event_callback", "event": {"type": "app_mention"}}).encode(),
        json.dumps(
            {"type": "event_callback", "event": {"type": "message", "user": 5, "channel": {}}}
        ).encode(),
        urlencode({"payload": json.dumps({"type": "block_actions", "actions": [5], "user": []})}).encode(),
        urlencode({"payload": json.dumps({"type": "view_submission", "view": "x", "user": {}})}).encode(),
        b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
    ],
)
async def test_signed_rubbish_is_no_failure_of_ours(sender: Sender, raw: bytes, content_type: str) -> None:
    status, _ = await sender.send(raw, {**sender.headers(raw), "Content-Type": content_type})

    assert status in (200, 400, 404)


async def test_whatever_comes_is_refused_politely(sender: Sender) -> None:
    loop = asyncio.get_running_loop()
    latin = st.characters(min_codepoint=32, max_codepoint=126) | st.characters(
        min_codepoint=160, max_codepoint=255
    )
    words = st.text(latin, max_size=80)

    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(raw=st.binary(max_size=200), timestamp=words, given_signature=words)
    def attempt(raw: bytes, timestamp: str, given_signature: str) -> None:
        headers = {"X-Slack-Request-Timestamp": timestamp, "X-Slack-Signature": given_signature}
        sent = asyncio.run_coroutine_threadsafe(sender.send(raw, headers), loop)
        assert sent.result(10)[0] == REFUSED

    await asyncio.to_thread(attempt)


async def test_slacks_challenge_is_answered(stage: Stage) -> None:
    assert await stage.sandbox.verify()


@pytest.mark.parametrize("path", ["/healthz", "/livez"])
async def test_the_health_checks_tell_nothing_but_health(stage: Stage, path: str) -> None:
    async with aiohttp.ClientSession() as session, session.get(stage.bot.url + path) as response:
        assert (response.status, await response.json()) == (200, {"status": "ok"})


async def test_without_its_store_the_bot_is_unhealthy_and_alive(stage: Stage) -> None:
    await stage.bot.connection.services.store.close()

    async with aiohttp.ClientSession() as session:
        statuses = []
        for path in ("/healthz", "/livez"):
            async with session.get(stage.bot.url + path) as response:
                statuses.append(response.status)

    assert statuses == [503, 200]


def test_a_signature_is_remembered_for_longer_than_it_could_be_used() -> None:
    assert timedelta(seconds=verify.REPLAY_SECONDS) >= timedelta(seconds=2 * verify.WINDOW_SECONDS)
