"""Where redirects lead: nobody should follow, and above all not with a key."""

from bot.sandbox.services.asked import Answer, Question, Refused
from bot.sandbox.services.fake import Fake

_KEYS = frozenset({"x-apikey", "x-api-key", "auth-key", "authorization"})


class Trap(Fake):
    """Another host; whatever arrives is a mistake."""

    name = "trap"
    title = "Another host"
    more_headers = _KEYS

    @property
    def keys_arrived(self) -> int:
        """How many requests brought a key along."""
        return sum(bool(call.headers & _KEYS) for call in self.calls)

    def asked(self, question: Question) -> str:
        """Refuse everybody."""
        raise Refused(Answer(200, {}), f"a redirect was followed: {question.method}")
