"""Script: makes up a day from a seed: who shares channels with whom, and what everybody does when. Pure.

Figures are those of a centre with a bureau in each country: most channels are local ones of bureaus, some are
with vendors, some are shared by three; people ask in their working hours and digests come in their mornings.
"""

import random
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from bot.simulation.geography import BUREAUS, HOST_ZONES, VENDOR_ZONES
from bot.simulation.news import News
from bot.simulation.world import (
    AMBER,
    BOT,
    GREEN,
    HOST,
    HOST_TEAM,
    Batch,
    Kill,
    Move,
    Party,
    Person,
    Question,
    Room,
    Script,
    Subscribed,
    Trouble,
)

BEGINS = datetime.fromisoformat("2026-06-09T20:00:00+00:00")  # a Tuesday evening; a midnight lies in the day
VENDORS = 0.08  # of all partners
TROUBLED = timedelta(minutes=20)
LIMITED = timedelta(minutes=2)
DEAD = timedelta(minutes=3)
OUTAGE = timedelta(hours=2)
_CLOCKS = (((7, 0), 8), ((7, 30), 14), ((7, 45), 6), ((8, 0), 34), ((8, 15), 8), ((8, 30), 14), ((9, 0), 16))
_SURFACES = (("mention", 45), ("dm", 30), ("slash", 25))
_WORK = tuple(8 if 8 <= hour < 18 else 2 if 6 <= hour < 22 else 0.3 for hour in range(24))


def script(
    *,
    seed: int,
    organisations: int,
    channels: int,
    hours: float,
    questions: int,
    assertions: int,
    kills: int,
    begins: datetime = BEGINS,
) -> Script:
    """A day, or a part of one. `questions` and `assertions` are numbers for all of it."""
    chance = random.Random(seed)  # noqa: S311 - a day that can be repeated, no secret
    ends = begins + timedelta(hours=hours)
    parties = _parties(chance, organisations, begins.date())
    people = _people(chance, parties)
    rooms = tuple(_rooms(chance, parties, people, channels))
    news = News(chance, parties, people)
    stored = tuple(news.stored(assertions, begins))
    batches = tuple(sorted(news.batches(begins, ends), key=lambda batch: batch.at))
    return Script(
        seed=seed,
        begins=begins,
        ends=ends,
        parties=parties,
        people=people,
        rooms=rooms,
        subscribed=tuple(_subscribed(chance, rooms)),
        stored=stored,
        batches=batches,
        questions=_questions(chance, people, rooms, (*stored, *batches), questions, begins, ends),
        moves=tuple(sorted(_moves(chance, parties, people, rooms, begins, ends), key=lambda move: move.at)),
        troubles=_troubles(chance, begins, ends),
        kills=_kills(chance, kills, begins, ends),
    )


# --- who is there --------------------------------------------------------------------------------------


def _parties(chance: random.Random, organisations: int, today: date) -> tuple[Party, ...]:
    vendors = max(3, round(organisations * VENDORS))
    host = Party(slug=HOST, name="Centre of Fusion", team=HOST_TEAM, zone=HOST_ZONES[0])
    bureaus = [_bureau(chance, number, today) for number in range(organisations - vendors - 1)]
    sellers = [_vendor(chance, number, today) for number in range(vendors)]
    return (host, *bureaus, *sellers)


def _bureau(chance: random.Random, number: int, today: date) -> Party:
    country, zone = BUREAUS[number % len(BUREAUS)]
    again = number // len(BUREAUS)
    suffix = f"{again + 1}" if again else ""
    since, until = _agreement(chance, today)
    return Party(
        slug=f"ncb-{country.casefold()}{suffix}",
        name=f"Bureau {country}{suffix}",
        team=f"T1B{number:04}",
        zone=zone,
        enterprise=f"E1B{number:04}" if chance.random() < 0.15 else "",
        in_community=chance.random() < 0.9,
        is_constituent=chance.random() < 0.8,
        since=since,
        until=until,
    )


def _vendor(chance: random.Random, number: int, today: date) -> Party:
    since, until = _agreement(chance, today)
    return Party(
        slug=f"vendor-{number}",
        name=f"Vendor {number} Labs",
        team=f"T2V{number:04}",
        zone=VENDOR_ZONES[number % len(VENDOR_ZONES)],
        is_vendor=True,
        in_community=chance.random() < 0.8,
        default_label=GREEN if chance.random() < 0.5 else "",
        since=since,
        until=until,
    )


def _agreement(chance: random.Random, today: date) -> tuple[date | None, date | None]:
    """Most are in force; some are over, some begin later, some begin or end at midnight of this day."""
    throw = chance.random()
    if throw < 0.03:
        return today - timedelta(days=900), today - timedelta(days=30)
    if throw < 0.05:
        return today + timedelta(days=20), None
    if throw < 0.07:
        return today - timedelta(days=365), today
    if throw < 0.09:
        return today + timedelta(days=1), None
    before, after = (timedelta(days=chance.randrange(30, 900)) for _ in range(2))
    return today - before, today + after


def _people(chance: random.Random, parties: tuple[Party, ...]) -> tuple[Person, ...]:
    staff = [
        Person(user=f"U0HOST{number:03}", team=HOST_TEAM, home=HOST, zone=HOST_ZONES[number % 3])
        for number in range(12)
    ]
    number = 0
    for party in parties[1:]:
        for _ in range(chance.randrange(2, 5)):
            staff.append(Person(user=f"U1P{number:05}", team=party.team, home=party.slug, zone=party.zone))
            number += 1
    for guest in range(max(1, len(parties) // 25)):
        home = chance.choice(parties[1:]).slug if chance.random() < 0.6 else ""
        staff.append(
            Person(
                user=f"U3G{guest:05}",
                team=HOST_TEAM,
                home=home,
                zone=HOST_ZONES[0],
                is_guest=True,
            )
        )
    return tuple(staff)


def _rooms(
    chance: random.Random, parties: tuple[Party, ...], people: tuple[Person, ...], channels: int
) -> Iterator[Room]:
    """The first of each partner, then more, some of them shared by three."""
    _, *partners = parties
    bureaus, vendors = ([p for p in partners if p.is_vendor is sold] for sold in (False, True))
    for number in range(channels):
        if number < len(partners):
            party = partners[number]
        else:
            party = chance.choice(bureaus if chance.random() < 0.93 else vendors)
        others = [chance.choice(vendors)] if chance.random() < 0.06 else []
        together = list(dict.fromkeys([party, *others]))
        yield _room(chance, number, together, people)


def _room(chance: random.Random, number: int, together: list[Party], people: tuple[Person, ...]) -> Room:
    hosts = [person for person in people if person.home == HOST]
    members = [BOT, *(person.user for person in chance.sample(hosts, 2))]
    for party in together:
        own = [person.user for person in people if person.home == party.slug and not person.is_guest]
        members += chance.sample(own, min(len(own), chance.randrange(1, 4)))
    guests = [person.user for person in people if person.is_guest]
    if chance.random() < 0.02:
        members.append(chance.choice(guests))
    return Room(
        id=f"C0R{number:05}",
        name=f"cfc-{together[0].slug}-{number}",
        members=tuple(members),
        connected=tuple(party.slug for party in together),
        zone=together[0].zone,
        cap=AMBER if chance.random() < 0.1 else GREEN,
    )


def _subscribed(chance: random.Random, rooms: tuple[Room, ...]) -> Iterator[Subscribed]:
    for room in rooms:
        yield _digest(chance, room)
        if chance.random() < 0.1:
            words = f"daily 07:30 tz {room.zone}"
            yield Subscribed(room=room.id, purpose="summary", words=words, zone=room.zone, clock=(7, 30))


def _digest(chance: random.Random, room: Room) -> Subscribed:
    attach = chance.choices(("", "csv", "stix"), (85, 10, 5))[0]
    common: dict[str, Any] = {"room": room.id, "purpose": "digest", "zone": room.zone, "attach": attach}
    if chance.random() < 0.02:
        return Subscribed(**common, words="every 6h")
    hour, minute = chance.choices([c for c, _ in _CLOCKS], [w for _, w in _CLOCKS])[0]
    days = chance.choice(("daily", "weekdays"))
    words = f"{days} {hour:02}:{minute:02} tz {room.zone}"
    return Subscribed(**common, words=words, clock=(hour, minute))


# --- what they do --------------------------------------------------------------------------------------


def _questions(
    chance: random.Random,
    people: tuple[Person, ...],
    rooms: tuple[Room, ...],
    batches: tuple[Batch, ...],
    number: int,
    begins: datetime,
    ends: datetime,
) -> tuple[Question, ...]:
    """Each at an hour at which its asker works, about what is there, hidden or unknown."""
    known = [(batch.at, claim.value) for batch in batches for claim in batch.claims]
    inside: dict[str, list[str]] = {}
    for room in rooms:
        for user in room.members:
            inside.setdefault(user, []).append(room.id)
    members = [person for person in people if person.user in inside]
    seconds = (ends - begins).total_seconds()
    hours = max(1, round(seconds / 3600))
    slots = [(person, hour) for person in members for hour in range(hours)]
    weights = [_WORK[(begins + timedelta(hours=h)).astimezone(ZoneInfo(p.zone)).hour] for p, h in slots]
    found = []
    for person, hour in chance.choices(slots, weights, k=number):
        place = chance.choice(inside[person.user])
        surface = chance.choices([s for s, _ in _SURFACES], [w for _, w in _SURFACES])[0]
        if surface == "slash" and person.team != HOST_TEAM:
            surface = "mention"  # partners have no slash commands
        at = begins + timedelta(seconds=min(hour * 3600 + chance.uniform(0, 3600), seconds - 60))
        asked = tuple(_asked(chance, known, at) for _ in range(chance.choice((1, 1, 2, 5))))
        found.append((at, person.user, place, surface, asked))
    return tuple(
        Question(number=n, at=at, user=user, room=where, surface=surface, verb="lookup", values=asked)
        for n, (at, user, where, surface, asked) in enumerate(sorted(found))
    )


def _asked(chance: random.Random, known: list[tuple[datetime, str]], at: datetime) -> str:
    if chance.random() < 0.2:
        return f"unknown-{chance.getrandbits(40):010x}.example.org"
    return chance.choice(known)[1]


def _moves(
    chance: random.Random,
    parties: tuple[Party, ...],
    people: tuple[Person, ...],
    rooms: tuple[Room, ...],
    begins: datetime,
    ends: datetime,
) -> Iterator[Move]:
    """Invitations, some accepted, some of those ended again; people who come and go."""
    seconds = (ends - begins).total_seconds()
    for room in chance.sample(rooms, max(1, len(rooms) // 40)):
        party = chance.choice([p for p in parties[1:] if p.slug not in room.connected])
        at = begins + timedelta(seconds=chance.uniform(0.05, 0.7) * seconds)
        yield Move(at=at, act="invite", who=party.team, room=room.id)
        if chance.random() < 0.6:
            later = at + timedelta(seconds=chance.uniform(0.02, 0.1) * seconds)
            yield Move(at=later, act="accept", who=party.team, room=room.id)
            if chance.random() < 0.4:
                gone = later + timedelta(seconds=chance.uniform(0.02, 0.1) * seconds)
                yield Move(at=gone, act="disconnect", who=party.team, room=room.id)
    for room in chance.sample(rooms, max(1, len(rooms) // 20)):
        outside = [p for p in people if p.home in room.connected and not p.is_guest]
        spare = [person.user for person in outside if person.user not in room.members]
        at = begins + timedelta(seconds=chance.uniform(0.05, 0.95) * seconds)
        if spare:
            yield Move(at=at, act="join", who=chance.choice(spare), room=room.id)


def _troubles(chance: random.Random, begins: datetime, ends: datetime) -> tuple[Trouble, ...]:
    """A provider is away for a while; Slack has an incident that ends with limits on everything."""
    span = ends - begins
    provider = begins + span * chance.uniform(0.3, 0.5)
    incident = begins + span * chance.uniform(0.55, 0.6)
    errors = min(TROUBLED, span / 10)
    limits = min(LIMITED, span / 20)
    return (
        Trouble(at=provider, until=provider + min(OUTAGE, span / 6), what="provider"),
        Trouble(at=incident, until=incident + errors, what="errors"),
        Trouble(at=incident + errors, until=incident + errors + limits, what="limits"),
    )


def _kills(chance: random.Random, kills: int, begins: datetime, ends: datetime) -> tuple[Kill, ...]:
    span = ends - begins
    first = (begins + timedelta(hours=18)).replace(
        hour=6, minute=1
    )  # six in the morning, UTC: eight in half of Europe
    fits = begins < first < ends - DEAD * 2
    moments = [first if number == 0 and fits else None for number in range(kills)]
    found = [at or begins + span * chance.uniform(0.2, 0.8) for at in moments]
    return tuple(
        Kill(at=at, back_at=at + min(DEAD, span / 10), replica=number)
        for number, at in enumerate(sorted(found))
    )
