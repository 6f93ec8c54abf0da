"""Invented days: small worlds whose every sentence a test can write."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from bot.simulation.played import Arrived, Play, Standing, Told, telling
from bot.simulation.script import script
from bot.simulation.world import (
    BOT,
    GREEN,
    HOST,
    HOST_TEAM,
    Batch,
    Claim,
    Party,
    Person,
    Question,
    Room,
    Script,
    Subscribed,
)

BEGINS = datetime(2026, 6, 10, 5, 0, tzinfo=UTC)
DUE = BEGINS + timedelta(hours=1)  # eight in the morning in Paris
ROOM = "C0ONE"


def party(slug: str, team: str, **more: object) -> Party:
    """An organisation of Paris."""
    return replace(Party(slug=slug, name=slug, team=team, zone="Europe/Paris"), **more)  # type: ignore[arg-type]


def claim(value: str = "zd0000000000a.example.com", label: str = GREEN, **more: object) -> Claim:
    """One of the vendor's."""
    family = f"Otter zq{sum(value.encode()):011x}"
    made = Claim(kind="domain", value=value, source="vendor", label=label, family=family)
    return replace(made, **more)  # type: ignore[arg-type]


def day(*claims: Claim, questions: tuple[Question, ...] = (), **more: object) -> Script:
    """A centre, a vendor and a bureau with a digest at eight; the claims come twenty minutes before."""
    parties = (
        party(HOST, HOST_TEAM),
        party("vendor", "T0VENDOR", in_community=True, is_vendor=True),
        party("bureau", "T0BUREAU", in_community=True),
    )
    people = tuple(
        Person(user=user, team=team, home=home, zone="Europe/Paris")
        for user, team, home in (("U0HOST", HOST_TEAM, HOST), ("U0BEA", "T0BUREAU", "bureau"))
    )
    room = Room(
        id=ROOM, name="one", members=(BOT, "U0HOST", "U0BEA"), connected=("bureau",), zone="Europe/Paris"
    )
    digest = Subscribed(
        room=ROOM, purpose="digest", words="daily 08:00 tz Europe/Paris", zone="Europe/Paris", clock=(8, 0)
    )
    made = script(
        seed=1, organisations=8, channels=4, hours=0.1, questions=1, assertions=100, kills=0, begins=BEGINS
    )
    made = replace(
        made,
        ends=BEGINS + timedelta(hours=3),
        parties=parties,
        people=people,
        rooms=(room,),
        subscribed=(digest,),
        stored=(),
        batches=(Batch(at=DUE - timedelta(minutes=20), source="vendor", claims=claims),),
        questions=questions,
        moves=(),
        troubles=(),
    )
    return replace(made, **more)  # type: ignore[arg-type]


def told(text: str, *, at: datetime = DUE + timedelta(seconds=20), **more: object) -> Told:
    """A digest with these words in the channel."""
    post = Told(
        at=at,
        place=ROOM,
        kind="channel",
        ts=f"{at.timestamp():.6f}",
        nonce="n1",
        readers=frozenset(("U0HOST", "U0BEA")),
        orgs=frozenset(("bureau",)),
        words=telling(text),
        head=f"TLP:GREEN · digest: news\n{text}",
    )
    return replace(post, **more)  # type: ignore[arg-type]


def stands(post: Told) -> Standing:
    """That post, still there in the end."""
    return Standing(
        place=post.place,
        ts=post.ts,
        nonce=post.nonce,
        thread=post.thread,
        words=post.words,
        head=post.head,
    )


def played(made: Script, *posts: Told) -> Play:
    """That these were shown, and still stand there."""
    arrived = [Arrived(begun=batch.at, done=batch.at + timedelta(seconds=1)) for batch in made.batches]
    return Play(told=posts, standing=[stands(post) for post in posts], asked=(), batches=arrived)
