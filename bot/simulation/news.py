"""News: what sources send during a simulated day, with every label and every kind of exception. Pure."""

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from bot.simulation.world import (
    AMBER,
    CLEAR,
    GREEN,
    HOST,
    RED,
    STRICT,
    UNREADABLE,
    Batch,
    Claim,
    Party,
    Person,
)

_LABELS = ((CLEAR, 22), (GREEN, 38), (AMBER, 14), (STRICT, 9), (RED, 5), ("", 8), (UNREADABLE, 4))
_KINDS = (("domain", 40), ("sha256", 25), ("ipv4", 20), ("url", 10), ("md5", 5))
_BEASTS = ("Otter", "Heron", "Badger", "Lynx", "Marten", "Viper", "Raven", "Tapir")
_GROUP = 6  # claims of one marking
_TWINS = 0.08  # of what one source says another has said before


class News:
    """Makes claims; no source says the same twice."""

    def __init__(self, chance: random.Random, parties: tuple[Party, ...], people: tuple[Person, ...]) -> None:
        self._chance, self._parties, self._people = chance, parties, people
        self._partners = [party.slug for party in parties[1:]]
        self._said: list[Claim] = []
        self._by: dict[str, set[str]] = {party.slug: set() for party in parties}
        self._changed: set[str] = set()
        vendors = [party.slug for party in parties if party.is_vendor]
        bureaus = [party.slug for party in parties[1:] if not party.is_vendor]
        few = self._chance.sample(bureaus, min(len(bureaus), 12))
        self._sources = [*vendors * 3, *few, HOST]

    def stored(self, number: int, before: datetime) -> Iterator[Batch]:
        """What was known already."""
        while number > 0:
            claims = self._claims(self._chance.choice(self._sources), min(number, 200), before)
            number -= len(claims)
            yield Batch(at=before - timedelta(days=2), source=claims[0].source, claims=claims)

    def batches(self, begins: datetime, ends: datetime) -> Iterator[Batch]:
        """What comes in: last night's news first, then some each hour; now and then something taken back."""
        hours = (ends - begins).total_seconds() / 3600
        for number in range(6):
            source = self._sources[number % len(self._sources)]
            yield self._batch(source, begins + timedelta(seconds=30 + 5 * number))
        for _ in range(round(2.5 * hours)):
            at = begins + timedelta(hours=self._chance.uniform(0.1, hours))
            yield self._batch(self._chance.choice(self._sources), at)
        for _ in range(max(2, round(hours / 2))):
            yield from self._change(begins + timedelta(hours=self._chance.uniform(hours / 4, hours)))

    def _batch(self, source: str, at: datetime) -> Batch:
        return Batch(at=at, source=source, claims=self._claims(source, self._chance.randrange(10, 50), at))

    def _change(self, at: datetime) -> Iterator[Batch]:
        """Some of what everybody may read is revoked or restricted by its source."""
        wide = [
            claim
            for claim in self._said
            if claim.label in (CLEAR, GREEN) and claim.value not in self._changed and not _is_odd(claim)
        ]
        if not wide:
            return
        first = self._chance.choice(wide[-400:])
        chosen = tuple(claim for claim in wide if claim.family == first.family)[:4]
        self._changed |= {claim.value for claim in chosen}
        parts: dict[str, Any] = {self._chance.choice(("revokes", "narrows")): chosen}
        yield Batch(at=at, source=first.source, **parts)

    def _claims(self, source: str, number: int, at: datetime) -> tuple[Claim, ...]:
        found: list[Claim] = []
        while len(found) < number:
            family = f"{self._chance.choice(_BEASTS)} zq{self._chance.getrandbits(44):011x}"
            marking = self._marking(source, at)
            for _ in range(min(_GROUP, number - len(found))):
                kind, value = self._value(source)
                self._by[source].add(value)
                found.append(Claim(kind=kind, value=value, source=source, family=family, **marking))
        self._said += found
        return tuple(found)

    def _value(self, source: str) -> tuple[str, str]:
        if self._said and self._chance.random() < _TWINS:
            twin = self._chance.choice(self._said)
            if twin.value not in self._by[source]:
                return twin.kind, twin.value
        kind = self._chance.choices([k for k, _ in _KINDS], [w for _, w in _KINDS])[0]
        while (value := self._fresh(kind)) in self._by[source]:
            pass
        return kind, value

    def _fresh(self, kind: str) -> str:
        number = self._chance.getrandbits(256)
        match kind:
            case "sha256":
                return f"{number:064x}"
            case "md5":
                return f"{number >> 128:032x}"
            case "ipv4":
                return f"45.{number % 250}.{number // 250 % 250}.{number // 62500 % 250 + 1}"
            case "url":
                return f"http://zd{number >> 212:011x}.example.net/{number % 10**6}"
        return f"zd{number >> 212:011x}.example.com"

    def _marking(self, source: str, at: datetime) -> dict[str, Any]:
        label = self._chance.choices([x for x, _ in _LABELS], [w for _, w in _LABELS])[0]
        marking: dict[str, Any] = {"label": label}
        if label in (AMBER, STRICT) and self._chance.random() < 0.6:
            marking["addressed_to"] = self._some(source)
        if label == RED:
            marking["addressed_to"] = self._some(source)
            persons = [p.user for p in self._people if p.home in marking["addressed_to"]]
            marking["persons"] = frozenset(self._chance.sample(persons, min(len(persons), 2)))
        throw = self._chance.random()
        if throw < 0.05:
            marking["never_to"] = self._some(source)
        elif throw < 0.09:
            marking["only_orgs"] = self._some(source) | {source, HOST}
        elif throw < 0.12:
            marking["not_before"] = at + timedelta(hours=self._chance.uniform(2, 8))
        elif throw < 0.15:
            marking["not_after"] = at + timedelta(hours=self._chance.uniform(2, 30))
        return marking

    def _some(self, source: str) -> frozenset[str]:
        others = [slug for slug in self._partners if slug != source]
        return frozenset(self._chance.sample(others, min(len(others), self._chance.randrange(1, 6))))


def _is_odd(claim: Claim) -> bool:
    return bool(claim.never_to or claim.only_orgs or claim.not_before or claim.not_after)
