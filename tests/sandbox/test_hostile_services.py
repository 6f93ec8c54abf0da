"""Services whose every text is an attack: what of it reaches people through the whole product."""

import asyncio
import csv
import json
from collections.abc import AsyncIterator, Iterator
from io import StringIO
from typing import Any
from urllib.parse import urlsplit

import pytest

import commands
from bot.demo import Demo, demo
from bot.sandbox.services import Trouble
from bot.sandbox.services.knowledge import DISPUTED, MALICIOUS
from bot.sandbox.workspace import File, Message

ASKED = (MALICIOUS, DISPUTED)
MARKUP = ("<!channel>", "<@U0ANA>", "<script>")  # that Slack would obey in mrkdwn; rich text shows it
LIVE = ("https://live.example", "javascript:alert")
ACTING = ("link", "user", "usergroup", "channel", "broadcast")
PAGES = {"opentip.kaspersky.com", "bazaar.abuse.ch", "www.virustotal.com"}  # made by us, from the hash
INVISIBLE = "\x00\x07\x1b\u202e\u200b\ufeff"


@pytest.fixture
async def attacked() -> AsyncIterator[Demo]:
    async def briefly(_: float) -> None:
        await asyncio.sleep(0.01)

    async with demo(commands.answer, port=0, pause=briefly) as running:
        for fake in running.fakes.all:
            fake.trouble = Trouble.HOSTILE
        yield running


async def read_directly(running: Demo, text: str) -> list[Message]:
    """What Ana gets in her direct conversation."""
    conversation = running.sandbox.open_dm("U0ANA")
    ts = await running.sandbox.say("U0ANA", conversation, text)
    await running.sandbox.settled(20)
    return [each for each in running.sandbox.seen_by("U0ANA", conversation) if each.ts > ts]


@pytest.mark.parametrize("text", [f"lookup {MALICIOUS}", f"enrich {MALICIOUS} {DISPUTED}"])
async def test_nothing_that_a_service_says_can_act_in_slack(attacked: Demo, text: str) -> None:
    answer, *_ = await read_directly(attacked, text)

    elements = list(elements_of(list(answer.blocks)))
    said = answer.text + json.dumps(elements, ensure_ascii=False)
    assert "HYPERLINK" in said  # it is told, and tame
    assert [sign for sign in (*LIVE, *INVISIBLE) if sign in said] == []
    obeyed = answer.text + "".join(each["text"] for each in elements if each["type"] == "mrkdwn")
    assert [sign for sign in MARKUP if sign in obeyed] == []
    acting = [each for each in elements if each["type"] in ACTING]
    assert {urlsplit(each["url"]).hostname for each in acting} <= PAGES
    refused = [call.error for call in attacked.sandbox.calls if call.error]
    assert refused == []  # Slack takes all of it: nothing is too long or broken
    assert attacked.fakes.mistakes == []


async def test_no_cell_of_the_file_is_a_formula(attacked: Demo) -> None:
    *_, message = await read_directly(attacked, f"enrich {MALICIOUS} {DISPUTED}")

    [file] = message.files
    cells = [cell for row in rows_of(file) for cell in row]
    assert any("HYPERLINK" in cell for cell in cells)
    assert [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))] == []
    assert [sign for sign in INVISIBLE if sign in "".join(cells)] == []


def elements_of(value: Any) -> Iterator[dict[str, Any]]:
    """Every object of Block Kit that has a type."""
    if isinstance(value, list):
        for each in value:
            yield from elements_of(each)
    if isinstance(value, dict):
        if "type" in value:
            yield value
        yield from elements_of(list(value.values()))


def rows_of(file: File) -> list[list[str]]:
    return list(csv.reader(StringIO(file.text.removeprefix("\ufeff"))))
