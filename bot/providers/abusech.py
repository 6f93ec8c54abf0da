"""What the services of abuse.ch have in common: one key, one way to say how a question went, one operator."""

from typing import Any

from bot.findings import Outcome
from bot.providers.fields import text
from bot.providers.options import Options
from bot.providers.remote import Reply, decoded, refuse_errors
from bot.providers.spec import Budget, NoAnswerError

OPERATORS = frozenset(
    {"abusech", "spamhaus"}
)  # https://abuse.ch is run with Spamhaus: both learn of questions

# abuse.ch publishes no number. Two questions a second let a list of 100 pass at once and are still polite to
# a free service; every liaison.toml may say less.
BUDGET = Budget(per_minute=120)

_REFUSED_KEY = frozenset({"unknown_auth_key", "no_api_key", "user_blacklisted"})


def headers(options: Options) -> dict[str, str]:
    """The key of https://auth.abuse.ch, one for all of its services."""
    return {} if options.key is None else {"Auth-Key": options.key.value}


def answer(reply: Reply, *, absent: frozenset[str]) -> dict[str, Any] | None:
    """The answer of a question that went well; None for a `query_status` that means absence.

    Everything is said with status 200 there, so 404 comes from something in between. Raises NoAnswerError.
    """
    refuse_errors(reply)
    said = decoded(reply) if reply.status == 200 else {}
    status = text(said.get("query_status"))
    if status in absent:
        return None
    if status in _REFUSED_KEY:
        raise NoAnswerError(Outcome.AUTH)
    if status != "ok":
        raise NoAnswerError(Outcome.BAD_ANSWER)
    return said
