"""Faults to switch on: what goes wrong between an app and Slack, on demand and counted."""

from dataclasses import dataclass, replace

KINDS = ("drop_after_accept", "error_500", "slow", "rate_limited", "token_revoked")
DELIVERY = "delivery"
RESPONSE_URL = "response_url"


@dataclass(frozen=True)
class Fault:
    """Something that goes wrong `times` times.

    `method` is a Web API method, "response_url", or "delivery" for what Slack sends to the app.
    drop_after_accept: the work is done, the answer is lost. error_500: nothing is done. slow: `seconds` late.
    rate_limited: 429, Retry-After `seconds`. token_revoked: the token is refused.
    """

    method: str
    kind: str
    times: int = 1
    seconds: float = 1.0

    def __post_init__(self) -> None:
        """Refuse what cannot happen."""
        if self.kind not in KINDS:
            raise ValueError(f"A fault is one of {', '.join(KINDS)}, not {self.kind!r}.")
        if self.method == DELIVERY and self.kind in ("rate_limited", "token_revoked"):
            raise ValueError(f"{self.kind} happens to calls of the app, not to deliveries.")


class Faults:
    """The faults that are switched on, the first added first."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Switch one on."""
        self._waiting.append(fault)

    def take(self, method: str) -> Fault | None:
        """The fault that this call meets, if any; it counts as one of its `times`."""
        for place, fault in enumerate(self._waiting):
            if fault.method == method:
                rest = [replace(fault, times=fault.times - 1)] if fault.times > 1 else []
                self._waiting[place : place + 1] = rest
                return fault
        return None

    def clear(self) -> None:
        """Switch all of them off."""
        self._waiting.clear()
