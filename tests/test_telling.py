"""Findings are told by two markings: of the question, for whoever asked, and of the service's own terms."""

from dataclasses import replace

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.assertions import Assertion
from bot.enquiries import Enquiry, Gate
from bot.findings import Finding, Outcome
from bot.sharing import Audience, Reach, World, clear
from bot.telling import may_hear, tell
from bot.tlp import Label
from tests.policy_reference import releases
from tests.strategies import HOST, INDICATORS, NOW, ORGS, PARTNERS, conversations, proof, worlds

KASPERSKY, TREND, BUREAU = PARTNERS[:3]
HASH = INDICATORS[1]
WORLD = World(
    host=HOST,
    now=NOW,
    in_force=frozenset(PARTNERS),
    community=frozenset(PARTNERS),
    constituents=frozenset({BUREAU}),
    names={org: org for org in ORGS},
    own_queries=frozenset(ORGS),
)
LIST = Audience(reach=Reach.PROVIDER, orgs=frozenset({"trend", TREND}), max_label=Label.AMBER)


def alone(org: str) -> Audience:
    return Audience(reach=Reach.EPHEMERAL, orgs=frozenset({org}), persons=frozenset({"U0ANNA"}))


def found(
    label: Label = Label.CLEAR, terms: Label = Label.CLEAR, outcome: Outcome = Outcome.FOUND
) -> Finding:
    return Finding(
        indicator=HASH,
        provider="virustotal",
        title="VirusTotal",
        outcome=outcome,
        label=label,
        terms=terms,
        reason="why",
    )


def as_claim(label: Label, *to: str) -> Assertion:
    return Assertion(indicator=HASH, source=HOST, label=label, addressed_to=frozenset(to))


@proof
@given(
    label=st.sampled_from(Label),
    terms=st.sampled_from(Label),
    org=st.sampled_from(ORGS),
    audience=conversations,
    world=worlds,
)
def test_a_finding_is_told_where_question_and_report_may_both_be_known(
    label: Label, terms: Label, org: str, audience: Audience, world: World
) -> None:
    told = tell(clear([], audience, world), [found(label, terms)], org, world)

    may_know = releases(as_claim(label, org), audience, world) and releases(as_claim(terms), audience, world)
    assert bool(told.findings) == may_know
    assert told.label == (label if told.findings else Label.CLEAR)
    assert all(bool(each.reason) == (audience.orgs == {HOST}) for each in told.findings)


@pytest.mark.parametrize(("org", "hears"), [(HOST, True), (BUREAU, True), (KASPERSKY, False), (TREND, False)])
def test_what_the_host_reads_by_its_own_contract_goes_to_its_clients_at_most(org: str, hears: bool) -> None:
    told = tell(clear([], alone(org), WORLD), [found(Label.AMBER, Label.AMBER)], org, WORLD)

    assert bool(told.findings) == hears == may_hear(Label.AMBER, HASH, alone(org), WORLD)


def test_a_service_is_not_asked_when_the_asker_may_not_know_what_it_says() -> None:
    asked = Enquiry(indicators=(HASH,), asker=alone(KASPERSKY), world=WORLD, stored=())
    other = replace(LIST, orgs=frozenset({"trend"}))

    permit = Gate(asked).judge(HASH, other, Label.AMBER)

    assert (permit.granted, permit.may_hear) == (False, False)
    assert permit.reason == "its terms do not let the asker know its answers"
    assert Gate(asked).judge(HASH, other, Label.GREEN).granted


@pytest.mark.parametrize("outcome", Outcome)
def test_a_key_that_does_not_work_is_the_hosts_own_matter(outcome: Outcome) -> None:
    seldom = Outcome.UNAVAILABLE if outcome is Outcome.AUTH else outcome

    [told] = tell(clear([], alone(HOST), WORLD), [found(outcome=outcome)], HOST, WORLD).findings
    [other] = tell(clear([], alone(TREND), WORLD), [found(outcome=outcome)], TREND, WORLD).findings

    assert told == found(outcome=outcome)
    assert other == msgspec.structs.replace(found(outcome=outcome), outcome=seldom, reason="")
