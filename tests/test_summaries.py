"""The figures of a day count what their readers may see; what concerns one organisation is for it alone."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.assertions import Assertion
from bot.blocks import render
from bot.charts import chart
from bot.organisations import Organisation
from bot.sharing import UNKNOWN, Audience, Reach, World, clear, may_release
from bot.summaries import (
    DAYS,
    LEAST,
    METHOD,
    Asked,
    Dealings,
    Emerging,
    Ending,
    Figures,
    Freshness,
    Summary,
    bounds,
    concerned,
    ending,
    is_emerging,
)
from bot.tlp import Label
from tests.digesting import CHANNEL, HOST_ONLY, NOW, WORLD, claim, seen
from tests.strategies import assertions, conversations, worlds

TODAY = DAYS - 1


def summary_of(*days: list[Assertion], audience: Audience = CHANNEL, **more: Any) -> Summary:
    """Of the last so many days."""
    figures = Figures(audience, WORLD, NOW)
    for place, claims in enumerate(days, DAYS - len(days)):
        figures.add(seen(*claims, audience=audience), day=place)
    return figures.summary(**more)


def family(name: str, number: int) -> list[Assertion]:
    return [claim(each, family=name) for each in range(number)]


# What is counted.


def test_reports_of_the_day_are_counted_by_source_kind_and_family() -> None:
    summary = summary_of([claim(9)], [*family("Emotet", 3), claim(4, "igci"), claim(5, family="emotet")])

    assert (summary.reports, summary.days[-2]) == (5, 1)
    assert summary.sources == (("Partner K", 4), ("Cyber Fusion Centre", 1))
    assert [(kind.value, number) for kind, number in summary.kinds] == [("domain", 5)]
    assert summary.families == (("Emotet", 4),)
    assert summary.unnamed == 1


def test_the_usual_number_is_that_of_the_seven_days_before() -> None:
    summary = summary_of(*([claim(each) for each in range(number)] for number in (7, 0, 14, 0, 0, 0, 0, 50)))

    assert summary.usual == 3
    assert summary.reports == 50


def test_days_end_at_the_same_time_of_the_clock_when_it_changes() -> None:
    until = datetime(2026, 10, 27, 8, 0, tzinfo=ZoneInfo("Europe/Paris"))

    moments = bounds(until)

    assert len(moments) == DAYS + 1
    assert {moment.hour for moment in moments} == {8}
    lengths = [(b.astimezone(UTC) - a.astimezone(UTC)) for a, b in pairwise(moments)]
    assert lengths.count(timedelta(hours=25)) == 1
    assert lengths.count(timedelta(hours=24)) == DAYS - 1


def test_the_label_is_the_strictest_that_is_counted() -> None:
    amber = claim(1, label=Label.AMBER, addressed_to=frozenset({"trendmicro"}))

    assert summary_of([claim(1, label=Label.CLEAR)]).label is Label.CLEAR
    assert summary_of([claim(1, "trendmicro")]).label is Label.GREEN
    assert summary_of([amber, claim(2, "trendmicro")]).label is Label.AMBER


def test_sources_are_told_by_when_they_last_brought_something() -> None:
    summary = summary_of([claim(1, "bureau")], [claim(1)], [], [claim(2, "trendmicro"), claim(3)])

    assert summary.feeds == (
        Freshness("a partner", 3),
        Freshness("Partner K", 0),
        Freshness("Trend Micro", 0),
    )


def test_only_the_host_hears_who_was_silent() -> None:
    host = summary_of([claim(1)], audience=HOST_ONLY)
    partner = summary_of([claim(1)])

    assert host.feeds == (
        Freshness("Kaspersky", 0),
        Freshness("National Bureau", None),
        Freshness("Trend Micro", None),
    )
    assert host.label is Label.AMBER_STRICT
    assert partner.feeds == (Freshness("Partner K", 0),)
    assert partner.label is Label.GREEN


# What emerges.


@pytest.mark.parametrize(
    ("reports", "before", "expected"),
    [
        (LEAST - 1, 0, False),
        (LEAST, 0, True),
        (LEAST, 2, True),
        (LEAST, 4, False),
        (6, 4, True),
        (30, 70, True),
        (29, 70, False),
        (2_100, 4_900, True),
        (2_099, 4_900, False),
        (1_000_000, 0, True),
        (1_000_000, 10_000_000, False),
    ],
)
def test_a_family_emerges_far_above_its_usual_rate(reports: int, before: int, expected: bool) -> None:
    assert is_emerging(reports, before) is expected


@given(st.integers(0, 10_000), st.integers(0, 10_000), st.integers(0, 1_000))
def test_more_reports_or_fewer_before_emerge_no_less(reports: int, before: int, more: int) -> None:
    if is_emerging(reports, before):
        assert is_emerging(reports + more, before)
        assert is_emerging(reports, max(0, before - more))


def test_what_emerges_is_told_with_its_usual_rate_the_most_surprising_first() -> None:
    before = [[*family("Emotet", 10), *family("QakBot", 1)] for _ in range(7)]

    summary = summary_of(*before, [*family("Emotet", 40), *family("QakBot", 9), *family("Lumma", 6)])

    assert summary.emerging == (
        Emerging("Lumma", 6, 0.0),
        Emerging("QakBot", 9, 1.0),
        Emerging("Emotet", 40, 10.0),
    )


def test_nothing_emerges_where_there_is_nothing_to_compare_with() -> None:
    summary = summary_of([claim(1)], [claim(1)], family("Emotet", 40))

    assert not summary.is_comparable
    assert summary.emerging == ()


def test_the_method_is_said_in_a_line() -> None:
    assert METHOD == (
        "Emerging: at least 5 reports, at least 3 times the daily rate of the 7 days before, "
        "and by chance that many less than once in 1,000 days (Poisson)."
    )


# What concerns one organisation.


def channel(*orgs: str, cap: Label = Label.AMBER_STRICT, **more: Any) -> Audience:
    return Audience(reach=Reach.CHANNEL, orgs=frozenset(orgs), cap=cap, **more)


@pytest.mark.parametrize(
    ("audience", "org"),
    [
        (channel("igci"), "igci"),
        (channel("trendmicro"), "trendmicro"),
        (channel("igci", "trendmicro"), "trendmicro"),
        (channel("igci", "trendmicro", "bureau"), None),
        (channel("trendmicro", "bureau"), None),
        (channel("igci", UNKNOWN), None),
        (channel("igci", "lapsed"), None),
        (channel("igci", cap=Label.AMBER), None),
        (channel("igci", "trendmicro", cap=Label.GREEN), None),
        (channel("igci", fresh=False), None),
        (channel("igci", public=True), None),
        (channel("igci", pending_invite=True), None),
        (channel(), None),
        (Audience(reach=Reach.EPHEMERAL, orgs=frozenset({"trendmicro"})), "trendmicro"),
        (Audience(reach=Reach.LOG, orgs=frozenset({"igci"})), None),
    ],
)
def test_dealings_are_told_where_nobody_else_comes_to_read(audience: Audience, org: str | None) -> None:
    assert concerned(audience, WORLD) == org


@given(conversations, worlds, st.sampled_from(["host", "kaspersky", "newco", UNKNOWN]))
def test_nobody_reads_the_dealings_of_another(audience: Audience, world: World, org: str) -> None:
    told = Figures(audience, world, NOW).summary(Dealings(org=org, asked=Asked(1, 1)))

    if told.dealings is not None:
        assert audience.orgs <= {org, world.host}
        assert org in audience.orgs
        assert told.label >= Label.AMBER_STRICT


def test_dealings_of_somebody_else_are_left_out() -> None:
    dealings = Dealings(org="kaspersky", asked=Asked(9, 9))

    assert summary_of([claim(1, "trendmicro")], dealings=dealings).dealings is None
    assert summary_of([], dealings=Dealings(org="trendmicro")).dealings is not None


def _partner(slug: str, until: date | None) -> Organisation:
    return Organisation(id=slug, name=slug.title(), teams=frozenset(), until=until)


def test_agreements_that_end_soon_are_told_to_the_host_and_to_the_partner() -> None:
    organisations = [
        _partner("kaspersky", date(2026, 12, 23)),
        _partner("trendmicro", date(2026, 11, 23)),
        _partner("bureau", date(2026, 12, 24)),
        _partner("lapsed", date(2026, 11, 22)),
    ]

    assert ending(organisations, "igci", WORLD) == (
        Ending("Trendmicro", date(2026, 11, 23), 0),
        Ending("Kaspersky", date(2026, 12, 23), 30),
    )
    assert ending(organisations, "trendmicro", WORLD) == (Ending("Trendmicro", date(2026, 11, 23), 0),)
    assert ending(organisations, "bureau", WORLD) == ()
    assert ending([_partner("bureau", None)], "igci", WORLD) == ()


# What is hidden.


def _summary(days: list[list[Assertion]], audience: Audience, world: World) -> Summary:
    figures = Figures(audience, world, NOW)
    for day, claims in enumerate(days):
        for each in claims:
            figures.add(clear((each,), audience, world), day=day)
    return figures.summary()


@given(
    st.lists(st.lists(assertions, max_size=3), min_size=DAYS, max_size=DAYS),
    conversations,
    worlds,
)
def test_hidden_claims_change_no_byte_of_words_or_blocks(
    days: list[list[Assertion]], audience: Audience, world: World
) -> None:
    visible = [[each for each in day if may_release(each, audience, world).release] for day in days]

    everything, only_visible = _summary(days, audience, world), _summary(visible, audience, world)

    assert everything == only_visible
    assert render(everything) == render(only_visible)


def test_hidden_claims_change_no_dot_of_the_chart() -> None:
    hidden = [claim(each, "bureau", label=Label.RED, family="Secret") for each in range(9)]

    assert chart(summary_of([claim(1)], [*hidden, *family("Emotet", 2)])) == chart(
        summary_of([claim(1)], family("Emotet", 2))
    )


def test_pages_for_other_readers_are_refused() -> None:
    with pytest.raises(ValueError, match="one audience"):
        Figures(CHANNEL, WORLD, NOW).add(seen(claim(1), audience=HOST_ONLY), day=TODAY)
