"""Without the store's primary the bot answers what it can from a standby, and refuses the rest clearly."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import aiohttp
import pytest

import commands
from bot.app import Running, running
from bot.findings import Outcome
from bot.manifest import EVENTS_PATH
from bot.organisations import Member
from bot.sandbox.deliveries import Delivery, Timing
from bot.sandbox.sandbox import Sandbox
from bot.services import Services
from tests.enriching import Script
from tests.postgres.cluster import Ground
from tests.postgres.failover import SOON, opened
from tests.postgres.pair import Pair
from tests.slack.conftest import ASK, HASH, Clock, claim, registry, settings_of, strict_sandbox

SLACKS_PATIENCE = 3.0  # seconds
FAMILY = "kaspersky-green-family"
AS_OF = "The store's primary does not answer: this is as of"
NO_WRITES = "The store takes no writes just now"
MANY = " ".join(f"{number:064x}" for number in range(60))
RETRIES = Timing(retries=(0.0, 0.5, *[1.0] * 30))  # instead of after 1 and 5 minutes


@dataclass
class Stage:
    """A bot on two servers, one service that it could ask, and the sandbox."""

    sandbox: Sandbox
    bot: Running
    services: Script

    async def slash(self, text: str) -> tuple[Delivery, float]:
        """What became of it, and after how many seconds."""
        asked = time.monotonic()
        delivery = await self.sandbox.slash("U0ANA", "C0KASP", text)
        return delivery, time.monotonic() - asked

    async def lookups_until(self, is_enough: Callable[[str], bool]) -> float:
        """Look up all the time until an answer reads like that; the longest that one took."""
        longest = 0.0
        async with asyncio.timeout(SOON):
            while True:
                delivery, seconds = await self.slash(ASK)
                longest = max(longest, seconds)
                assert FAMILY in readable(delivery), delivery
                if is_enough(readable(delivery)):
                    return longest


def readable(delivery: Delivery) -> str:
    return "\n".join(message.readable for message in delivery.shown)


@pytest.fixture(scope="module")
def pair(postgres_binaries: object) -> Iterator[Pair]:
    """Two servers, both well; a test leaves them so."""
    with Ground() as ground:
        pair = Pair.start(ground)
        yield pair
        pair.standby.crash()
        pair.primary.crash()


@asynccontextmanager
async def staged(pair: Pair) -> AsyncIterator[Stage]:
    sandbox, services = strict_sandbox(timing=RETRIES), Script()
    async with opened(pair.url) as store:
        await store.add([claim(), *(claim(value) for value in MANY.split())])
        await sandbox.start()
        known = registry()
        host = replace(known.host, stewards=frozenset({Member("U0ANA", "T0HOST")}))
        made = Services(store, replace(known, host=host), Clock(), services)
        async with running(settings_of(sandbox), made, commands.answer) as bot:
            sandbox.connect(bot.url + EVENTS_PATH)
            yield Stage(sandbox, bot, services)
            for asked in services.inquiries:  # somebody waits for each
                asked.answer(services.services, Outcome.NOT_FOUND)
        await sandbox.stop()


@pytest.fixture
async def stage(pair: Pair) -> AsyncIterator[Stage]:
    async with staged(pair) as made:
        yield made


async def test_when_the_primary_crashes_slash_commands_go_on_and_all_else_after_the_promotion(
    pair: Pair, stage: Stage
) -> None:
    # given an answer with buttons
    before, _ = await stage.slash(f"lookup {MANY}")
    button = before.shown[0].ts

    # when the primary crashes, then lookups go on, and soon say of when they are
    await asyncio.to_thread(pair.primary.crash)
    longest = await stage.lookups_until(lambda said: AS_OF in said)
    asked = len(stage.services.enquiries)
    last, _ = await stage.slash(f"lookup {MANY}")
    recent, seconds = await stage.slash("recent 7d")

    assert max(longest, seconds) < SLACKS_PATIENCE
    assert AS_OF in readable(last)
    assert "No service is asked" in readable(last)
    assert not {"details", "share"} & set(actions(last))
    assert AS_OF in readable(recent)
    assert len(stage.services.enquiries) == asked

    # and a request that comes again is not answered again
    assert await replayed(stage, last) == [(401, False), (200, False)]

    # and what must be written is refused at once, in words
    for text in ("digest on daily 08:00", "status", f"enrich {HASH}", f"retract {HASH}"):
        refused, seconds = await stage.slash(text)
        assert NO_WRITES in readable(refused), text
        assert seconds < SLACKS_PATIENCE
    clicked = await stage.sandbox.click("U0ANA", "C0KASP", button, "details")
    assert clicked.acknowledged
    await stage.sandbox.until(lambda: NO_WRITES in said_to_ana(stage))

    # and a mention waits
    mention = await stage.sandbox.say("U0KIRA", "C0KASP", f"<@U0LIAISON> {ASK}")
    assert [each for each in stage.sandbox.seen_by("U0KIRA", "C0KASP") if each.thread_ts == mention] == []

    # when the standby takes over, then all of it works, without a restart
    await asyncio.to_thread(pair.promote)
    longest = await stage.lookups_until(lambda said: AS_OF not in said)
    assert longest < SLACKS_PATIENCE
    assert await replayed(stage, last) == [(401, False), (200, False)]
    store = stage.bot.connection.services.store
    assert await store.subscriptions() == []
    await stage.slash("digest on daily 08:00")
    assert len(await store.subscriptions("C0KASP")) == 1

    def answered() -> bool:
        seen = stage.sandbox.seen_by("U0KIRA", "C0KASP")
        return any(each.thread_ts == mention and FAMILY in each.readable for each in seen)

    await stage.sandbox.until(answered, seconds=SOON)
    await asyncio.to_thread(pair.rejoin)
    threads = [each for each in stage.sandbox.seen_by("U0KIRA", "C0KASP") if each.thread_ts == mention]
    assert len([each for each in threads if each.ts != mention]) == 1


async def test_when_the_primary_falls_silent_slash_commands_go_on(pair: Pair, stage: Stage) -> None:
    await asyncio.to_thread(pair.primary.freeze)
    try:
        longest = await stage.lookups_until(lambda said: AS_OF in said)
        refused, seconds = await stage.slash("digest on daily 08:00")
    finally:
        await asyncio.to_thread(pair.primary.crash)  # as whoever finds it would do
        await asyncio.to_thread(pair.primary.start)
    after = await stage.lookups_until(lambda said: AS_OF not in said)

    assert NO_WRITES in readable(refused)
    assert max(longest, seconds, after) < SLACKS_PATIENCE


def actions(delivery: Delivery) -> Iterator[str]:
    """The names of the buttons."""
    for message in delivery.shown:
        for block in message.blocks:
            yield from (
                each.get("action_id", "") for each in block.get("elements", ()) if "action_id" in each
            )


def said_to_ana(stage: Stage) -> str:
    return "\n".join(message.readable for message in stage.sandbox.seen_by("U0ANA", "C0KASP"))


async def replayed(stage: Stage, delivery: Delivery) -> list[tuple[int, bool]]:
    """Send it again, as anybody and as Slack would: the status, and whether it was answered."""
    [attempt] = delivery.attempts
    url = stage.bot.url + EVENTS_PATH
    said = []
    async with aiohttp.ClientSession() as session:
        for more in ({}, {"X-Slack-Retry-Num": "1"}):
            async with session.post(url, data=attempt.raw, headers=attempt.headers | more) as response:
                said.append((response.status, "family" in await response.text()))
    return said
