"""Mornings: digests are due in many channels, and replicas that deliver them are killed at any moment.

    python -m tests.replicas.mornings --replicas 4 --channels 500 --kills 60 [--store URL] [--speed 20]

Slack is the sandbox with its limits and in bad weather. Prints what was due, lost and doubled, and how often
Slack said that it was too much. `--store` names an empty store; without it there is a SQLite file.
"""

import argparse
import asyncio
import random
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from bot.assertions import Assertion
from bot.deliveries import ENDED, State
from bot.indicators import Indicator, Kind
from bot.sandbox.alone import Alone, own_sandbox
from bot.sandbox.cast import Cast, Place, Team, User
from bot.sandbox.faults import Weather
from bot.schedules import parse
from bot.sharing import Audience, Reach
from bot.store import open_store
from bot.subscriptions import Purpose, Subscription
from bot.tempo import Hurried
from bot.tlp import Label
from tests.replicas.fleet import Fleet, Order, fleet

FAULTS = {"drop_after_accept": 0.05, "lost_reply": 0.05, "error_500": 0.05}
FAULTY = frozenset(
    ("chat.postMessage", "conversations.info", "conversations.history", "chat.delete", "chat.update")
)
LOST_SECONDS = 2.0  # after which a lost reply comes
LOOK_SECONDS = 0.25
LINGER_SECONDS = 4.0  # of real time, for what is corrected or withdrawn in the end
CLAIMS = 3
_READERS = Audience(reach=Reach.CHANNEL, orgs=frozenset(("igci", "kaspersky")))


@dataclass
class Outcome:
    """What a morning came to."""

    due: int = 0
    kills: int = 0
    lost: int = 0
    doubled: int = 0
    not_done: Counter[str] = field(default_factory=Counter)
    limited: Counter[str] = field(default_factory=Counter)  # calls by method that Slack had to refuse
    seconds: float = 0.0  # of Slack's clock, until all were delivered

    @property
    def is_good(self) -> bool:
        return not (self.lost or self.doubled or self.not_done)


def morning(
    *,
    replicas: int,
    channels: int,
    kills: int,
    seed: int,
    speed: float = 20.0,
    store: str = "",
    patience: float = 900.0,
    faults: bool = True,
) -> Outcome:
    """Have digests due everywhere, kill replicas and start others until all is delivered; look at Slack."""
    clock = Hurried(speed)
    with (
        own_sandbox(cast=cast(channels), clock=clock, strict_rates=True) as slack,
        tempfile.TemporaryDirectory() as folder,
    ):
        url = store or f"sqlite:///{folder}/store.db"
        asyncio.run(_prepare(url, clock, channels))
        if faults:
            slack.forecast(Weather(seed, FAULTS, methods=FAULTY, seconds=LOST_SECONDS))
        began = clock()
        order = Order(
            store=url, api_url=slack.api_url, bot_token=slack.bot_token, signing_secret="s", clock=clock
        )
        with fleet(order, replicas) as made:
            killed = asyncio.run(_until_delivered(made, url, clock, channels, kills, seed, patience))
            seconds = (clock() - began).total_seconds()
            slack.forecast(None)
            time.sleep(LINGER_SECONDS)
        outcome = asyncio.run(_judged(slack, url, clock, channels))
        outcome.kills, outcome.seconds, outcome.limited = killed, seconds, Counter(slack.limited())
        return outcome


def cast(channels: int) -> Cast:
    """The centre and a partner, in so many channels."""
    people = (("U0ANA", "T0HOST"), ("U0KIRA", "T0KASP"), ("U0LIAISON", "T0HOST"))
    return Cast(
        host="T0HOST",
        bot="U0LIAISON",
        teams=tuple(
            Team(id=each, name=each, domain=each.lower(), installed=each == "T0HOST")
            for each in ("T0HOST", "T0KASP")
        ),
        users=tuple(
            User(id=user, name=user.lower(), real_name=user, team=team, is_bot=user == "U0LIAISON")
            for user, team in people
        ),
        channels=tuple(
            Place(
                id=channel,
                name=channel.lower(),
                host="T0HOST",
                members=tuple(user for user, _ in people),
                connected=("T0KASP",),
            )
            for channel in map(named, range(channels))
        ),
    )


def named(number: int) -> str:
    return f"C0M{number:05}"


async def _prepare(url: str, clock: Hurried, channels: int) -> None:
    """What is new, and a digest of it that is due in each channel."""
    store = await open_store(url, clock)
    schedule = parse("weekly mon 08:00", "UTC")
    for number in range(channels):
        subscription = Subscription(channel=named(number), purpose=Purpose.DIGEST, schedule=schedule)
        await store.subscribe(subscription, next_at=clock() - timedelta(seconds=1))
        await store.keep_readers(named(number), _READERS)  # as whoever turned it on was seen to be read
    about = (Indicator(Kind.DOMAIN, f"host-{number}.example.org") for number in range(CLAIMS))
    await store.add([Assertion(indicator=each, source="trendmicro", label=Label.GREEN) for each in about])
    await store.close()


async def _until_delivered(
    made: Fleet, url: str, clock: Hurried, channels: int, kills: int, seed: int, patience: float
) -> int:
    """Kill one now and then, and start another at once; gives the kills."""
    chance, killed = random.Random(seed), 0
    store = await open_store(url, clock)
    until = time.monotonic() + patience
    while not await _all_delivered(store, channels):
        assert time.monotonic() < until, f"seed {seed}: not delivered in {patience:.0f} seconds"
        await asyncio.sleep(chance.uniform(0, 2 * LOOK_SECONDS))
        if killed < kills:
            made.kill(chance.choice(made.alive))
            made.start()
            killed += 1
    await store.close()
    return killed


async def _all_delivered(store: Any, channels: int) -> bool:
    ended = [each for each in await store.deliveries(most=channels) if each.state in ENDED]
    return len(ended) == channels


async def _judged(slack: Alone, url: str, clock: Hurried, channels: int) -> Outcome:
    store = await open_store(url, clock)
    outcome = Outcome(due=channels)
    for each in await store.deliveries(most=channels):
        if each.state is not State.DONE:
            outcome.not_done[f"{each.state} {each.error}"] += 1
    await store.close()
    for number in range(channels):
        standing = len(slack.posted(named(number)))
        outcome.lost += standing == 0
        outcome.doubled += max(0, standing - 1)
    return outcome


if __name__ == "__main__":
    reader = argparse.ArgumentParser(description=__doc__)
    reader.add_argument("--replicas", type=int, default=4)
    reader.add_argument("--channels", type=int, default=500)
    reader.add_argument("--kills", type=int, default=60)
    reader.add_argument("--speed", type=float, default=20.0)
    reader.add_argument("--store", default="", help="an empty store; a SQLite file if there is none")
    reader.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32))
    reader.add_argument("--no-faults", action="store_true")
    given = reader.parse_args()
    print(f"seed {given.seed}", flush=True)
    done = morning(
        replicas=given.replicas,
        channels=given.channels,
        kills=given.kills,
        seed=given.seed,
        speed=given.speed,
        store=given.store,
        faults=not given.no_faults,
    )
    print(f"{done.due} due, {done.kills} kills: {done.lost} lost, {done.doubled} doubled")
    print(f"{done.seconds:.0f} s of Slack's time; too many calls: {dict(done.limited) or 'none'}")
    print(f"not done: {dict(done.not_done) or 'none'}")
    sys.exit(not done.is_good)
