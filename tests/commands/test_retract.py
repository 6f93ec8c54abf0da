"""retract takes back what was posted: the own organisation's, for an operator of the host everybody's."""

from dataclasses import replace

import pytest

from bot.chat import Actor, Surface
from bot.services import Services
from bot.sharing import UNKNOWN, Audience
from tests.commands.asking import DOMAIN, HOST, KASPERSKY, MD5, STRANGER, TREND, channel, said
from tests.commands.steering import NAMED, OPERATOR, Ledger

TEXT = f"retract {DOMAIN.value}"


def with_posts(services: Services, posts: int) -> tuple[Services, Ledger]:
    ledger = Ledger(posts)
    return replace(services, registry=NAMED, corrections=ledger), ledger


@pytest.mark.parametrize(
    ("by", "source"), [(KASPERSKY, "kaspersky"), (TREND, "trendmicro"), (HOST, "igci"), (OPERATOR, None)]
)
@pytest.mark.parametrize("surface", [Surface.SLASH, Surface.DM, Surface.MENTION])
async def test_a_source_takes_back_its_own_and_an_operator_anything(
    services: Services, by: Actor, source: str | None, surface: Surface
) -> None:
    named, ledger = with_posts(services, 2)

    await said(named, f"retract {DOMAIN.value} {MD5.value} {DOMAIN.value}", by=by, surface=surface)

    assert ledger.wished == [((DOMAIN, MD5), source, by.user)]


@pytest.mark.parametrize(
    ("by", "where"),
    [
        (STRANGER, channel(UNKNOWN)),
        (Actor("U0LAP", "lapsed"), channel("lapsed")),
        (replace(KASPERSKY, is_confirmed=False), channel("kaspersky")),
    ],
)
async def test_who_is_not_known_takes_nothing_back(services: Services, by: Actor, where: Audience) -> None:
    named, ledger = with_posts(services, 2)

    assert "did not work" in (await said(named, TEXT, by=by, where=where))[0]
    assert ledger.wished == []


@pytest.mark.parametrize(
    ("posts", "by", "told"),
    [
        (0, KASPERSKY, "No post of Liaison that it knows of shows this of your organisation"),
        (1, KASPERSKY, "1 post showed this of your organisation. Each is edited or deleted"),
        (12, OPERATOR, "12 posts showed this. Each is edited or deleted within minutes"),
    ],
)
@pytest.mark.parametrize("surface", [Surface.SLASH, Surface.DM])
async def test_in_private_it_says_what_happens(
    services: Services, posts: int, by: Actor, told: str, surface: Surface
) -> None:
    named, _ = with_posts(services, posts)

    lines = await said(named, TEXT, by=by, surface=surface)

    assert lines[0].startswith("TLP:AMBER+STRICT")
    assert told in lines[1]
    assert "The store still holds it" in lines[-1]


@pytest.mark.parametrize("by", [KASPERSKY, OPERATOR])
async def test_before_others_it_says_the_same_whatever_was_posted(services: Services, by: Actor) -> None:
    """That an organisation is the source of something is not for everybody."""
    answers = [
        await said(with_posts(services, posts)[0], TEXT, by=by, surface=Surface.MENTION)
        for posts in (0, 1, 7)
    ]

    assert answers[0] == answers[1] == answers[2]
    assert DOMAIN.value.replace(".", "[.]") not in "\n".join(answers[0])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("retract", "Write the indicators that are meant"),
        ("retract everything", "Write the indicators that are meant"),
        (f"{TEXT} {MD5.value[:-1]}", "Write the indicators that are meant"),  # one of them was mistyped
        ("retract " + " ".join(f"{number}.example.org" for number in range(21)), "At most 20 indicators"),
    ],
)
async def test_what_is_not_clear_is_not_done(services: Services, text: str, told: str) -> None:
    named, ledger = with_posts(services, 1)

    assert told in "\n".join(await said(named, text, by=OPERATOR))
    assert ledger.wished == []


async def test_without_posts_there_is_nothing_to_take_back(services: Services) -> None:
    assert "nothing can be taken back" in (await said(services, TEXT, by=KASPERSKY))[1]
