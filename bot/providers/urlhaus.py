"""URLhaus: addresses that spread malware and the files found there, as collected by abuse.ch."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from bot.findings import Outcome, Report
from bot.indicators import Indicator, Kind
from bot.providers import abusech
from bot.providers.fields import (
    facts,
    hexadecimal,
    items,
    listed,
    mapping,
    moment,
    number,
    objects,
    text,
)
from bot.providers.options import Options, as_run
from bot.providers.remote import Reply, Request
from bot.providers.spec import NoAnswerError, Spec
from bot.tlp import Label
from bot.urls import canonical_url
from bot.verdicts import Verdict

BASE_URL = "https://urlhaus-api.abuse.ch"
SPEC = Spec(
    name="urlhaus",
    title="URLhaus",
    kinds=frozenset({Kind.MD5, Kind.SHA256, Kind.IPV4, Kind.DOMAIN, Kind.URL}),
    operators=abusech.OPERATORS,
    ceiling=Label.GREEN,
    label=Label.CLEAR,
    budget=abusech.BUDGET,
    fresh_found=timedelta(hours=6),  # whether an address is online changes by the hour
)

_HASHES = frozenset({Kind.MD5, Kind.SHA256})
# An address that it refuses to look for cannot be listed. A hash that it refuses would be a mistake of ours.
_ABSENT = frozenset({"no_results", "invalid_url", "invalid_host"})


class URLhaus:
    """The list as a `remote.Service`; https://urlhaus-api.abuse.ch/ says how it talks."""

    def __init__(self, options: Options) -> None:
        self.spec = as_run(SPEC, options)
        self._headers = abusech.headers(options)

    def request(self, indicator: Indicator) -> Request:
        """Ask for one payload, address or host."""
        path, form = _question(indicator)
        return Request(method="POST", path=path, headers=self._headers, form=form)

    def read(self, indicator: Indicator, reply: Reply) -> Report | None:
        """What is known of exactly this value. Raises NoAnswerError."""
        answer = abusech.answer(reply, absent=_ABSENT)
        if answer is None:
            return None
        if not _is_about(indicator, answer):
            raise NoAnswerError(Outcome.BAD_ANSWER)
        return _reader(indicator.kind)(answer)


def _question(indicator: Indicator) -> tuple[str, dict[str, str]]:
    if indicator.kind in _HASHES:
        return "/v1/payload/", {f"{indicator.kind}_hash": indicator.value}
    if indicator.kind is Kind.URL:
        return "/v1/url/", {"url": _address(indicator.value)}
    return "/v1/host/", {"host": indicator.value}


def _address(url: str) -> str:
    """What a browser would fetch, as the list keeps it: our own form may lack a scheme or the lone slash."""
    whole = url if "://" in url else f"http://{url}"
    return whole if "/" in whole.partition("://")[2] else f"{whole}/"


def _is_about(indicator: Indicator, answer: dict[str, Any]) -> bool:
    if indicator.kind in _HASHES:
        said = hexadecimal(answer.get(f"{indicator.kind}_hash"), len(indicator.value))
        return said == indicator.value
    if indicator.kind is Kind.URL:
        url = answer.get("url")
        return isinstance(url, str) and canonical_url(url) == canonical_url(_address(indicator.value))
    host = answer.get("host")
    return isinstance(host, str) and host.lower() == indicator.value


def _reader(kind: Kind) -> Callable[[dict[str, Any]], Report]:
    if kind in _HASHES:
        return _payload
    return _url if kind is Kind.URL else _host


def _payload(answer: dict[str, Any]) -> Report:
    """A file that was fetched from an address on the list: malware."""
    size = number(answer.get("file_size"))
    places = objects(answer.get("urls"))
    return Report(
        verdict=Verdict.MALICIOUS,
        family=text(answer.get("signature")),
        first_seen=moment(answer.get("firstseen")),
        last_seen=moment(answer.get("lastseen")),
        facts=facts(
            ("type", text(answer.get("file_type"))),
            ("size", None if size is None else f"{size} bytes"),
            ("file names", listed(place.get("filename") for place in places)),
            ("addresses", _count(answer, places)),
            ("found at", listed((place.get("url") for place in places), at_most=2)),
            ("VirusTotal, as URLhaus gives it", text(mapping(answer.get("virustotal")).get("result"))),
        ),
    )


def _url(answer: dict[str, Any]) -> Report:
    """An address is malicious while malware is served there; what was there once makes it suspicious.

    Afterwards the site may be clean again: many were broken into, and sites get new owners.
    """
    is_online = answer.get("url_status") == "online"
    payloads = objects(answer.get("payloads"))
    return Report(
        verdict=Verdict.MALICIOUS if is_online else Verdict.SUSPICIOUS,
        score=text(answer.get("url_status")),
        family=next(filter(None, (text(payload.get("signature")) for payload in payloads)), None),
        first_seen=moment(answer.get("date_added")),
        last_seen=moment(answer.get("last_online")),
        facts=facts(
            ("threat", text(answer.get("threat"))),
            ("tags", listed(items(answer.get("tags")))),
            *_blocklists(answer),
            ("payloads", listed((payload.get("response_sha256") for payload in payloads), at_most=2)),
            ("reporter", text(answer.get("reporter"))),
        ),
    )


def _host(answer: dict[str, Any]) -> Report:
    """A host is at most suspicious, and only while something is online there.

    File sharing sites and broken-into shops are on the list with all that their users put there; the address
    that serves malware is condemned, not everybody behind the same name.
    """
    places = objects(answer.get("urls"), at_most=1000)
    online = sum(place.get("url_status") == "online" for place in places)
    return Report(
        verdict=Verdict.SUSPICIOUS if online else Verdict.UNKNOWN,
        score=f"{online} online",
        first_seen=moment(answer.get("firstseen")),
        last_seen=max((time for place in places if (time := moment(place.get("date_added")))), default=None),
        facts=facts(
            ("addresses that spread malware", _count(answer, places)),
            ("online now", str(online)),
            ("tags", listed(tag for place in places[:100] for tag in items(place.get("tags"), at_most=9))),
            *_blocklists(answer),
        ),
    )


def _count(answer: dict[str, Any], places: list[dict[str, Any]]) -> str:
    """How many addresses it knows; the list in an answer may be shorter."""
    return str(max(number(answer.get("url_count")) or 0, len(places)))


def _blocklists(answer: dict[str, Any]) -> tuple[tuple[str, str | None], ...]:
    lists = mapping(answer.get("blacklists"))
    return ("Spamhaus DBL", text(lists.get("spamhaus_dbl"))), ("SURBL", text(lists.get("surbl")))
