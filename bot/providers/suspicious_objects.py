"""Trend Vision One's list of suspicious objects: what a page of it says, and what a listed object comes to.

https://automation.trendmicro.com/xdr/api-v3/ (GET /v3.0/threatintel/suspiciousObjects). The list holds SHA-1
and SHA-256 of files, but no MD5.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import SplitResult, urlsplit

from bot.errors import InputError
from bot.findings import Outcome, Report
from bot.indicators import Indicator, Kind, canonical
from bot.providers import fields
from bot.providers.remote import Reply, decoded, refuse_errors
from bot.providers.spec import NoAnswerError
from bot.verdicts import Verdict

PATH = "/v3.0/threatintel/suspiciousObjects"
FIRST_QUERY = "top=200"  # objects of a page: 50, 100 or 200

# The kinds a value may be of, by the word in `type`, which is also the key that holds the value.
_KINDS: Mapping[str, Sequence[Kind]] = {
    "fileSha1": (Kind.SHA1,),
    "fileSha256": (Kind.SHA256,),
    "ip": (Kind.IPV4, Kind.IPV6),
    "domain": (Kind.DOMAIN,),
    "url": (Kind.URL,),
    "senderMailAddress": (Kind.EMAIL,),
}
KINDS = frozenset(kind for kinds in _KINDS.values() for kind in kinds)

_VERDICTS = {"high": Verdict.MALICIOUS, "medium": Verdict.SUSPICIOUS, "low": Verdict.SUSPICIOUS}
_LINK = re.compile(r"[!-~]{1,4000}", re.ASCII)  # urlsplit would drop line ends and tabs silently
_PORTS = {"https": 443, "http": 80}


@dataclass(frozen=True, slots=True)
class Listed:
    """What the list says about one object."""

    risk: str  # high, medium or low; "" for any other word
    action: str | None  # block or log
    is_excepted: bool  # somebody of the tenant vouches for it
    changed: datetime | None  # aware UTC
    expires: datetime | None  # aware UTC
    note: str | None


@dataclass(frozen=True)
class Page:
    """A part of the list."""

    objects: Sequence[tuple[Indicator, Listed]]
    skipped: int  # objects that could not be read, such as names with wildcards
    following: str | None  # the query of the next page as it stands in the link; None on the last page


def read_page(reply: Reply, base_url: str) -> Page:
    """What a page says. Raises NoAnswerError, also when it leads to anywhere but the list's own address."""
    refuse_errors(reply)
    answer = decoded(reply)
    items = answer.get("items")
    if reply.status != 200 or not isinstance(items, list):
        raise NoAnswerError(Outcome.BAD_ANSWER)
    objects = [found for item in items if (found := _object(fields.mapping(item))) is not None]
    return Page(objects, len(items) - len(objects), _following(answer.get("nextLink"), base_url))


def add(page: Page, objects: dict[Indicator, Listed]) -> None:
    """Add the objects of a page; of one that is there already, the entry changed last stays."""
    for indicator, listed in page.objects:
        known = objects.get(indicator)
        if known is None or _changed(known) <= _changed(listed):
            objects[indicator] = listed


def verdict(listed: Listed, now: datetime) -> Verdict:
    """An entry that has expired neither condemns nor vouches; an excepted one is vouched for."""
    if listed.expires is not None and listed.expires <= now:
        return Verdict.UNKNOWN
    if listed.is_excepted:
        return Verdict.BENIGN
    return _VERDICTS.get(listed.risk, Verdict.UNKNOWN)


def report(listed: Listed, now: datetime, list_is_of: str) -> Report:
    """What the entry comes to; `list_is_of` says how old the list is."""
    expires = None if listed.expires is None else minute(listed.expires)
    is_over = listed.expires is not None and listed.expires <= now
    return Report(
        verdict=verdict(listed, now),
        score=f"risk {listed.risk}" if listed.risk else None,
        facts=fields.facts(
            ("list of", list_is_of),
            ("expired" if is_over else "expires", expires),
            ("exception list", "yes" if listed.is_excepted else None),
            ("action", listed.action),
            ("changed", None if listed.changed is None else minute(listed.changed)),
            ("note", listed.note),
        ),
    )


def minute(time: datetime) -> str:
    """Day and minute for people."""
    return f"{time.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _object(item: Mapping[str, Any]) -> tuple[Indicator, Listed] | None:
    """None for what cannot be read: an entry that may be over, or excepted, must not be half understood."""
    kind = item.get("type")
    kinds = _KINDS.get(kind, ()) if isinstance(kind, str) else ()
    indicator = next(filter(None, (_indicator(one, item.get(str(kind))) for one in kinds)), None)
    expires, ends = item.get("expiredDateTime"), fields.moment(item.get("expiredDateTime"))
    is_excepted = item.get("inExceptionList", False)
    if indicator is None or not isinstance(is_excepted, bool) or (expires and ends is None):
        return None
    risk = (fields.text(item.get("riskLevel")) or "").lower()
    return indicator, Listed(
        risk=risk if risk in _VERDICTS else "",
        action=fields.text(item.get("scanAction")),
        is_excepted=is_excepted,
        changed=fields.moment(item.get("lastModifiedDateTime")),
        expires=ends,
        note=fields.text(item.get("description")),
    )


def _indicator(kind: Kind, value: object) -> Indicator | None:
    try:
        return canonical(kind, value) if isinstance(value, str) else None
    except InputError:
        return None


def _changed(listed: Listed) -> datetime:
    return listed.changed or datetime.min.replace(tzinfo=UTC)


def _following(link: object, base_url: str) -> str | None:
    """Its query with every parameter, as it stands; the key must go nowhere else."""
    if link is None or link == "":
        return None
    try:
        there, here = urlsplit(_printable(link)), urlsplit(base_url)
        is_here = _origin(there) == _origin(here) and there.path == here.path.rstrip("/") + PATH
    except ValueError:
        is_here = False
    if not is_here or there.fragment or not there.query:
        raise NoAnswerError(Outcome.BAD_ANSWER)
    return there.query


def _printable(link: object) -> str:
    if not isinstance(link, str) or not _LINK.fullmatch(link):
        raise ValueError
    return link


def _origin(parts: SplitResult) -> tuple[str, str | None, int | None, str]:
    """What must be the same for the same server; also nobody's name before it."""
    credentials = parts.netloc.rpartition("@")[0]
    return parts.scheme, parts.hostname, parts.port or _PORTS.get(parts.scheme), credentials
