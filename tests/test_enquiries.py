"""Which services may be asked: only what every claim that the asker sees allows, whatever is hidden."""

from dataclasses import replace

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.assertions import Assertion
from bot.enquiries import NOTHING_DECLARED, Declared, Enquiry, Gate, Permit
from bot.indicators import Indicator, Kind
from bot.sharing import UNKNOWN, Audience, Reach, World, may_release
from bot.tlp import Label, Pap
from tests.policy_reference import releases
from tests.strategies import (
    HOST,
    INDICATORS,
    NOW,
    ORGS,
    PARTNERS,
    assertions,
    from_menus,
    proof,
    subsets,
    worlds,
)

KASPERSKY, TREND = PARTNERS[:2]
WORLD = World(
    host=HOST,
    now=NOW,
    in_force=frozenset(PARTNERS),
    community=frozenset(PARTNERS),
    names={org: org for org in ORGS},
    own_queries=frozenset(ORGS),
)
HASH = INDICATORS[1]
VIRUSTOTAL = Audience(reach=Reach.PROVIDER, orgs=frozenset({"virustotal"}), max_label=Label.GREEN)
PUBLISHING = Audience(
    reach=Reach.PROVIDER, orgs=frozenset({"opentip", KASPERSKY}), max_label=Label.CLEAR, active=True
)
PORTAL = Audience(reach=Reach.PROVIDER, orgs=frozenset({"opentip", KASPERSKY}), max_label=Label.AMBER)

providers = from_menus(
    Audience,
    reach=(Reach.PROVIDER,),
    orgs=[one | {"virustotal"} for one in subsets((KASPERSKY, TREND))],
    max_label=tuple(Label),
    active=(False, True),
)
declarations = from_menus(Declared, label=(None, *Label), pap=(None, *Pap))


def alone(org: str, person: str = "U0ANNA") -> Audience:
    return Audience(reach=Reach.EPHEMERAL, orgs=frozenset({org}), persons=frozenset({person}))


def enquiry(
    *stored: Assertion, by: str = HOST, of: Indicator = HASH, declared: Declared = NOTHING_DECLARED
) -> Enquiry:
    return Enquiry(indicators=(of,), asker=alone(by), world=WORLD, stored=stored, declared=declared)


def claim(**facts: object) -> Assertion:
    return Assertion(**{"indicator": HASH, "source": TREND, "label": Label.GREEN, **facts})  # type: ignore[arg-type]  # facts of one claim


# What must always hold.


@proof
@given(
    stored=st.lists(assertions, max_size=6),
    org=st.sampled_from(ORGS),
    provider=providers,
    world=worlds,
    declared=declarations,
    agreed=st.sampled_from(subsets(ORGS)),
)
def test_what_is_hidden_from_the_asker_changes_no_permit(
    stored: list[Assertion],
    org: str,
    provider: Audience,
    world: World,
    declared: Declared,
    agreed: frozenset[str],
) -> None:
    full = Enquiry(
        indicators=INDICATORS,
        asker=alone(org),
        world=replace(world, own_queries=agreed),
        stored=stored,
        declared=declared,
    )
    lean = replace(full, stored=[one for one in stored if may_release(one, full.asker, world).release])

    for indicator in INDICATORS:
        assert Gate(full).judge(indicator, provider) == Gate(lean).judge(indicator, provider)


@proof
@given(stored=st.lists(assertions, max_size=6), org=st.sampled_from(ORGS), provider=providers, world=worlds)
def test_the_order_in_which_claims_were_stored_changes_no_permit(
    stored: list[Assertion], org: str, provider: Audience, world: World
) -> None:
    world = replace(world, own_queries=frozenset({org}))
    asked = Enquiry(indicators=INDICATORS, asker=alone(org), world=world, stored=stored)

    for indicator in INDICATORS:
        permit = Gate(asked).judge(indicator, provider)
        assert permit == Gate(replace(asked, stored=stored[::-1])).judge(indicator, provider)


@proof
@given(
    stored=st.lists(assertions, max_size=6),
    org=st.sampled_from(ORGS),
    provider=providers,
    world=worlds,
    declared=declarations,
)
def test_every_claim_that_the_asker_sees_must_allow_it(
    stored: list[Assertion], org: str, provider: Audience, world: World, declared: Declared
) -> None:
    world = replace(world, own_queries=frozenset({org}))
    asked = Enquiry(indicators=INDICATORS, asker=alone(org), world=world, stored=stored, declared=declared)

    for indicator in INDICATORS:
        permit = Gate(asked).judge(indicator, provider)
        seen = [one for one in stored if one.indicator == indicator and releases(one, asked.asker, world)]
        if permit.granted:
            assert permit.label <= min(provider.max_label, Label.AMBER)
            assert all(releases(one, provider, world) for one in seen)
            assert declared.label is None or declared.label <= provider.max_label
        assert bool(permit.reason) != permit.granted
        assert permit.label >= max((one.label for one in seen), default=declared.label or Label.CLEAR)


# Examples for people.


def test_what_one_vendor_shared_does_not_reach_another_through_its_service() -> None:
    """Even where that service may be asked about TLP:AMBER."""
    amber = claim(label=Label.AMBER, pap=Pap.AMBER)

    permit = Gate(enquiry(amber)).judge(HASH, PORTAL)

    assert not permit.granted
    assert permit.reason == f"orgs not entitled: {KASPERSKY}"
    for allowed in (
        msgspec.structs.replace(amber, addressed_to=frozenset({KASPERSKY})),
        msgspec.structs.replace(amber, source=KASPERSKY),
        claim(pap=Pap.AMBER),  # TLP:GREEN: of the community
    ):
        assert Gate(enquiry(allowed)).judge(HASH, PORTAL).granted


def test_the_exclusion_of_a_service_or_of_its_operator_counts() -> None:
    assert not Gate(enquiry(claim(never_to=frozenset({"virustotal"})))).judge(HASH, VIRUSTOTAL).granted
    assert (
        not Gate(enquiry(claim(never_to=frozenset({KASPERSKY}), label=Label.CLEAR)))
        .judge(HASH, PUBLISHING)
        .granted
    )


def test_an_unknown_hash_goes_only_where_the_community_may_look() -> None:
    assert Gate(enquiry()).judge(HASH, VIRUSTOTAL).granted
    assert not Gate(enquiry()).judge(HASH, PUBLISHING).granted
    assert Gate(enquiry(declared=Declared(Label.CLEAR))).judge(HASH, PUBLISHING).granted


def test_what_is_known_as_clear_may_be_asked_in_public() -> None:
    assert Gate(enquiry(claim(label=Label.CLEAR))).judge(HASH, PUBLISHING).granted


@pytest.mark.parametrize("declared", [Declared(Label.AMBER), Declared(pap=Pap.RED), Declared(Label.RED)])
def test_what_the_asker_declares_binds(declared: Declared) -> None:
    assert not Gate(enquiry(claim(label=Label.CLEAR), declared=declared)).judge(HASH, VIRUSTOTAL).granted


def test_declaring_less_than_a_claim_says_widens_nothing() -> None:
    amber = claim(label=Label.AMBER)

    assert not Gate(enquiry(amber, declared=Declared(Label.CLEAR, Pap.CLEAR))).judge(HASH, VIRUSTOTAL).granted


def test_nothing_is_asked_for_who_did_not_agree() -> None:
    asked = replace(enquiry(by=TREND), world=replace(WORLD, own_queries=frozenset({HOST, KASPERSKY})))

    assert not Gate(asked).judge(HASH, VIRUSTOTAL).granted


def test_a_hash_of_a_file_whose_other_hash_is_restricted_is_not_asked_about() -> None:
    md5 = INDICATORS[0]
    linked = [
        claim(indicator=md5, label=Label.CLEAR, file="file 1"),
        claim(label=Label.AMBER, file="file 1"),
    ]

    assert not Gate(enquiry(*linked, of=md5)).judge(md5, VIRUSTOTAL).granted


def test_a_url_on_a_restricted_host_is_not_asked_about() -> None:
    url = Indicator(Kind.URL, "http://c2.example.org/gate")
    host = claim(indicator=Indicator(Kind.DOMAIN, "c2.example.org"), label=Label.AMBER)

    assert not Gate(enquiry(host, of=url)).judge(url, VIRUSTOTAL).granted


def test_a_service_of_an_unknown_operator_is_never_asked() -> None:
    nobody = replace(VIRUSTOTAL, orgs=frozenset({"virustotal", UNKNOWN}))

    assert not Gate(enquiry()).judge(HASH, nobody).granted


def test_only_its_own_question_reaches_a_partner_above_green() -> None:
    """Its portal may be raised to TLP:AMBER; whoever asks is a source of the question."""
    amber = Declared(Label.AMBER, Pap.AMBER)

    assert Gate(enquiry(by=KASPERSKY, declared=amber)).judge(HASH, PORTAL).granted
    assert not Gate(enquiry(by=TREND, declared=amber)).judge(HASH, PORTAL).granted


def test_why_nobody_is_asked_names_the_missing_agreement() -> None:
    asked = replace(enquiry(by=TREND), world=replace(WORLD, own_queries=frozenset({HOST})))

    permit = Gate(asked).judge(HASH, VIRUSTOTAL)

    reason = "its organisation did not agree that its questions go to services"
    assert permit == Permit(granted=False, reason=reason, label=Label.GREEN)
