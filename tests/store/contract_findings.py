"""What every store must do for findings; test_contract.py runs it on each backend."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from bot.errors import InputError, UnavailableError
from bot.findings import MAX_FACTS, Finding, Outcome, Report
from bot.indicators import Indicator, Kind
from bot.tlp import Label
from bot.verdicts import Verdict
from tests.store.contract import T0, Backend, Clock, digest

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
LATER = datetime(2100, 1, 1, tzinfo=UTC)

FULL = Finding(
    indicator=Indicator(Kind.URL, "http://example.org/a?b=\U0001f480\u202e\"'\\"),
    provider="virustotal",
    title="VirusTotal",
    outcome=Outcome.TIMEOUT,
    label=Label.AMBER,
    report=Report(
        verdict=Verdict.UNWANTED,
        score="47/65",
        family="Эмотет\0\n",
        first_seen=T0 + timedelta(microseconds=1),
        last_seen=datetime.max.replace(tzinfo=UTC),
        link="https://www.virustotal.com/gui/file/0",
        facts=tuple((f"name {n}", '","]') for n in range(MAX_FACTS)),
    ),
    fetched_at=T0,
    again_at=T0 + HOUR,
    reason="the source does not want it",
)


def found(about: Indicator | int, provider: str = "virustotal", score: str = "1/2") -> Finding:
    """An invented finding."""
    return Finding(
        indicator=digest(about) if isinstance(about, int) else about,
        provider=provider,
        title=provider.title(),
        outcome=Outcome.FOUND,
        report=Report(score=score),
        fetched_at=T0,
    )


class Remembering:
    """Contract of `findings` and `keep_findings`."""

    @pytest.mark.parametrize(
        "finding",
        [
            pytest.param(FULL, id="everything said"),
            pytest.param(
                Finding(
                    indicator=digest(1, Kind.MD5),
                    provider="hashlookup",
                    title="",
                    outcome=Outcome.NOT_FOUND,
                ),
                id="nothing said",
            ),
            *(
                pytest.param(
                    Finding(indicator=digest(1), provider="trend", title="Trend", outcome=outcome),
                    id=outcome.value,
                )
                for outcome in Outcome
            ),
        ],
    )
    async def test_a_finding_comes_back_as_it_was(self, backend: Backend, finding: Finding) -> None:
        store = await backend.open()

        await store.keep_findings("kaspersky", [finding], until=LATER)

        assert await store.findings("kaspersky", [finding.indicator]) == [finding]

    async def test_a_finding_belongs_to_one_organisation(self, backend: Backend) -> None:
        store = await backend.open()
        await store.keep_findings("kaspersky", [found(1, score="theirs")], until=LATER)
        await store.keep_findings("host", [found(1, score="ours"), found(2)], until=LATER)

        answers = await asyncio.gather(
            *(
                store.findings(org, [digest(1), digest(2)])
                for org in ("kaspersky", "host", "trendmicro", "Kaspersky", "kaspersky ", "%", "")
            )
        )

        assert answers == [
            [found(1, score="theirs")],
            [found(1, score="ours"), found(2)],
            *([[]] * 5),
        ]

    async def test_each_value_has_its_findings_in_the_order_asked_services_by_name(
        self, backend: Backend
    ) -> None:
        store = await backend.open()
        kept = [found(n, provider) for n in (1, 2, 3) for provider in ("urlhaus", "trend", "opentip")]
        await store.keep_findings("host", kept, until=LATER)

        answer = await store.findings("host", [digest(3), digest(1), digest(4), digest(3)])

        assert answer == [found(n, name) for n in (3, 1) for name in ("opentip", "trend", "urlhaus")]
        assert await store.findings("host", []) == []

    async def test_the_same_digits_are_another_value_for_another_kind(self, backend: Backend) -> None:
        store = await backend.open()

        await store.keep_findings("host", [found(Indicator(Kind.DOMAIN, "example.org"))], until=LATER)

        assert await store.findings("host", [Indicator(Kind.EMAIL, "example.org")]) == []

    async def test_the_last_one_takes_the_place_of_the_one_before(self, backend: Backend) -> None:
        clock = Clock()
        store = await backend.open(clock=clock)
        await store.keep_findings("host", [found(1, score="old")], until=T0 + HOUR)

        await store.keep_findings(
            "host", [found(1, score="newer"), found(1, score="newest")], until=T0 + MINUTE
        )

        assert await store.findings("host", [digest(1)]) == [found(1, score="newest")]
        clock.move(seconds=60)
        assert await store.findings("host", [digest(1)]) == []

    async def test_the_last_of_many_kept_at_once_stays(self, backend: Backend) -> None:
        store = await backend.open()

        await asyncio.gather(
            *(store.keep_findings("host", [found(n % 3, score=f"{n}")], until=LATER) for n in range(300))
        )

        assert await store.findings("host", [digest(0), digest(1), digest(2)]) == [
            found(0, score="297"),
            found(1, score="298"),
            found(2, score="299"),
        ]

    async def test_a_finding_is_forgotten_at_its_time(self, backend: Backend) -> None:
        clock = Clock()
        store = await backend.open(clock=clock)
        await store.keep_findings("host", [found(1)], until=T0 + MINUTE)
        await store.keep_findings("host", [found(2)], until=T0 + HOUR)

        clock.move(seconds=59)
        assert await store.findings("host", [digest(1), digest(2)]) == [found(1), found(2)]
        clock.move(seconds=1)
        assert await store.findings("host", [digest(1), digest(2)]) == [found(2)]

    async def test_forgetting_some_leaves_the_others(self, backend: Backend) -> None:
        clock = Clock()
        store = await backend.open(clock=clock)
        await store.keep_findings("host", [found(n) for n in range(0, 200, 2)], until=T0 + MINUTE)
        await store.keep_findings("host", [found(n) for n in range(1, 200, 2)], until=T0 + HOUR)
        clock.move(seconds=60)

        await store.keep_findings("host", [found(n) for n in range(1000, 1100)], until=T0 + HOUR)

        left = await store.findings("host", [digest(n) for n in range(200)])
        assert left == [found(n) for n in range(1, 200, 2)]

    async def test_five_hundred_values_are_answered_like_one(self, backend: Backend) -> None:
        store = await backend.open()
        kept = [found(n, name) for n in range(0, 500, 2) for name in ("opentip", "trend", "urlhaus")]
        await store.keep_findings("host", kept, until=LATER)

        together = await store.findings("host", [digest(n) for n in range(500)])
        alone = await asyncio.gather(*(store.findings("host", [digest(n)]) for n in range(500)))

        assert together == kept
        assert [finding for each in alone for finding in each] == kept

    async def test_findings_are_there_after_a_restart(self, backend: Backend) -> None:
        store = await backend.open()
        await store.keep_findings("host", [FULL], until=LATER)
        await store.close()

        again = await backend.open()

        assert await again.findings("host", [FULL.indicator]) == [FULL]

    @pytest.mark.parametrize(
        "bad",
        [
            pytest.param(found(1, score="\ud800"), id="surrogate in a report"),
            pytest.param(found(1, "\ud800"), id="surrogate in a service's name"),
            pytest.param(found(1, "\0"), id="NUL in a service's name"),
            pytest.param(found(1, score="x" * 100_000), id="too long"),
            pytest.param(found(Indicator(Kind.SHA256, "not a hash")), id="no digits"),
            pytest.param(
                Finding(
                    indicator=digest(1),
                    provider="trend",
                    title="",
                    outcome=Outcome.FOUND,
                    fetched_at=datetime(2026, 1, 1),  # noqa: DTZ001 (on purpose)
                ),
                id="no zone",
            ),
        ],
    )
    async def test_what_cannot_be_kept_is_refused_alone(self, backend: Backend, bad: Finding) -> None:
        store = await backend.open()

        refused, _ = await asyncio.gather(
            store.keep_findings("host", [found(2), bad], until=LATER),
            store.keep_findings("host", [found(3)], until=LATER),
            return_exceptions=True,
        )

        assert isinstance(refused, InputError)
        assert await store.findings("host", [digest(1), digest(2), digest(3)]) == [found(3)]

    async def test_a_bad_question_does_not_spoil_those_asked_with_it(self, backend: Backend) -> None:
        store = await backend.open()
        await store.keep_findings("host", [found(1)], until=LATER)

        bad, unknown, good = await asyncio.gather(
            store.findings("host", [Indicator(Kind.DOMAIN, "\ud800")]),
            store.findings("\ud800", [digest(1)]),
            store.findings("host", [digest(1)]),
            return_exceptions=True,
        )

        assert isinstance(bad, InputError)
        assert isinstance(unknown, InputError)
        assert good == [found(1)]

    async def test_a_closed_store_says_so(self, backend: Backend) -> None:
        store = await backend.open()
        await store.close()

        for attempt in (
            store.findings("host", [digest(1)]),
            store.keep_findings("host", [found(1)], until=LATER),
        ):
            with pytest.raises(UnavailableError, match="closed"):
                await attempt
