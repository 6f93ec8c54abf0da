"""Shares: together never more than the budget, and none depends on what others use."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.budgets import Allowance, Calendar
from bot.enrichment.shares import MINUTE, Share, share
from bot.providers.spec import Budget
from bot.store.ledger import Count, Ledger, Log
from tests.enrichment.parts import KASPERSKY, TREND, WORLD, plain
from tests.strategies import HOST, NOW, PARTNERS

numbers = st.integers(0, 40) | st.integers(0, 20_000)
limits = st.none() | numbers


def of(org: str, partners: int, **budget: int | None) -> Share:
    """The share of "host" or of one of the partners p0, p1, ..."""
    orgs = frozenset(f"p{number:03}" for number in range(partners))
    world = replace(WORLD, in_force=orgs, own_queries=orgs | {HOST})
    return share(plain(budget=Budget(**budget)).spec, org, world)


def orgs(partners: int) -> list[str]:
    return [HOST, *(f"p{number:03}" for number in range(partners))]


@pytest.mark.parametrize(
    ("most", "partners", "host", "usual", "each"),
    [
        (500, 0, 500, 400, 0),
        (500, 1, 300, 200, 200),
        (500, 3, 302, 202, 66),
        (500, 200, 300, 200, 1),
        (500, 500, 300, 200, 1),
        (4, 0, 4, 4, 0),
        (4, 1, 3, 3, 1),
        (4, 2, 2, 2, 1),
        (4, 3, 2, 2, 1),
        (1, 2, 1, 1, 0),
        (0, 2, 0, 0, 0),
    ],
)
def test_partners_split_a_fixed_part_and_the_host_holds_some_of_its_own_in_reserve(
    most: int, partners: int, host: int, usual: int, each: int
) -> None:
    of_host = of(HOST, partners, per_day=most)

    assert of_host.allowances == (Allowance("virustotal/host/day", usual, Calendar.DAY),)
    assert of_host.on_purpose == (Allowance("virustotal/host/day", host, Calendar.DAY),)
    for org in orgs(partners)[1:]:
        key = f"virustotal/{org}/day"
        assert of(org, partners, per_day=most).allowances == (Allowance(key, each, Calendar.DAY),)


def test_an_organisation_that_did_not_agree_has_no_share_and_takes_none() -> None:
    world = replace(WORLD, own_queries=frozenset({HOST, KASPERSKY}))
    spec = plain(budget=Budget(per_day=100)).spec

    assert [share(spec, org, world).shown for org in (HOST, KASPERSKY, TREND)] == [
        Allowance("virustotal/host/day", 60, Calendar.DAY),
        Allowance("virustotal/kaspersky/day", 40, Calendar.DAY),
        Allowance("virustotal/trendmicro/day", 0, Calendar.DAY),
    ]


def test_a_service_without_limits_needs_no_counting() -> None:
    assert of(HOST, 3) == Share()
    assert of(HOST, 3).shown is None


def test_the_day_is_shown_then_the_month_then_the_minute() -> None:
    shown = [
        of(HOST, 0, per_minute=4, per_day=500, per_month=9000).shown,
        of(HOST, 0, per_minute=4, per_month=9000).shown,
        of(HOST, 0, per_minute=4).shown,
    ]

    assert [each.most for each in shown if each is not None] == [500, 9000, 4]


def test_who_has_to_wait_for_its_turn_is_told_when_it_comes() -> None:
    at = datetime(2026, 6, 1, 12, 0, 30, tzinfo=UTC)
    turns = [of(org, 4, per_minute=4).opens(at) for org in orgs(4)]

    assert turns[0] == at  # the host
    assert sorted(turns[1:]) == [at, at, *[datetime(2026, 6, 1, 12, 2, tzinfo=UTC)] * 2]


@given(limits, limits, limits, st.integers(0, 60))
def test_partners_are_treated_alike_and_the_host_keeps_at_least_half(
    per_minute: int | None, per_day: int | None, per_month: int | None, partners: int
) -> None:
    budget = {"per_minute": per_minute, "per_day": per_day, "per_month": per_month}
    shares = {org: of(org, partners, **budget) for org in orgs(partners)}

    theirs = [shares[org] for org in orgs(partners)[1:]]
    assert len({tuple(each.most for each in share.allowances) for share in theirs}) <= 1
    assert len({tuple(turn.of for turn in share.turns) for share in theirs}) <= 1
    for allowance, usual in zip(shares[HOST].on_purpose, shares[HOST].allowances, strict=True):
        whole = next(
            most
            for most, period in ((per_minute, MINUTE), (per_day, Calendar.DAY), (per_month, Calendar.MONTH))
            if period == allowance.period
        )
        assert whole is not None
        assert whole / 2 <= allowance.most <= whole
        assert allowance.most - usual.most == whole // 5


@given(
    st.integers(0, 12),
    st.integers(0, 25),
    st.lists(st.tuples(st.integers(0, 25), st.integers(0, 45), st.integers(1, 8)), max_size=80),
)
def test_no_minute_ever_holds_more_than_the_budget_however_greedy_all_of_them_are(
    most: int, partners: int, tries: list[tuple[int, int, int]]
) -> None:
    """The store's own ledger counts."""
    shares = {org: of(org, partners, per_minute=most) for org in orgs(partners)}
    ledger = Ledger({}, {f"virustotal/{org}/minute": Log(0, {}) for org in shares})
    at, taken = NOW, []

    for who, seconds, times in tries:
        at += timedelta(seconds=seconds)
        for org in [orgs(partners)[who % (partners + 1)], *orgs(partners)]:
            may = shares[org].opens(at) == at
            taken += [at for _ in range(times) if may and ledger.spend(shares[org].on_purpose, at) is None]

    for first in taken:
        assert sum(first <= each < first + MINUTE for each in taken) <= most


@given(st.sampled_from([Calendar.DAY, Calendar.MONTH]), st.integers(0, 30), st.integers(0, 40))
def test_no_day_or_month_holds_more_than_the_budget_and_everybody_has_a_turn(
    period: Calendar, most: int, partners: int
) -> None:
    limit = {"per_day" if period is Calendar.DAY else "per_month": most}
    shares = {org: of(org, partners, **limit) for org in orgs(partners)}
    counts = {(f"virustotal/{org}/{period.value}", period): Count(period, {}) for org in shares}
    ledger, at, came = Ledger(counts, {}), NOW, Counter[str]()

    for _ in range(partners + 1):
        taken = 0
        for org, own in shares.items():
            while own.opens(at) == at and ledger.spend(own.on_purpose, at) is None:
                taken, came[org] = taken + 1, came[org] + 1
        assert taken <= most
        at = period.end(at)

    assert came.keys() == (shares.keys() if most > 1 else {HOST} if most else set())


@given(st.integers(1, 25), st.integers(2, 8), st.integers(0, 100_000))
def test_a_turn_comes_when_it_was_said_to_come(partners: int, most: int, minutes: int) -> None:
    at = NOW + timedelta(minutes=minutes, seconds=minutes % 60)

    for org in orgs(partners):
        own = of(org, partners, per_minute=most)
        opens = own.opens(at)
        assert at <= opens <= at + timedelta(minutes=2 * partners)
        assert own.opens(opens) == opens


def test_shares_depend_on_agreements_only() -> None:
    spec = plain(budget=Budget(per_day=100)).spec
    shares = {share(spec, KASPERSKY, replace(WORLD, in_force=frozenset(PARTNERS[:n]))) for n in range(4)}

    assert len(shares) == 1


def test_what_changes_of_partners_leave_over_is_still_no_more_than_the_budget() -> None:
    """The store's own ledger counts; each time somebody else has agreed, and everybody is greedy."""
    spec = plain(budget=Budget(per_month=500)).spec
    keys = [f"virustotal/{org}/month" for org in (HOST, KASPERSKY, TREND, "*")]
    ledger = Ledger({(key, Calendar.MONTH): Count(Calendar.MONTH, {}) for key in keys}, {})
    taken = Counter[str]()

    for agreed in ({KASPERSKY}, {TREND}, {KASPERSKY, TREND}, set[str]()):
        world = replace(WORLD, own_queries=frozenset({HOST, *agreed}))
        for org in [*sorted(agreed), HOST]:
            own = share(spec, org, world)
            while ledger.spend([*own.on_purpose, *own.of_all], NOW) is None:
                taken[org] += 1

    assert taken == {KASPERSKY: 200, HOST: 300}


@given(limits, limits, limits, st.integers(0, 60))
def test_as_long_as_nobody_comes_or_goes_only_the_own_share_counts(
    per_minute: int | None, per_day: int | None, per_month: int | None, partners: int
) -> None:
    """So the count of all tells nobody what others ask."""
    budget = {"per_minute": per_minute, "per_day": per_day, "per_month": per_month}
    shares = [of(org, partners, **budget) for org in orgs(partners)]

    for place, whole in enumerate(shares[0].of_all):
        at_once = Counter(
            next((t.place for t in each.turns if t.period == whole.period), -1) for each in shares
        )
        most_partners = max((many for turn, many in at_once.items() if turn >= 0), default=at_once[-1] - 1)
        theirs = shares[-1].on_purpose[place].most if partners else 0
        assert shares[0].on_purpose[place].most + theirs * most_partners <= whole.most
