"""A summary fits into one safe message with its label first, whatever stands in it."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from bot.blocks import note, render
from bot.chat import Preview
from bot.indicators import Kind
from bot.services import Standing
from bot.subscriptions import Purpose
from bot.summaries import DAYS, METHOD, Asked, Dealings, Emerging, Ending, Freshness, Summary, bounds
from bot.tlp import Label
from tests.digesting import HOST_ONLY, complaints
from tests.hostile import texts

UNTIL = datetime(2026, 11, 23, 7, 30, tzinfo=ZoneInfo("Asia/Singapore"))
BUDGETS = (
    Standing(provider="virustotal", title="VirusTotal", is_on=True, used=140, most=500),
    Standing(provider="hashlookup", title="CIRCL hashlookup", is_on=True),
    Standing(provider="opentip", title="OpenTIP", is_on=False),
)
SUMMARY = Summary(
    audience=HOST_ONLY,
    label=Label.AMBER_STRICT,
    bounds=bounds(UNTIL),
    days=(120, 98, 143, 0, 87, 110, 134, 1_342),
    sources=(("Kaspersky", 1_200), ("Trend Micro", 142)),
    kinds=((Kind.DOMAIN, 1_000), (Kind.SHA256, 300), (Kind.MD5, 42)),
    families=(("Emotet", 1_000), ("Lumma", 18)),
    unnamed=324,
    emerging=(Emerging("Lumma", 18, 0.0), Emerging("Emotet", 1_000, 41.3), Emerging("QakBot", 9, 1.5)),
    is_comparable=True,
    feeds=(Freshness("Trend Micro", 3), Freshness("Kaspersky", 0), Freshness("National Bureau", None)),
    dealings=Dealings(
        org="igci",
        asked=Asked(118, 37),
        budgets=BUDGETS,
        agreements=(
            Ending("Trend Micro", date(2026, 12, 10), 17),
            Ending("Kaspersky", date(2026, 11, 23), 0),
        ),
    ),
)

FOOTNOTES = (
    (
        "A report is one source's claim about one indicator. "
        "Only what those who read this channel may see is counted."
    ),
    METHOD,
)


def _date(place: int) -> str:
    moment = SUMMARY.bounds[place]
    utc = moment.astimezone(UTC)
    return f"<!date^{int(moment.timestamp())}^{{date_num}} {{time}}|{utc:%Y-%m-%d %H:%M} UTC>"


def test_a_summary_tells_all_figures_in_words() -> None:
    assert render(SUMMARY).text.splitlines() == [
        "TLP:AMBER+STRICT · summary: 1,342 new reports, usually 99 a day",
        f"From {_date(-2)} to {_date(-1)}",
        "• By source: Kaspersky 1,200, Trend Micro 142",
        "• By kind: 1,000 domains, 342 hashes",
        "• By family: Emotet 1,000, Lumma 18, no family 324",
        "• Last heard of: 3 days ago: Trend Micro; today: Kaspersky; ⚠️ not in 8 days: National Bureau",
        "New reports a day",
        "• Mon 16 Nov · 120 · █",
        "• Tue 17 Nov · 98 · █",
        "• Wed 18 Nov · 143 · █",
        "• Thu 19 Nov · 0 · ·",
        "• Fri 20 Nov · 87 · █",
        "• Sat 21 Nov · 110 · █",
        "• Sun 22 Nov · 134 · █",
        "• Mon 23 Nov · 1,342 · ████████████",
        "Emerging families",
        "• Lumma 18 reports, none in the 7 days before",
        "• Emotet 1,000 reports, usually 41 a day",
        "• QakBot 9 reports, usually 1.5 a day",
        "About your organisation",
        "• Looked up: 118 indicators, 37 of them known",
        "• Questions to services: VirusTotal 140 of 500 used; CIRCL hashlookup no limit; OpenTIP off",
        "• Agreements that end soon: Trend Micro on 10 Dec 2026, in 17 days; Kaspersky on 23 Nov 2026, today",
        *FOOTNOTES,
    ]


def test_a_quiet_day_is_told_as_one() -> None:
    quiet = Summary(audience=HOST_ONLY, label=Label.CLEAR, bounds=bounds(UNTIL), days=(0,) * DAYS)

    said = render(quiet).text

    assert said.startswith("TLP:CLEAR · summary: 0 new reports, usually 0 a day\n")
    assert "• By source: nothing" in said
    assert "Emerging families: too few days before to tell" in said
    assert "About your organisation" not in said


def test_no_emerging_family_is_said() -> None:
    assert "Emerging families: none" in render(replace(SUMMARY, emerging=())).text


def test_a_preview_of_a_summary_says_that_nobody_else_sees_it() -> None:
    preview = render(Preview(purpose=Purpose.SUMMARY, told=SUMMARY))

    assert preview.text.startswith("TLP:AMBER+STRICT · preview of the summary: 1,342 new reports")


def test_the_words_beside_the_chart_begin_with_the_label() -> None:
    assert note(SUMMARY).text == "TLP:AMBER+STRICT · new reports a day"


counts = st.integers(0, 10**9)
_named = st.lists(st.tuples(texts, counts), max_size=25).map(tuple)


@given(
    names=_named,
    days=st.lists(counts, min_size=DAYS, max_size=DAYS).map(tuple),
    usual=st.floats(0, 1e9),
    label=st.sampled_from(Label),
    is_comparable=st.booleans(),
)
def test_every_summary_is_taken_by_slack_safe_and_labelled(
    names: Any, days: Any, usual: float, label: Label, is_comparable: bool
) -> None:
    standings = [
        Standing(provider="x", title=name, is_on=number % 3 > 0, used=number, most=number or None)
        for name, number in names
    ]
    summary = Summary(
        audience=HOST_ONLY,
        label=label,
        bounds=bounds(UNTIL),
        days=days,
        sources=names,
        kinds=tuple((kind, number) for kind, (_, number) in zip(Kind, names, strict=False)),
        families=names[:8],
        unnamed=days[0],
        emerging=tuple(Emerging(name, number, usual) for name, number in names[:8]),
        is_comparable=is_comparable,
        feeds=tuple(Freshness(name, None if number % 2 else number % DAYS) for name, number in names),
        dealings=Dealings(
            org="igci",
            asked=Asked(*days[:2]),
            budgets=tuple(standings),
            agreements=tuple(Ending(name, date(2026, 12, 1), number % 31) for name, number in names),
        ),
    )

    assert list(complaints(summary)) == []
    assert render(summary).details == ()
