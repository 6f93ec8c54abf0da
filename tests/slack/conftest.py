"""A stage: the sandbox as Slack, the real bot over real HTTP, a real store."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest

import commands
from bot.app import Running, running
from bot.assertions import Assertion
from bot.indicators import Indicator, Kind
from bot.manifest import EVENTS, EVENTS_PATH, SCOPES
from bot.organisations import Organisation, Registry
from bot.sandbox.sandbox import Sandbox
from bot.secret import Secret
from bot.services import Enrichment, Services, Store
from bot.settings import SlackSettings
from bot.slack.growing import Pause
from bot.store import open_store
from bot.tlp import Label
from tests.enriching import at_once

HASH = "0f" * 32
ASK = f"lookup {HASH}"


class Clock:
    """UTC now, which a test may move."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


def registry(caps: dict[str, Label] | None = None) -> Registry:
    """The centre, two vendors, a bureau on Enterprise Grid; NewCo is not registered."""

    def partner(slug: str, name: str, *teams: str, **more: Any) -> Organisation:
        since, until = date(2020, 1, 1), date(2099, 12, 31)
        return Organisation(
            id=slug,
            name=name,
            teams=frozenset(teams),
            since=since,
            until=until,
            enrich_own_queries=slug != "bureau",
            **more,
        )

    return Registry(
        host=Organisation(
            id="igci", name="Cyber Fusion Centre", teams=frozenset(("T0HOST",)), enrich_own_queries=True
        ),
        partners=(
            partner("kaspersky", "Kaspersky", "T0KASP", alias="Partner K", community=True),
            partner("trendmicro", "Trend Micro", "T0TREND", community=True),
            partner("bureau", "National Bureau", "E0BUREAU", community=True),
        ),
        caps=caps or {"C0KASP": Label.AMBER, "C0HOST": Label.AMBER_STRICT},
    )


def claim(
    value: str = HASH, *, source: str = "kaspersky", label: Label = Label.GREEN, **more: Any
) -> Assertion:
    """What a source says about a hash."""
    return Assertion(
        indicator=Indicator(Kind.SHA256, value),
        source=source,
        label=label,
        family=more.pop("family", f"{source}-{label.name.lower()}-family"),
        **more,
    )


@dataclass(frozen=True)
class Stage:
    """Everything a test touches."""

    sandbox: Sandbox
    bot: Running
    store: Store
    clock: Clock

    async def answer(self, user: str, channel: str, text: str = ASK) -> str:
        """What that person reads after a slash command, all of it."""
        before = len(self.sandbox.seen_by(user, channel))
        await self.sandbox.slash(user, channel, text)
        await self.sandbox.settled()
        return "\n".join(message.readable for message in self.sandbox.seen_by(user, channel)[before:])

    async def mention(self, user: str, channel: str, text: str = ASK) -> str:
        """What everybody reads in the thread of a mention."""
        ts = await self.sandbox.say(user, channel, f"<@U0LIAISON> {text}")
        await self.sandbox.settled()
        seen = self.sandbox.seen_by(user, channel)
        return "\n".join(message.readable for message in seen if message.thread_ts == ts and message.ts != ts)

    async def direct(self, user: str, text: str = ASK) -> str:
        """What that person reads in the direct conversation with Liaison."""
        conversation = self.sandbox.open_dm(user)
        ts = await self.sandbox.say(user, conversation, text)
        await self.sandbox.settled()
        return "\n".join(m.readable for m in self.sandbox.seen_by(user, conversation) if m.ts > ts)

    def calls(self, method: str) -> list[Any]:
        """The calls of one Web API method, oldest first."""
        return [call for call in self.sandbox.calls if call.method == method]


def unchanged(services: Services) -> Services:
    """Nothing but a store, perhaps with services that are asked."""
    return services


MakeStage = Callable[..., AbstractAsyncContextManager[Stage]]


@pytest.fixture
def make_stage(tmp_path: Path) -> MakeStage:
    """Open a stage with these assertions in its store."""
    numbers = count()

    @asynccontextmanager
    async def make(
        *assertions: Assertion,
        organisations: Registry | None = None,
        sandbox: Sandbox | None = None,
        path: Path | None = None,
        enrichment: Enrichment | None = None,
        pause: Pause = at_once,
        completed: Callable[[Services], Services] = unchanged,
    ) -> AsyncIterator[Stage]:
        sandbox, clock = sandbox or strict_sandbox(), Clock()
        store = await open_store(f"sqlite:///{path or tmp_path / f'{next(numbers)}.db'}")
        await store.add(assertions)
        await sandbox.start()
        tokens = count()
        services = completed(Services(store, organisations or registry(), clock, enrichment))
        async with running(
            settings_of(sandbox),
            services,
            commands.answer,
            token=lambda: f"token-{next(tokens)}",
            pause=pause,
        ) as bot:
            sandbox.connect(bot.url + EVENTS_PATH)
            sandbox.drains.append(bot.connection.work.drain)
            yield Stage(sandbox, bot, store, clock)
        await sandbox.stop()

    return make


@pytest.fixture
async def stage(make_stage: MakeStage) -> AsyncIterator[Stage]:
    """Kaspersky's claim at AMBER, Trend Micro's at GREEN, about the same hash."""
    amber, green = claim(label=Label.AMBER), claim(source="trendmicro")
    async with make_stage(amber, green) as opened:
        yield opened


def strict_sandbox(**more: Any) -> Sandbox:
    """A sandbox that grants what the manifest asks for and nothing else."""
    return Sandbox(scopes=frozenset(SCOPES), events=frozenset(EVENTS), **more)


def settings_of(sandbox: Sandbox) -> SlackSettings:
    """What the bot needs to know of a sandbox."""
    return SlackSettings(
        bot_token=Secret(sandbox.bot_token),
        signing_secret=Secret(sandbox.signing_secret),
        app_token=Secret(sandbox.app_token),
        api_url=sandbox.api_url,
    )


def socket_settings(sandbox: Sandbox) -> SlackSettings:
    """The same for Socket Mode."""
    return replace(settings_of(sandbox), signing_secret=None)
