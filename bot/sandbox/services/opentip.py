"""A fake of Kaspersky OpenTIP and of the commercial portal, which has the same data behind other paths.

https://opentip.kaspersky.com/Help/Doc_data/WorkingWithAPI.htm
"""

import re
from typing import ClassVar

from bot.sandbox.services.asked import Answer, Json, Question, Refused
from bot.sandbox.services.fake import Fake

_OPEN = re.compile(r"/api/v1/search/(hash|ip|domain|url)")
_PORTAL = re.compile(r"/api/(hash|ip|domain|url)/(.{1,4000})", re.DOTALL)
_HASH = re.compile(r"[0-9a-fA-F]{32}|[0-9a-fA-F]{40}|[0-9a-fA-F]{64}")
MAX_URL = 2000
LICENSE = {
    "AccessType": "Commercial",
    "DayRequests": 12,
    "DayQuota": 1000,
    "TokenExpirationDate": "2035-12-31T00:00Z",
}


class OpenTip(Fake):
    """Knows records by hash, address, domain or URL; a token is good for both ways to ask."""

    name = "opentip"
    title = "Kaspersky OpenTIP"
    key_header = "x-api-key"
    more_headers = frozenset({"authorization"})
    protocol = frozenset({"Zone", "FileStatus", "Md5", "Sha1", "Sha256", "Ip", "Domain", "Url"})
    quota: ClassVar = Answer(403)  # yes: 403 is the request limit here, 401 a bad token
    unavailable: ClassVar = Answer(503, {"message": "Service unavailable"})

    def _check_key(self, question: Question) -> None:
        is_portal = not question.path.startswith("/api/v1/")
        right, wrong = ("Authorization", "x-api-key") if is_portal else ("x-api-key", "Authorization")
        given = question.headers.getall(right, [])
        if wrong in question.headers or given != [f"Bearer {self.key}" if is_portal else self.key]:
            raise Refused(self.wrong_key, f"no right {right}")

    def asked(self, question: Question) -> str:
        """The value of `request=`, or the last part of the portal's path."""
        if question.method != "GET":
            raise Refused(Answer(405), f"{question.method}, not GET")
        kind, value = self._portal(question) if _PORTAL.fullmatch(question.path) else _open(question)
        if kind == "hash" and not _HASH.fullmatch(value):
            raise Refused(Answer(400), "not a hash")
        if kind == "url" and len(value) > MAX_URL:
            raise Refused(Answer(414), "a URL that is too long")
        return value

    def tell(self, value: str, question: Question) -> Answer:
        """The record; of the portal the sections asked for."""
        record = self.records.get(value) or self._by_hash(value.lower())
        if record is None:
            return Answer(404)
        sections = question.query.get("sections")
        if sections is None:
            return Answer(200, record)
        all_of_it = {"LicenseInfo": LICENSE, **record}
        return Answer(200, {name: all_of_it[name] for name in sections.split(",") if name in all_of_it})

    def _by_hash(self, value: str) -> Json | None:
        def hashes(record: Json) -> list[str]:
            about = record.get("FileGeneralInfo", {})
            return [str(about.get(name, "")).lower() for name in ("Md5", "Sha1", "Sha256")]

        return next((each for each in self.records.values() if value in hashes(each)), None)

    def _portal(self, question: Question) -> tuple[str, str]:
        found = _PORTAL.fullmatch(question.path)
        if found is None or found[1] == "v1":
            return _open(question)
        question.only("sections")
        if not question.query.get("sections"):
            raise Refused(Answer(400), "no sections")
        return found[1], found[2]


def _open(question: Question) -> tuple[str, str]:
    found = _OPEN.fullmatch(question.path)
    if found is None:
        raise Refused(Answer(404), "an unknown path")
    question.only("request")
    values = question.query.getall("request", [])
    if len(values) != 1 or not values[0]:
        raise Refused(Answer(400), "no request, or several")
    return found[1], values[0]
