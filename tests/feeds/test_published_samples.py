"""Real published files, small enough to keep: what each of them says."""

from pathlib import Path

import pytest

from bot.assertions import Assertion
from bot.feeds import csv_file, misp, stix, text
from tests.feeds.reading import DEFAULTS, Parser

SAMPLES = Path(__file__).parents[1] / "samples" / "feeds" / "published"


def read(parse: Parser, name: str) -> dict[str, Assertion]:
    items = list(parse((SAMPLES / name).read_bytes(), DEFAULTS))
    return {item.indicator.value: item for item in items if isinstance(item, Assertion)}


def test_eset_publishes_misp_events() -> None:
    found = read(misp.parse, "eset-sshdoor-bespin.json")
    assert set(found) == {"48bd2075313b1731938ee82282dc2562fbaa6cb1"}
    (assertion,) = found.values()
    assert (assertion.to_ids, assertion.context) == (False, "SSHDoor : Bespin")
    assert assertion.tags == ("SSHDoor",)


def test_unit_42_publishes_stix_2_0() -> None:
    found = read(stix.parse, "unit42-soul-stealer.json")
    assert len(found) == 2
    newer = found["b876579c081c28ca0b203ef770b64e7adeb9ed9dce4b6ad7aaa5b07451a2ef2c"]
    assert newer.context == "2025 version of builder for Soul Stealer (Blank Grabber) malware."
    assert newer.tags == ("malicious-activity",)
    assert newer.label is DEFAULTS.label


def test_volexity_publishes_csv_with_a_typed_column() -> None:
    found = read(csv_file.parse, "volexity-democracy-in-hong-kong.csv")
    assert len(found) == 14
    assert {assertion.indicator.kind.value for assertion in found.values()} == {
        "ipv4",
        "domain",
        "md5",
        "sha1",
    }


def test_amnesty_publishes_lists() -> None:
    assert set(read(text.parse, "amnesty-qatar-domains.txt")) == {"youl.tube", "twittre.co", "twitt-er.app"}


def test_oasis_shows_observed_data() -> None:
    found = read(stix.parse, "oasis-sighting-of-observed-data.json")
    md5 = found["1717b7fff97d37a1e1a0029d83492de1"]
    sha1 = found["c79a326f8411e9488bdc3779753e1e3489aaedea"]
    assert md5.file == sha1.file == "sha1:c79a326f8411e9488bdc3779753e1e3489aaedea"
    assert not md5.to_ids


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("*.*")), ids=lambda path: path.name)
def test_every_sample_names_its_source_and_licence(path: Path) -> None:
    assert path.name == "README.md" or path.name in (SAMPLES / "README.md").read_text()
