"""STIX 2.0 and 2.1: bundles, TAXII envelopes and lists of objects -> assertions.

https://docs.oasis-open.org/cti/stix/v2.1/os/stix-v2.1-os.html
Read in two passes: first what objects say about each other, then the indicators and observed objects.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from bot.assertions import Assertion
from bot.errors import InputError
from bot.feeds import marking, stix_markings, stix_patterns, strict_json
from bot.feeds.parsed import Defaults, Parsed, Rejected, clean, moment, name, names, percent, reason
from bot.feeds.stix_links import TECHNIQUE, Ids, Links, Name, techniques
from bot.feeds.stix_patterns import Named
from bot.feeds.strict_json import Span
from bot.feeds.values import one_file, read
from bot.indicators import Indicator, Kind

FAMILY_LABEL = "family:"  # how our own export writes a family into `labels`
_MARKINGS = ("object_marking_refs", "granular_markings")
_NOTHING = Indicator(Kind.DOMAIN, "")  # until a value is filled in


def parse(data: bytes, defaults: Defaults) -> Iterator[Parsed]:
    """Every indicator and observed object of a STIX document; what cannot be taken is named."""
    try:
        data = strict_json.document(data)
        bundles = list(_bundles(data, strict_json.root(data)))
    except InputError as error:
        yield Rejected("document", reason(error))
        return
    for marks, objects in bundles:
        yield from _Bundle(data, objects, Links(bundle=marks), defaults).read()


def _bundles(data: bytes, span: Span, *, wrapped: bool = False) -> Iterator[tuple[Ids, list[Span]]]:
    """The object lists of a document, each with the markings that stand on the whole of it."""
    if strict_json.is_array(data, span):
        yield from _listed(data, list(strict_json.elements(data, span)))
        return
    if not strict_json.is_object(data, span):
        raise InputError("not a STIX document: an object or a list is expected")
    members = strict_json.members(data, span)
    if "objects" in members:
        own = {key: strict_json.value(data, members[key]) for key in _MARKINGS if key in members}
        yield stix_markings.references(own), list(strict_json.elements(data, members["objects"]))
    elif "bundle" in members and not wrapped:  # Trend Vision One wraps it
        yield from _bundles(data, members["bundle"], wrapped=True)
    elif "type" in members:
        yield (), [span]
    else:
        raise InputError("not a STIX document: it has neither objects nor a type")


def _listed(data: bytes, spans: list[Span]) -> Iterator[tuple[Ids, list[Span]]]:
    """A list of objects, of bundles, or of both."""
    loose = []
    for span in spans:
        if _is_bundle(data, span):
            yield from _bundles(data, span)
        else:
            loose.append(span)
    if loose:
        yield (), loose


def _is_bundle(data: bytes, span: Span) -> bool:
    try:
        return strict_json.is_object(data, span) and "objects" in strict_json.members(data, span)
    except InputError:
        return False


class _Bundle:
    """One bundle on its way to assertions."""

    def __init__(self, data: bytes, objects: list[Span], links: Links, defaults: Defaults) -> None:
        self._data = data
        self._objects = objects
        self._links = links
        self._defaults = defaults

    def read(self) -> Iterator[Parsed]:
        claims: list[int] = []
        for number, span in enumerate(self._objects):
            try:
                thing = self._thing(span)
            except InputError as error:
                yield Rejected(f"objects[{number}]", reason(error))
                continue
            self._links.note(thing)
            if _claims(thing):
                claims.append(number)
        for number in claims:
            yield from self._claimed(number, self._thing(self._objects[number]))

    def _thing(self, span: Span) -> dict[str, Any]:
        thing = strict_json.value(self._data, span)
        if not isinstance(thing, dict):
            raise InputError("not a STIX object")
        return thing

    def _claimed(self, number: int, thing: Mapping[str, Any]) -> Iterator[Parsed]:
        where = f"objects[{number}] {clean(thing.get('id'), 80) or ''}".rstrip()
        try:
            found = list(_named(thing))
        except InputError as error:
            yield Rejected(where, reason(error))
            return
        facts = self._facts(thing)
        for group in _by_file(found):
            yield from _assertions(group, facts, where)

    def _facts(self, thing: Mapping[str, Any]) -> Assertion:
        """Everything but the indicator, which is filled in for each value the object names."""
        labels = (*_strings(thing.get("labels")), *_strings(thing.get("indicator_types")))
        marked = self._links.marking(thing) | marking.of_tags(labels)
        default = self._defaults.label
        linked = [found for found, marks in self._links.names(thing) if marked.allows(marks, default)]
        first, last = self._links.seen(thing)
        family, tags = _family(sorted(linked, key=lambda one: one.rank), labels)
        return Assertion(
            indicator=_NOTHING,
            source=self._defaults.source,
            label=marked.resolved(default),
            quarantined=marked.unread,
            pap=marked.pap,
            not_before=moment(thing.get("valid_from")),
            not_after=moment(thing.get("valid_until")),
            first_seen=moment(thing.get("first_observed")) or first,
            last_seen=moment(thing.get("last_observed")) or last,
            confidence=percent(thing.get("confidence")),
            family=family,
            tags=names((*tags, *techniques(thing), *_phases(thing))),
            context=clean(thing.get("description")) or clean(thing.get("name")),
            to_ids=thing.get("type") == "indicator",
            revoked=thing.get("revoked") is True,
        )


def _claims(thing: Mapping[str, Any]) -> bool:
    kind = thing.get("type")
    if kind in ("indicator", "observed-data", "vulnerability", "file", "artifact"):
        return True
    return isinstance(kind, str) and stix_patterns.kept(f"{kind}:value") is not None


def _named(thing: Mapping[str, Any]) -> Iterator[Named]:
    """The values an object names. Raises InputError if it is an indicator without any."""
    match thing.get("type"):
        case "indicator":
            yield from _in_pattern(thing)
        case "observed-data":
            listed = thing.get("objects")  # STIX 2.0; 2.1 lists objects of the bundle instead
            for number, held in enumerate(listed.values() if isinstance(listed, dict) else ()):
                if isinstance(held, dict):
                    yield from _in_object(held, number)
        case "vulnerability":
            yield from _in_vulnerability(thing)
        case _:
            yield from _in_object(thing, 0)


def _in_pattern(thing: Mapping[str, Any]) -> list[Named]:
    language, pattern = thing.get("pattern_type", "stix"), thing.get("pattern")
    if language != "stix":
        raise InputError(f"a pattern in {clean(language, 20)}, which is not read")
    if not isinstance(pattern, str):
        raise InputError("an indicator without a pattern")
    return stix_patterns.read(pattern)


def _in_object(thing: Mapping[str, Any], file: int) -> Iterator[Named]:
    """A cyber-observable object: its value, or its hashes."""
    hashes = thing.get("hashes")
    if thing.get("type") in ("file", "artifact") and isinstance(hashes, dict):
        for algorithm, text in hashes.items():
            if stix_patterns.algorithm(algorithm) in stix_patterns.ALGORITHMS and isinstance(text, str):
                yield Named(Kind.SHA256, text, file=file)
    kind = stix_patterns.kept(f"{thing.get('type')}:value")
    text = thing.get("value")
    if kind is not None and isinstance(text, str):
        yield Named(kind, text)


def _in_vulnerability(thing: Mapping[str, Any]) -> Iterator[Named]:
    listed = thing.get("external_references")
    for reference in listed if isinstance(listed, list) else ():
        if isinstance(reference, dict) and reference.get("source_name") == "cve":
            yield Named(Kind.CVE, str(reference.get("external_id")))
            return
    title = thing.get("name")
    if isinstance(title, str) and title.upper().startswith("CVE-"):
        yield Named(Kind.CVE, title)


def _by_file(found: list[Named]) -> list[list[Named]]:
    """The values one by one, but the hashes of one file together."""
    groups: dict[object, list[Named]] = {}
    for number, named in enumerate(found):
        groups.setdefault(("alone", number) if named.file is None else named.file, []).append(named)
    return list(groups.values())


def _assertions(group: list[Named], facts: Assertion, where: str) -> Iterator[Parsed]:
    taken: list[tuple[Indicator, bool]] = []
    for named in group:
        try:
            taken.append((read(named.kind, named.value), named.alone))
        except InputError as error:
            yield Rejected(where, reason(error))
    file = one_file(indicator for indicator, _ in taken)
    for indicator, alone in taken:
        yield msgspec.structs.replace(facts, indicator=indicator, to_ids=facts.to_ids and alone, file=file)


def _family(linked: list[Name], labels: tuple[str, ...]) -> tuple[str | None, list[str]]:
    """The family, and what is left as tags; our own export writes the family as a label."""
    texts = [one.text for one in linked]
    written = [text.removeprefix(FAMILY_LABEL) for text in labels if text.startswith(FAMILY_LABEL)]
    tags = [text for text in labels if not text.startswith(FAMILY_LABEL) and marking.of_tag(text) is None]
    family = name(next(iter(written), None))
    if family is None and linked and linked[0].rank < TECHNIQUE:
        family = texts.pop(0)
    return family, [*tags, *texts]


def _phases(thing: Mapping[str, Any]) -> Iterator[str]:
    """The steps of a kill chain, such as `mitre-attack:initial-access`."""
    listed = thing.get("kill_chain_phases")
    for phase in listed if isinstance(listed, list) else ():
        if isinstance(phase, dict):
            yield f"{phase.get('kill_chain_name')}:{phase.get('phase_name')}"


def _strings(value: object) -> list[str]:
    return [text for text in value if isinstance(text, str)] if isinstance(value, list) else []
