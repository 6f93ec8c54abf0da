"""The demo: the real bot against the sandbox, with sample data, on this machine alone."""

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from bot import config, imports
from bot.app import Running, running, utc_now
from bot.chat import Answer
from bot.enrichment.enricher import Enricher
from bot.errors import ConfigError
from bot.feeds.parsed import Defaults
from bot.manifest import EVENTS_PATH
from bot.organisations import Registry
from bot.providers.catalogue import open_sources
from bot.providers.options import Options
from bot.sandbox.sandbox import Sandbox
from bot.sandbox.services import Fakes, start_all
from bot.secret import Secret
from bot.services import Services, Store
from bot.settings import SlackSettings
from bot.slack.growing import Pause
from bot.slack.keeping import random_token
from bot.store import open_store
from bot.tlp import Label

PATIENCE_SECONDS = 4.0  # with one service: who breaks one by hand does not want to wait long
DATA = Path(__file__).parent / "sandbox" / "data"


@dataclass(frozen=True)
class Demo:
    """A local Slack, fakes of external services, and the bot that is connected to both."""

    sandbox: Sandbox
    fakes: Fakes
    bot: Running


@asynccontextmanager
async def demo(
    answer: Answer,
    *,
    port: int,
    token: Callable[[], str] = random_token,
    pause: Pause = asyncio.sleep,
) -> AsyncIterator[Demo]:
    """Start all of it; the store is a temporary file. Raises ConfigError when the port is in use."""
    sandbox = Sandbox()
    try:
        await sandbox.start(port=port)
    except OSError as error:
        why = f"port {port} cannot be used ({os.strerror(error.errno or 0)}); choose another with --port"
        raise ConfigError([why]) from error
    async with AsyncExitStack() as stack:
        stack.push_async_callback(sandbox.stop)
        fakes = await start_all()
        stack.push_async_callback(fakes.stop)
        sandbox.show(fakes)
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="liaison-"))
        services = await _services(folder, fakes)
        bot = await stack.enter_async_context(
            running(settings(sandbox), services, answer, token=token, pause=pause)
        )
        sandbox.connect(bot.url + EVENTS_PATH)
        sandbox.drains.append(bot.connection.work.drain)
        yield Demo(sandbox, fakes, bot)


async def _services(folder: str, fakes: Fakes) -> Services:
    """A store with the sample data, and what asks the fakes."""
    registry = config.load(DATA / "liaison.toml")
    store = await open_store(f"sqlite:///{folder}/demo.db")
    await _fill(store, registry)
    enricher = Enricher(open_sources(providers(fakes)), store, registry, clock=utc_now)
    await enricher.open()
    return Services(store, registry, utc_now, enricher)


def providers(fakes: Fakes) -> dict[str, Options]:
    """Every provider, turned on, with the fake in the place of the real service."""
    options = {
        fake.name: Options(key=Secret(fake.key), url=fake.url, seconds=PATIENCE_SECONDS) for fake in fakes.all
    }
    return {
        **options,
        # As with a premium key: with the four questions a minute of a free one the demo would soon be over.
        "virustotal": replace(options["virustotal"], per_minute=60),
        # The centre lets its partners read its list; else every answer would begin with TLP:AMBER.
        "trend": replace(options["trend"], label=Label.GREEN),
    }


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
