"""`liaison serve` and `liaison demo` as processes, the way an operator and a newcomer start them."""

import asyncio
import os
import re
import signal
import socket
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import aiohttp
import pytest

from bot.sandbox.faults import Fault
from bot.sandbox.sandbox import Sandbox
from bot.store import open_store
from tests.slack.conftest import ASK, claim

ROOT = Path(__file__).parents[2]
SETTINGS = ROOT / "bot" / "sandbox" / "data" / "liaison.toml"


@asynccontextmanager
async def liaison(*arguments: str, **environment: str) -> AsyncIterator[Process]:
    """The command as a process; whatever happens it ends."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("SLACK_", "LIAISON_"))}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", *arguments),
        cwd=ROOT,
        env={**clean, "PYTHONUNBUFFERED": "1", **environment},
        stdout=PIPE,
        stderr=PIPE,
    )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.communicate()


async def said(process: Process, pattern: str) -> str:
    """Wait for words on standard output; gives their first group."""
    assert process.stdout is not None
    async with asyncio.timeout(30):
        async for line in process.stdout:
            if found := re.search(pattern, line.decode()):
                return found[1]
    raise AssertionError(f"never said: {pattern}")


async def ended(process: Process, number: signal.Signals) -> int:
    """Send a signal and wait for the end."""
    process.send_signal(number)
    async with asyncio.timeout(20):
        return await process.wait()


async def posts(sandbox: Sandbox, number: int) -> None:
    """Wait until the bot has tried to post that often."""
    async with asyncio.timeout(30):
        while [call.method for call in sandbox.calls].count("chat.postMessage") < number:  # noqa: ASYNC110
            await asyncio.sleep(0.02)


def secrets_of(sandbox: Sandbox) -> dict[str, str]:
    """The environment of a bot that shall work in that sandbox."""
    return {
        "SLACK_BOT_TOKEN": sandbox.bot_token,
        "SLACK_SIGNING_SECRET": sandbox.signing_secret,
        "SLACK_API_URL": sandbox.api_url,
    }


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    """A local Slack."""
    opened = Sandbox()
    await opened.start()
    yield opened
    await opened.stop()


@pytest.fixture
async def store(tmp_path: Path) -> str:
    """The address of a store with one claim."""
    url = f"sqlite:///{tmp_path / 'serve.db'}"
    opened = await open_store(url)
    await opened.add([claim()])
    await opened.close()
    return url


async def test_serve_answers_and_finishes_before_it_stops(sandbox: Sandbox, store: str) -> None:
    options = ("--config", str(SETTINGS), "--store", store, "serve", "--port", "0")
    async with liaison(*options, **secrets_of(sandbox)) as process:
        sandbox.connect(await said(process, r"(http://\S+/slack/events)"))
        assert await sandbox.verify()
        answer = await sandbox.slash("U0ANA", "C0KASP", ASK)
        sandbox.faults.add(Fault("conversations.members", "slow", seconds=0.5))
        await sandbox.say("U0KIRA", "C0KASP", f"<@U0LIAISON> {ASK}")
        await sandbox.until(
            lambda: sandbox.deliveries[-1].kind == "event" and sandbox.deliveries[-1].acknowledged
        )

        assert await ended(process, signal.SIGTERM) == 0
        assert "family" in answer.shown[0].readable
        assert "family" in sandbox.seen_by("U0KIRA", "C0KASP")[-1].readable


async def test_serve_names_every_missing_secret(tmp_path: Path) -> None:
    async with liaison("--config", str(SETTINGS), "serve") as process:
        _, errors = await process.communicate()

    assert process.returncode == 1
    assert b"SLACK_BOT_TOKEN: is missing" in errors
    assert b"SLACK_SIGNING_SECRET: is missing" in errors
    assert b"Traceback" not in errors


async def test_serve_names_missing_keys_of_providers_with_the_other_secrets(tmp_path: Path) -> None:
    path = tmp_path / "liaison.toml"
    path.write_text(SETTINGS.read_text() + "\n[provider.opentip]\non = true\n")
    async with liaison("--config", str(path), "serve") as process:
        _, errors = await process.communicate()

    assert process.returncode == 1
    assert b"SLACK_BOT_TOKEN: is missing" in errors
    assert b"OPENTIP_KEY: is missing" in errors


async def test_serve_names_what_is_missing_in_secrets_and_settings_at_once(tmp_path: Path) -> None:
    async with liaison("--config", str(tmp_path / "none.toml"), "serve") as process:
        _, errors = await process.communicate()

    assert process.returncode == 1
    assert b"SLACK_BOT_TOKEN: is missing" in errors
    assert b"none.toml: there is no such file" in errors


async def test_serve_by_socket_mode(sandbox: Sandbox, store: str) -> None:
    options = ("--config", str(SETTINGS), "--store", store, "serve", "--port", "0", "--socket-mode")
    async with liaison(*options, **secrets_of(sandbox), SLACK_APP_TOKEN=sandbox.app_token) as process:
        await said(process, "(connected by Socket Mode)")
        answer = await sandbox.slash("U0ANA", "C0KASP", ASK)

        assert "family" in answer.shown[0].readable
        assert await ended(process, signal.SIGTERM) == 0


async def test_logs_hold_neither_questions_nor_secrets(sandbox: Sandbox, store: str) -> None:
    options = ("--config", str(SETTINGS), "--store", store, "serve", "--port", "0", "--log", "json")
    async with liaison(*options, **secrets_of(sandbox)) as process:
        sandbox.connect(await said(process, r"(http://\S+/slack/events)"))
        for number, fault in enumerate(("error_500", "token_revoked", "rate_limited"), 1):
            sandbox.faults.add(Fault("chat.postMessage", fault, seconds=60))
            await sandbox.say("U0KIRA", "C0KASP", f"<@U0LIAISON> {ASK}")
            await posts(sandbox, number)
        await sandbox.slash("U0ANA", "C0KASP", f"lookup canary.example {ASK}")
        process.terminate()
        _, errors = await process.communicate()

    words = errors.decode()
    assert "slack refused chat.postMessage" in words
    for secret in (sandbox.bot_token, sandbox.signing_secret, "canary", ASK.split()[1], "/response/"):
        assert secret not in words


async def test_the_demo_is_ready_at_its_address_and_stops_cleanly() -> None:
    async with liaison("demo", "--port", "0", "--no-browser") as process:
        url = await said(process, r"ready: (http://127\.0\.0\.1:\d+)")
        async with aiohttp.ClientSession() as session, session.get(url) as page:
            assert page.status == 200

        assert await ended(process, signal.SIGINT) == 0


async def test_a_port_in_use_is_one_clear_sentence() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        async with liaison("demo", "--no-browser", "--port", str(port)) as process:
            _, errors = await process.communicate()

    assert process.returncode == 1
    assert errors.decode().strip().splitlines() == [
        f"liaison: port {port} cannot be used (Address already in use); choose another with --port"
    ]


async def test_the_scripted_conversation_keeps_every_promise() -> None:
    async with liaison("demo", "--check") as process:
        out, _ = await process.communicate()

    assert process.returncode == 0, out.decode()
    assert "53 of 53 promises kept" in out.decode()
