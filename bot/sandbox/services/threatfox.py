"""A fake of ThreatFox. https://threatfox.abuse.ch/api/"""

import json
from typing import Any

from bot.sandbox.services.abusech import AbuseCh, is_hash, posted, status
from bot.sandbox.services.asked import JSON, Answer, Json, Question, Refused

_NOTHING = {"query_status": "no_result", "data": "Your search did not yield any results"}
_ALLOWED = {"search_ioc": {"query", "search_term", "exact_match"}, "search_hash": {"query", "hash"}}


class ThreatFox(AbuseCh):
    """Knows entries by their `ioc`, and by the hashes of the samples that belong to them.

    Like the real one it finds an `ioc` that only contains what was searched for.
    """

    name = "threatfox"
    title = "ThreatFox"
    protocol = frozenset({"query_status", "ioc", "ioc_type", "id", "md5_hash", "sha256_hash"})

    def asked(self, question: Question) -> str:
        """The term of `search_ioc` or the hash of `search_hash`."""
        posted(question, "/api/v1/", JSON)
        body = _body(question)
        value = body.get("search_term" if body["query"] == "search_ioc" else "hash")
        if body["query"] == "search_hash" and not (isinstance(value, str) and is_hash(value, 32, 64)):
            raise Refused(status("illegl_hash"), "not an MD5 or SHA-256")  # their spelling
        if not isinstance(value, str) or len(value) < 3:
            raise Refused(status("illegal_search_term"), "no search term")
        return value

    def tell(self, value: str, question: Question) -> Answer:
        """Every entry that matches."""
        body = _body(question)
        if body["query"] == "search_hash":
            found = [each for each in self.records.values() if _has_sample(each, value.lower())]
        elif body.get("exact_match") is True:
            found = [each for each in self.records.values() if each["ioc"] == value]
        else:
            found = [each for each in self.records.values() if value.lower() in each["ioc"].lower()]
        return Answer(200, {"query_status": "ok", "data": found} if found else _NOTHING)


def _body(question: Question) -> Json:
    try:
        body: Any = json.loads(question.body)
    except ValueError:
        body = None
    if not isinstance(body, dict) or body.get("query") not in _ALLOWED:
        raise Refused(status("unknown_query"), "not JSON with a known query")
    if not body.keys() <= _ALLOWED[body["query"]]:
        raise Refused(status("unknown_query"), "unknown fields")
    return body


def _has_sample(record: Json, value: str) -> bool:
    samples = record.get("malware_samples") or []
    return any(value in (sample.get("md5_hash"), sample.get("sha256_hash")) for sample in samples)
