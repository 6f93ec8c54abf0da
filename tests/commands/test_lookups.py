"""Lookups: what was meant and not understood is told, and a URL brings what is known of its host."""

import pytest

from bot.extraction import extract
from bot.lookups import look_up, not_understood
from bot.services import Services
from bot.sharing import Audience, Reach
from bot.tlp import Label
from tests.commands.asking import DOMAIN, NOW, REGISTRY, claim

HASH = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


@pytest.mark.parametrize(
    ("text", "missed"),
    [
        (f"{HASH[:-1]} 192.0.2.1", (HASH[:-1],)),
        ("999.1.1.1, 192.0.2.1", ("999.1.1.1",)),
        ("bad@nowhere hxxp://", ("bad@nowhere",)),
        ("please check evil[.]example and 192.0.2.1 192.0.2.1", ()),
        ("<http://evil.example|evil.example> <mailto:a@evil.example|a@evil.example> &amp; so on", ()),
        (f"{HASH} {HASH.upper()}", ()),
    ],
)
def test_what_was_meant_as_an_indicator_is_not_dropped_silently(text: str, missed: tuple[str, ...]) -> None:
    assert not_understood(text, extract(text)) == missed


@pytest.mark.parametrize(("label", "told"), [(Label.GREEN, ["url", "domain"]), (Label.AMBER_STRICT, ["url"])])
async def test_a_url_brings_its_host_if_anything_is_known_of_it(
    services: Services, label: Label, told: list[str]
) -> None:
    await services.store.add([claim(DOMAIN, label=label)])
    [url] = [each.indicator for each in extract(f"https://{DOMAIN.value}/a?x=1")]
    reader = Audience(reach=Reach.EPHEMERAL, orgs=frozenset({"trendmicro"}))

    answer = await look_up([url], reader, REGISTRY.world(NOW), services.store)

    assert [entry.indicator.kind for entry in answer.entries] == told
