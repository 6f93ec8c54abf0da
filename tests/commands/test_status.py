"""status counts for the host alone; a partner learns that Liaison is up and nothing of the store."""

import pytest

from bot.chat import Actor, Surface
from bot.services import Services
from bot.sharing import Audience
from bot.tlp import Label
from tests.commands.asking import HOST, KASPERSKY, MD5, STRANGER, channel, claim, said, sent

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
