"""A small world to ask in: the host, three partners, one of them lapsed, and channels between them."""

from datetime import UTC, date, datetime
from typing import Any

from bot.assertions import Assertion
from bot.blocks import Message, render
from bot.chat import Actor, Ask, Reply, Surface
from bot.indicators import Indicator, Kind
from bot.organisations import Organisation, Registry
from bot.services import Services
from bot.sharing import UNKNOWN, Audience, Reach
from bot.tlp import Label
from commands import answer

NOW = datetime(2026, 11, 23, 3, tzinfo=UTC)
REGISTRY = Registry(
    host=Organisation(id="igci", name="Cyber Fusion Centre", teams=frozenset({"T0HOST"})),
    partners=(
        Organisation(id="kaspersky", name="Kaspersky", teams=frozenset({"T0KASP"}), community=True),
        Organisation(id="trendmicro", name="Trend Micro", teams=frozenset({"T0TREND"}), community=True),
        Organisation(id="newco", name="NewCo", teams=frozenset({"T0NEW"})),
        Organisation(id="lapsed", name="Lapsed", teams=frozenset({"T0LAP"}), until=date(2025, 12, 31)),
    ),
    caps={},
)
HOST = Actor("U0HOST", "igci")
KASPERSKY = Actor("U0KASP", "kaspersky")
TREND = Actor("U0TREND", "trendmicro")
STRANGER = Actor("U0X", UNKNOWN)

MD5 = Indicator(Kind.MD5, "44d88612fea8a8f36de82e1278abb02f")
DOMAIN = Indicator(Kind.DOMAIN, "c2.example.org")


def channel(*orgs: str, **more: Any) -> Audience:
    return Audience(reach=Reach.CHANNEL, orgs=frozenset(("igci", *orgs)), **more)


WITH_BOTH = channel("kaspersky", "trendmicro")


def ask(text: str, *, by: Actor = HOST, surface: Surface = Surface.SLASH, where: Audience = WITH_BOTH) -> Ask:
    """As the Slack shell asks: alone by slash command, in front of everybody by mention."""
    alone = Audience(
        reach=Reach.DM if surface is Surface.DM else Reach.EPHEMERAL,
        orgs=frozenset((by.org,)),
        persons=frozenset((by.user,)),
    )
    return Ask(
        verb="",
        text=text,
        surface=surface,
        actor=by,
        audience=where if surface is Surface.MENTION else alone,
        conversation="C0CHANNEL",
        channel=alone if surface is Surface.DM else where,
        world=REGISTRY.world(NOW),
    )


def claim(indicator: Indicator = DOMAIN, **facts: Any) -> Assertion:
    return Assertion(indicator=indicator, **{"source": "kaspersky", "label": Label.GREEN, **facts})


async def reply(services: Services, text: str, **how: Any) -> Reply:
    return await answer(ask(text, **how), services)


async def said(services: Services, text: str, **how: Any) -> list[str]:
    """The lines of the answer."""
    return (await sent(services, text, **how)).text.splitlines()


async def sent(services: Services, text: str, **how: Any) -> Message:
    return render(await reply(services, text, **how), share="token", details="token")
