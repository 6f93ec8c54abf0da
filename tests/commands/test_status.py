"""status counts for the host alone; a partner learns that Liaison is up and nothing of the store."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.blocks import render
from bot.chat import Actor, Surface
from bot.findings import Outcome
from bot.services import Services, Standing
from bot.sharing import Audience
from bot.tlp import Label
from commands import answer
from tests.commands.asking import (
    HOST,
    KASPERSKY,
    MD5,
    NOW,
    REGISTRY,
    STRANGER,
    ask,
    channel,
    claim,
    said,
    sent,
)
from tests.enriching import Script

FOR_PARTNERS = [
    "TLP:CLEAR · status",
    "Liaison is up and reads its store.",
    "Answers wrong or missing? Tell Cyber Fusion Centre what you asked, when and in which conversation.",
]


@pytest.mark.parametrize("surface", [Surface.SLASH, Surface.DM])
async def test_the_host_sees_figures_and_freshness(services: Services, surface: Surface) -> None:
    await services.store.add([claim(), claim(MD5, label=Label.RED)])
    lines = await said(services, "status", by=HOST, surface=surface)
    assert lines[0] == "TLP:AMBER+STRICT · status"
    assert "Newest sequence number: 2" in lines
    assert "Assertions of the last 24 hours: 2" in lines
    assert "Partners with an agreement in force: 3" in lines


@pytest.mark.parametrize(
    ("by", "surface", "where"),
    [
        (KASPERSKY, Surface.SLASH, channel("kaspersky")),
        (KASPERSKY, Surface.DM, channel("kaspersky")),
        (STRANGER, Surface.DM, channel()),
        (HOST, Surface.MENTION, channel("kaspersky")),
        (HOST, Surface.MENTION, channel()),
        (HOST, Surface.MENTION, channel(fresh=False)),
    ],
)
async def test_others_learn_nothing_of_the_store(
    services: Services, by: Actor, surface: Surface, where: Audience
) -> None:
    empty = await sent(services, "status", by=by, surface=surface, where=where)
    await services.store.add([claim(), claim(MD5, label=Label.RED)])
    assert await sent(services, "status", by=by, surface=surface, where=where) == empty
    assert empty.text.splitlines() == FOR_PARTNERS


# --- external services ----------------------------------------------------------------------------------

AGREED = replace(
    REGISTRY,
    host=replace(REGISTRY.host, enrich_own_queries=True),
    partners=tuple(replace(each, enrich_own_queries=each.id == "kaspersky") for each in REGISTRY.partners),
)
OFF = Standing(provider="opentip", title="OpenTIP", is_on=False)
ON = Standing(
    provider="virustotal",
    title="VirusTotal",
    is_on=True,
    used=3,
    most=10,
    last_success=NOW - timedelta(hours=3, minutes=5),
    last_error=Outcome.QUOTA,
    last_error_at=NOW - timedelta(minutes=1),
    again_at=NOW + timedelta(minutes=10),
)
QUIET = replace(ON, last_success=None, last_error=None, last_error_at=None, again_at=None)


async def told(services: Services, *standings: Standing, **how: Any) -> list[str]:
    script = Script()
    script.standings = list(standings)
    asked = ask("status", **how)
    reply = await answer(
        replace(asked, world=AGREED.world(NOW)), replace(services, enrichment=script, registry=AGREED)
    )
    return render(reply).text.splitlines()


async def test_the_host_sees_how_each_service_is_doing(services: Services) -> None:
    lines = await told(services, ON, OFF, replace(QUIET, used=None, most=None), by=HOST)
    assert lines[-3:] == [
        " · ".join(
            [
                "VirusTotal: on",
                "3 of your 10 questions of the day used, 7 left",
                "last answer 2026-11-22 23:55 UTC",
                "last error “quota” 02:59 UTC",
                "left alone until 03:10 UTC",
            ]
        ),
        "OpenTIP: off",
        "VirusTotal: on",
    ]


async def test_a_partner_sees_its_own_share_and_nothing_of_others(services: Services) -> None:
    lines = await told(services, ON, OFF, by=KASPERSKY, surface=Surface.DM)
    assert lines[0] == "TLP:AMBER+STRICT · status"
    assert lines[2:4] == ["VirusTotal: on · 3 of your 10 questions of the day used, 7 left", "OpenTIP: off"]
    assert lines == await told(services, QUIET, OFF, by=KASPERSKY, surface=Surface.DM)


@pytest.mark.parametrize(
    ("by", "surface"),
    [(STRANGER, Surface.DM), (KASPERSKY, Surface.MENTION), (HOST, Surface.MENTION)],
)
async def test_nobody_else_hears_of_services(services: Services, by: Actor, surface: Surface) -> None:
    assert await told(services, ON, by=by, surface=surface) == FOR_PARTNERS


async def test_who_did_not_agree_is_told_that_nobody_is_asked(services: Services) -> None:
    lines = await told(services, ON, by=Actor("U0TREND", "trendmicro"), surface=Surface.DM)
    assert "has not agreed" in lines[2]
    assert "VirusTotal" not in "\n".join(lines)


@pytest.mark.parametrize("period", ["minute", "day", "month"])
async def test_a_share_is_told_with_its_period(services: Services, period: str) -> None:
    lines = await told(services, replace(QUIET, period=period), by=KASPERSKY, surface=Surface.DM)
    assert lines[2] == f"VirusTotal: on · 3 of your 10 questions of the {period} used, 7 left"


async def test_more_than_the_share_leaves_nothing(services: Services) -> None:
    [line] = [line for line in await told(services, replace(QUIET, used=12), by=HOST) if "VirusTotal" in line]
    assert line.endswith("12 of your 10 questions of the day used, 0 left")


async def test_the_host_hears_when_no_service_is_on(services: Services) -> None:
    assert "No external service is turned on." in await said(services, "status", by=HOST)
