"""MISP events and feeds: attributes, objects and composites -> assertions.

https://www.misp-standard.org/rfc/misp-standard-core.html
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from bot.assertions import Assertion
from bot.errors import InputError
from bot.feeds import marking, strict_json
from bot.feeds.marking import Marking
from bot.feeds.misp_tags import family_and_tags, tag_names
from bot.feeds.parsed import Defaults, Parsed, Rejected, clean, moment, reason
from bot.feeds.strict_json import Span
from bot.feeds.values import HASHES, one_file, read
from bot.indicators import Indicator, Kind

# https://www.misp-project.org/datamodels/#types. Left out: what names no indicator (links to reports, file
# names, mutexes), victims (target-email), and digests of other things than files (imphash, ja3, x509).
_KINDS: dict[str, Kind] = {
    **{kind.value: kind for kind in HASHES},
    "ip-src": Kind.IPV4,
    "ip-dst": Kind.IPV4,
    "domain": Kind.DOMAIN,
    "hostname": Kind.DOMAIN,
    "url": Kind.URL,
    "uri": Kind.URL,
    "email": Kind.EMAIL,
    "email-src": Kind.EMAIL,
    "email-dst": Kind.EMAIL,
    "email-reply-to": Kind.EMAIL,
    "whois-registrant-email": Kind.EMAIL,
    "dns-soa-email": Kind.EMAIL,
    "vulnerability": Kind.CVE,
    "btc": Kind.BTC,
}
_NOT_KEPT = None
# The two halves of composite types.
_COMPOSITES: dict[str, tuple[Kind | None, Kind | None]] = {
    **{f"filename|{kind.value}": (_NOT_KEPT, kind) for kind in HASHES},
    "malware-sample": (_NOT_KEPT, Kind.MD5),
    "domain|ip": (Kind.DOMAIN, Kind.IPV4),
    "ip-src|port": (Kind.IPV4, _NOT_KEPT),
    "ip-dst|port": (Kind.IPV4, _NOT_KEPT),
    "hostname|port": (Kind.DOMAIN, _NOT_KEPT),
}
_SHARING_GROUP = "4"  # distribution: members of a group that only the sender's MISP knows
_INHERITED = "5"


def parse(data: bytes, defaults: Defaults) -> Iterator[Parsed]:
    """Every attribute of every event that names an indicator; what cannot be taken is named."""
    try:
        data = strict_json.document(data)
        events = list(_events(data, strict_json.root(data)))
    except InputError as error:
        yield Rejected("document", reason(error))
        return
    for number, span in enumerate(events):
        where = f"event[{number}]" if len(events) > 1 else "event"
        if isinstance(span, str):
            yield Rejected(where, span)
            continue
        try:
            yield from _Event(data, strict_json.members(data, span), defaults, where).read()
        except InputError as error:
            yield Rejected(where, reason(error))


def _events(data: bytes, span: Span, *, level: int = 0) -> Iterator[Span | str]:
    """The events of `{"Event": ...}`, `{"response": [...]}`, a list of either, or an event itself.

    For an element of a list that is none, the reason.
    """
    if level > 3:
        raise InputError("not a MISP document: events inside of events")
    if strict_json.is_array(data, span):
        for element in strict_json.elements(data, span):
            try:
                yield from _events(data, element, level=level + 1)
            except InputError as error:
                yield reason(error)
        return
    if not strict_json.is_object(data, span):
        raise InputError("not a MISP document: an object or a list is expected")
    members = strict_json.members(data, span)
    inner = members.get("response", members.get("Event"))
    if inner is not None:
        yield from _events(data, inner, level=level + 1)
    elif "Attribute" in members or "Object" in members or "info" in members:
        yield span
    else:
        raise InputError("not a MISP document: it has no Event")


@dataclass(frozen=True)
class _Scope:
    """What holds for an attribute because of the event or the object it stands in."""

    marking: Marking
    tags: tuple[str, ...]
    context: str | None
    deleted: bool = False
    grouped: bool = False  # only for a sharing group


class _Event:
    """One event on its way to assertions."""

    def __init__(self, data: bytes, members: Mapping[str, Span], defaults: Defaults, where: str) -> None:
        self._data = data
        self._members = members
        self._defaults = defaults
        self._where = where
        whole = {
            key: strict_json.value(data, members[key])
            for key in ("info", "Tag", "Galaxy", "distribution")
            if key in members
        }
        tags = tag_names(whole)
        self._scope = _Scope(
            marking=marking.of_tags(tags),
            tags=tags,
            context=clean(whole.get("info"), 300),
            grouped=str(whole.get("distribution")) == _SHARING_GROUP,
        )

    def read(self) -> Iterator[Parsed]:
        for number, thing in self._listed("Attribute"):
            if isinstance(thing, Rejected):
                yield thing
            else:
                yield from self._attribute(thing, self._scope, f"Attribute[{number}]")
        for number, thing in self._listed("Object"):
            if isinstance(thing, Rejected):
                yield thing
            else:
                yield from self._object(thing, f"Object[{number}]")

    def _listed(self, key: str) -> Iterator[tuple[int, dict[str, Any] | Rejected]]:
        """The elements of one list of the event; a bad one is named and costs nothing else."""
        span = self._members.get(key)
        if span is None or not strict_json.is_array(self._data, span):
            return
        for number, element in enumerate(strict_json.elements(self._data, span)):
            try:
                thing = strict_json.value(self._data, element)
                if not isinstance(thing, dict):
                    raise InputError(f"not a MISP {key.lower()}")
                yield number, thing
            except InputError as error:
                yield number, Rejected(f"{self._where} {key}[{number}]", reason(error))

    def _object(self, thing: Mapping[str, Any], where: str) -> Iterator[Parsed]:
        scope = _Scope(
            marking=self._scope.marking | marking.of_tags(tag_names(thing)),
            tags=self._scope.tags,
            context=clean(thing.get("comment")) or self._scope.context,
            deleted=_flag(thing.get("deleted")),
            grouped=_is_grouped(thing, self._scope),
        )
        listed = thing.get("Attribute")
        found: list[Parsed] = []
        for number, attribute in enumerate(listed if isinstance(listed, list) else ()):
            place = f"{where}.Attribute[{number}]"
            if isinstance(attribute, dict):
                found.extend(self._attribute(attribute, scope, place))
            else:
                found.append(Rejected(f"{self._where} {place}", "not a MISP attribute"))
        yield from _as_one_file(found) if thing.get("name") == "file" else found

    def _attribute(self, thing: Mapping[str, Any], scope: _Scope, where: str) -> Iterator[Parsed]:
        own = tag_names(thing)
        marked = scope.marking | marking.of_tags(own)
        family, tags = family_and_tags(own, scope.tags)
        for indicator in _indicators(thing):
            if isinstance(indicator, str):
                yield Rejected(f"{self._where} {where}", indicator)
                continue
            yield Assertion(
                indicator=indicator,
                source=self._defaults.source,
                label=marked.resolved(self._defaults.label),
                quarantined=marked.unread,
                pap=marked.pap,
                only_orgs=frozenset() if _is_grouped(thing, scope) else None,
                first_seen=moment(thing.get("first_seen")),
                last_seen=moment(thing.get("last_seen")),
                family=family,
                tags=tags,
                context=clean(thing.get("comment")) or scope.context,
                to_ids=_flag(thing.get("to_ids", True)),
                revoked=scope.deleted or _flag(thing.get("deleted")),
            )


def _indicators(thing: Mapping[str, Any]) -> Iterator[Indicator | str]:
    """The indicators an attribute names, or why one of them cannot be taken."""
    kind, text = thing.get("type"), thing.get("value")
    if isinstance(kind, str) and kind not in _KINDS and kind not in _COMPOSITES:
        return
    if not isinstance(kind, str) or not isinstance(text, str):
        yield "an attribute without type or value"
        return
    if kind in _COMPOSITES:
        # A file name may hold the bar itself.
        split = text.rpartition if _COMPOSITES[kind][0] is _NOT_KEPT else text.partition
        pairs = zip(_COMPOSITES[kind], split("|")[::2], strict=True)
    else:
        pairs = zip((_KINDS[kind],), (text,), strict=True)
    for expected, half in pairs:
        if expected is None:
            continue
        try:
            yield read(expected, half)
        except InputError as error:
            yield reason(error)


def _as_one_file(found: Iterable[Parsed]) -> Iterator[Parsed]:
    """Tie the hashes of a file object together."""
    listed = list(found)
    file = one_file(item.indicator for item in listed if isinstance(item, Assertion))
    for item in listed:
        if isinstance(item, Assertion) and item.indicator.kind in HASHES:
            yield msgspec.structs.replace(item, file=file)
        else:
            yield item


def _is_grouped(thing: Mapping[str, Any], scope: _Scope) -> bool:
    own = str(thing.get("distribution", _INHERITED))
    return own == _SHARING_GROUP or scope.grouped


def _flag(value: object) -> bool:
    """MISP writes booleans as true, 1 or "1"."""
    return value is True or str(value) == "1"
