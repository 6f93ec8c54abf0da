"""lookup answers each reader with what they may see, and hidden looks like absent."""

from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.blockkit import message_problems
from bot.chat import Actor, Lookup, Surface
from bot.indicators import Indicator, Kind
from bot.services import Services
from bot.tlp import Label
from tests.commands.asking import DOMAIN, HOST, KASPERSKY, MD5, STRANGER, TREND, claim, reply, said, sent
from tests.hostile import storable
from tests.oracle import unlabelled, unsafe

NUMBERS = count()
NOTHING = [
    "TLP:CLEAR · ⚪ nothing to show",
    "ℹ️ reserved for documentation",
    "Nothing to show for c2[.]example[.]org",
    "“Nothing to show” is no verdict: what nobody reported here may still be harmful.",
]


async def test_the_host_and_a_vendor_get_different_answers(services: Services) -> None:
    await services.store.add([claim(label=Label.AMBER, family="Emotet")])
    assert (await said(services, "c2.example.org", by=HOST))[0] == "TLP:AMBER · 🔴 malicious"
    assert (await said(services, "c2.example.org", by=KASPERSKY))[0] == "TLP:AMBER · 🔴 malicious"
    assert await said(services, "c2.example.org", by=TREND, surface=Surface.DM) == NOTHING


@pytest.mark.parametrize("by", [TREND, STRANGER], ids=lambda by: by.user)
@pytest.mark.parametrize("surface", [Surface.SLASH, Surface.MENTION, Surface.DM, Surface.BUTTON])
@pytest.mark.parametrize("text", ["c2.example.org", "c2.example.org 44d88612fea8a8f36de82e1278abb02f"])
async def test_hidden_and_absent_are_the_same_bytes(
    services: Services, by: Actor, surface: Surface, text: str
) -> None:
    absent = await sent(services, text, by=by, surface=surface)
    await services.store.add(
        [
            claim(label=Label.AMBER_STRICT, file="one"),
            claim(MD5, label=Label.RED, persons=frozenset({"U0HOST"}), file="one"),
        ]
    )
    assert await sent(services, text, by=by, surface=surface) == absent


async def test_a_mention_is_answered_for_everybody_who_reads_it(services: Services) -> None:
    await services.store.add([claim(label=Label.AMBER)])
    assert await said(services, "c2.example.org", by=HOST, surface=Surface.MENTION) == NOTHING


async def test_a_hash_finds_the_claims_about_its_file(services: Services) -> None:
    await services.store.add([claim(MD5, file="one", family="Emotet"), claim(DOMAIN)])
    lines = await said(services, f"lookup {MD5.value}")
    assert lines[:3] == ["TLP:GREEN · 🔴 malicious", "ℹ️ EICAR test file", MD5.value]


async def test_defanged_and_duplicate_indicators_are_one(services: Services) -> None:
    lines = await said(
        services, "lookup hxxp://a[.]example/x http://a.example/x <http://a.example/x|a.example/x>"
    )
    assert lines[2] == "Nothing to show for hxxp://a[.]example/x"


async def test_without_indicators_it_says_what_to_type(services: Services) -> None:
    footer = (
        "Hashes, IP addresses, networks, domains, URLs, e-mail addresses, CVE numbers and Bitcoin addresses "
        "are understood, defanged or not, up to 500 at once."
    )
    assert await said(services, "lookup something", surface=Surface.MENTION) == [
        "TLP:CLEAR · no indicator found",
        "Nothing in that can be looked up. Type for example:",
        "• @Liaison lookup 198[.]51[.]100[.]7",
        "• @Liaison lookup 44d88612fea8a8f36de82e1278abb02f hxxp://example[.]org/a",
        footer,
    ]


@pytest.mark.parametrize(("number", "is_answered"), [(500, True), (501, False)])
async def test_it_takes_up_to_500_indicators(services: Services, number: int, is_answered: bool) -> None:
    text = " ".join(f"host{place}.example" for place in range(number))
    answer = await reply(services, f"lookup {text}")
    assert isinstance(answer, Lookup) is is_answered
    if not is_answered:
        expected = "These are 501 indicators; one lookup takes up to 500. Send them in parts."
        assert expected in (await sent(services, f"lookup {text}")).text


async def test_more_than_a_megabyte_is_refused_in_words(services: Services) -> None:
    assert "over 1 MB" in " ".join(await said(services, "lookup " + "x" * 1_000_001))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=50)
@given(facts=st.fixed_dictionaries({"context": storable, "family": storable, "tags": st.tuples(storable)}))
async def test_hostile_facts_are_shown_safely(services: Services, facts: dict[str, Any]) -> None:
    value = f"host{next(NUMBERS)}.example"
    await services.store.add([claim(Indicator(Kind.DOMAIN, value), **facts)])
    message = await sent(services, f"lookup {value}")
    assert message.label is Label.GREEN
    payload = {"text": message.text, "blocks": message.blocks}
    assert message_problems(payload) + unsafe(payload) + unlabelled(payload) == []
