"""What the fakes of abuse.ch have in common: one key, POST, a word in each answer that says how it went."""

import re
from typing import ClassVar
from urllib.parse import parse_qsl

from bot.sandbox.services.asked import Answer, Json, Question, Refused
from bot.sandbox.services.fake import Fake

FORM = "application/x-www-form-urlencoded"
HASHES = ("md5_hash", "sha1_hash", "sha256_hash")
_HASH = re.compile(r"[0-9a-fA-F]{32}|[0-9a-fA-F]{40}|[0-9a-fA-F]{64}")


def status(word: str, *, code: int = 200) -> Answer:
    """An answer that holds nothing but how it went."""
    return Answer(code, {"query_status": word})


class AbuseCh(Fake):
    """A service of abuse.ch; its records are found by any of their hashes, too."""

    key_header = "Auth-Key"
    no_key: ClassVar = Answer(401, {"error": "Unauthorized"})
    wrong_key: ClassVar = status("unknown_auth_key", code=403)
    unavailable: ClassVar = Answer(503, {"error": "Service Unavailable"})

    def by_hash(self, value: str) -> Json | None:
        """The record about that file."""
        value = value.lower()
        for key, record in self.records.items():
            if key == value or value in [record.get(name) for name in HASHES]:
                return record
        return None


def posted(question: Question, path: str, content_type: str) -> None:
    """Refuse all but a POST of that type there."""
    if question.path != path:
        raise Refused(Answer(404, "Not Found", "text/plain"), "an unknown path")
    if question.method != "POST":
        raise Refused(status("http_post_expected"), f"{question.method}, not POST")
    question.only()
    if question.content_type.partition(";")[0].strip() != content_type:
        raise Refused(status("http_post_expected"), f"a body that is no {content_type}")


def form(question: Question, *, known: frozenset[str], refusal: Answer) -> dict[str, str]:
    """The fields of a form, each once."""
    try:
        pairs = parse_qsl(question.body.decode(), keep_blank_values=True, strict_parsing=True)
    except ValueError:
        raise Refused(refusal, "not a form") from None
    fields = dict(pairs)
    if len(fields) != len(pairs) or not fields.keys() <= known:
        raise Refused(refusal, "unknown or repeated fields")
    return fields


def is_hash(value: str, *digits: int) -> bool:
    """Whether it is a hash with so many digits."""
    return _HASH.fullmatch(value) is not None and (not digits or len(value) in digits)
