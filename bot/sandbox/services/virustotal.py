"""A fake of VirusTotal's API v3. https://docs.virustotal.com/reference/overview"""

import base64
import binascii
import re
from typing import ClassVar

from bot.sandbox.services.asked import Answer, Question, Refused
from bot.sandbox.services.fake import Fake

_KINDS = {"files": "file", "ip_addresses": "ip_address", "domains": "domain", "urls": "url"}
_PATH = re.compile(r"/api/v3/(files|ip_addresses|domains|urls)/([^/]{1,4000})")
_HASH = re.compile(r"[0-9a-fA-F]{32}|[0-9a-fA-F]{40}|[0-9a-fA-F]{64}")


def _error(status: int, code: str, message: str) -> Answer:
    return Answer(status, {"error": {"code": code, "message": message}})


class VirusTotal(Fake):
    """Knows attributes by hash, address, domain or URL."""

    name = "virustotal"
    title = "VirusTotal"
    key_header = "X-Apikey"
    protocol = frozenset({"id", "type", "md5", "sha1", "sha256", "self"})
    quota: ClassVar = _error(429, "QuotaExceededError", "Quota exceeded")
    no_key: ClassVar = _error(401, "AuthenticationRequiredError", "X-Apikey header is missing")
    wrong_key: ClassVar = _error(401, "WrongCredentialsError", "Wrong API key")
    unavailable: ClassVar = _error(503, "TransientError", "Transient server error. Retry might work.")

    def asked(self, question: Question) -> str:
        """The hash, address, domain or URL of a GET on one object."""
        if question.method != "GET":
            raise Refused(_error(405, "BadRequestError", "Method not allowed"), f"{question.method}, not GET")
        found = _PATH.fullmatch(question.path)
        if found is None:
            raise Refused(_error(404, "NotFoundError", "Resource not found."), "an unknown path")
        question.only()
        collection, value = found.groups()
        if collection == "files" and not _HASH.fullmatch(value):
            raise Refused(_error(404, "NotFoundError", "Resource not found."), "a file that is no hash")
        return _url_of(value) if collection == "urls" else value

    def tell(self, value: str, question: Question) -> Answer:
        """The object with its attributes."""
        attributes = self.records.get(value) or self._by_hash(value.lower())
        if attributes is None:
            return _error(404, "NotFoundError", "Resource not found.")
        _, _, _, collection, identifier = question.path.split("/")
        identity = attributes.get("sha256", identifier)
        links = {"self": f"https://www.virustotal.com/api/v3/{collection}/{identity}"}
        about = {"id": identity, "type": _KINDS[collection], "links": links, "attributes": attributes}
        return Answer(200, {"data": about})

    def _by_hash(self, value: str) -> dict[str, object] | None:
        hashes = ("md5", "sha1", "sha256")
        every = self.records.values()
        return next((each for each in every if value in [each.get(name) for name in hashes]), None)


def _url_of(identifier: str) -> str:
    """The URL behind its identifier: base64 for URLs, without padding."""
    try:
        padded = identifier + "=" * (-len(identifier) % 4)
        return base64.b64decode(padded, altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        answer = _error(400, "InvalidArgumentError", "Wrong URL id")
        raise Refused(answer, "a URL that is not named by its identifier") from None
