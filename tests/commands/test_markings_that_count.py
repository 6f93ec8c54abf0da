"""A marking that the asker may read forbids a question in every form in which it would tell of the marked."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from bot.assertions import Assertion
from bot.chat import Actor, Lookup
from bot.enrichment.enricher import Enricher
from bot.findings import Outcome
from bot.indicators import Indicator, Kind, canonical
from bot.organisations import Registry
from bot.services import Services
from bot.tlp import Label, Pap
from commands import answer
from tests.commands.asking import HOST, NOW, REGISTRY, TREND, ask
from tests.enrichment.parts import Plain, landed, plain

HOUSE = replace(
    REGISTRY,
    host=replace(REGISTRY.host, enrich_own_queries=True),
    partners=tuple(replace(one, enrich_own_queries=True) for one in REGISTRY.partners),
)
KINDS = frozenset({Kind.MD5, Kind.SHA1, Kind.SHA256, Kind.IPV4, Kind.IPV6, Kind.DOMAIN, Kind.URL})
MD5 = "0f" * 16
SHA1 = "1f" * 20
SHA256 = "2f" * 32
STRICT = {"label": Label.AMBER_STRICT}
NO_QUESTION = {"label": Label.CLEAR, "pap": Pap.RED}


@pytest.fixture
def virustotal() -> Plain:
    return plain(kinds=KINDS)


@pytest.fixture
def opentip() -> Plain:
    return plain("opentip", kinds=KINDS, ceiling=Label.CLEAR, publishes=True)


@pytest.fixture
async def asking(services: Services, virustotal: Plain, opentip: Plain) -> AsyncIterator[Services]:
    enricher = Enricher([virustotal, opentip], services.store, HOUSE, clock=lambda: NOW, steady=lambda: NOW)
    await enricher.open()
    yield replace(services, registry=HOUSE, enrichment=enricher)
    await enricher.close()


def claim(kind: Kind, value: str, **facts: object) -> Assertion:
    told = {"source": "kaspersky", "label": Label.CLEAR, **facts}
    return Assertion(indicator=canonical(kind, value), **told)  # type: ignore[arg-type]  # facts of one claim


async def enriched(services: Services, text: str, house: Registry = HOUSE, *, by: Actor = HOST) -> Lookup:
    """The answer to "enrich" when all have answered."""
    assert isinstance(services.enrichment, Enricher)
    question = replace(ask(f"enrich {text}", by=by), world=house.world(NOW))
    reply = await answer(question, services)
    assert isinstance(reply, Lookup)
    while reply.more is not None:
        reply = await reply.more()
    await landed(services.enrichment)
    return reply


@pytest.mark.parametrize("marking", [STRICT, NO_QUESTION], ids=["label", "pap"])
@pytest.mark.parametrize(
    ("kind", "marked", "asked"),
    [
        (Kind.DOMAIN, "c2.example.org", "hxxp://c2.example[.]org/gate"),
        (Kind.DOMAIN, "example.org", "hxxp://c2.example[.]org/gate"),
        (Kind.DOMAIN, "example.org", "c2.example[.]org"),
        (Kind.URL, "http://c2.example.org/gate", "c2.example.org/gate"),
        (Kind.URL, "c2.example.org/gate", "hxxps://c2.example.org/gate"),
        (Kind.URL, "http://c2.example.org/gate", "hxxp://c2.example.org:80/gate?id=7#top"),
        (Kind.URL, "http://c2.example.org/gate", "hxxp://C2.EXAMPLE.ORG/gate/"),
        (Kind.IPV4, "192.0.2.7", "hxxp://192.0.2.7:8080/a"),
        (Kind.IPV4, "192.0.2.7", "hxxp://0xC0.0x00.0x02.0x07/a"),
        (Kind.IPV4, "192.0.2.7", "::ffff:192.0.2.7"),
        (Kind.IPV6, "::ffff:192.0.2.7", "192.0.2[.]7"),
        (Kind.CIDR, "192.0.2.0/24", "192.0.2[.]7"),
        (Kind.CIDR, "2001:db8::/32", "2001:db8::7"),
        (Kind.CIDR, "192.0.2.0/24", "hxxp://192.0.2[.]7/a"),
        (Kind.SHA256, SHA256, f"hxxp://mirror.example/file/{SHA256}/detection"),
        (Kind.DOMAIN, "c2.example.org", "hxxps://wrap.example/?url=https%3A%2F%2Fc2.example.org%2Fa"),
    ],
)
async def test_no_other_form_of_a_question_gets_around_a_marking(
    asking: Services, virustotal: Plain, kind: Kind, marked: str, asked: str, marking: dict[str, object]
) -> None:
    await asking.store.add([claim(kind, marked, **marking)])

    reply = await enriched(asking, asked)

    wanted = reply.entries[0]
    assert {finding.outcome for finding in wanted.findings} == {Outcome.BLOCKED}
    assert wanted.indicator not in virustotal.asked
    assert canonical(kind, marked) not in virustotal.asked


async def test_whatever_any_source_says_of_any_hash_of_the_file_counts(
    asking: Services, virustotal: Plain
) -> None:
    await asking.store.add(
        [
            claim(Kind.MD5, MD5, file="a"),
            claim(Kind.SHA1, SHA1, file="a"),
            claim(Kind.SHA1, SHA1, source="trendmicro", file="b"),
            claim(Kind.SHA256, SHA256, source="trendmicro", file="b"),
            claim(Kind.SHA256, SHA256, source="newco", never_to=frozenset({"virustotal"})),
        ]
    )

    await enriched(asking, MD5)

    assert virustotal.asked == []


async def test_many_hashes_of_large_files_are_judged_in_no_long_time(asking: Services) -> None:
    """Each source may say of 64 hashes that they are one file; an answer for all others waits as long."""
    hashes = [f"{number:064x}" for number in range(448)]
    for source in ("kaspersky", "trendmicro", "newco"):
        of_file = [
            claim(Kind.SHA256, each, source=source, file=f"{place // 64}")
            for place, each in enumerate(hashes)
        ]
        await asking.store.add(of_file)
    question = replace(ask("lookup " + " ".join(hashes)), world=HOUSE.world(NOW))

    longest = 0.0
    answering = asyncio.ensure_future(answer(question, asking))
    while not answering.done():
        start = time.process_time()
        await asyncio.sleep(0)
        longest = max(longest, time.process_time() - start)

    assert isinstance(answering.result(), Lookup)
    assert longest < 2.0


async def test_a_link_that_the_asker_may_not_see_changes_no_question(
    asking: Services, virustotal: Plain
) -> None:
    await asking.store.add(
        [
            claim(Kind.MD5, MD5, file="a"),
            claim(Kind.SHA1, SHA1, file="a", **STRICT),
            claim(Kind.SHA1, SHA1, source="newco", never_to=frozenset({"virustotal"})),
        ]
    )

    await enriched(asking, MD5, by=TREND)

    assert virustotal.asked == [Indicator(Kind.MD5, MD5)]


async def test_a_url_on_a_well_known_host_is_not_as_well_known_as_its_host(
    asking: Services, virustotal: Plain, opentip: Plain
) -> None:
    await asking.store.add([claim(Kind.DOMAIN, "example.org"), claim(Kind.CIDR, "192.0.2.0/24")])

    await enriched(asking, "hxxp://example.org/case-4711 files.example.org 192.0.2[.]7")

    assert len(virustotal.asked) == 3
    assert opentip.asked == []


async def test_a_partner_behind_a_service_is_known_under_any_slug(services: Services) -> None:
    """Else what others exclude it from, or share without it, would reach it through its service."""
    renamed = replace(HOUSE.partners[0], id="kasp", name="Kaspersky Lab")
    house = replace(HOUSE, partners=(renamed, *HOUSE.partners[1:]))
    portal = plain("opentip", kinds=KINDS, ceiling=Label.AMBER, operators=frozenset({"kaspersky"}))
    enricher = Enricher([portal], services.store, house, clock=lambda: NOW, steady=lambda: NOW)
    await enricher.open()
    await services.store.add(
        [
            claim(Kind.MD5, MD5, source="trendmicro", label=Label.AMBER, pap=Pap.GREEN),
            claim(Kind.SHA1, SHA1, source="trendmicro", never_to=frozenset({"kasp"})),
            claim(Kind.SHA256, SHA256, source="trendmicro"),
        ]
    )

    await enriched(replace(services, registry=house, enrichment=enricher), f"{MD5} {SHA1} {SHA256}", house)
    await enricher.close()

    assert portal.asked == [Indicator(Kind.SHA256, SHA256)]
