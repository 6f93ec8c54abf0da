"""The catalogue opens what is on, imports nothing of what is off, and agrees with the providers."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bot.errors import ConfigError
from bot.providers import opentip, trend, vt_wire, wire
from bot.providers.catalogue import LISTINGS, NAMES, key_variables, open_sources, with_keys
from bot.providers.options import Options
from bot.providers.remote import Remote
from bot.providers.spec import Source
from bot.secret import Secret
from bot.settings import read_provider_keys
from bot.tlp import Label

CANARY = "CANARY-of-a-key"
EVERYTHING = {
    name: Options(key=Secret(CANARY) if listing.key else None, file=Path("known.bloom"))
    for name, listing in LISTINGS.items()
}


async def test_every_provider_can_be_opened_and_goes_by_its_name_in_the_catalogue() -> None:
    sources = open_sources(EVERYTHING)

    assert [source.spec.name for source in sources] == list(NAMES)
    for source in sources:
        await source.close()


def test_what_is_off_is_not_opened() -> None:
    assert open_sources({}) == []
    assert [source.spec.name for source in open_sources({"trend": Options()})] == ["trend"]


@pytest.mark.parametrize("source", open_sources(EVERYTHING), ids=lambda source: str(source.spec.name))
def test_no_source_shows_its_key(source: object) -> None:
    assert CANARY not in repr(source)
    assert CANARY not in repr(getattr(source, "service", None))
    assert CANARY not in repr(getattr(source, "wire", None))


@pytest.mark.parametrize("source", open_sources(EVERYTHING), ids=lambda source: str(source.spec.name))
def test_a_provider_is_in_the_catalogue_as_what_it_is(source: Source) -> None:
    listing = LISTINGS[source.spec.name]

    assert source.spec.asks_nobody == listing.asks_nobody
    assert listing.asks_nobody or source.spec.ceiling <= Label.GREEN  # more needs a decision of the operator
    assert not (source.spec.publishes and source.spec.ceiling > Label.CLEAR)


def test_only_virustotal_goes_through_its_own_client() -> None:
    wires = {s.spec.name: type(s.wire) for s in open_sources(EVERYTHING) if isinstance(s, Remote)}

    assert wires.pop("virustotal") is vt_wire.VtWire
    assert set(wires.values()) == {wire.HttpWire}


def test_changes_of_the_operator_arrive() -> None:
    options = {"urlhaus": Options(key=Secret("k"), ceiling=Label.AMBER, per_day=7, seconds=2.0)}

    (source,) = open_sources(options)

    assert (source.spec.ceiling, source.spec.budget.per_day, source.spec.seconds) == (Label.AMBER, 7, 2.0)


def test_the_commercial_portal_is_another_service_at_another_address() -> None:
    urls = [LISTINGS["opentip"].places[word] for word in ("opentip", "tip")]
    titles = [open_sources({"opentip": Options(url=url)})[0].spec.title for url in urls]

    assert urls == [opentip.BASE_URL, opentip.PORTAL_URL]
    assert titles == [opentip.SPEC.title, opentip.PORTAL_SPEC.title]


def test_trend_is_in_the_united_states_unless_another_region_is_chosen() -> None:
    assert LISTINGS["trend"].places["us"] == trend.BASE_URL


@pytest.mark.parametrize("url", ["http://vt.example", "https://key@vt.example", "vt.example"])
@pytest.mark.parametrize("name", [name for name in NAMES if name != "hashlookup-offline"])
def test_a_key_never_travels_in_the_clear(name: str, url: str) -> None:
    with pytest.raises(ConfigError, match="url: must be an address such as https://"):
        open_sources({name: Options(key=Secret(CANARY), url=url)})


def test_every_key_has_its_variable() -> None:
    assert key_variables(NAMES) == {
        "virustotal": "VIRUSTOTAL_KEY",
        "opentip": "OPENTIP_KEY",
        "malwarebazaar": "ABUSECH_KEY",
        "threatfox": "ABUSECH_KEY",
        "urlhaus": "ABUSECH_KEY",
        "trend": "VISION_ONE_KEY",
    }
    assert key_variables(["hashlookup", "trend"]) == {"trend": "VISION_ONE_KEY"}


def test_keys_join_their_providers() -> None:
    options = {"urlhaus": Options(per_day=7), "hashlookup": Options()}
    keys = read_provider_keys({"ABUSECH_KEY": "k"}, key_variables(options))

    joined = with_keys(options, keys)

    assert joined == {"urlhaus": Options(key=Secret("k"), per_day=7), "hashlookup": Options()}


def test_nothing_of_a_provider_that_is_off_is_loaded() -> None:
    script = (
        "import json, sys; from bot.providers.catalogue import open_sources, Options; open_sources({});"
        "idle = set(sys.modules); open_sources({'urlhaus': Options()});"
        "print(json.dumps([sorted(idle), sorted(sys.modules)]))"
    )

    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, timeout=60)
    idle, busy = (set(modules) for modules in json.loads(ran.stdout))

    assert not idle & {"aiohttp", "vt", "bot.providers.urlhaus", "bot.providers.wire"}
    assert {"aiohttp", "bot.providers.urlhaus"} <= busy
    assert not busy & {"vt", "bot.providers.trend", "bot.providers.threatfox"}
