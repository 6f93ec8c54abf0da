"""A fake of CIRCL hashlookup. https://www.circl.lu/services/hashlookup/"""

import re
from typing import ClassVar

from bot.sandbox.services.asked import Answer, Question, Refused
from bot.sandbox.services.fake import Fake

_PATH = re.compile(r"/lookup/(md5|sha1|sha256)/([^/]{1,200})")
_NAMES = {"md5": "MD5", "sha1": "SHA-1", "sha256": "SHA-256"}
_DIGITS = {"md5": 32, "sha1": 40, "sha256": 64}


class HashLookup(Fake):
    """Knows records by hash; takes no key."""

    name = "hashlookup"
    title = "CIRCL hashlookup"
    protocol = frozenset({"MD5", "SHA-1", "SHA-256"})
    wrong_key: ClassVar = Answer(401, {"message": "Unauthorized"})
    unavailable: ClassVar = Answer(503, {"message": "Service Unavailable"})

    def asked(self, question: Question) -> str:
        """The hash of a GET."""
        if question.method != "GET":
            raise Refused(Answer(405, {"message": "Method Not Allowed"}), f"{question.method}, not GET")
        found = _PATH.fullmatch(question.path)
        if found is None:
            raise Refused(Answer(404, {"message": "Not Found"}), "an unknown path")
        question.only()
        kind, value = found.groups()
        if not re.fullmatch(rf"[0-9a-fA-F]{{{_DIGITS[kind]}}}", value):
            words = f"{_NAMES[kind]} value incorrect, expecting a {_NAMES[kind]} value in hex format"
            raise Refused(Answer(400, {"message": words}), f"not a {kind}")
        return value

    def tell(self, value: str, question: Question) -> Answer:
        """The record, or that there is none."""
        name = _NAMES[question.path.split("/")[2]]
        for key, record in self.records.items():
            if key == value.lower() or str(record.get(name, "")).lower() == value.lower():
                return Answer(200, record)
        return Answer(404, {"message": f"Non existing {name}", "query": value})
