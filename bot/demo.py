"""The demo: the real bot against the sandbox, with sample data, on this machine alone."""

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from bot import config, imports
from bot.app import Running, running, utc_now
from bot.chat import Answer
from bot.enrichment.enricher import Enricher
from bot.errors import ConfigError
from bot.feeds.parsed import Defaults
from bot.manifest import EVENTS_PATH
from bot.organisations import Organisation, Registry
from bot.providers.catalogue import open_sources
from bot.providers.options import Options
from bot.sandbox.sandbox import Sandbox
from bot.sandbox.services import Fakes, start_all
from bot.schedules import parse as schedule
from bot.secret import Secret
from bot.services import Services, Store
from bot.settings import SlackSettings
from bot.slack.growing import Pause
from bot.slack.keeping import random_token
from bot.store import open_store
from bot.subscriptions import Purpose, Subscription
from bot.tlp import Label

PATIENCE_SECONDS = 4.0  # with one service: who breaks one by hand does not want to wait long
DATA = Path(__file__).parent / "sandbox" / "data"
NEWS = DATA / "news"  # what came in last night
DAYS_OF_SAMPLES = 6  # over which the rest came in, so that there is a trend
FIRST_DIGEST_SECONDS = 20.0  # after the start: time to choose a channel and see it come
DIGESTS = ("C0KASP", "C0TREND")  # channels that get one; their readers differ, and so do the two


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
    first_digest: float = FIRST_DIGEST_SECONDS,
) -> AsyncIterator[Demo]:
    """Start all of it; the store is a temporary file. `first_digest`: in so many seconds.

    Raises ConfigError when the port is in use.
    """
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
        services = await _services(folder, fakes, timedelta(seconds=first_digest))
        bot = await stack.enter_async_context(
            running(settings(sandbox), services, answer, token=token, pause=pause)
        )
        sandbox.connect(bot.url + EVENTS_PATH)
        sandbox.drains.append(bot.connection.work.drain)
        yield Demo(sandbox, fakes, bot)


class _Calendar:
    """The clock of the store, which can be set back while sample data is put there."""

    def __init__(self) -> None:
        self.days_ago = 0

    def __call__(self) -> datetime:
        return utc_now() - timedelta(days=self.days_ago)


async def _services(folder: str, fakes: Fakes, first_digest: timedelta) -> Services:
    """A store with the sample data, digests set up, and what asks the fakes."""
    registry, calendar = config.load(DATA / "liaison.toml"), _Calendar()
    store = await open_store(f"sqlite:///{folder}/demo.db", calendar)
    for number, org in enumerate((registry.host, *registry.partners)):
        calendar.days_ago = max(DAYS_OF_SAMPLES - 2 * number, 1)
        await _fill(store, org, DATA)
    calendar.days_ago = 0
    await _subscribe(store, registry, utc_now() + first_digest)
    for org in (registry.host, *registry.partners):
        await _fill(store, org, NEWS)
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


async def _subscribe(store: Store, registry: Registry, due: datetime) -> None:
    """Digests of what comes in from now on."""
    daily = schedule("daily 08:00", registry.timezone)
    for channel in DIGESTS:
        digest = Subscription(channel=channel, purpose=Purpose.DIGEST, schedule=daily, set_by="U0ANA")
        await store.subscribe(digest, next_at=due)


async def _fill(store: Store, org: Organisation, folder: Path) -> None:
    """Import sample data: one file a source, named after it."""
    path = folder / f"{org.id}.jsonl"
    if path.exists():
        await imports.run([path], Defaults(org.id, org.default_label), store)
