"""A fake of Trend Vision One's list of suspicious objects.

https://automation.trendmicro.com/xdr/api-v3
"""

from typing import ClassVar

from bot.sandbox.services.asked import Answer, Question, Refused
from bot.sandbox.services.fake import Fake

PATH = "/v3.0/threatintel/suspiciousObjects"
_PAGES = ("50", "100", "200")
_PARAMETERS = ("top", "orderBy", "startDateTime", "endDateTime", "skipToken")
_TIMES = ("lastModifiedDateTime", "expiredDateTime")
_VALUES = ("ip", "url", "domain", "fileSha1", "fileSha256", "senderMailAddress")


def _error(status: int, code: str, message: str) -> Answer:
    return Answer(status, {"error": {"code": code, "message": message}})


class TrendVisionOne(Fake):
    """Gives the whole list in pages; nobody can ask about one value."""

    name = "trend"
    title = "Trend Vision One"
    key_header = "Authorization"
    key_scheme = "Bearer "
    more_headers = frozenset({"tmv1-filter"})
    protocol = frozenset({"type", "riskLevel", "scanAction", "nextLink", *_TIMES, *_VALUES})
    quota: ClassVar = _error(429, "TooManyRequests", "Too many API requests")
    no_key: ClassVar = _error(401, "Unauthorized", "Access token is missing")
    wrong_key: ClassVar = _error(401, "Unauthorized", "Invalid token")
    unavailable: ClassVar = _error(503, "ServiceUnavailable", "The service is unavailable")

    def asked(self, question: Question) -> str:
        """The page of a GET: its skipToken, or "0"."""
        if question.path != PATH:
            raise Refused(_error(404, "NotFound", "Not found"), "an unknown path")
        if question.method != "GET":
            raise Refused(
                _error(405, "MethodNotAllowed", "Method not allowed"), f"{question.method}, not GET"
            )
        question.only(*_PARAMETERS)
        if question.query.get("top", "100") not in _PAGES:
            raise Refused(_error(400, "BadRequest", "Invalid parameter: top"), "a page of another length")
        token = question.query.get("skipToken", "0")
        if not token.isdigit():
            raise Refused(_error(400, "BadRequest", "Invalid skipToken"), "an unknown skipToken")
        return token

    def tell(self, value: str, question: Question) -> Answer:
        """The items from there on, and where the next ones are."""
        top, start = int(question.query.get("top", "100")), int(value)
        items = list(self.records.values())
        body: dict[str, object] = {"items": items[start : start + top]}
        if start + top < len(items):
            body["nextLink"] = f"{self.url}{PATH}?top={top}&skipToken={start + top}"
        return Answer(200, body)
