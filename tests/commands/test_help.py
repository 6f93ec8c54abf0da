"""help knows where it is asked and who asks."""

import pytest

from bot.chat import Actor, Surface
from bot.services import Services
from commands import ALL
from tests.commands.asking import HOST, KASPERSKY, STRANGER, said


@pytest.mark.parametrize(
    ("surface", "prefix"),
    [
        (Surface.SLASH, "/intel "),
        (Surface.MENTION, "@Liaison "),
        (Surface.DM, ""),
        (Surface.CLI, "liaison "),
        (Surface.BUTTON, "/intel "),
    ],
)
async def test_every_command_is_told_as_it_is_typed_there(
    services: Services, surface: Surface, prefix: str
) -> None:
    lines = await said(services, "help", surface=surface)
    for command in ALL:
        assert any(line.startswith(f"• {prefix}{command.verb}") for line in lines), command.verb


@pytest.mark.parametrize(
    ("by", "surface", "told", "not_told"),
    [
        (HOST, Surface.SLASH, "Only you see this answer.", "works for members of the host's workspace only"),
        (HOST, Surface.MENTION, "To be the only reader, type /intel.", "direct message"),
        (HOST, Surface.DM, "Only you and Liaison read this conversation.", "Everybody"),
        (KASPERSKY, Surface.MENTION, "Everybody here reads your question and the answer.", "does not know"),
        (KASPERSKY, Surface.MENTION, "write Liaison a direct message", "Share to channel"),
        (KASPERSKY, Surface.DM, "/intel works for members of the host's workspace only.", "Everybody"),
        (STRANGER, Surface.SLASH, "Only you see this answer.", "works for members of the host"),  # a guest
        (STRANGER, Surface.DM, "Liaison does not know your organisation", "Everybody"),
    ],
)
async def test_it_says_who_reads_along_and_how_to_ask_in_private(
    services: Services, by: Actor, surface: Surface, told: str, not_told: str
) -> None:
    text = "\n".join(await said(services, "help", by=by, surface=surface))
    assert told in text
    assert not_told not in text


async def test_nothing_typed_is_help(services: Services) -> None:
    assert await said(services, "") == await said(services, "help")


async def test_it_says_who_may_read_red(services: Services) -> None:
    assert "TLP:RED is shown to nobody but the persons its source named" in (await said(services, "help"))[-1]
