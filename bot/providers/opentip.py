"""Kaspersky: the open threat intelligence portal (OpenTIP), or with a licence the commercial one.

https://opentip.kaspersky.com/Help/Doc_data/WorkingWithAPI.htm
https://tip.kaspersky.com/Help/Doc_data/en-US/ThreatLookupAPI.htm
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlsplit

from bot.findings import Outcome, Report
from bot.indicators import Indicator, Kind
from bot.providers import fields
from bot.providers.options import Options, as_run
from bot.providers.remote import Reply, Request, Service, decoded, refuse_errors
from bot.providers.spec import Budget, NoAnswerError, Spec
from bot.tlp import Label
from bot.verdicts import Verdict

BASE_URL = "https://opentip.kaspersky.com"
PORTAL_URL = "https://tip.kaspersky.com"
FILES = frozenset({Kind.MD5, Kind.SHA1, Kind.SHA256})
_TYPES = {**dict.fromkeys(FILES, "hash"), Kind.IPV4: "ip", Kind.DOMAIN: "domain", Kind.URL: "url"}

SPEC = Spec(
    name="opentip",
    title="Kaspersky OpenTIP",
    kinds=frozenset(_TYPES),
    operators=frozenset({"kaspersky"}),
    ceiling=Label.CLEAR,
    publishes=True,  # requests can be seen by every user, in the tab "Public requests"
    label=Label.GREEN,
    budget=Budget(per_minute=60, per_day=2000),  # its quota is not documented: what others met
)
PORTAL_SPEC = Spec(
    name="opentip",
    title="Kaspersky Threat Intelligence Portal",
    kinds=frozenset(_TYPES),
    operators=frozenset({"kaspersky"}),
    ceiling=Label.GREEN,
    label=Label.AMBER,  # paid for by the host: for itself and whoever asks
    budget=Budget(per_minute=60),  # the licence's own quota a day stands in each answer
)

_VERDICTS = {
    "red": Verdict.MALICIOUS,
    "orange": Verdict.SUSPICIOUS,
    "yellow": Verdict.UNWANTED,
    "green": Verdict.BENIGN,
    "grey": Verdict.UNKNOWN,
    "gray": Verdict.UNKNOWN,
}
_ABOUT = ("FileGeneralInfo", "IpGeneralInfo", "DomainGeneralInfo", "UrlGeneralInfo")
_SECTIONS = ("LicenseInfo", "Zone", *_ABOUT, "DetectionsInfo")
# Its own word for a used-up quota, which most clients take for a refused key; that one is 401.
_QUOTA = frozenset({403, 429})
_Answer = Mapping[str, Any]
_Fact = tuple[str, str | None]


def service(options: Options) -> Service:
    """The commercial portal if `options.url` is its address, else OpenTIP."""
    is_portal = urlsplit(options.url or BASE_URL).hostname == urlsplit(PORTAL_URL).hostname
    return Portal(options) if is_portal else OpenTip(options)


class OpenTip:
    """A `remote.Service`: the free one, whose requests others can see."""

    def __init__(self, options: Options) -> None:
        self.spec = as_run(SPEC, options)
        self._headers = {"x-api-key": options.key.value if options.key else ""}

    def request(self, indicator: Indicator) -> Request:
        """How to look it up."""
        return Request(
            path=f"api/v1/search/{_TYPES[indicator.kind]}",
            query={"request": indicator.value},
            headers=self._headers,
        )

    def read(self, indicator: Indicator, reply: Reply) -> Report | None:
        """What the reply says; None if Kaspersky knows nothing. Raises NoAnswerError."""
        answer = _answer(reply)
        if answer is None:
            return None
        link = f"{BASE_URL}/{indicator.value}/" if indicator.kind in FILES else None
        return _report(answer, link=link)


class Portal:
    """A `remote.Service`: the commercial one, whose requests stay with Kaspersky."""

    def __init__(self, options: Options) -> None:
        self.spec = as_run(PORTAL_SPEC, options)
        self._headers = {"Authorization": f"Bearer {options.key.value if options.key else ''}"}

    def request(self, indicator: Indicator) -> Request:
        """How to look it up."""
        return Request(
            path=f"api/{_TYPES[indicator.kind]}/{quote(indicator.value, safe='')}",
            query={"sections": ",".join(_SECTIONS)},
            headers=self._headers,
        )

    def read(self, indicator: Indicator, reply: Reply) -> Report | None:
        """What the reply says; None if Kaspersky knows nothing. Raises NoAnswerError."""
        answer = _answer(reply)
        if answer is None:
            return None
        if "Zone" not in answer and _is_used_up(fields.mapping(answer.get("LicenseInfo"))):
            raise NoAnswerError(Outcome.QUOTA)
        return _report(answer)


def _answer(reply: Reply) -> _Answer | None:
    """The JSON object; None for 404, unless it is the web page of some server in between."""
    refuse_errors(reply, quota=_QUOTA)
    if reply.status != 404:
        return decoded(reply)
    if "html" in reply.headers.get("content-type", "").lower():
        raise NoAnswerError(Outcome.BAD_ANSWER)
    return None


def _is_used_up(license_info: _Answer) -> bool:
    used, most = fields.number(license_info.get("DayRequests")), fields.number(license_info.get("DayQuota"))
    return used is not None and most is not None and used >= most


def _report(answer: _Answer, *, link: str | None = None) -> Report:
    """https://support.kaspersky.com/help/KRS/3.0/en-US/AboutZones.htm; no zone known to us is no answer."""
    zone = fields.text(answer.get("Zone")) or ""
    verdict = _VERDICTS.get(zone.lower())
    if verdict is None:
        raise NoAnswerError(Outcome.BAD_ANSWER)
    about = next((fields.mapping(answer[name]) for name in _ABOUT if fields.mapping(answer.get(name))), {})
    names = _detections(answer)
    return Report(
        verdict=verdict,
        score=f"Zone {zone.capitalize()}",
        family=names[0] if names else None,
        first_seen=_time(about, "FirstSeen"),
        last_seen=_time(about, "LastSeen"),
        link=link,
        facts=fields.facts(*_facts(about, names)),
    )


def _detections(answer: _Answer) -> list[str]:
    """What Kaspersky calls it, of the worst zone first."""
    # The name is misspelt by the service itself; others got the right one.
    dynamic = [
        fields.mapping(answer.get(name)) for name in ("DynamicAnalisysResults", "DynamicAnalysisResults")
    ]
    found = [
        *((one, "DetectionName") for one in fields.objects(answer.get("DetectionsInfo"))),
        *(
            (one, "Threat")
            for each in [*dynamic, answer]
            for one in fields.objects(each.get("DynamicDetections"))
        ),
    ]
    found.sort(key=lambda one: _badness(one[0]))
    return [name for one, key in found if (name := fields.text(one.get(key)))]


def _badness(detection: _Answer) -> int:
    """The lower, the worse."""
    zone = (fields.text(detection.get("Zone")) or "").lower()
    return list(Verdict).index(_VERDICTS.get(zone, Verdict.UNKNOWN))


def _facts(about: _Answer, detections: list[str]) -> list[_Fact]:
    size = fields.number(about.get("Size"))
    return [
        ("status", fields.text(about.get("FileStatus") or about.get("Status"))),
        ("detections", fields.listed(detections)),
        ("categories", fields.listed(_categories(about))),
        ("type", fields.text(about.get("Type"))),
        ("size", None if size is None else f"{size} bytes"),
        ("signer", fields.text(about.get("Signer"))),
        ("packer", fields.text(about.get("Packer"))),
        ("country", fields.text(about.get("CountryCode"))),
        ("threat score", fields.text(fields.number(about.get("ThreatScore")))),
        ("APT reports", "yes" if about.get("HasApt") is True else None),
        ("malicious files", fields.text(fields.number(about.get("FilesCount")))),
        ("seen", _hits(about)),
    ]


def _categories(about: _Answer) -> list[str | None]:
    with_zone = fields.objects(about.get("CategoriesWithZone"))
    named = [one.get("Name") for one in with_zone] or fields.items(about.get("Categories"))
    texts = [fields.text(name) for name in named]
    return [text and text.removeprefix("CATEGORY_").replace("_", " ").lower() for text in texts]


def _hits(about: _Answer) -> str | None:
    hits = fields.number(about.get("HitsCount"))
    return None if hits is None else f"about {hits} times"  # rounded to a power of ten by the service


def _time(about: _Answer, name: str) -> datetime | None:
    return fields.moment(about.get(name))
