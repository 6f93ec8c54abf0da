"""STIX 2.0 and 2.1: what is read, under which label, and what is never told through the back door."""

from datetime import UTC, datetime
from typing import Any

import pytest

from bot.feeds import stix
from bot.feeds.parsed import Defaults
from bot.indicators import Kind
from bot.tlp import STIX_MARKINGS, Label, Pap
from tests.feeds.reading import one, refused, taken, values

RED_1 = "marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed"
GREEN_1 = "marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da"
CLEAR_2 = "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487"
GREEN_2 = "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb"
OWN = "marking-definition--11111111-1111-4111-8111-111111111111"
TLP_2 = "extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d"
ID = "indicator--11111111-1111-4111-8111-111111111111"
MALWARE = "malware--11111111-1111-4111-8111-111111111111"
MD5, SHA1, SHA256 = "a" * 32, "b" * 40, "c" * 64


def indicator(**more: Any) -> dict[str, Any]:
    return {"type": "indicator", "id": ID, "pattern": "[domain-name:value = 'c2.example.org']", **more}


def bundle(*objects: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "bundle", "id": "bundle--1", "objects": list(objects), **more}


def named(kind: str, name: str, **more: Any) -> dict[str, Any]:
    return {"type": kind, "id": f"{kind}--11111111-1111-4111-8111-111111111111", "name": name, **more}


def link(source: str, target: str, **more: Any) -> dict[str, Any]:
    return {
        "type": "relationship",
        "id": "relationship--1",
        "relationship_type": "indicates",
        "source_ref": source,
        "target_ref": target,
        **more,
    }


def definition(**content: Any) -> dict[str, Any]:
    return {"type": "marking-definition", "id": OWN, **content}


def test_an_indicator_is_read_with_all_it_says() -> None:
    assertion = one(
        stix.parse,
        bundle(
            indicator(
                spec_version="2.1",
                name="a name",
                description=" Beacons to\x00 here\ud800 ",
                pattern_type="stix",
                valid_from="2026-01-01T00:00:00.000Z",
                valid_until="2027-01-01T01:00:00+01:00",
                revoked=True,
                confidence=85,
                labels=["malicious-activity", "x" * 500],
                indicator_types=["c2"],
                kill_chain_phases=[{"kill_chain_name": "mitre-attack", "phase_name": "command-and-control"}],
                external_references=[{"source_name": "mitre-attack", "external_id": "T1071.001"}, {}, 5],
            )
        ),
    )
    assert assertion.not_before == datetime(2026, 1, 1, tzinfo=UTC)
    assert assertion.not_after == datetime(2027, 1, 1, tzinfo=UTC)
    assert assertion.context == "Beacons to here"
    assert (assertion.revoked, assertion.confidence, assertion.to_ids) == (True, 85, True)
    assert assertion.tags == (
        *("malicious-activity", "x" * 120, "c2", "T1071.001"),
        "mitre-attack:command-and-control",
    )
    assert assertion.source == "kaspersky"


@pytest.mark.parametrize(
    "document",
    [
        bundle(indicator()),
        bundle(indicator(), spec_version="2.0"),
        {"objects": [indicator()], "more": False},  # a TAXII 2.1 envelope
        {"bundle": bundle(indicator()), "nextLink": "https://example.org"},  # Trend Vision One
        [indicator()],
        [bundle(indicator())],
        [named("malware", "x"), bundle(indicator())],
        indicator(),
    ],
)
def test_indicators_are_found_in_every_wrapping(document: Any) -> None:
    assert values(taken(stix.parse, document)) == [("domain", "c2.example.org")]


@pytest.mark.parametrize(("marking", "label"), STIX_MARKINGS.items())
def test_tlp_is_known_by_its_ids_even_if_their_definitions_are_absent(marking: str, label: Label) -> None:
    assertion = one(stix.parse, bundle(indicator(object_marking_refs=[marking])))
    assert (assertion.label, assertion.quarantined) == (label, False)


@pytest.mark.parametrize(
    ("content", "label"),
    [
        ({"definition_type": "tlp", "definition": {"tlp": "green"}}, Label.GREEN),
        ({"definition_type": "TLP", "definition": {"TLP": "TLP:WHITE"}}, Label.CLEAR),
        ({"definition_type": "tlp", "definition": {"tlp": "amber+strict"}}, Label.AMBER_STRICT),
        ({"name": "x", "extensions": {TLP_2: {"tlp_2_0": "red"}}}, Label.RED),
        (
            {
                "definition_type": "statement",
                "definition": {"statement": "custom"},
                "x_opencti_definition_type": "TLP",
                "x_opencti_definition": "TLP:AMBER+STRICT",
            },
            Label.AMBER_STRICT,
        ),
        ({"definition_type": "statement", "definition": {"statement": "(c) Example"}}, Label.AMBER),
        ({"definition_type": "statement", "definition": {"statement": "TLP:GREEN"}}, Label.GREEN),
    ],
)
def test_tlp_is_known_by_its_content(content: dict[str, Any], label: Label) -> None:
    marked = indicator(object_marking_refs=[OWN])
    for objects in ((marked, definition(**content)), (definition(**content), marked)):
        assertion = one(stix.parse, bundle(*objects))
        assert (assertion.label, assertion.quarantined) == (label, False)


@pytest.mark.parametrize(
    "content",
    [
        None,
        {},
        {"definition_type": "tlp", "definition": {"tlp": "orange"}},
        {"definition_type": "tlp", "definition": {}},
        {"definition_type": "tlp"},
        {"definition_type": "iep", "definition": {"iep": "1"}},
        {"definition_type": "statement", "definition": {"statement": "this is TLP:RED, keep it safe"}},
        {"extensions": {TLP_2: {"tlp_2_0": None}}},
    ],
)
def test_an_unknown_marking_quarantines(content: dict[str, Any] | None) -> None:
    marked = indicator(object_marking_refs=[CLEAR_2, OWN])
    objects = [marked] if content is None else [marked, definition(**content)]
    assertion = one(stix.parse, bundle(*objects), Defaults("kaspersky", Label.CLEAR))
    assert (assertion.label, assertion.quarantined) == (Label.AMBER_STRICT, True)


@pytest.mark.parametrize(
    ("more", "label"),
    [
        ({"object_marking_refs": [CLEAR_2, GREEN_2]}, Label.GREEN),
        ({"object_marking_refs": GREEN_2}, Label.GREEN),
        ({"granular_markings": [{"marking_ref": RED_1, "selectors": ["description"]}]}, Label.RED),
        (
            {
                "object_marking_refs": [CLEAR_2],
                "granular_markings": [{"lang": "fr", "selectors": ["name"]}, {"marking_ref": GREEN_1}],
            },
            Label.GREEN,
        ),
        ({"object_marking_refs": [CLEAR_2], "labels": ["tlp:red"]}, Label.RED),
        ({"object_marking_refs": [CLEAR_2], "labels": [*map(str, range(100)), "tlp:red"]}, Label.RED),
        ({}, Label.AMBER),
        ({"object_marking_refs": []}, Label.AMBER),
    ],
)
def test_of_several_markings_the_strictest_counts(more: dict[str, Any], label: Label) -> None:
    assert one(stix.parse, bundle(indicator(**more))).label is label


@pytest.mark.parametrize("marks", [[5], [None], 5, [{"id": RED_1}]])
def test_a_marking_without_id_quarantines(marks: Any) -> None:
    assert one(stix.parse, bundle(indicator(object_marking_refs=marks))).quarantined


def test_the_bundle_and_reports_that_list_an_indicator_mark_it_too() -> None:
    marked = indicator(object_marking_refs=[CLEAR_2])
    report = {"type": "report", "id": "report--1", "object_refs": [ID], "object_marking_refs": [RED_1]}
    assert one(stix.parse, bundle(marked, report)).label is Label.RED
    assert one(stix.parse, bundle(marked, object_marking_refs=[GREEN_2])).label is Label.GREEN


def test_a_well_known_id_cannot_be_redefined_to_less() -> None:
    lie = {**definition(definition_type="tlp", definition={"tlp": "white"}), "id": RED_1}
    assert one(stix.parse, bundle(lie, indicator(object_marking_refs=[RED_1]))).label is Label.RED


def test_pap_of_opencti_is_read() -> None:
    pap = definition(x_opencti_definition_type="PAP", x_opencti_definition="PAP:AMBER")
    assertion = one(stix.parse, bundle(indicator(object_marking_refs=[OWN, GREEN_2]), pap))
    assert (assertion.pap, assertion.label) == (Pap.AMBER, Label.GREEN)


def test_the_malware_names_the_family_and_the_rest_are_tags() -> None:
    technique: dict[str, Any] = {
        "type": "attack-pattern",
        "id": "attack-pattern--1",
        "external_references": [{"source_name": "mitre-attack", "external_id": "T1059"}],
    }
    actor, malware = named("threat-actor", "Example Bear"), named("malware", "Exampler")
    assertion = one(
        stix.parse,
        bundle(
            link(ID, actor["id"]), link(malware["id"], ID), link(ID, technique["id"]), indicator(),
            *(actor, malware, technique),
        ),
    )  # fmt: skip
    assert assertion.family == "Exampler"
    assert assertion.tags == ("Example Bear", "T1059")


@pytest.mark.parametrize("kind", ["malware", "tool", "campaign", "intrusion-set", "threat-actor"])
def test_every_kind_of_name_can_be_the_family(kind: str) -> None:
    other = named(kind, "Example")
    assert one(stix.parse, bundle(indicator(), other, link(ID, other["id"]))).family == "Example"


@pytest.mark.parametrize(
    ("own", "name", "relation", "family"),
    [
        ([CLEAR_2], [RED_1], [], None),
        ([CLEAR_2], [], [RED_1], None),
        ([CLEAR_2], [OWN], [], None),  # unknown
        ([RED_1], [RED_1], [], "Secret"),
        ([GREEN_2], [], [], "Secret"),
        ([], [GREEN_2], [], "Secret"),
    ],
)
def test_a_name_marked_stricter_than_the_indicator_is_not_told(
    own: list[str], name: list[str], relation: list[str], family: str | None
) -> None:
    assertion = one(
        stix.parse,
        bundle(
            indicator(object_marking_refs=own),
            named("malware", "Secret", object_marking_refs=name),
            link(ID, MALWARE, object_marking_refs=relation),
        ),
    )
    assert assertion.family == family


def test_the_hashes_of_one_file_are_tied_together_by_the_strongest() -> None:
    pattern = f"[file:hashes.MD5 = '{MD5}' AND file:hashes.'SHA-256' = '{SHA256.upper()}']"
    md5, sha256 = taken(stix.parse, bundle(indicator(pattern=pattern)))
    assert (md5.indicator.kind, sha256.indicator.kind) == (Kind.MD5, Kind.SHA256)
    assert md5.file == sha256.file == f"sha256:{SHA256}"


def test_a_hash_is_what_its_length_says() -> None:
    pattern = f"[file:hashes.MD5 = '{SHA1}']"
    assert values(taken(stix.parse, bundle(indicator(pattern=pattern)))) == [("sha1", SHA1)]


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("[domain-name:value = '192.0.2.1']", ("ipv4", "192.0.2.1")),
        ("[ipv4-addr:value = '198.51.100.0/24']", ("cidr", "198.51.100.0/24")),
        ("[ipv4-addr:value = 'c2.example.org']", ("domain", "c2.example.org")),
        ("[domain-name:value = 'C2[.]Example[.]org']", ("domain", "c2.example.org")),
        ("[url:value = 'hxxps://c2.example[.]org/a']", ("url", "https://c2.example.org/a")),
        ("[url:value = 'https://c2.example.org /a']", ("url", "https://c2.example.org/a")),
        ("[url:value = 'c2.example.org/a']", ("url", "c2.example.org/a")),
    ],
)
def test_a_slightly_wrong_type_is_read_as_what_it_is(pattern: str, found: tuple[str, str]) -> None:
    assert values(taken(stix.parse, bundle(indicator(pattern=pattern)))) == [found]


def test_observed_data_of_stix_2_0_is_context() -> None:
    observed = {
        "type": "observed-data",
        "id": "observed-data--1",
        "first_observed": "2026-01-01T00:00:00Z",
        "last_observed": "2026-01-02T00:00:00Z",
        "object_marking_refs": [GREEN_1],
        "objects": {
            "0": {"type": "file", "hashes": {"MD5": MD5, "SHA-256": SHA256, "SSDEEP": "3:a:b"}, "name": "x"},
            "1": {"type": "ipv4-addr", "value": "192.0.2.1"},
            "2": {"type": "directory", "path": "/tmp"},
            "3": "nonsense",
        },
    }
    md5, sha256, address = taken(stix.parse, bundle(observed))
    assert md5.file == sha256.file == f"sha256:{SHA256}"
    assert address.file is None
    for assertion in (md5, sha256, address):
        assert (assertion.to_ids, assertion.label) == (False, Label.GREEN)
        assert assertion.first_seen == datetime(2026, 1, 1, tzinfo=UTC)
        assert assertion.last_seen == datetime(2026, 1, 2, tzinfo=UTC)


def test_observed_objects_of_stix_2_1_take_time_and_marking_from_what_lists_them() -> None:
    observed = {
        "type": "observed-data",
        "id": "observed-data--1",
        "first_observed": "2026-01-01T00:00:00Z",
        "last_observed": "2026-01-02T00:00:00Z",
        "object_marking_refs": [RED_1],
        "object_refs": ["url--1"],
    }
    url = {
        "type": "url",
        "id": "url--1",
        "value": "https://c2.example.org/a",
        "object_marking_refs": [CLEAR_2],
    }
    assertion = one(stix.parse, bundle(url, observed))
    assert (assertion.to_ids, assertion.label) == (False, Label.RED)
    assert assertion.first_seen == datetime(2026, 1, 1, tzinfo=UTC)


def test_a_vulnerability_is_a_cve() -> None:
    by_name = named("vulnerability", "CVE-2024-3400")
    by_reference = named(
        "vulnerability", "x", external_references=[{"source_name": "cve", "external_id": "CVE-2024-3401"}]
    )
    unnamed = named("vulnerability", "A hole")
    assert values(taken(stix.parse, bundle(by_name, by_reference, unnamed))) == [
        ("cve", "CVE-2024-3400"),
        ("cve", "CVE-2024-3401"),
    ]


@pytest.mark.parametrize(
    ("thing", "reason"),
    [
        (indicator(pattern="[ipv4-addr:value != '192.0.2.1']"), "negated"),
        (indicator(pattern="rule x {}", pattern_type="yara"), "a pattern in yara, which is not read"),
        (indicator(pattern=5), "an indicator without a pattern"),
        (indicator(pattern="[ipv4-addr:value = 'nonsense']"), "not an IPv4 address"),
        (indicator(pattern="[file:name = 'x']"), "no exact value of a kind that is kept (file:name)"),
        (5, "not a STIX object"),
        ([], "not a STIX object"),
    ],
)
def test_what_cannot_be_taken_is_named_and_the_rest_is_read(thing: Any, reason: str) -> None:
    document = bundle(indicator(), thing, indicator())
    (rejected,) = refused(stix.parse, document)
    assert rejected.where.startswith("objects[1]")
    assert reason in rejected.reason
    assert len(taken(stix.parse, document)) == 2


@pytest.mark.parametrize(
    "document",
    ["", "{", "[]]", '"text"', "5", "{}", '{"a": 1}', '{"objects": [], "objects": []}', '{"objects": [{"a'],
)
def test_what_is_no_document_is_refused_as_a_whole(document: str) -> None:
    (rejected,) = refused(stix.parse, document)
    assert rejected.where == "document"
    assert rejected.reason
