"""What one enquiry brings: who is asked, what is kept, and under which label everything stands."""

import asyncio
import logging
from datetime import timedelta

import pytest

from bot.assertions import Assertion
from bot.enquiries import Declared
from bot.errors import ConfigError
from bot.findings import Finding, Outcome, Report
from bot.indicators import Indicator, Kind
from bot.providers.spec import Budget, NoAnswerError
from bot.tlp import Label
from tests.enrichment.parts import (
    BAD,
    GROUPIB,
    HASH,
    KASPERSKY,
    Bench,
    Plain,
    digest,
    done,
    enquiry,
    failing,
    found,
    hung,
    landed,
    missing,
    plain,
    reached,
)
from tests.strategies import HOST, NOW

ERRORS = [outcome for outcome in Outcome if outcome.is_error]


def claim(label: Label, **facts: object) -> Assertion:
    return Assertion(indicator=HASH, source=HOST, label=label, **facts)  # type: ignore[arg-type]  # facts of one claim


# Who is asked.


async def test_each_indicator_is_asked_where_its_kind_is_answered_in_the_order_of_question_and_catalogue(
    bench: Bench,
) -> None:
    files, names = plain("files"), plain("names", kinds=frozenset({Kind.DOMAIN}))
    both = plain("both", kinds=files.spec.kinds | names.spec.kinds)
    enricher = await bench.open(files, names, both)
    domain, cve = Indicator(Kind.DOMAIN, "c2.example.org"), Indicator(Kind.CVE, "CVE-2024-3400")

    inquiry = await done(await enricher.enquire(enquiry(domain, HASH, cve)))

    told = [(each.indicator, each.provider) for each in inquiry.findings]
    assert told == [(domain, "names"), (domain, "both"), (HASH, "files"), (HASH, "both")]
    assert (files.asked, names.asked, both.asked) == ([HASH], [domain], [domain, HASH])


async def test_an_answer_stands_under_its_own_terms_and_the_marking_of_the_question(bench: Bench) -> None:
    sources = [plain("open", label=Label.CLEAR), plain("bound", missing, label=Label.AMBER)]
    enricher = await bench.open(*sources)

    inquiry = await done(await enricher.enquire(enquiry(stored=[claim(Label.GREEN)])))

    assert inquiry.findings == (
        Finding(
            indicator=HASH,
            provider="open",
            title="Open",
            outcome=Outcome.FOUND,
            label=Label.GREEN,
            report=BAD,
            fetched_at=NOW,
        ),
        Finding(
            indicator=HASH,
            provider="bound",
            title="Bound",
            outcome=Outcome.NOT_FOUND,
            terms=Label.AMBER,
            label=Label.AMBER,
            fetched_at=NOW,
        ),
    )


@pytest.mark.parametrize(
    ("label", "told"),
    [
        (Label.AMBER, Label.AMBER),
        (Label.AMBER_STRICT, Label.AMBER_STRICT),
        (Label.RED, Label.AMBER_STRICT),
    ],
)
async def test_what_may_not_be_asked_is_not_asked_and_the_asker_can_read_that(
    bench: Bench, label: Label, told: Label
) -> None:
    source = plain()
    enricher = await bench.open(source)

    inquiry = await enricher.enquire(enquiry(declared=Declared(label)))

    [finding] = inquiry.findings
    assert inquiry.is_done
    assert (finding.outcome, finding.label, finding.report) == (Outcome.BLOCKED, told, None)
    assert finding.reason == "TLP above provider.max_tlp"
    assert source.asked == []


async def test_a_local_list_tells_nobody_so_it_is_asked_whatever_the_marking_and_costs_nothing(
    bench: Bench,
) -> None:
    local = plain("local", asks_nobody=True, budget=Budget(per_day=0), label=Label.CLEAR)
    enricher = await bench.open(local)

    for _ in range(2):
        inquiry = await done(await enricher.enquire(enquiry(declared=Declared(Label.AMBER_STRICT))))
        await landed(enricher)

    [finding] = inquiry.findings
    assert (finding.outcome, finding.label, finding.report) == (Outcome.FOUND, Label.AMBER_STRICT, BAD)
    assert local.asked == [HASH, HASH]
    assert await bench.store.findings(HOST, [HASH]) == []


async def test_nobody_reads_that_a_local_list_is_being_asked(bench: Bench) -> None:
    enricher = await bench.open(plain("virustotal", hung), plain("local", asks_nobody=True))

    inquiry = await enricher.enquire(enquiry())

    assert [finding.outcome for finding in inquiry.findings] == [Outcome.PENDING, Outcome.FOUND]


async def test_a_local_list_that_hangs_keeps_no_answer_back(bench: Bench) -> None:
    enricher = await bench.open(plain("local", hung, asks_nobody=True))
    asked = asyncio.create_task(enricher.enquire(enquiry()))
    await reached(lambda: bench.hands.waiting >= 3)  # deadlines of the enquiry, the question and the moment

    bench.hands.advance(0.05)

    assert [finding.outcome for finding in (await asked).findings] == [Outcome.PENDING]


@pytest.mark.parametrize("asks_nobody", [False, True])
async def test_nobody_is_asked_whose_answer_the_asker_may_not_know(bench: Bench, asks_nobody: bool) -> None:
    """What the host reads by a contract of its own is not for whoever asks the host."""
    bound = plain("bound", asks_nobody=asks_nobody, label=Label.AMBER)
    enricher = await bench.open(bound)

    [refused] = (await done(await enricher.enquire(enquiry(by=KASPERSKY)))).findings
    [heard] = (await done(await enricher.enquire(enquiry()))).findings

    assert (refused.outcome, refused.terms, refused.report) == (Outcome.BLOCKED, Label.CLEAR, None)
    assert (heard.outcome, heard.terms, heard.report) == (Outcome.FOUND, Label.AMBER, BAD)
    assert bound.asked == [HASH]


async def test_a_local_list_that_fails_is_asked_again_at_once(bench: Bench) -> None:
    local = plain("local", failing(NoAnswerError(Outcome.UNAVAILABLE)), asks_nobody=True)
    enricher = await bench.open(local)

    for number in range(10):
        await done(await enricher.enquire(enquiry(digest(number))))

    assert len(local.asked) == 10


# What is kept.


@pytest.mark.parametrize(
    ("say", "hours", "asked"),
    [(found, 23, 1), (found, 24, 2), (missing, 5, 1), (missing, 6, 2), (found, -1, 2), (missing, -1, 2)],
)
async def test_an_answer_is_used_again_while_it_is_fresh(
    bench: Bench, say: object, hours: int, asked: int
) -> None:
    source = plain(say=say)  # type: ignore[arg-type]  # one of the two
    enricher = await bench.open(source)
    await kept(bench, source)

    bench.clock.move(hours=hours)
    inquiry = await enricher.enquire(enquiry())

    assert inquiry.is_done is (asked == 1)
    await done(inquiry)
    assert len(source.asked) == asked
    assert inquiry.findings[0].fetched_at == (NOW if asked == 1 else bench.clock())


async def kept(bench: Bench, source: Plain, by: str = HOST) -> None:
    """Have it answered, and wait until the answer is in the store."""
    enricher = await bench.open(source)
    await done(await enricher.enquire(enquiry(by=by)))
    await landed(enricher)


@pytest.mark.parametrize("outcome", ERRORS)
async def test_beside_an_error_stands_what_was_said_before_with_its_time(
    bench: Bench, outcome: Outcome
) -> None:
    await kept(bench, plain())
    enricher = await bench.open(plain(say=failing(NoAnswerError(outcome))))

    bench.clock.move(days=29)
    [finding] = (await done(await enricher.enquire(enquiry()))).findings

    assert (finding.outcome, finding.report, finding.fetched_at) == (outcome, BAD, NOW)
    assert finding.label is Label.GREEN


@pytest.mark.parametrize("outcome", ERRORS)
async def test_an_error_is_not_kept_and_does_not_replace_what_was_said(
    bench: Bench, outcome: Outcome
) -> None:
    await kept(bench, plain())
    before = await bench.store.findings(HOST, [HASH])
    enricher = await bench.open(plain(say=failing(NoAnswerError(outcome))))

    bench.clock.move(days=2)
    await done(await enricher.enquire(enquiry(HASH, digest(2))))
    await landed(enricher)

    assert await bench.store.findings(HOST, [HASH, digest(2)]) == before


async def test_nothing_is_remembered_for_longer_than_thirty_days(bench: Bench) -> None:
    await kept(bench, plain())
    enricher = await bench.open(plain(say=failing(NoAnswerError(Outcome.UNAVAILABLE))))

    bench.clock.move(days=30)
    [finding] = (await done(await enricher.enquire(enquiry()))).findings

    assert (finding.outcome, finding.report, finding.fetched_at) == (Outcome.UNAVAILABLE, None, None)


async def test_what_was_said_before_is_shown_only_if_it_may_be_asked_now(bench: Bench) -> None:
    source = plain()
    await kept(bench, source)
    enricher = await bench.open(source)

    inquiry = await enricher.enquire(enquiry(stored=[claim(Label.AMBER)]))
    remembered = await enricher.remembered(enquiry(stored=[claim(Label.AMBER)]))

    assert [(each.outcome, each.report) for each in inquiry.findings] == [(Outcome.BLOCKED, None)]
    assert remembered == ()


async def test_what_is_remembered_is_fresh_and_has_a_report_and_asks_nobody(bench: Bench) -> None:
    fresh = plain("fresh", fresh_found=timedelta(hours=24))
    old = plain("old", fresh_found=timedelta(hours=1))
    empty, local = plain("empty", missing), plain("local", asks_nobody=True)
    enricher = await bench.open(fresh, old, empty, local)
    await done(await enricher.enquire(enquiry()))
    await landed(enricher)

    bench.clock.move(hours=2)
    remembered = await enricher.remembered(enquiry())

    assert [(each.provider, each.report, each.fetched_at) for each in remembered] == [("fresh", BAD, NOW)]
    assert await enricher.remembered(enquiry(by=GROUPIB)) == ()
    assert [len(each.asked) for each in (fresh, old, empty, local)] == [1, 1, 1, 1]


@pytest.mark.parametrize(("first", "then", "most"), [(HOST, GROUPIB, 4), (GROUPIB, HOST, 30)])
async def test_another_organisation_is_answered_as_if_nobody_had_asked_before(
    bench: Bench, first: str, then: str, most: int
) -> None:
    source = plain(budget=Budget(per_day=50))
    await kept(bench, source, by=first)

    bench.clock.move(hours=3)
    enricher = await bench.open(source)
    inquiry = await enricher.enquire(enquiry(by=then))

    assert inquiry.findings[0].outcome is Outcome.PENDING
    [finding] = (await done(inquiry)).findings
    assert finding.fetched_at == bench.clock()
    [standing] = await enricher.standing(then)
    assert (standing.used, standing.most) == (1, most)


async def test_a_service_that_became_a_local_list_forgets_what_it_said_before(bench: Bench) -> None:
    await kept(bench, plain("hashlookup"))
    local = plain("hashlookup", missing, asks_nobody=True)
    enricher = await bench.open(local)

    inquiry = await done(await enricher.enquire(enquiry()))

    assert inquiry.findings[0].outcome is Outcome.NOT_FOUND
    assert local.asked == [HASH]
    assert await enricher.remembered(enquiry()) == ()


# What goes wrong.


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        *[(NoAnswerError(outcome), outcome) for outcome in ERRORS],
        (NoAnswerError(Outcome.NOT_FOUND), Outcome.BAD_ANSWER),
        (NoAnswerError(Outcome.BLOCKED), Outcome.BAD_ANSWER),
        (TimeoutError("CANARY"), Outcome.TIMEOUT),
        (KeyError("CANARY"), Outcome.BAD_ANSWER),
        (RecursionError("CANARY"), Outcome.BAD_ANSWER),
        (UnicodeDecodeError("utf-8", b"CANARY", 0, 1, "CANARY"), Outcome.BAD_ANSWER),
        (ConfigError(["CANARY"]), Outcome.BAD_ANSWER),
    ],
    ids=str,
)
async def test_whatever_a_source_raises_is_an_outcome_and_touches_no_other(
    bench: Bench, error: Exception, outcome: Outcome, caplog: pytest.LogCaptureFixture
) -> None:
    enricher = await bench.open(plain("bad", failing(error)), plain("good"))

    with caplog.at_level(logging.DEBUG):
        inquiry = await done(await enricher.enquire(enquiry()))

    assert [each.outcome for each in inquiry.findings] == [outcome, Outcome.FOUND]
    assert "CANARY" not in caplog.text
    assert HASH.value not in caplog.text


async def test_a_mistake_of_ours_is_logged_by_its_kind_and_place_only(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    enricher = await bench.open(plain(say=failing(ZeroDivisionError(f"{HASH.value} s3cret"))))

    await done(await enricher.enquire(enquiry()))

    [entry] = caplog.messages
    assert "ZeroDivisionError at lines.py:" in entry
    assert HASH.value not in entry
    assert "s3cret" not in entry


async def test_a_finding_that_the_store_cannot_keep_is_told_all_the_same(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    async def long(_: Indicator) -> Report:
        return Report(facts=(("CANARY", "x" * 100_000),))

    enricher = await bench.open(plain(say=long))

    inquiry = await done(await enricher.enquire(enquiry()))
    await landed(enricher)

    assert inquiry.findings[0].outcome is Outcome.FOUND
    assert "InputError" in caplog.text
    assert "CANARY" not in caplog.text


# Opening and closing.


class Broken(Plain):
    async def open(self) -> None:
        raise ConfigError([f"{self.name} has no key"])


async def test_all_mistakes_of_all_sources_are_told_at_once_and_the_others_closed_again(bench: Bench) -> None:
    good = plain("good")

    with pytest.raises(ConfigError) as raised:
        await bench.open(good, Broken("one"), Broken("two"))

    assert raised.value.mistakes == ["one has no key", "two has no key"]
    assert not good.is_open


class Stuck(Plain):
    async def close(self) -> None:
        raise OSError("CANARY")


async def test_closing_closes_every_source_whatever_one_of_them_does(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    good = plain("good")
    enricher = await bench.open(Stuck("stuck"), good)

    await enricher.close()

    assert not good.is_open
    assert "CANARY" not in caplog.text
