"""ThreatFox: command-and-control servers and what talks to them, as shared by the community of abuse.ch."""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from bot.findings import Outcome, Report
from bot.indicators import Indicator, Kind
from bot.providers import abusech
from bot.providers.fields import facts, items, listed, moment, number, objects, text
from bot.providers.options import Options, as_run
from bot.providers.remote import Reply, Request
from bot.providers.spec import NoAnswerError, Spec
from bot.tlp import Label
from bot.urls import canonical_url
from bot.verdicts import Verdict

BASE_URL = "https://threatfox-api.abuse.ch"
SPEC = Spec(
    name="threatfox",
    title="ThreatFox",
    # Samples are found by MD5 and SHA-256 only; addresses are listed as "ip:port" of IPv4.
    kinds=frozenset({Kind.MD5, Kind.SHA256, Kind.IPV4, Kind.DOMAIN, Kind.URL}),
    operators=abusech.OPERATORS,
    ceiling=Label.GREEN,
    label=Label.CLEAR,
    budget=abusech.BUDGET,
)

MALICIOUS_FROM = 75  # percent of the service's own confidence
SUSPICIOUS_FROM = 50

_HASHES = frozenset({Kind.MD5, Kind.SHA256})
_MAX_ENTRIES = 2_000  # that are looked at: a search for a popular domain finds every URL below it
_PORT = re.compile(r"(?::[0-9]{1,5})?", re.ASCII)
# A term that the search does not take cannot be listed either. A hash that it does not take (it says
# "illegl_hash") would be a mistake of ours: no absence.
_ABSENT = frozenset({"no_result", "illegal_search_term"})


class ThreatFox:
    """The list as a `remote.Service`; https://threatfox.abuse.ch/api/ says how it talks."""

    def __init__(self, options: Options) -> None:
        self.spec = as_run(SPEC, options)
        self._headers = abusech.headers(options)

    def request(self, indicator: Indicator) -> Request:
        """Ask which servers a sample talks to, or for an entry of the list."""
        question = (
            {"query": "search_hash", "hash": indicator.value}
            if indicator.kind in _HASHES
            else {"query": "search_ioc", "search_term": indicator.value}
        )
        return Request(method="POST", path="/api/v1/", headers=self._headers, json=question)

    def read(self, indicator: Indicator, reply: Reply) -> Report | None:
        """What its entries say together; None without one of exactly this value. Raises NoAnswerError."""
        answer = abusech.answer(reply, absent=_ABSENT)
        if answer is None:
            return None
        if not isinstance(answer.get("data"), list):  # without a result it is a sentence
            raise NoAnswerError(Outcome.BAD_ANSWER)
        found = objects(answer["data"], at_most=_MAX_ENTRIES)
        entries = [entry for entry in found if _is_about(indicator, entry)]
        return _report(indicator, entries) if entries else None


def _is_about(indicator: Indicator, entry: dict[str, Any]) -> bool:
    """Whether an entry is about exactly this value: `search_ioc` also finds parts of longer ones."""
    listed_value = entry.get("ioc")
    if not isinstance(listed_value, str):
        return False
    if indicator.kind in _HASHES:
        return True  # the entries are the servers of the sample that was asked for
    if indicator.kind is Kind.URL:
        address = canonical_url(listed_value) or ""
        return indicator.value in (address, address.partition("://")[2])  # perhaps asked without a scheme
    value, rest = listed_value[: len(indicator.value)].lower(), listed_value[len(indicator.value) :]
    return value == indicator.value and _PORT.fullmatch(rest) is not None


def _report(indicator: Indicator, entries: Sequence[dict[str, Any]]) -> Report:
    best = max(entries, key=_confidence)
    confidence = _confidence(best)
    servers = (entry["ioc"] for entry in entries)
    return Report(
        verdict=_verdict(confidence),
        score=f"confidence {confidence}",
        family=text(best.get("malware_printable")),
        first_seen=min(_times(entries, "first_seen"), default=None),
        last_seen=max(_times(entries, "last_seen"), default=None),
        facts=facts(
            ("threat", text(best.get("threat_type_desc")) or text(best.get("threat_type"))),
            ("talks to" if indicator.kind in _HASHES else "listed as", listed(servers)),
            ("also called", text(best.get("malware_alias"))),
            ("tags", listed(items(best.get("tags")))),
            ("compromised site", "yes" if best.get("is_compromised") in (True, "True", "true") else None),
            ("reporter", text(best.get("reporter"))),
        ),
    )


def _times(entries: Iterable[dict[str, Any]], name: str) -> Iterable[datetime]:
    return filter(None, (moment(entry.get(name)) for entry in entries))


def _confidence(entry: dict[str, Any]) -> int:
    """0 to 100; anything else is no confidence at all."""
    confidence = number(entry.get("confidence_level"))
    return confidence if confidence is not None and 0 <= confidence <= 100 else 0


def _verdict(confidence: int) -> Verdict:
    if confidence >= MALICIOUS_FROM:
        return Verdict.MALICIOUS
    return Verdict.SUSPICIOUS if confidence >= SUSPICIOUS_FROM else Verdict.UNKNOWN
