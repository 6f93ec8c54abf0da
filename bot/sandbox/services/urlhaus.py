"""A fake of URLhaus. https://urlhaus-api.abuse.ch/"""

import re

from bot.sandbox.services.abusech import FORM, HASHES, AbuseCh, form, is_hash, posted, status
from bot.sandbox.services.asked import Answer, Question, Refused

_URL = re.compile(r"https?://[^\s/]{1,255}(/\S{0,4000})?")
_HOST = re.compile(r"[0-9A-Za-z.-]{4,253}|[0-9a-f:.]{3,45}")
_DIGITS = {"md5_hash": 32, "sha256_hash": 64}
_FIELDS = {"/v1/payload/": {"md5_hash", "sha256_hash"}, "/v1/url/": {"url"}, "/v1/host/": {"host"}}


class UrlHaus(AbuseCh):
    """Knows payloads by hash, URLs and hosts by themselves."""

    name = "urlhaus"
    title = "URLhaus"
    protocol = frozenset({"query_status", "id", "url_id", "url_status", *HASHES})

    def asked(self, question: Question) -> str:
        """The one field of the form."""
        known = _FIELDS.get(question.path)
        if known is None:
            raise Refused(Answer(404, "Not Found", "text/plain"), "an unknown path")
        posted(question, question.path, FORM)
        what = question.path.split("/")[2]
        refusal = status(f"invalid_{what}" if what != "payload" else "invalid_sha256")
        fields = form(question, known=frozenset(known), refusal=refusal)
        if len(fields) != 1:
            raise Refused(refusal, "not one field")
        [(field, value)] = fields.items()
        right = {"url": _URL.fullmatch(value), "host": _HOST.fullmatch(value)}
        if not (right[field] if field in right else is_hash(value, _DIGITS[field])):
            raise Refused(status(f"invalid_{field.removesuffix('_hash')}"), f"not a {field}")
        return value

    def tell(self, value: str, question: Question) -> Answer:
        """The record with how it went, or that there is none."""
        is_payload = question.path == "/v1/payload/"
        record = self.by_hash(value) if is_payload else self.records.get(value)
        return status("no_results") if record is None else Answer(200, {"query_status": "ok", **record})
