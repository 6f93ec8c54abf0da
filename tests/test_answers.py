"""What each asked indicator comes to: entries, verdicts and JSON."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from bot.answers import as_json, entries, verdict
from bot.assertions import Assertion
from bot.indicators import Indicator
from bot.sharing import Audience, Cleared, Reach, World, clear
from bot.tlp import Label
from bot.verdicts import Verdict
from tests.strategies import INDICATORS

MD5, SHA256, DOMAIN = INDICATORS
SEEN = datetime(2026, 5, 1, 8, 30, tzinfo=UTC)
WORLD = World(host="host", now=SEEN, in_force=frozenset(), community=frozenset(), names={"host": "Centre"})
HOST = Audience(reach=Reach.EPHEMERAL, orgs=frozenset({"host"}))


def claim(indicator: Indicator = SHA256, **fields: object) -> Assertion:
    plain = Assertion(indicator=indicator, source="host", label=Label.GREEN)
    return msgspec.structs.replace(plain, **fields)


def cleared(*assertions: Assertion) -> Cleared:
    return clear(assertions, HOST, WORLD)


def test_every_asked_indicator_has_an_entry_in_the_order_asked() -> None:
    answer = entries([DOMAIN, MD5, SHA256], cleared(claim(SHA256), claim(MD5)))

    assert [entry.indicator for entry in answer] == [DOMAIN, MD5, SHA256]
    assert [len(entry.assertions) for entry in answer] == [0, 1, 1]
    assert (answer[0].label, answer[0].verdict) == (Label.CLEAR, Verdict.UNKNOWN)


def test_an_entry_bears_the_strictest_label_in_it_also_of_the_same_file() -> None:
    (entry,) = entries([MD5], cleared(claim(MD5, file="f"), claim(SHA256, label=Label.AMBER, file="f")))

    assert [shown.indicator for shown in entry.same_file] == [SHA256]
    assert entry.label is Label.AMBER


def test_the_verdict_is_about_the_asked_indicator_only() -> None:
    (entry,) = entries([MD5], cleared(claim(MD5, file="f", to_ids=False), claim(SHA256, file="f")))

    assert entry.verdict is Verdict.UNKNOWN


@pytest.mark.parametrize(
    ("claims", "comes_to"),
    [
        ([], Verdict.UNKNOWN),
        ([{}], Verdict.MALICIOUS),
        ([{"confidence": 50}], Verdict.MALICIOUS),
        ([{"confidence": 49}], Verdict.SUSPICIOUS),
        ([{"confidence": 0}], Verdict.SUSPICIOUS),
        ([{"confidence": 10}, {"confidence": 90}], Verdict.MALICIOUS),
        ([{"revoked": True}], Verdict.UNKNOWN),
        ([{"to_ids": False}], Verdict.UNKNOWN),
        ([{"to_ids": False}, {"confidence": 10}], Verdict.SUSPICIOUS),
    ],
)
def test_the_strongest_claim_that_stands_gives_the_verdict(
    claims: list[dict[str, Any]], comes_to: Verdict
) -> None:
    assert verdict(cleared(*(claim(**fields) for fields in claims)).shown) is comes_to


def test_json_holds_what_was_cleared_and_nothing_else() -> None:
    told = claim(
        MD5,
        first_seen=SEEN,
        confidence=70,
        family="Emotet",
        tags=("loader",),
        context="seen",
        addressed_to=frozenset({"kaspersky"}),
        never_to=frozenset({"groupib"}),
        file="f",
        seq=7,
    )

    answer = as_json(entries([MD5, DOMAIN], cleared(told, claim(SHA256, file="f"))))

    assert answer == [
        {
            "kind": "md5",
            "value": MD5.value,
            "label": "TLP:GREEN",
            "verdict": "malicious",
            "conflict": False,
            "well_known": ["empty file"],
            "assertions": [
                {
                    "source": "host",
                    "label": "TLP:GREEN",
                    "first_seen": "2026-05-01T08:30:00Z",
                    "last_seen": None,
                    "family": "Emotet",
                    "confidence": 70,
                    "context": "seen",
                    "tags": ["loader"],
                    "to_ids": True,
                    "revoked": False,
                }
            ],
            "same_file": [
                {
                    "kind": "sha256",
                    "value": SHA256.value,
                    "source": "host",
                    "label": "TLP:GREEN",
                    "first_seen": None,
                    "last_seen": None,
                    "family": None,
                    "confidence": None,
                    "context": None,
                    "tags": [],
                    "to_ids": True,
                    "revoked": False,
                }
            ],
            "findings": [],
        },
        {
            "kind": "domain",
            "value": DOMAIN.value,
            "label": "TLP:CLEAR",
            "verdict": "unknown",
            "conflict": False,
            "well_known": ["reserved for documentation"],
            "assertions": [],
            "same_file": [],
            "findings": [],
        },
    ]
