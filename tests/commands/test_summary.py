"""summary is set like a digest, but of days and without filters."""

from dataclasses import replace

import pytest

from bot.chat import Notice, Surface
from bot.services import Services
from bot.subscribing import in_words
from bot.subscriptions import Purpose
from commands import answer
from tests.commands.asking import KASPERSKY, ask, reply, said
from tests.commands.steering import NAMED, OPERATOR, STEWARD, purposes


@pytest.fixture
def named(services: Services) -> Services:
    return replace(services, registry=NAMED)


async def test_on_show_now_and_off(named: Services) -> None:
    assert await said(named, "summary on daily 07:30 tz Europe/Paris", by=STEWARD) == [
        "TLP:GREEN · summary is on",
        "When: every day at 07:30, Europe/Paris time.",
        "Next: Mon 2026-11-23 07:30 Europe/Paris time.",
    ]
    assert "When: every day at 07:30, Europe/Paris time." in await said(named, "summary", by=KASPERSKY)
    assert await said(named, "summary now", by=STEWARD) == [
        "TLP:CLEAR · summary begun",
        "It comes within a minute.",
    ]
    [delivery] = await named.store.deliveries()
    assert delivery.purpose is Purpose.SUMMARY

    await said(named, "summary off", by=OPERATOR)
    assert await purposes(named) == []


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("summary on every 6h", "A summary is of a day"),
        ("summary on daily 07:30 kinds domain", "“kinds” is for digests"),
        ("summary onn", "Did you mean “summary on”?"),
    ],
)
async def test_what_a_summary_cannot_be_is_explained(named: Services, text: str, told: str) -> None:
    assert told in "\n".join(await said(named, text, by=OPERATOR))
    assert await purposes(named) == []


async def test_others_may_not(named: Services) -> None:
    assert "did not work" in (await said(named, "summary on", by=KASPERSKY))[0]
    assert await purposes(named) == []


async def test_its_form_knows_its_purpose(named: Services) -> None:
    await said(named, "digest on every 6h", by=OPERATOR)

    notice = await reply(named, "summary set-up", by=OPERATOR, surface=Surface.BUTTON)

    assert isinstance(notice, Notice)
    assert notice.form is not None
    assert (notice.form.purpose, notice.form.current) == (Purpose.SUMMARY, None)


async def test_another_channel_is_another_matter(named: Services) -> None:
    await answer(replace(ask("summary on", by=OPERATOR), conversation="C0OTHER"), named)

    assert await purposes(named) == []
    [subscribed] = await named.store.subscriptions("C0OTHER")
    assert in_words(subscribed.subscription) == "daily 08:00 tz Asia/Singapore"
