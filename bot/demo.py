"""The demo: the real bot against the sandbox, with sample data, on this machine alone."""

import os
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bot import config, imports
from bot.app import Running, running, utc_now
from bot.chat import Answer
from bot.errors import ConfigError
from bot.feeds.parsed import Defaults
from bot.manifest import EVENTS_PATH
from bot.organisations import Registry
from bot.sandbox.sandbox import Sandbox
from bot.secret import Secret
from bot.services import Services, Store
from bot.settings import SlackSettings
from bot.slack.keeping import random_token
from bot.store import open_store

DATA = Path(__file__).parent / "sandbox" / "data"


@dataclass(frozen=True)
class Demo:
    """A local Slack and the bot that is connected to it."""

    sandbox: Sandbox
    bot: Running


@asynccontextmanager
async def demo(answer: Answer, *, port: int, token: Callable[[], str] = random_token) -> AsyncIterator[Demo]:
    """Start both; the store is a temporary file. Raises ConfigError when the port is in use."""
    sandbox = Sandbox()
    try:
        await sandbox.start(port=port)
    except OSError as error:
        why = f"port {port} cannot be used ({os.strerror(error.errno or 0)}); choose another with --port"
        raise ConfigError([why]) from error
    try:
        with tempfile.TemporaryDirectory(prefix="liaison-") as folder:
            registry = config.load(DATA / "liaison.toml")
            store = await open_store(f"sqlite:///{folder}/demo.db")
            await _fill(store, registry)
            services = Services(store, registry, utc_now)
            async with running(settings(sandbox), services, answer, token=token) as bot:
                sandbox.connect(bot.url + EVENTS_PATH)
                sandbox.drains.append(bot.connection.work.drain)
                yield Demo(sandbox, bot)
    finally:
        await sandbox.stop()


def settings(sandbox: Sandbox) -> SlackSettings:
    """What the bot must know to work in that sandbox."""
    return SlackSettings(
        bot_token=Secret(sandbox.bot_token),
        signing_secret=Secret(sandbox.signing_secret),
        app_token=Secret(sandbox.app_token),
        api_url=sandbox.api_url,
    )


async def _fill(store: Store, registry: Registry) -> None:
    """Import the sample data: one file a source, named after it."""
    for org in (registry.host, *registry.partners):
        path = DATA / f"{org.id}.jsonl"
        if path.exists():
            await imports.run([path], Defaults(org.id, org.default_label), store)
