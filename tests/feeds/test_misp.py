"""MISP events and feeds: attributes, objects, composites, and the markings on every level."""

from datetime import UTC, datetime
from typing import Any

import pytest

from bot.feeds import misp
from bot.feeds.parsed import Defaults
from bot.tlp import Label, Pap
from tests.feeds.reading import one, refused, taken, values

MD5, SHA1, SHA256 = "a" * 32, "b" * 40, "c" * 64


def tags(*names: str) -> list[dict[str, str]]:
    return [{"name": name} for name in names]


def attribute(kind: str = "domain", value: Any = "c2.example.org", **more: Any) -> dict[str, Any]:
    return {"type": kind, "value": value, "to_ids": True, **more}


def event(*attributes: Any, **more: Any) -> dict[str, Any]:
    return {"Event": {"info": "Example campaign", "Attribute": list(attributes), **more}}


@pytest.mark.parametrize(
    "document",
    [
        event(attribute()),
        event(attribute())["Event"],
        {"response": [event(attribute())]},
        {"response": event(attribute())},
        [event(attribute())],
        [event(attribute())["Event"]],
        {"Event": {"Object": [{"name": "url", "Attribute": [attribute()]}]}},
    ],
)
def test_events_are_found_in_every_wrapping(document: Any) -> None:
    assert values(taken(misp.parse, document)) == [("domain", "c2.example.org")]


@pytest.mark.parametrize(
    ("kind", "value", "found"),
    [
        ("md5", MD5, [("md5", MD5)]),
        ("md5", SHA1, [("sha1", SHA1)]),  # labelled wrongly
        ("sha512", "d" * 128, [("sha512", "d" * 128)]),
        ("ip-src", "192.0.2.1", [("ipv4", "192.0.2.1")]),
        ("ip-dst", "2001:db8::1", [("ipv6", "2001:db8::1")]),
        ("ip-dst", "198.51.100.0/24", [("cidr", "198.51.100.0/24")]),
        ("hostname", "C2.Example.org.", [("domain", "c2.example.org")]),
        ("domain", "192.0.2.1", [("ipv4", "192.0.2.1")]),
        ("domain", "c2[.]example[.]org", [("domain", "c2.example.org")]),
        ("url", "hxxp://c2[.]example[.]org/a", [("url", "http://c2.example.org/a")]),
        ("url", "c2.example.org", [("url", "c2.example.org")]),
        ("email-src", "A@Example.org", [("email", "a@example.org")]),
        ("whois-registrant-email", "a@example.org", [("email", "a@example.org")]),
        ("vulnerability", "cve-2024-3400", [("cve", "CVE-2024-3400")]),
        ("btc", "1BoatSLRHtKNngkdXEeobR76b53LETtpyT", [("btc", "1BoatSLRHtKNngkdXEeobR76b53LETtpyT")]),
        ("filename|md5", f"a|b.exe|{MD5}", [("md5", MD5)]),
        ("filename|sha256", f"x.exe|{SHA256}", [("sha256", SHA256)]),
        ("malware-sample", f"x.exe|{MD5}", [("md5", MD5)]),
        ("ip-dst|port", "192.0.2.1|443", [("ipv4", "192.0.2.1")]),
        ("hostname|port", "c2.example.org|443", [("domain", "c2.example.org")]),
        ("domain|ip", "c2.example.org|192.0.2.1", [("domain", "c2.example.org"), ("ipv4", "192.0.2.1")]),
    ],
)
def test_an_attribute_is_read_by_its_type(kind: str, value: str, found: list[tuple[str, str]]) -> None:
    assert values(taken(misp.parse, event(attribute(kind, value)))) == found


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("filename", "invoice.zip"),
        ("link", "https://blog.example.org/report"),
        ("text", SHA1),
        ("comment", "see c2.example.org"),
        ("mutex", "c2.example.org"),
        ("target-email", "victim@example.org"),
        ("imphash", MD5),
        ("ja3-fingerprint-md5", MD5),
        ("sha512/256", SHA256),
        ("filename|imphash", f"x|{MD5}"),
        ("x509-fingerprint-sha1", SHA1),
        ("port", 443),
        ("float", 5.5),
    ],
)
def test_what_is_no_indicator_is_passed_over(kind: str, value: Any) -> None:
    document = event(attribute(kind, value))
    assert taken(misp.parse, document) == []
    assert refused(misp.parse, document) == []


def test_an_attribute_is_read_with_all_it_says() -> None:
    assertion = one(
        misp.parse,
        event(
            attribute(
                comment=" C2 of\x00 the loader ",
                to_ids=False,
                deleted=True,
                first_seen="2026-01-01T00:00:00.000000+00:00",
                last_seen="1767312000",
                Tag=tags("custom", "PAP:AMBER"),
            )
        ),
    )
    assert assertion.context == "C2 of the loader"
    assert (assertion.to_ids, assertion.revoked, assertion.pap) == (False, True, Pap.AMBER)
    assert assertion.first_seen == datetime(2026, 1, 1, tzinfo=UTC)
    assert assertion.last_seen == datetime(2026, 1, 2, tzinfo=UTC)
    assert assertion.tags == ("custom",)


def test_without_a_comment_the_event_says_what_it_is_about() -> None:
    assert one(misp.parse, event(attribute())).context == "Example campaign"


@pytest.mark.parametrize(
    ("on_event", "on_attribute", "label"),
    [
        (["tlp:green"], [], Label.GREEN),
        (["tlp:green"], ["tlp:clear"], Label.GREEN),
        (["tlp:clear"], ["TLP:AMBER+STRICT"], Label.AMBER_STRICT),
        (["tlp:white"], [], Label.CLEAR),
        (["tlp:amber", "tlp:red"], [], Label.RED),
        ([], ["TLP:GREEN "], Label.GREEN),
        ([], ["ＴＬＰ：ＲＥＤ"], Label.RED),
        ([], [], Label.AMBER),
        (["type:OSINT"], ["tl"], Label.AMBER),
    ],
)
def test_the_strictest_tag_counts(on_event: list[str], on_attribute: list[str], label: Label) -> None:
    assertion = one(misp.parse, event(attribute(Tag=tags(*on_attribute)), Tag=tags(*on_event)))
    assert (assertion.label, assertion.quarantined) == (label, False)


@pytest.mark.parametrize("tag", ["tlp:ex:chr", "tlp:unclear", "TLP:ORANGE", "tlp amber", "tlp", "tlp:"])
@pytest.mark.parametrize("on_event", [True, False])
def test_a_tlp_tag_that_nobody_understands_quarantines(tag: str, on_event: bool) -> None:
    marked = tags(tag, "tlp:clear")
    document = event(attribute(), Tag=marked) if on_event else event(attribute(Tag=marked))
    assertion = one(misp.parse, document, Defaults("kaspersky", Label.CLEAR))
    assert (assertion.label, assertion.quarantined) == (Label.AMBER_STRICT, True)


@pytest.mark.parametrize("listed", [[5], [{"name": None}], [{}], {"a": 1}, "x"])
def test_a_tag_that_is_no_text_quarantines(listed: Any) -> None:
    quarantined = one(misp.parse, event(attribute(Tag=listed))).quarantined
    assert quarantined is (listed != "x")


def test_an_unreadable_red_stays_red() -> None:
    assertion = one(misp.parse, event(attribute(Tag=tags("tlp:ex:chr", "tlp:red"))))
    assert (assertion.label, assertion.quarantined) == (Label.RED, True)


@pytest.mark.parametrize(("tag", "pap"), [("PAP:RED", Pap.RED), ("pap:white", Pap.CLEAR), ("PAP:x", Pap.RED)])
def test_pap_is_read_and_an_unknown_level_permits_nothing(tag: str, pap: Pap) -> None:
    assert one(misp.parse, event(attribute(), Tag=tags(tag))).pap is pap


def test_galaxies_name_the_family_and_techniques_are_tags() -> None:
    assertion = one(
        misp.parse,
        event(
            attribute(),
            Tag=tags(
                'misp-galaxy:threat-actor="Example Bear"',
                'misp-galaxy:mitre-malware="Exampler - S0001"',
                'misp-galaxy:mitre-attack-pattern="Web Protocols - T1071.001"',
                'misp-galaxy:sector="Energy"',
                "tlp:green",
            ),
        ),
    )
    assert assertion.family == "Exampler"
    assert assertion.tags == ("T1071.001", "Energy", "Example Bear")


def test_the_family_of_the_attribute_goes_before_that_of_the_event() -> None:
    near, far = tags('misp-galaxy:rat="Near"'), tags('misp-galaxy:malpedia="Far"')
    assertion = one(misp.parse, event(attribute(Tag=near), Tag=far))
    assert (assertion.family, assertion.tags) == ("Near", ("Far",))


def test_galaxies_are_also_read_from_their_own_lists() -> None:
    galaxy = {"type": "ransomware", "GalaxyCluster": [{"type": "ransomware", "value": "Exampler"}, 5]}
    assert one(misp.parse, event(attribute(), Galaxy=[galaxy, "x"])).family == "Exampler"


def test_a_file_object_is_one_file() -> None:
    held = [
        *(attribute("md5", MD5), attribute("sha1", SHA1), attribute("sha256", SHA256)),
        *(attribute("filename", "x.exe"), attribute("domain", "c2.example.org")),
    ]
    found = taken(misp.parse, event(Object=[{"name": "file", "Attribute": held, "comment": "dropper"}]))
    assert [assertion.file for assertion in found] == [f"sha256:{SHA256}"] * 3 + [None]
    assert {assertion.context for assertion in found} == {"dropper"}


def test_other_objects_and_several_files_in_one_are_not_tied_together() -> None:
    held = [attribute("sha1", SHA1), attribute("sha256", SHA256)]
    found = taken(misp.parse, event(Object=[{"name": "android-app", "Attribute": held}]))
    assert [assertion.file for assertion in found] == [None, None]
    held = [attribute("md5", MD5), attribute("sha256", SHA256), attribute("sha256", "d" * 64)]
    found = taken(misp.parse, event(Object=[{"name": "file", "Attribute": held}]))
    assert [assertion.file for assertion in found] == [None] * 3


def test_what_stands_in_a_deleted_object_is_revoked() -> None:
    held = {"name": "file", "deleted": "1", "Attribute": [attribute("md5", MD5)]}
    assert one(misp.parse, event(Object=[held])).revoked


@pytest.mark.parametrize(
    "document",
    [
        event(attribute(distribution="4", Tag=tags("tlp:clear"))),
        event(attribute(distribution="5"), distribution=4),
        event(Object=[{"name": "file", "distribution": "4", "Attribute": [attribute()]}]),
    ],
)
def test_data_for_a_sharing_group_goes_to_nobody_else(document: Any) -> None:
    assert one(misp.parse, document).only_orgs == frozenset()


def test_other_distributions_restrict_nothing_since_the_sender_chose_to_send() -> None:
    assert one(misp.parse, event(attribute(distribution="0"), distribution="1")).only_orgs is None


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (attribute("ip-dst", "nonsense"), "not an IPv4 address"),
        (attribute("uri", "/scripts/x.php"), "not a URL"),
        (attribute("md5", "abc"), "not a hash"),
        ({"type": "md5"}, "an attribute without type or value"),
        ({"type": 5, "value": "x"}, "an attribute without type or value"),
        (5, "not a MISP attribute"),
    ],
)
def test_what_cannot_be_taken_is_named_and_the_rest_is_read(bad: Any, reason: str) -> None:
    document = event(attribute(), bad, attribute())
    (rejected,) = refused(misp.parse, document)
    assert rejected.where == "event Attribute[1]"
    assert reason in rejected.reason
    assert len(taken(misp.parse, document)) == 2


def test_bad_attributes_of_objects_are_named_too() -> None:
    held = {"name": "file", "Attribute": [attribute("md5", MD5), 5, attribute("md5", "x")]}
    assert [rejected.where for rejected in refused(misp.parse, event(Object=[5, held]))] == [
        "event Object[0]",
        "event Object[1].Attribute[1]",
        "event Object[1].Attribute[2]",
    ]


def test_an_event_whose_marking_cannot_be_read_is_refused_and_the_next_is_read() -> None:
    twice = '{"info": "x", "Tag": [{"name": "tlp:red"}], "Tag": [], "Attribute": [{"type": "md5"}]}'
    good = '{"info": "x", "Attribute": [{"type": "domain", "value": "c2.example.org"}]}'
    bad_tag = '{"info": "x", "Tag": [{"name": NaN}], "Attribute": [{"type": "md5"}]}'
    document = f'[{twice}, {{"Event": {bad_tag}}}, 5, {good}]'
    assert [rejected.where for rejected in refused(misp.parse, document)] == [
        *("event[0]", "event[1]", "event[2]")
    ]
    assert values(taken(misp.parse, document)) == [("domain", "c2.example.org")]


def test_trailing_commas_as_in_published_events_lose_nothing() -> None:
    document = """{"response": [{"Event": {"info": "x", "Tag": [{"name": "tlp:green"},],
        "Attribute": [{"type": "domain", "value": "c2.example.org", "Tag": [],}, ], }, }, ]}"""
    assert one(misp.parse, document).label is Label.GREEN


@pytest.mark.parametrize(
    "document",
    [
        *("", "{", "5", "{}", '{"a": 1}', '{"Event": 5}', '{"Event": {"info": "x", "Attribute": [{"a'),
        '{"Event": ' * 5 + "{}" + "}" * 5,
    ],
)
def test_what_is_no_document_is_refused_as_a_whole(document: str) -> None:
    (rejected,) = refused(misp.parse, document)
    assert rejected.where == "document"
    assert rejected.reason
