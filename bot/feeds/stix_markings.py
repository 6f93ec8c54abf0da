"""The markings of a STIX bundle: TLP 1.0 and 2.0 by id and by content, PAP, and what nobody here knows.

TLP 2.0: https://github.com/oasis-open/cti-stix-common-objects/tree/main/extension-definition-specifications/tlp-2.0
"""

from collections.abc import Iterable, Mapping
from typing import Any

from bot.feeds import marking
from bot.feeds.marking import NONE, UNREAD, Marking
from bot.tlp import STIX_MARKINGS

# Definitions are looked up only in the document at hand: a well-known id needs none.
Definitions = Mapping[str, Marking]


def define(definition: Mapping[str, Any]) -> Marking:
    """What one marking-definition says; a copyright statement says nothing about sharing."""
    found = [_by_type(kind, text) for kind, text in _statements(definition)]
    return sum_of(found) if found else UNREAD


def references(thing: Mapping[str, Any]) -> tuple[str, ...]:
    """The ids of all markings on an object, those of single properties included; "" for one without id."""
    return tuple(one if isinstance(one, str) else "" for one in _references(thing))


def resolve(ids: Iterable[str], definitions: Definitions) -> Marking:
    """What those markings come to: the strictest counts."""
    return sum_of(_by_id(one, definitions) for one in ids)


def sum_of(markings: Iterable[Marking]) -> Marking:
    """Several markings on one thing."""
    total = NONE
    for one in markings:
        total |= one
    return total


def _statements(definition: Mapping[str, Any]) -> Iterable[tuple[str, object]]:
    """(kind, text) pairs of the definition itself, the TLP 2.0 extension and OpenCTI's own fields."""
    kind, content = definition.get("definition_type"), definition.get("definition")
    if isinstance(kind, str):
        kind = kind.lower()
        held = content if isinstance(content, dict) else {}
        yield kind, next((text for key, text in held.items() if key.lower() == kind), content)
    extensions = definition.get("extensions")
    for extension in extensions.values() if isinstance(extensions, dict) else ():
        if isinstance(extension, dict) and "tlp_2_0" in extension:
            yield "tlp", extension["tlp_2_0"]
    own = definition.get("x_opencti_definition_type")
    if isinstance(own, str):
        yield own.lower(), definition.get("x_opencti_definition")


def _by_type(kind: str, text: object) -> Marking:
    if kind == "statement":
        hidden = isinstance(text, str) and "tlp" in text.casefold()
        return marking.of_label(text) if hidden else NONE
    if text in (None, ""):
        return UNREAD
    if kind == "pap":
        return marking.of_pap(text)
    return marking.of_label(text) if kind.startswith("tlp") else UNREAD


def _references(thing: Mapping[str, Any]) -> Iterable[object]:
    references = thing.get("object_marking_refs")
    if references is not None:
        yield from references if isinstance(references, list) else (references,)
    granular = thing.get("granular_markings")
    if granular is None:
        return
    for one in granular if isinstance(granular, list) else (granular,):
        if not isinstance(one, dict):
            yield None
        elif "lang" not in one:  # a granular marking may name a language instead
            yield one.get("marking_ref")


def _by_id(reference: str, definitions: Definitions) -> Marking:
    defined = definitions.get(reference)
    known = STIX_MARKINGS.get(reference)
    if known is None:
        return UNREAD if defined is None else defined
    return Marking(known) | (defined or NONE)
