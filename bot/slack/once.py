"""Once: Slack may deliver anything twice; each is answered one time, also across restarts."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from slack_bolt.middleware.async_middleware import AsyncMiddleware
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse

from bot.errors import BotError
from bot.slack.seen import Seen
from bot.slack.work import guarded

REMEMBERED_SECONDS = 3600.0  # Slack's last retry comes after five minutes, delayed events within the hour
CLAIM_SECONDS = 12.0  # more than the store waits: a claim that was given up and then won loses the answer


class OnlyOnce(AsyncMiddleware):
    """Lets each delivery through once; without the store's memory no event passes."""

    def __init__(self, seen: Seen) -> None:
        self._seen = seen

    async def async_process(
        self,
        *,
        req: AsyncBoltRequest,
        resp: BoltResponse,
        next: Callable[[], Awaitable[BoltResponse]],  # noqa: A002 - Bolt's name
    ) -> BoltResponse | None:
        """Go on with a new delivery; answer 200 for one that came before."""
        key = delivery_key(req.body, is_signed=req.mode == "http")
        if key is not None:
            is_event = bool(req.body.get("event_id"))
            claim = self._seen.claim if is_event else self._seen.claim_what_comes_once
            try:
                if not await guarded(claim(key, REMEMBERED_SECONDS), CLAIM_SECONDS):
                    return BoltResponse(status=200)
            except BotError:
                return BoltResponse(status=503)
        return await next()


def delivery_key(body: Mapping[str, Any], *, is_signed: bool) -> str | None:
    """What two deliveries of the same thing have in common; None where the signature was claimed already.

    Events come again with a new signature. Commands and interactions are retried by nobody, so that over HTTP
    the claimed signature is enough; Socket Mode has none.
    """
    if body.get("event_id"):
        return f"event {body['event_id']}"
    if is_signed:
        return None
    view = body.get("view")
    if body.get("type") == "view_submission" and isinstance(view, Mapping):
        return f"view {view.get('id')} {view.get('hash')}"
    return f"trigger {body['trigger_id']}" if body.get("trigger_id") else None
