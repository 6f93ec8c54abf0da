"""What `digest` tells of deliveries, and what it leaves for them."""

from dataclasses import replace

import msgspec
import pytest

from bot.deliveries import State
from bot.services import Services
from commands import answer
from tests.commands.asking import KASPERSKY, ask, said
from tests.commands.steering import CHANNEL, NAMED, OPERATOR, Writer

ON = "digest on weekdays 08:00"


@pytest.fixture
def named(services: Services) -> Services:
    """The world where somebody may set digests."""
    return replace(services, registry=NAMED, digests=Writer(services))


async def test_what_stands_there_is_not_on_its_way_any_more(named: Services) -> None:
    await said(named, ON, by=OPERATOR)
    await said(named, "digest now", by=OPERATOR)
    [delivery] = await named.store.lease_deliveries("me", at=named.clock(), seconds=60, most=1)
    sent = msgspec.structs.replace(delivery, state=State.SENT, ts="1.000100")
    await named.store.put_delivery(sent, owner="me")

    lines = await said(named, "digest show", by=KASPERSKY)

    assert "Delivered last: Mon 2026-11-23 11:00 Asia/Singapore time." in lines
    assert "One is on its way." not in lines


async def test_whoever_turns_it_on_says_whom_the_first_one_is_written_for(named: Services) -> None:
    wish = ask(ON, by=OPERATOR)

    await answer(wish, named)

    assert await named.store.known_readers(CHANNEL) == wish.channel
