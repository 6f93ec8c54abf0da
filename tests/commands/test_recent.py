"""recent shows the newest of what the readers may see; what they may not see changes nothing."""

from datetime import timedelta

import pytest

from bot.chat import Recent, Surface
from bot.errors import UsageError
from bot.indicators import Indicator, Kind
from bot.services import Services
from bot.tlp import Label
from commands.recent import SHOWN, wish
from tests.commands.asking import MD5, NOW, TREND, claim, reply, said, sent
from tests.commands.conftest import Clock


def domain(name: str) -> Indicator:
    return Indicator(Kind.DOMAIN, f"{name}.example.org")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", "24h"),
        ("7d", "7d"),
        ("7D domain", "7d · domain"),
        ("domains 48h", "48h · domain"),
        ("sha256 Emotet", "24h · sha256 · Emotet"),
        ("30d url Cobalt Strike", "30d · url · Cobalt Strike"),
    ],
)
def test_the_wish_is_read(text: str, wanted: str) -> None:
    assert str(wish(text)) == wanted


@pytest.mark.parametrize("text", ["0h", "31d", "721h", "2w", "24h 7d", "domain url", "domians", "sha-256"])
def test_a_wish_that_cannot_be_met_is_answered_with_an_example(text: str) -> None:
    with pytest.raises(UsageError, match="for example “recent"):
        wish(text)


async def test_the_newest_are_shown_within_the_period(services: Services, clock: Clock) -> None:
    clock.now = NOW - timedelta(days=2)
    await services.store.add([claim(domain("old"))])
    clock.now = NOW
    await services.store.add([claim(domain("new")), claim(MD5, family="Emotet")])
    assert "TLP:GREEN · 2 new in the last 24h" in await said(services, "recent")
    assert "TLP:GREEN · 3 new in the last 7d" in await said(services, "recent 7d")
    assert "TLP:GREEN · 2 new in the last 7d · domain" in await said(services, "recent 7d domain")
    assert "TLP:GREEN · 1 new in the last 24h · emotet" in await said(services, "recent emotet")


async def test_without_anything_it_says_so(services: Services) -> None:
    assert await said(services, "recent 24h url") == [
        "TLP:CLEAR · nothing to show",
        "Nothing to show for the last 24h · url.",
    ]


@pytest.mark.parametrize("visible", [0, 1, SHOWN - 1, SHOWN, SHOWN + 1])
@pytest.mark.parametrize("surface", [Surface.SLASH, Surface.MENTION])
async def test_hidden_rows_change_nothing(services: Services, visible: int, surface: Surface) -> None:
    await services.store.add([claim(domain(f"seen{number}")) for number in range(visible)])
    before = await sent(services, "recent", by=TREND, surface=surface)
    await services.store.add(
        [claim(domain(f"hidden{number}"), label=Label.AMBER_STRICT) for number in range(3_000)]
    )
    assert await sent(services, "recent", by=TREND, surface=surface) == before


@pytest.mark.parametrize(("number", "more"), [(SHOWN, False), (SHOWN + 1, True)])
async def test_more_is_said_only_when_there_is_more(services: Services, number: int, more: bool) -> None:
    await services.store.add([claim(domain(f"d{place}")) for place in range(number)])
    answer = await reply(services, "recent")
    assert isinstance(answer, Recent)
    assert (len(answer.cleared.shown), answer.more) == (SHOWN, more)
    title = "newest 25 of the last 24h" if more else "25 new in the last 24h"
    assert (await said(services, "recent"))[0] == f"TLP:GREEN · {title}"
