"""What a provider declares, and what every source of findings can do."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from bot.findings import Outcome, Report
from bot.indicators import Indicator, Kind
from bot.sharing import Audience, Reach
from bot.tlp import Label


@dataclass(frozen=True, kw_only=True)
class Budget:
    """How many questions the service takes from us; None means it sets no limit there."""

    per_minute: int | None = None
    per_day: int | None = None  # days and months of UTC
    per_month: int | None = None


@dataclass(frozen=True, kw_only=True)
class Spec:
    """One provider as the operator runs it: its own defaults, changed by liaison.toml."""

    name: str  # slug, as sources name it in `never_to`
    title: str  # for people
    kinds: frozenset[Kind]
    operators: frozenset[str] = frozenset()  # organisations behind it, by slug: they learn of questions
    ceiling: Label = Label.CLEAR  # the strictest label it may be asked about
    publishes: bool = False  # questions can be seen by its other users
    asks_nobody: bool = False  # answers from a local file: nothing leaves
    label: Label = Label.GREEN  # how far its answers may travel, by its terms
    budget: Budget = Budget()
    seconds: float = 6.0  # deadline of one question
    at_once: int = 100  # questions under way
    fresh_found: timedelta = timedelta(hours=24)
    fresh_missing: timedelta = timedelta(hours=6)

    @property
    def audience(self) -> Audience:
        """Who learns of a question, for the release policy."""
        return Audience(
            reach=Reach.PROVIDER,
            orgs=self.operators | {self.name},
            max_label=self.ceiling,
            active=self.publishes,
        )


class NoAnswerError(Exception):
    """A question that brought no report. Holds no text of the service, no key and no value."""

    def __init__(self, outcome: Outcome, again_in: float | None = None, *, of_question: bool = False) -> None:
        super().__init__(outcome.value)
        self.outcome = outcome
        self.of_question = of_question  # the service does not take this one: that says nothing of others
        self.again_in = again_in  # seconds after which the service wants to be asked again, if it said so


class Source(Protocol):
    """Something that can be asked: a remote service behind its wire, or a local list."""

    @property
    def spec(self) -> Spec:
        """What it declares."""

    async def open(self) -> None:
        """Get ready, without waiting for anything far away. Raises ConfigError."""

    async def ask(self, indicator: Indicator) -> Report | None:
        """What it says; None if it knows nothing. Raises NoAnswerError. The caller sets the deadline."""

    async def close(self) -> None:
        """Release connections and files."""
