"""Faults to switch on: what goes wrong between an app and Slack, on demand and counted."""

import asyncio
import random
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace

KINDS = (
    *("drop_before", "drop_after_accept", "lost_reply", "slow", "overtaken"),
    *("error_500", "rate_limited", "token_revoked", "refused"),
)
OF_CALLS_ONLY = ("drop_before", "lost_reply", "overtaken", "rate_limited", "token_revoked", "refused")
OVERTAKEN_SECONDS = 30.0  # that a call waits to be overtaken in bad weather
DELIVERY = "delivery"
RESPONSE_URL = "response_url"


@dataclass(frozen=True)
class Fault:
    """Something that goes wrong `times` times.

    `method` is a Web API method, "response_url", or "delivery" for what Slack sends to the app.
    drop_before: the connection is cut, nothing is done. drop_after_accept: the work is done, then it
    is cut. lost_reply: the work is done, its answer comes `seconds` late. slow: the work itself is done
    `seconds` late, whether or not somebody still waits. overtaken: the work is done right after that of the
    next call of the method, or `seconds` late. error_500: nothing is done. rate_limited: 429,
    Retry-After `seconds`. token_revoked: the token is refused. refused: ok:false with `code`.
    """

    method: str
    kind: str
    times: int = 1
    seconds: float = 1.0
    code: str = ""

    def __post_init__(self) -> None:
        """Refuse what cannot happen."""
        if self.kind not in KINDS:
            raise ValueError(f"A fault is one of {', '.join(KINDS)}, not {self.kind!r}.")
        if self.method == DELIVERY and self.kind in OF_CALLS_ONLY:
            raise ValueError(f"{self.kind} happens to calls of the app, not to deliveries.")
        if (self.kind == "refused") != bool(self.code):
            raise ValueError("A refusal needs Slack's code for it, and nothing else has one.")


class Weather:
    """A random mixture of faults, the same for the same seed and the same calls.

    `chances` says how likely each kind, or "refused:CODE", is at a call of one of `methods`;
    "overtaken:METHOD" happens to calls of that method alone.
    """

    def __init__(
        self, seed: int, chances: Mapping[str, float], *, methods: frozenset[str], seconds: float = 1.0
    ) -> None:
        if not 0 <= sum(chances.values()) <= 1:
            raise ValueError("The chances of all faults together are between 0 and 1.")
        self._chance = random.Random(seed)  # noqa: S311 - a test that can be repeated, not a secret
        self._chances, self._methods, self._seconds = dict(chances), methods, seconds

    def fault(self, method: str) -> Fault | None:
        """What this call meets, if anything."""
        if method not in self._methods:
            return None
        throw = self._chance.random()
        for name, chance in self._chances.items():
            if throw < chance:
                return self._fault(method, *name.split(":", 1))
            throw -= chance
        return None

    def _fault(self, method: str, kind: str, about: str = "") -> Fault | None:
        if kind == "overtaken":
            return Fault(method, kind, seconds=OVERTAKEN_SECONDS) if method == about else None
        return Fault(method, kind, seconds=self._seconds, code=about)


class Faults:
    """The faults that are switched on, the first added first, and then the weather."""

    def __init__(self) -> None:
        self.weather: Weather | None = None
        self._waiting: list[Fault] = []
        self._overtaken: dict[str, list[asyncio.Event]] = {}

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
        return self.weather.fault(method) if self.weather is not None else None

    async def overtaken(self, method: str, seconds: float) -> None:
        """Wait for the next call of that method to be done, but no longer than that."""
        passed = asyncio.Event()
        self._overtaken.setdefault(method, []).append(passed)
        with suppress(TimeoutError):
            await asyncio.wait_for(passed.wait(), seconds)

    def done(self, method: str) -> None:
        """A call of that method was: those that it overtook follow."""
        for each in self._overtaken.pop(method, ()):
            each.set()

    def clear(self) -> None:
        """Switch all of them off, and let the sun shine."""
        self.weather = None
        self._waiting.clear()
        for method in list(self._overtaken):
            self.done(method)
