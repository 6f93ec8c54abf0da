"""Socket Mode: the same listeners without a public address, watched because sockets fall silent."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

import commands
from bot.app import running
from bot.errors import ConfigError, UnavailableError
from bot.sandbox.sandbox import Sandbox
from bot.secret import Secret
from bot.services import Services
from bot.slack import socket
from bot.slack.socket import SocketMode
from bot.store import open_store
from tests.slack.conftest import ASK, HASH, Clock, claim, registry, socket_settings, strict_sandbox


@asynccontextmanager
async def connected(path: Path, sandbox: Sandbox, *, check_seconds: float = 5.0) -> AsyncIterator[SocketMode]:
    """The bot, connected to the sandbox by Socket Mode alone."""
    await sandbox.start()
    store = await open_store(f"sqlite:///{path / 'socket.db'}")
    await store.add([claim()])
    services = Services(store, registry(), Clock())
    async with running(socket_settings(sandbox), services, commands.answer) as bot:
        sandbox.drains.append(bot.connection.work.drain)
        mode = SocketMode(bot.connection, check_seconds=check_seconds)
        await mode.open()
        await sandbox.until(sandbox.sockets.connected)
        yield mode
        await mode.close()
    await sandbox.stop()


async def test_commands_mentions_messages_and_clicks_work_the_same(tmp_path: Path) -> None:
    sandbox = strict_sandbox()
    async with connected(tmp_path, sandbox):
        slash = await sandbox.slash("U0ANA", "C0KASP", ASK)
        await sandbox.say("U0KIRA", "C0KASP", f"<@U0LIAISON> {ASK}")
        await sandbox.say("U0TOMO", sandbox.open_dm("U0TOMO"), ASK)
        await sandbox.settled()
        await sandbox.click("U0ANA", "C0KASP", slash.shown[0].ts, "share")
        await sandbox.settled()
        [view] = sandbox.views_of("U0ANA")
        await sandbox.submit("U0ANA", view.id, {})
        await sandbox.settled()

        posts = [call.arguments for call in sandbox.calls if call.method == "chat.postMessage"]
        assert "family" in slash.shown[0].readable
        assert len(posts) == 3
        assert all(HASH in json.dumps(post) for post in posts)


async def test_what_comes_twice_is_answered_once(tmp_path: Path) -> None:
    sandbox = strict_sandbox()
    async with connected(tmp_path, sandbox):
        await sandbox.slash("U0ANA", "C0KASP", ASK)
        await sandbox.say("U0KIRA", "C0KASP", f"<@U0LIAISON> {ASK}")
        await sandbox.settled()
        again = [await sandbox.sockets.send(delivery, None, 3.0) for delivery in sandbox.deliveries]
        await sandbox.settled()

        assert [attempt.body for attempt in again] == [b"", b""]
        assert len([call for call in sandbox.calls if call.method == "chat.postMessage"]) == 1


async def test_a_refresh_is_followed(tmp_path: Path) -> None:
    sandbox = strict_sandbox()
    async with connected(tmp_path, sandbox) as mode:
        await sandbox.sockets.refresh()
        async with asyncio.timeout(10):
            while not (sandbox.sockets.connected() and await mode.is_alive()):  # noqa: ASYNC110 - untold
                await asyncio.sleep(0.02)

        assert "family" in (await sandbox.slash("U0ANA", "C0KASP", ASK)).shown[0].readable


async def test_a_silent_socket_is_replaced_and_at_last_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "SILENCE_SECONDS", 0.05)
    monkeypatch.setattr(socket, "GIVE_UP_SECONDS", 0.3)
    sandbox = strict_sandbox()
    async with connected(tmp_path, sandbox, check_seconds=0.02) as mode:
        opened = [call.method for call in sandbox.calls].count("apps.connections.open")

        async def never() -> bool:
            return False

        monkeypatch.setattr(mode, "is_alive", never)
        with pytest.raises(UnavailableError):
            await mode.watch()

        assert [call.method for call in sandbox.calls].count("apps.connections.open") > opened


async def test_a_wrong_app_token_is_named(tmp_path: Path) -> None:
    sandbox = strict_sandbox()
    await sandbox.start()
    store = await open_store(f"sqlite:///{tmp_path / 'x.db'}")
    settings = replace(socket_settings(sandbox), app_token=Secret("xapp-wrong"))
    async with running(settings, Services(store, registry(), Clock()), commands.answer) as bot:
        mode = SocketMode(bot.connection)
        with pytest.raises(ConfigError, match="SLACK_APP_TOKEN"):
            await mode.open()
        await mode.close()
    await sandbox.stop()


async def test_a_wrong_bot_token_is_named(tmp_path: Path) -> None:
    sandbox = strict_sandbox()
    await sandbox.start()
    store = await open_store(f"sqlite:///{tmp_path / 'x.db'}")
    settings = replace(socket_settings(sandbox), bot_token=Secret("xoxb-wrong"))
    with pytest.raises(ConfigError, match="SLACK_BOT_TOKEN"):
        async with running(settings, Services(store, registry(), Clock()), commands.answer):
            pass
    await sandbox.stop()
