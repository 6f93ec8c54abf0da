"""How the services are doing, as one organisation may know it."""

from datetime import timedelta

import pytest

from bot.findings import Outcome
from bot.providers.spec import Budget, NoAnswerError
from bot.services import Standing
from tests.enrichment.parts import (
    GROUPIB,
    HASH,
    KASPERSKY,
    Bench,
    digest,
    done,
    enquiry,
    failing,
    plain,
)
from tests.strategies import HOST, NOW

ERRORS = [outcome for outcome in Outcome if outcome.is_error]


async def test_standing_tells_an_organisation_its_own_part_only(bench: Bench) -> None:
    counted = plain("counted", budget=Budget(per_day=100, per_month=1000))
    enricher = await bench.open(
        counted, plain("free", failing(NoAnswerError(Outcome.BAD_ANSWER))), off={"opentip": "OpenTIP"}
    )

    await done(await enricher.enquire(enquiry(HASH, digest(2), by=KASPERSKY)))

    off = Standing(provider="opentip", title="OpenTIP", is_on=False)
    assert await enricher.standing(KASPERSKY) == [
        Standing(provider="counted", title="Counted", is_on=True, used=2, most=8, last_success=NOW),
        Standing(provider="free", title="Free", is_on=True, last_error=Outcome.BAD_ANSWER, last_error_at=NOW),
        off,
    ]
    assert await enricher.standing(GROUPIB) == [
        Standing(provider="counted", title="Counted", is_on=True, used=0, most=8),
        Standing(provider="free", title="Free", is_on=True),
        off,
    ]
    [of_host, *_] = await enricher.standing(HOST)
    assert (of_host.used, of_host.most, of_host.last_success) == (0, 60, NOW)


@pytest.mark.parametrize(
    ("budget", "told"),
    [
        (Budget(per_minute=10, per_day=100, per_month=1000), (60, "day")),
        (Budget(per_minute=10, per_month=1000), (600, "month")),
        (Budget(per_minute=10), (6, "minute")),
        (Budget(), (None, "day")),
    ],
)
async def test_standing_names_the_period_of_its_numbers(
    bench: Bench, budget: Budget, told: tuple[int | None, str]
) -> None:
    enricher = await bench.open(plain(budget=budget))
    [standing] = await enricher.standing(HOST)
    assert (standing.most, standing.period) == told


async def test_standing_says_until_when_a_service_is_left_alone(bench: Bench) -> None:
    enricher = await bench.open(plain(say=failing(NoAnswerError(Outcome.QUOTA, 90.0))))

    [finding] = (await done(await enricher.enquire(enquiry()))).findings
    [standing] = await enricher.standing(HOST)

    assert finding.again_at == standing.again_at == NOW + timedelta(seconds=90)
