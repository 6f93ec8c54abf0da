"""VirusTotal: what about 70 engines and its community say of a file, an address, a domain or a URL.

https://docs.virustotal.com/reference/overview  Only reports that exist are read; nothing is ever scanned.
"""

import base64
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

from bot.findings import Outcome, Report
from bot.indicators import Indicator, Kind
from bot.providers import fields
from bot.providers.options import Options, as_run
from bot.providers.remote import Reply, Request, decoded, refuse_errors
from bot.providers.spec import Budget, NoAnswerError, Spec
from bot.tlp import Label
from bot.verdicts import Verdict
from bot.well_known import labels

BASE_URL = "https://www.virustotal.com"  # vt-py adds /api/v3
FILES = frozenset({Kind.MD5, Kind.SHA1, Kind.SHA256})
CONDEMNED_FROM = 5  # engines that call a file malicious
NOTICED_FROM = 3  # engines that call an address, a domain or a URL malicious

SPEC = Spec(
    name="virustotal",
    title="VirusTotal",
    kinds=FILES | {Kind.IPV4, Kind.IPV6, Kind.DOMAIN, Kind.URL},
    operators=frozenset({"google"}),  # whose company it is: a source that excludes Google excludes it
    ceiling=Label.GREEN,  # questions are not listed publicly, but VirusTotal learns what is of interest
    label=Label.GREEN,
    # Of the public API, which must not be used in business workflows: with a premium key the operator raises
    # them. https://docs.virustotal.com/docs/consumption-quotas-handled
    budget=Budget(per_minute=4, per_day=500, per_month=15_500),
)

_COLLECTIONS = {Kind.IPV4: "ip_addresses", Kind.IPV6: "ip_addresses", Kind.DOMAIN: "domains"}
_Attributes = Mapping[str, Any]
_Fact = tuple[str, str | None]


class VirusTotal:
    """A `remote.Service`. The key is with the wire: `vt_wire.VtWire`."""

    def __init__(self, options: Options, *, condemned_from: int = CONDEMNED_FROM) -> None:
        self.spec = as_run(SPEC, options)
        self._condemned_from = condemned_from

    def request(self, indicator: Indicator) -> Request:
        """How to ask for the report on it."""
        if indicator.kind in FILES:
            return Request(path=f"files/{indicator.value}")
        if indicator.kind is Kind.URL:
            return Request(path=f"urls/{_url_id(indicator.value)}")
        return Request(path=f"{_COLLECTIONS[indicator.kind]}/{quote(indicator.value, safe=':')}")

    def read(self, indicator: Indicator, reply: Reply) -> Report | None:
        """What the reply says; None if VirusTotal never saw it. Raises NoAnswerError."""
        refuse_errors(reply)
        answer = decoded(reply)
        if _is_unknown(reply, answer):
            return None
        attributes = fields.mapping(answer.get("data")).get("attributes")
        if reply.status != 200 or not isinstance(attributes, dict):
            raise NoAnswerError(Outcome.BAD_ANSWER)
        if indicator.kind in FILES:
            return self._file(indicator, attributes)
        return _address(indicator, attributes)

    def _file(self, indicator: Indicator, attributes: _Attributes) -> Report:
        told = fields.hexadecimal(attributes.get(indicator.kind), len(indicator.value))
        if told not in (None, indicator.value):
            raise NoAnswerError(Outcome.BAD_ANSWER)  # about another file
        stats = fields.mapping(attributes.get("last_analysis_stats"))
        threat = fields.mapping(attributes.get("popular_threat_classification"))
        return Report(
            verdict=self._verdict_on_file(stats, attributes),
            score=_score(stats),
            family=fields.text(threat.get("suggested_threat_label")),
            first_seen=_time(attributes, "first_submission_date"),
            last_seen=_time(attributes, "last_submission_date"),
            link=f"https://www.virustotal.com/gui/file/{indicator.value}",
            facts=fields.facts(*_file_facts(attributes)),
        )

    def _verdict_on_file(self, stats: _Attributes, attributes: _Attributes) -> Verdict:
        """Few engines err often enough to be a hint only; that none objects proves nothing."""
        malicious, suspicious = _count(stats, "malicious"), _count(stats, "suspicious")
        if malicious >= self._condemned_from:
            return Verdict.MALICIOUS
        if malicious or suspicious:
            return Verdict.SUSPICIOUS
        return Verdict.BENIGN if _distributors(attributes) else Verdict.UNKNOWN


def _url_id(url: str) -> str:
    """The name of a URL. https://docs.virustotal.com/reference/url"""
    return base64.urlsafe_b64encode(url.encode()).decode().rstrip("=")


def _is_unknown(reply: Reply, answer: Mapping[str, Any]) -> bool:
    """Only VirusTotal's own word counts: servers in between say 404, too."""
    return reply.status == 404 and fields.mapping(answer.get("error")).get("code") == "NotFoundError"


def _address(indicator: Indicator, attributes: _Attributes) -> Report:
    stats = fields.mapping(attributes.get("last_analysis_stats"))
    return Report(
        verdict=_verdict_on_address(indicator, stats),
        score=_score(stats),
        first_seen=_time(attributes, "first_submission_date"),
        last_seen=_time(attributes, "last_submission_date"),
        facts=fields.facts(*_address_facts(indicator, attributes)),
    )


def _verdict_on_address(indicator: Indicator, stats: _Attributes) -> Verdict:
    """Never MALICIOUS by number: 1.1.1.1 has as many objectors as a command server."""
    noticed = _count(stats, "malicious") >= NOTICED_FROM
    return Verdict.SUSPICIOUS if noticed and not labels(indicator) else Verdict.UNKNOWN


def _score(stats: _Attributes) -> str | None:
    """Objectors of those who gave an opinion: engines that timed out, failed or cannot read it gave none."""
    malicious = _count(stats, "malicious")
    opinions = malicious + sum(_count(stats, name) for name in ("suspicious", "undetected", "harmless"))
    return f"{malicious}/{opinions}" if opinions else None


def _count(stats: _Attributes, name: str) -> int:
    return max(fields.number(stats.get(name)) or 0, 0)


def _file_facts(attributes: _Attributes) -> list[_Fact]:
    names = [attributes.get("meaningful_name"), *fields.items(attributes.get("names"))]
    rules = fields.objects(attributes.get("crowdsourced_yara_results"))
    size = fields.number(attributes.get("size"))
    return [
        ("type", fields.text(attributes.get("type_description"))),
        ("size", None if size is None else f"{size} bytes"),
        ("names", fields.listed(names)),
        ("signer", fields.text(fields.mapping(attributes.get("signature_info")).get("signers"))),
        ("distributed by", _distributors(attributes)),
        ("YARA rules", fields.listed(rule.get("rule_name") for rule in rules)),
        ("submitted", _times(attributes)),
        *_common_facts(attributes),
    ]


def _address_facts(indicator: Indicator, attributes: _Attributes) -> list[_Fact]:
    ranks = fields.mapping(attributes.get("popularity_ranks"))
    final = fields.text(attributes.get("last_final_url"))
    return [
        ("owner", _owner(attributes)),
        ("network", fields.text(attributes.get("network"))),
        ("country", fields.text(attributes.get("country"))),
        ("registrar", fields.text(attributes.get("registrar"))),
        ("registered", _day(attributes, "creation_date")),
        ("popularity", fields.listed(_rank(name, rank) for name, rank in list(ranks.items())[:10])),
        ("title", fields.text(attributes.get("title"))),
        ("leads to", None if final == indicator.value else final),
        ("threats", fields.listed(fields.items(attributes.get("threat_names")))),
        ("categories", fields.listed(list(fields.mapping(attributes.get("categories")).values())[:20])),
        ("submitted", _times(attributes)),
        *_common_facts(attributes),
    ]


def _common_facts(attributes: _Attributes) -> list[_Fact]:
    return [
        ("reputation", fields.text(fields.number(attributes.get("reputation")))),
        ("votes", _votes(fields.mapping(attributes.get("total_votes")))),
        ("tags", fields.listed(fields.items(attributes.get("tags")))),
        ("analysed", _day(attributes, "last_analysis_date")),
    ]


def _distributors(attributes: _Attributes) -> str | None:
    """Who ships the file. https://docs.virustotal.com/reference/file-object-known-distributors"""
    known = fields.mapping(attributes.get("known_distributors"))
    return fields.listed(fields.items(known.get("distributors")))


def _owner(attributes: _Attributes) -> str | None:
    number, name = fields.number(attributes.get("asn")), fields.text(attributes.get("as_owner"))
    parts = [f"AS{number}" if number is not None else None, name]
    return fields.text(" ".join(filter(None, parts)))


def _rank(name: str, rank: object) -> str | None:
    place = fields.number(fields.mapping(rank).get("rank"))
    return None if place is None else f"{name} {place}"


def _votes(votes: _Attributes) -> str | None:
    malicious, harmless = _count(votes, "malicious"), _count(votes, "harmless")
    return f"{malicious} malicious, {harmless} harmless" if malicious or harmless else None


def _times(attributes: _Attributes) -> str | None:
    times = fields.number(attributes.get("times_submitted"))
    return None if times is None else f"{times} times"


def _time(attributes: _Attributes, name: str) -> datetime | None:
    return fields.unix_moment(attributes.get(name))


def _day(attributes: _Attributes, name: str) -> str | None:
    time = _time(attributes, name)
    return None if time is None else time.date().isoformat()
