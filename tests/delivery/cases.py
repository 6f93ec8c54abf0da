"""Cases for the crash matrix: channels in a sandbox, and a store with digests that are due in them."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from bot.assertions import Assertion
from bot.deliveries import Delivery, Post
from bot.indicators import Indicator, Kind
from bot.sandbox.cast import Cast, Place, Team, User
from bot.schedules import parse
from bot.store.sqlite import SqliteStore
from bot.subscriptions import Attach, Purpose, Subscription
from bot.tlp import Label
from tests.delivery.victim import OWN_USER, READER, Clock

CLAIMS = 14  # more than a message names: the list follows in its thread
SOURCE = "trendmicro"


@dataclass
class Case:
    """One store and its channels: a digest with a file, one with its list in the thread, a source's own."""

    path: Path
    filed: str
    listed: str
    own: str

    @property
    def channels(self) -> tuple[str, str, str]:
        return self.filed, self.listed, self.own

    def domain(self, number: int) -> str:
        return f"host-{number}.{self.filed.lower()}.example.org"


def cast(cases: int) -> Cast:
    """A centre and two partners, with three channels for each case."""
    teams = tuple(
        Team(id=each, name=each, domain=each.lower(), installed=each == "T0HOST") for each in _TEAMS
    )
    people = (("U0ANA", "T0HOST"), (READER, "T0KASP"), ("U0TOMO", "T0TREND"))
    users = [User(id=each, name=each.lower(), real_name=each, team=team) for each, team in people]
    bot = User(id=OWN_USER, name="liaison", real_name="Liaison", team="T0HOST", is_bot=True)
    places = [
        Place(
            id=channel,
            name=channel.lower(),
            host="T0HOST",
            members=(OWN_USER, "U0ANA", member),
            connected=(team,),
        )
        for number in range(cases)
        for channel, (member, team) in zip(channels(number), (people[1], people[1], people[2]), strict=True)
    ]
    return Cast(host="T0HOST", bot=OWN_USER, teams=teams, users=(*users, bot), channels=tuple(places))


_TEAMS = ("T0HOST", "T0KASP", "T0TREND")


def channels(number: int) -> tuple[str, str, str]:
    return f"C0F{number:05}", f"C0L{number:05}", f"C0T{number:05}"


def _claim(case: Case, number: int, **more: Any) -> Assertion:
    about = Indicator(Kind.DOMAIN, case.domain(number))
    return Assertion(indicator=about, source=SOURCE, label=Label.GREEN, family="Quiet Heron", **more)


async def prepare(case: Case) -> None:
    """What is new, and two digests of it that are due."""
    clock = Clock(case.path)
    store = SqliteStore(case.path, clock)
    await store.open()
    forms = ((case.filed, Attach.CSV), (case.listed, None))
    for channel, attach in forms:
        schedule = parse("daily 08:00", "UTC")
        await store.subscribe(
            Subscription(channel=channel, purpose=Purpose.DIGEST, schedule=schedule, attach=attach),
            next_at=clock() - timedelta(seconds=1),
        )
    own = Subscription(channel=case.own, purpose=Purpose.DIGEST, schedule=parse("weekly mon 08:00", "UTC"))
    await store.subscribe(own, next_at=datetime.now(UTC) + timedelta(days=6))
    await store.add([_claim(case, number) for number in range(CLAIMS)])
    await store.close()


async def revoke(case: Case) -> None:
    await _add(case, _claim(case, 1, revoked=True))


async def restrict(case: Case) -> None:
    await _add(case, msgspec.structs.replace(_claim(case, 1), label=Label.RED))


async def _add(case: Case, assertion: Assertion) -> None:
    store = SqliteStore(case.path, Clock(case.path))
    await store.open()
    await store.add([assertion])
    await store.close()


async def books(case: Case) -> tuple[list[Delivery], list[Post]]:
    store = SqliteStore(case.path, Clock(case.path))
    await store.open()
    try:
        return await store.deliveries(), await store.posts()
    finally:
        await store.close()
