"""What the objects of a STIX bundle say about each other: markings, names, techniques, containers."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from typing import Any

from bot.feeds import stix_markings
from bot.feeds.marking import Marking
from bot.feeds.parsed import moment, name

# Where a family's name is taken from, best first: the malware says more than the actor behind it.
_NAMED = ("malware", "tool", "campaign", "intrusion-set", "threat-actor")
TECHNIQUE = len(_NAMED)  # the rank of what is no family
_CONTAINERS = ("report", "grouping", "observed-data")
_TECHNIQUE = re.compile(r"T[A]?[0-9]{4}(?:\.[0-9]{3})?", re.ASCII)
MAX_LINKS = 64  # relationships looked at for one object

Ids = tuple[str, ...]


@dataclass(frozen=True)
class Name:
    """What another object says about an indicator: the family (rank 0 is best) or a technique."""

    rank: int
    text: str
    marked: Ids


@dataclass
class Links:
    """Filled by one pass over all objects, then asked about each indicator."""

    bundle: Ids = ()  # markings on the whole
    _definitions: dict[str, Marking] = field(default_factory=dict)
    _names: dict[str, Name] = field(default_factory=dict)
    _techniques: dict[str, Name] = field(default_factory=dict)
    _related: dict[str, list[tuple[str, Ids]]] = field(default_factory=dict)
    _containers: dict[str, list[Ids]] = field(default_factory=dict)
    _seen: dict[str, tuple[datetime | None, datetime | None]] = field(default_factory=dict)
    _same: dict[Ids, Ids] = field(default_factory=dict)  # one tuple for equal markings, to save memory

    def note(self, thing: Mapping[str, Any]) -> None:
        """Keep what this object says about others."""
        kind, own = thing.get("type"), thing.get("id")
        if not isinstance(own, str):
            return
        if kind == "marking-definition":
            known = self._definitions.get(own)
            said = stix_markings.define(thing)
            self._definitions[own] = said | known if known else said
        elif kind == "relationship":
            self._relate(thing)
        elif kind in _NAMED:
            self._name(own, thing, _NAMED.index(kind))
        elif kind == "attack-pattern":
            found = techniques(thing)
            if found:
                self._techniques[own] = Name(TECHNIQUE, found[0], self._marks(thing))
        elif kind in _CONTAINERS:
            self._contain(thing)

    def marking(self, thing: Mapping[str, Any]) -> Marking:
        """All that marks an object: itself, the reports and groupings it is listed in, the bundle."""
        around = chain.from_iterable(self._containers.get(_id(thing), ()))
        ids = chain(stix_markings.references(thing), around, self.bundle)
        return stix_markings.resolve(ids, self._definitions)

    def names(self, thing: Mapping[str, Any]) -> Iterator[tuple[Name, Marking]]:
        """Families and techniques reached by a relationship, each with the markings on the way."""
        for other, marks in self._related.get(_id(thing), ())[:MAX_LINKS]:
            found = self._names.get(other) or self._techniques.get(other)
            if found is not None:
                yield found, stix_markings.resolve((*marks, *found.marked), self._definitions)

    def seen(self, thing: Mapping[str, Any]) -> tuple[datetime | None, datetime | None]:
        """When an object was observed first and last, by the observed-data that lists it."""
        return self._seen.get(_id(thing), (None, None))

    def _relate(self, thing: Mapping[str, Any]) -> None:
        source, target = thing.get("source_ref"), thing.get("target_ref")
        if isinstance(source, str) and isinstance(target, str) and thing.get("revoked") is not True:
            marks = self._marks(thing)
            self._related.setdefault(source, []).append((target, marks))
            self._related.setdefault(target, []).append((source, marks))

    def _name(self, own: str, thing: Mapping[str, Any], rank: int) -> None:
        text = name(thing.get("name"))
        if text is not None:
            self._names[own] = Name(rank, text, self._marks(thing))

    def _contain(self, thing: Mapping[str, Any]) -> None:
        listed = thing.get("object_refs")
        marks = self._marks(thing)
        times = (moment(thing.get("first_observed")), moment(thing.get("last_observed")))
        for reference in listed if isinstance(listed, list) else ():
            if isinstance(reference, str):
                if marks:
                    self._containers.setdefault(reference, []).append(marks)
                if times != (None, None):
                    self._seen[reference] = times

    def _marks(self, thing: Mapping[str, Any]) -> Ids:
        return self._shared(stix_markings.references(thing))

    def _shared(self, ids: Ids) -> Ids:
        return self._same.setdefault(ids, ids)


def techniques(thing: Mapping[str, Any]) -> list[str]:
    """The ATT&CK ids an object refers to."""
    listed = thing.get("external_references")
    return [
        identifier
        for reference in (listed if isinstance(listed, list) else ())
        if isinstance(reference, dict) and str(reference.get("source_name")).lower().startswith("mitre")
        if isinstance(identifier := reference.get("external_id"), str) and _TECHNIQUE.fullmatch(identifier)
    ]


def _id(thing: Mapping[str, Any]) -> str:
    own = thing.get("id")
    return own if isinstance(own, str) else ""
