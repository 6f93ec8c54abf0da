"""Summaries: the figures of a day for those who read a channel, against the seven days before. Pure.

Everything is counted from what was cleared for them. What concerns one organisation alone (its questions, its
share of budgets, the end of its agreement) is told where nobody else but the host reads.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from math import log
from typing import TypeVar

from bot.assertions import Assertion
from bot.indicators import Indicator, Kind
from bot.organisations import Organisation
from bot.services import Standing
from bot.sharing import Audience, Cleared, World, may_release
from bot.tlp import Label

T = TypeVar("T")

DAYS = 8  # the day itself and the seven before it
MOST_FAMILIES = 8
MOST_EMERGING = 8
MOST_SOURCES = 20
ENDING_DAYS = 30  # agreements that end so soon are told

LEAST = 5  # reports of a family in the day, to call it emerging
TIMES = 3  # as many as on a usual day
ODDS = 0.001  # of so many by chance, had the usual rate held
LEAST_DAYS = 3  # days with any report before, or there is nothing to compare with
METHOD = (
    f"Emerging: at least {LEAST} reports, at least {TIMES} times the daily rate of the 7 days before, "
    f"and by chance that many less than once in {round(1 / ODDS):,} days (Poisson)."
)

_ITSELF = Indicator(Kind.DOMAIN, "")  # no value takes part in the decision


@dataclass(frozen=True)
class Asked:
    """Lookups of the day: how many indicators were asked about, and about how many something was known."""

    asked: int
    answered: int


@dataclass(frozen=True, kw_only=True)
class Dealings:
    """What concerns one organisation and the host alone; see `concerned`."""

    org: str
    asked: Asked | None = None  # of that organisation; of everybody if it is the host
    budgets: tuple[Standing, ...] = ()  # its share of each service
    agreements: tuple["Ending", ...] = ()


@dataclass(frozen=True)
class Ending:
    """An agreement that ends soon."""

    name: str
    until: date  # the last day, UTC
    days: int  # until then; 0 is today


@dataclass(frozen=True)
class Emerging:
    """A family that is reported far more often than before."""

    family: str
    reports: int  # in the day
    usual: float  # reports a day in the seven days before


@dataclass(frozen=True)
class Freshness:
    """When a source last brought something that may be read here."""

    source: str  # as the readers know it
    days: int | None  # 0 is the day itself; None: not in DAYS days


@dataclass(frozen=True, kw_only=True)
class Summary:
    """The figures of a day. A report is one source's claim about one indicator, new to these readers."""

    audience: Audience
    label: Label  # the strictest of everything that is counted
    entitled: frozenset[str] = frozenset()  # who might read all of it, too: `sharing.entitled`
    bounds: tuple[datetime, ...]  # DAYS + 1 moments, the oldest first; the day ends with the last
    days: tuple[int, ...]  # reports, the oldest day first
    sources: tuple[tuple[str, int], ...] = ()  # of the day, as in every list the most frequent first
    kinds: tuple[tuple[Kind, int], ...] = ()
    families: tuple[tuple[str, int], ...] = ()  # at most MOST_FAMILIES
    unnamed: int = 0  # reports of no family
    emerging: tuple[Emerging, ...] = ()
    is_comparable: bool = False  # enough days before had any report
    feeds: tuple[Freshness, ...] = ()  # the stalest first; for the host alone then those who brought nothing
    dealings: Dealings | None = None

    @property
    def reports(self) -> int:
        """How many came in on the day."""
        return self.days[-1]

    @property
    def usual(self) -> float:
        """Reports a day in the seven days before."""
        return sum(self.days[:-1]) / (DAYS - 1)


def bounds(until: datetime) -> tuple[datetime, ...]:
    """The ends of the days, the oldest first: the same time of the clock in the zone of `until`."""
    return tuple(until - timedelta(days=ago) for ago in range(DAYS, -1, -1))


def concerned(audience: Audience, world: World) -> str | None:
    """The one organisation whose dealings with the host may be told there; None if others may come to read.

    They are treated as the host's own claim, TLP:AMBER+STRICT, addressed to that organisation.
    """
    partners = audience.orgs - {world.host}
    if len(partners) > 1:
        return None
    org = next(iter(partners), world.host)
    claim = Assertion(
        indicator=_ITSELF, source=world.host, label=Label.AMBER_STRICT, addressed_to=frozenset({org})
    )
    return org if may_release(claim, audience, world).release else None


def ending(organisations: Iterable[Organisation], org: str, world: World) -> tuple[Ending, ...]:
    """Agreements in force that end within ENDING_DAYS: all for the host, for a partner its own."""
    today = world.now.date()
    found = [
        Ending(each.name, each.until, (each.until - today).days)
        for each in organisations
        if each.until is not None and each.id in world.in_force and org in (world.host, each.id)
    ]
    return tuple(sorted((each for each in found if each.days <= ENDING_DAYS), key=lambda each: each.until))


class Figures:
    """Takes what was cleared for one audience, page by page and each with its day, and counts it."""

    def __init__(self, audience: Audience, world: World, until: datetime) -> None:
        self._audience, self._world, self._bounds = audience, world, bounds(until)
        self._label = Label.CLEAR
        self._days = [0] * DAYS
        self._sources: Counter[str] = Counter()
        self._kinds: Counter[Kind] = Counter()
        self._families = _Families()
        self._last: dict[str, int] = {}  # day of the last report of each source

    def add(self, cleared: Cleared, *, day: int) -> None:
        """Count one page: `day` is the place in `bounds` of the moment that it was stored after."""
        if cleared.audience.orgs != self._audience.orgs or cleared.audience.cap != self._audience.cap:
            raise ValueError("a summary has one audience")
        is_today = day == DAYS - 1
        for shown in cleared.shown:
            self._label = max(self._label, shown.label)
            self._days[day] += 1
            self._last[shown.source_name] = max(day, self._last.get(shown.source_name, day))
            self._families.add(shown.family, is_today)
            if is_today:
                self._sources[shown.source_name] += 1
                self._kinds[shown.indicator.kind] += 1

    def summary(self, dealings: Dealings | None = None) -> Summary:
        """What it comes to; dealings of whom the readers are not entitled to hear are left out."""
        org = concerned(self._audience, self._world)
        told = dealings if dealings is not None and dealings.org == org else None
        silent = self._silent() if org == self._world.host else []
        is_comparable = sum(map(bool, self._days[:-1])) >= LEAST_DAYS
        return Summary(
            audience=self._audience,
            label=max(self._label, Label.AMBER_STRICT) if told or silent else self._label,
            bounds=self._bounds,
            days=tuple(self._days),
            sources=tuple(_often(self._sources)),
            kinds=tuple(_often(self._kinds)),
            families=tuple(self._families.top(MOST_FAMILIES)),
            unnamed=self._families.unnamed,
            emerging=tuple(self._families.emerging()[:MOST_EMERGING]) if is_comparable else (),
            is_comparable=is_comparable,
            feeds=(*self._fresh(), *silent),
            dealings=told,
        )

    def _fresh(self) -> list[Freshness]:
        found = [Freshness(source, DAYS - 1 - day) for source, day in self._last.items()]
        return sorted(found, key=lambda each: (-(each.days or 0), each.source))

    def _silent(self) -> list[Freshness]:
        """Partners that brought nothing; for the host, who knows them all."""
        names = sorted(self._world.names.get(each, each) for each in self._world.in_force)
        return [Freshness(name, None) for name in names if name not in self._last]


class _Families:
    """Reports by family in any spelling, of the day and before it."""

    def __init__(self) -> None:
        self._today: Counter[str] = Counter()
        self._before: Counter[str] = Counter()
        self._spellings: dict[str, str] = {}
        self.unnamed = 0

    def add(self, family: str | None, is_today: bool) -> None:
        spelling = (family or "").strip()
        folded = spelling.casefold()
        if not folded:
            self.unnamed += is_today
            return
        self._spellings[folded] = min(spelling, self._spellings.get(folded, spelling))
        (self._today if is_today else self._before)[folded] += 1

    def top(self, most: int) -> list[tuple[str, int]]:
        return _often({self._spellings[name]: number for name, number in self._today.items()})[:most]

    def emerging(self) -> list[Emerging]:
        found = [
            Emerging(self._spellings[name], reports, self._before[name] / (DAYS - 1))
            for name, reports in self._today.items()
            if is_emerging(reports, self._before[name])
        ]
        return sorted(found, key=lambda each: (-each.reports / max(each.usual, _RARE), each.family))


_RARE = 1 / (DAYS - 1)  # a day: the rate of what was not reported at all is taken for once in that time


def is_emerging(reports: int, before: int) -> bool:
    """Whether so many reports in a day stand out from so many in the seven days before; METHOD says how.

    The odds are bounded from above: https://en.wikipedia.org/wiki/Poisson_distribution#Tail_probabilities
    """
    rate = max(before / (DAYS - 1), _RARE)
    if reports < LEAST or reports < TIMES * rate:
        return False
    return reports - rate - reports * log(reports / rate) < log(ODDS)


def _often(numbers: Mapping[T, int]) -> list[tuple[T, int]]:
    return sorted(numbers.items(), key=lambda one: (-one[1], str(one[0])))
