"""Shares: what each organisation may ask of a service, so that nobody feels what others ask. Pure.

The organisations' shares together never exceed the service's budget, and no share depends on what anybody
else has used. Partners whose own questions may go out split PARTNERS of each budget equally, whatever the
host does; the host has the rest, RESERVE of it only for what is asked on purpose.

When partners come or go within a period the shares of before and after may be more than the budget: only then
the count of the whole service refuses somebody who has something left.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from math import ceil

from bot.budgets import Allowance, Calendar
from bot.providers.spec import Budget, Spec
from bot.sharing import World

PARTNERS = Fraction(2, 5)
RESERVE = Fraction(1, 5)
MINUTE = timedelta(minutes=1)
ALL = "*"  # no slug of an organisation

Period = Calendar | timedelta


@dataclass(frozen=True)
class Turn:
    """Which of the periods an organisation may ask in, where there are too few questions for everybody."""

    place: int
    of: int
    period: Period

    def opens(self, at: datetime) -> datetime:
        """When it may ask next: `at` itself if it may now."""
        while not self._is_on(at):
            at = _end(self.period, at)
        return at

    def _is_on(self, at: datetime) -> bool:
        # Any stretch of a minute may touch two minutes: between two turns one stays empty.
        step = 1 if isinstance(self.period, Calendar) else 2
        return _number(self.period, at) % (step * self.of) == step * self.place


@dataclass(frozen=True)
class Share:
    """What one organisation may ask of one service."""

    allowances: tuple[Allowance, ...] = ()
    on_purpose: tuple[Allowance, ...] = ()  # the same, with what is held in reserve
    turns: tuple[Turn, ...] = ()
    of_all: tuple[Allowance, ...] = ()  # the budgets themselves, from which everybody takes

    def opens(self, at: datetime) -> datetime:
        """When all its turns have come: `at` itself if they have."""
        return max((turn.opens(at) for turn in self.turns), default=at)

    @property
    def shown(self) -> Allowance | None:
        """The one that tells most about a day; None without a limit."""
        order: tuple[Period, ...] = (Calendar.DAY, Calendar.MONTH, MINUTE)
        return min(self.on_purpose, key=lambda one: order.index(one.period), default=None)


def share(spec: Spec, org: str, world: World) -> Share:
    """What this organisation may ask of this service."""
    partners = sorted(world.own_queries - {world.host})
    parts = [_part(spec, org, period, most, partners, world) for period, most in _limits(spec.budget)]
    return Share(
        tuple(usual for usual, _, _ in parts),
        tuple(all_of_it for _, all_of_it, _ in parts),
        tuple(turn for _, _, turn in parts if turn is not None),
        tuple(Allowance(_key(spec, ALL, period), most, period) for period, most in _limits(spec.budget)),
    )


def word(period: Period) -> str:
    """What people call it."""
    return period.value if isinstance(period, Calendar) else "minute"


def _limits(budget: Budget) -> list[tuple[Period, int]]:
    limits = (MINUTE, budget.per_minute), (Calendar.DAY, budget.per_day), (Calendar.MONTH, budget.per_month)
    return [(period, most) for period, most in limits if most is not None]


def _part(
    spec: Spec, org: str, period: Period, most: int, partners: list[str], world: World
) -> tuple[Allowance, Allowance, Turn | None]:
    """The usual allowance, the one with the reserve, and the turn; both count under one key."""
    key = f"{spec.name}/{org}/{word(period)}"
    each, at_once = _split(most, len(partners))
    if org == world.host:
        all_of_it = most - each * at_once
        usual = max(all_of_it - int(most * RESERVE), 0)
        return Allowance(key, usual, period), Allowance(key, all_of_it, period), None
    allowance = Allowance(key, each if org in partners else 0, period)
    if org not in partners or len(partners) <= at_once or not at_once:
        return allowance, allowance, None
    groups = -(-len(partners) // at_once)
    return allowance, allowance, Turn(partners.index(org) // at_once, groups, period)


def _key(spec: Spec, org: str, period: Period) -> str:
    return f"{spec.name}/{org}/{period.value if isinstance(period, Calendar) else 'minute'}"


def _split(most: int, partners: int) -> tuple[int, int]:
    """How much each partner may ask in a period, and how many partners at the most in the same one.

    A share below one is one in a longer time: then they take turns. A budget of one is the host's.
    """
    part = most * PARTNERS
    if not partners or most < 2:
        return 0, 0
    if part >= partners:
        return int(part / partners), partners
    return 1, min(partners, ceil(part), most // 2)


def _number(period: Period, at: datetime) -> int:
    at = at.astimezone(UTC)
    if period is Calendar.MONTH:
        return at.year * 12 + at.month
    return at.toordinal() if period is Calendar.DAY else int(at.timestamp() // MINUTE.total_seconds())


def _end(period: Period, at: datetime) -> datetime:
    if isinstance(period, Calendar):
        return period.end(at)
    return at.replace(second=0, microsecond=0) + MINUTE
