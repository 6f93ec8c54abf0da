"""enrich asks services on purpose, in private only, and says plainly when it does not."""

from dataclasses import replace
from typing import Any

import pytest

from bot.blocks import render
from bot.chat import Actor, Lookup, Surface
from bot.enquiries import Declared
from bot.organisations import Registry
from bot.services import Services
from bot.sharing import Reach
from bot.tlp import Label, Pap
from commands import answer
from tests.commands.asking import DOMAIN, HOST, KASPERSKY, MD5, REGISTRY, STRANGER, ask, channel, claim, sent
from tests.enriching import Script

ENRICH = f"enrich {MD5.value}"
AGREED = replace(
    REGISTRY,
    host=replace(REGISTRY.host, enrich_own_queries=True),
    partners=tuple(replace(each, enrich_own_queries=each.id == "kaspersky") for each in REGISTRY.partners),
)
TREND = Actor("U0TREND", "trendmicro")
LAPSED = Actor("U0LAPSED", "lapsed")


def with_script(services: Services, script: Script | None = None, registry: Registry = AGREED) -> Services:
    return replace(services, enrichment=script or Script(), registry=registry)


async def asked(services: Services, text: str = ENRICH, **how: Any) -> Any:
    """The reply in the world of those who agreed."""
    question = ask(text, **how)
    return await answer(replace(question, world=services.registry.world(question.world.now)), services)


async def words(services: Services, text: str = ENRICH, **how: Any) -> str:
    reply = await asked(services, text, **how)
    assert not isinstance(reply, Lookup)
    return "\n".join(row.text for row in reply.rows)


@pytest.mark.parametrize(("by", "surface"), [(HOST, Surface.SLASH), (KASPERSKY, Surface.DM)])
async def test_services_are_asked_on_purpose(services: Services, by: Actor, surface: Surface) -> None:
    script = Script()
    await services.store.add([claim(MD5)])
    reply = await asked(with_script(services, script), by=by, surface=surface)

    [enquiry] = script.enquiries
    assert (enquiry.indicators, enquiry.org, enquiry.on_purpose) == ((MD5,), by.org, True)
    assert (reply.wants_file, reply.more is not None) == (True, True)
    assert reply.entries[0].assertions


async def test_what_was_asked_stays_with_the_answer_as_it_grows(services: Services) -> None:
    script = Script()
    reply = await asked(with_script(services, script), f"{ENRICH} 44d88612fea8a8f36de82e1278abb0")
    script.answer()
    grown = await reply.more()

    assert grown.more is None
    assert (grown.wants_file, grown.not_understood) == (True, reply.not_understood)
    assert grown.not_understood == ("44d88612fea8a8f36de82e1278abb0",)


async def test_only_what_may_stay_goes_into_the_file(services: Services) -> None:
    red = claim(MD5, label=Label.RED, persons=frozenset({HOST.user}), family="secret")
    await services.store.add([red, claim(MD5, source="trendmicro", family="told")])
    reply = await asked(with_script(services))

    assert [shown.family for shown in reply.cleared.shown] == ["secret", "told"]
    assert [shown.family for shown in reply.lasting.cleared.shown] == ["told"]
    assert reply.lasting.cleared.audience.reach is Reach.DM


@pytest.mark.parametrize(
    ("marking", "declared"),
    [
        ("tlp:amber", Declared(Label.AMBER)),
        ("pap:red tlp:green", Declared(Label.GREEN, Pap.RED)),
        ("", Declared()),
    ],
)
@pytest.mark.parametrize("verb", ["enrich", "lookup"])
async def test_the_asker_may_mark_the_question(
    services: Services, verb: str, marking: str, declared: Declared
) -> None:
    script = Script()
    reply = await asked(with_script(services, script), f"{verb} {marking} {MD5.value}")

    assert script.enquiries[0].declared == declared
    assert reply.not_understood == ()


@pytest.mark.parametrize("verb", ["enrich", "lookup"])
@pytest.mark.parametrize(("marking", "is_told"), [("tlp:red", True), ("tlp:amber+strict", False)])
async def test_what_red_hides_is_told_and_does_not_stay_in_a_file(
    services: Services, verb: str, marking: str, is_told: bool
) -> None:
    script = Script()
    first = await asked(with_script(services, script), f"{verb} {marking} {MD5.value}")
    script.answer()
    for reply in (first, await first.more()):
        assert ("With tlp:amber+strict nothing leaves either" in render(reply).text) is is_told
        assert reply.wants_file is (verb == "enrich" and not is_told)  # a file stays


@pytest.mark.parametrize("verb", ["enrich", "lookup"])
async def test_a_marking_that_cannot_be_read_asks_nobody(services: Services, verb: str) -> None:
    script = Script()
    assert "“tlp:ambre” is no marking" in await words(
        with_script(services, script), f"{verb} tlp:ambre {MD5.value}"
    )
    assert script.enquiries == []


@pytest.mark.parametrize(("number", "is_answered"), [(100, True), (101, False)])
async def test_up_to_100_at_once(services: Services, number: int, is_answered: bool) -> None:
    text = " ".join(f"host{place}.example" for place in range(number))
    script = Script()
    reply = await asked(with_script(services, script), f"enrich {text}")

    assert isinstance(reply, Lookup) is is_answered
    assert len(script.enquiries) == is_answered
    if not is_answered:
        assert "101 indicators; services are asked about up to 100 at once" in reply.rows[0].text


async def test_without_indicators_it_says_what_to_type(services: Services) -> None:
    script = Script()
    assert (await sent(services, "enrich it")).text.splitlines()[0] == "TLP:CLEAR · no indicator found"
    assert script.enquiries == []


@pytest.mark.parametrize(
    ("by", "surface", "said"),
    [
        (HOST, Surface.MENTION, "type /intel enrich instead"),
        (KASPERSKY, Surface.MENTION, "write Liaison a direct message instead"),
        (TREND, Surface.MENTION, "write Liaison a direct message instead"),
        (TREND, Surface.DM, "has not agreed that its questions go to external services. Tell Cyber Fusion"),
        (LAPSED, Surface.DM, "does not know your organisation"),
        (STRANGER, Surface.DM, "does not know your organisation"),
        (replace(HOST, is_confirmed=False), Surface.SLASH, "Slack did not say who is asking"),
    ],
)
async def test_why_nobody_was_asked_and_what_to_do(
    services: Services, by: Actor, surface: Surface, said: str
) -> None:
    script = Script()
    assert said in await words(with_script(services, script), by=by, surface=surface)
    assert script.enquiries == []


@pytest.mark.parametrize(
    ("by", "said"),
    [(HOST, "turns one on in liaison.toml"), (KASPERSKY, "Cyber Fusion Centre can tell you more")],
)
@pytest.mark.parametrize("script", [None, Script(is_on=False)])
async def test_no_service_is_on(services: Services, by: Actor, said: str, script: Script | None) -> None:
    off = replace(services, enrichment=script, registry=AGREED)
    assert said in await words(off, by=by, surface=Surface.DM)


async def test_the_host_learns_what_to_set(services: Services) -> None:
    assert "enrich_own_queries" in await words(with_script(services, registry=REGISTRY), by=HOST)


async def test_in_front_of_others_nothing_of_an_organisation_is_told(services: Services) -> None:
    where = channel("kaspersky", "trendmicro")
    told = [
        await words(with_script(services), by=by, surface=Surface.MENTION, where=where)
        for by in (KASPERSKY, TREND)
    ]
    assert told[0] == told[1]


async def test_shared_with_a_channel_it_asks_nobody(services: Services) -> None:
    """The button “Share” asks again for everybody who reads the channel."""
    script = Script()
    await services.store.add([claim(DOMAIN)])
    question = ask(f"enrich {DOMAIN.value}", by=HOST, surface=Surface.MENTION)
    world = AGREED.world(question.world.now)
    shared = replace(question, surface=Surface.BUTTON, world=world)
    reply = await answer(shared, with_script(services, script))

    assert isinstance(reply, Lookup)
    assert (script.enquiries, reply.more, reply.lasting) == ([], None, None)
