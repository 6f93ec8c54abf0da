"""who tells the readers, the cap and what may be said, as the policy itself decides it."""

import pytest

from bot.chat import Actor, Surface
from bot.services import Services
from bot.sharing import UNKNOWN, Audience
from bot.tlp import Label
from tests.commands.asking import HOST, KASPERSKY, STRANGER, WITH_BOTH, channel, said

YES = "yes"
ADDRESSED = "only what its source addressed to every other organisation here"
ABOVE = "no, it is above the cap"
NO = "no, not with these readers"


async def verdicts(services: Services, where: Audience, **how: Actor) -> list[str]:
    lines = await said(services, "who", where=where, **how)
    return [line.split("  ")[1] for line in lines if line.startswith("• TLP:")]


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        (WITH_BOTH, [YES, YES, ABOVE, ABOVE]),
        (channel("kaspersky", cap=Label.AMBER_STRICT), [YES, YES, ADDRESSED, ADDRESSED]),
        (channel("kaspersky", cap=Label.CLEAR), [YES, ABOVE, ABOVE, ABOVE]),
        (channel("newco"), [YES, f"not everybody here is in the community: {ADDRESSED}", ABOVE, ABOVE]),
        (channel(cap=Label.RED), [YES, YES, YES, YES]),
        (channel("kaspersky", UNKNOWN), [YES, NO, ABOVE, ABOVE]),
        (channel("lapsed"), [YES, NO, ABOVE, ABOVE]),
        (channel("kaspersky", pending_invite=True), [YES, NO, ABOVE, ABOVE]),
        (channel("kaspersky", fresh=False), [YES, NO, ABOVE, ABOVE]),
        (channel("kaspersky", public=True), [YES, NO, ABOVE, ABOVE]),
    ],
)
async def test_it_tells_what_may_be_said(services: Services, where: Audience, expected: list[str]) -> None:
    assert await verdicts(services, where) == [
        *expected,
        "only to a person its source named, in an answer that nobody else can open",
    ]


async def test_it_names_the_readers_and_the_cap(services: Services) -> None:
    cap = (
        "Its cap is TLP:GREEN: the host lets nothing stricter be said here. "
        "Organisations that join later can read the history."
    )
    lines = await said(services, "who")
    assert lines[:3] == [
        "TLP:GREEN · who reads this",
        "This channel is read by Cyber Fusion Centre (host), Kaspersky, Trend Micro.",
        cap,
    ]


@pytest.mark.parametrize(
    ("where", "words"),
    [
        (channel(UNKNOWN), "somebody Liaison does not know"),
        (channel("lapsed"), "Lapsed (counts as unknown)"),
        (channel(UNKNOWN), "Somebody unknown reads along"),
        (channel("kaspersky", pending_invite=True), "An invitation to another organisation is open"),
        (channel("kaspersky", fresh=False), "Slack does not say for sure who reads this now"),
        (channel("kaspersky", public=True), "This is open to the public"),
        (channel(*(f"org{number:02}" for number in range(60))), "31 more"),
    ],
)
async def test_it_says_plainly_what_is_uncertain(services: Services, where: Audience, words: str) -> None:
    assert words in "\n".join(await said(services, "who", where=where))


@pytest.mark.parametrize(
    ("by", "words"),
    [
        (HOST, "may carry TLP:CLEAR, TLP:GREEN, TLP:AMBER, TLP:AMBER+STRICT."),
        (
            KASPERSKY,
            "TLP:CLEAR, TLP:GREEN; above that what comes from your organisation or was addressed to it.",
        ),
        (STRANGER, "may carry TLP:CLEAR."),
    ],
)
async def test_it_tells_what_the_asker_alone_may_read(services: Services, by: Actor, words: str) -> None:
    assert words in "\n".join(await said(services, "who", by=by))


async def test_in_front_of_others_it_does_not_tell_what_one_of_them_may_read(services: Services) -> None:
    lines = await said(services, "who", by=KASPERSKY, surface=Surface.MENTION)
    assert "For an answer that only you can read, ask Liaison in a direct message." in lines


async def test_in_a_direct_message_there_is_one_reader_and_no_cap(services: Services) -> None:
    text = "\n".join(await said(services, "who", by=KASPERSKY, surface=Surface.DM))
    assert "This direct message is read by Liaison and one person of Kaspersky." in text
    assert "cap" not in text


@pytest.mark.parametrize(
    ("where", "label"),
    [(WITH_BOTH, "TLP:GREEN"), (channel("newco"), "TLP:CLEAR"), (channel(UNKNOWN), "TLP:CLEAR")],
)
async def test_it_carries_no_label_that_its_readers_may_not_see(
    services: Services, where: Audience, label: str
) -> None:
    lines = await said(services, "who", where=where, surface=Surface.MENTION)
    assert lines[0] == f"{label} · who reads this"
