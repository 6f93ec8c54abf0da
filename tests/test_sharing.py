"""What the release policy promises for whatever hypothesis can think of."""

from dataclasses import replace
from datetime import timedelta
from random import Random

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from bot import answers
from bot.assertions import Assertion
from bot.indicators import Indicator
from bot.sharing import UNKNOWN, Audience, Cleared, Reach, World, clear, entitled, may_release
from bot.tlp import Label, Pap
from tests import policy_reference
from tests.strategies import (
    HOST,
    INDICATORS,
    NOW,
    PARTNERS,
    PEOPLE,
    READERS,
    assertions,
    audiences,
    claims,
    conversations,
    proof,
    subsets,
    worlds,
)

some_assertions = st.lists(assertions, max_size=5)
questions = st.sampled_from([None, *subsets(INDICATORS)])


def released(assertion: Assertion, audience: Audience, world: World) -> bool:
    return may_release(assertion, audience, world).release


@proof
@given(claims, audiences, worlds)
def test_every_decision_is_that_of_the_second_implementation(
    assertion: Assertion, audience: Audience, world: World
) -> None:
    decided = may_release(assertion, audience, world)

    assert decided.release is policy_reference.releases(assertion, audience, world)
    assert decided.reason


# Nothing that makes an audience larger or less sure, or a claim stricter, ever reveals more.


@proof
@given(claims, audiences, worlds, st.sampled_from((*READERS, "virustotal")))
def test_adding_an_organisation_to_an_audience_never_reveals_more(
    assertion: Assertion, audience: Audience, world: World, joining: str
) -> None:
    larger = replace(audience, orgs=audience.orgs | {joining})

    assert released(assertion, audience, world) or not released(assertion, larger, world)


@proof
@given(claims, audiences, worlds, st.sampled_from(Label))
def test_a_stricter_label_never_reveals_more(
    assertion: Assertion, audience: Audience, world: World, label: Label
) -> None:
    stricter = msgspec.structs.replace(assertion, label=max(label, assertion.label))

    assert released(assertion, audience, world) or not released(stricter, audience, world)


@proof
@given(
    claims,
    audiences,
    worlds,
    st.sampled_from(
        (
            {"fresh": False},
            {"public": True},
            {"pending_invite": True},
            {"cap": Label.CLEAR},
            {"max_label": Label.CLEAR},
            {"active": True},
            {"persons": frozenset(PEOPLE)},
            {"persons": frozenset()},
        )
    ),
)
def test_a_less_certain_or_more_open_audience_never_sees_more(
    assertion: Assertion, audience: Audience, world: World, worse: dict[str, object]
) -> None:
    doubtful = replace(audience, **worse)  # type: ignore[arg-type]  # the names above are real fields
    named = len(audience.persons) == 1 or "persons" not in worse

    assert released(assertion, audience, world) or not (named and released(assertion, doubtful, world))


@proof
@given(claims, audiences, worlds, st.sampled_from(subsets((*READERS, "virustotal"))), st.data())
def test_a_restriction_by_the_source_never_reveals_more(
    assertion: Assertion, audience: Audience, world: World, orgs: frozenset[str], data: st.DataObject
) -> None:
    group = orgs if assertion.only_orgs is None else assertion.only_orgs & orgs
    restriction: dict[str, object] = data.draw(
        st.sampled_from(
            (
                {"never_to": assertion.never_to | orgs},
                {"only_orgs": group},
                {"addressed_to": assertion.addressed_to - orgs},
                {"persons": assertion.persons - {PEOPLE[0]}},
                {"revoked": True},
                {"quarantined": True},
                {"not_before": NOW + timedelta(seconds=1)},
                {"not_after": NOW - timedelta(seconds=1)},
                {"pap": Pap.RED},
            )
        )
    )
    restricted = msgspec.structs.replace(assertion, **restriction)

    assert released(assertion, audience, world) or not released(restricted, audience, world)


@proof
@given(claims, audiences, worlds, st.sampled_from(PARTNERS))
def test_an_agreement_that_ends_never_reveals_more(
    assertion: Assertion, audience: Audience, world: World, leaving: str
) -> None:
    gone = frozenset({leaving})
    later = replace(
        world,
        in_force=world.in_force - gone,
        community=world.community - gone,
        constituents=world.constituents - gone,
    )

    assert released(assertion, audience, world) or not released(assertion, audience, later)


@proof
@given(claims, audiences, worlds)
def test_whoever_is_unknown_never_sees_above_clear(
    assertion: Assertion, audience: Audience, world: World
) -> None:
    nobody_knows = replace(audience, orgs=audience.orgs | {UNKNOWN})

    assert assertion.label is Label.CLEAR or not released(assertion, nobody_knows, world)


@proof
@given(claims, audiences, worlds)
def test_red_leaves_in_an_ephemeral_to_its_named_person_only(
    assertion: Assertion, audience: Audience, world: World
) -> None:
    red = msgspec.structs.replace(assertion, label=Label.RED)

    if released(red, audience, world):
        (person,) = audience.persons
        (org,) = audience.orgs
        assert audience.reach is Reach.EPHEMERAL
        assert person in red.persons
        assert org in {red.source, HOST} | red.addressed_to


# Hidden and absent are the same: whatever is answered follows from what this audience may see.


@proof
@given(some_assertions, conversations, worlds, questions)
def test_hidden_and_absent_give_the_same_answer(
    stored: list[Assertion], audience: Audience, world: World, asked: frozenset[Indicator] | None
) -> None:
    visible = [one for one in stored if policy_reference.releases(one, audience, world)]

    full, bare = (clear(some, audience, world, asked=asked) for some in (stored, visible))

    assert full == bare
    assert full.label == bare.label
    listed = sorted(asked or INDICATORS)
    assert _json(listed, full) == _json(listed, bare)


@proof
@given(some_assertions, conversations, worlds, questions, st.randoms(use_true_random=False))
def test_the_order_of_the_store_does_not_show(
    stored: list[Assertion],
    audience: Audience,
    world: World,
    asked: frozenset[Indicator] | None,
    random: Random,
) -> None:
    shuffled = sorted(stored, key=lambda _: random.random())

    assert clear(shuffled, audience, world, asked=asked) == clear(stored, audience, world, asked=asked)


@proof
@given(some_assertions, conversations, worlds)
def test_a_source_is_named_only_to_whom_it_agreed(
    stored: list[Assertion], audience: Audience, world: World
) -> None:
    cleared = clear(stored, audience, world)

    for org in PARTNERS:
        knows = {org, HOST} | world.named_to.get(org, frozenset())
        sure = audience.orgs <= (world.in_force | {HOST}) & knows
        words = {word for shown in cleared.shown for word in (shown.source, shown.source_name)}
        assert sure or not words & {org, world.names[org]}
    assert len(cleared.shown) == sum(policy_reference.releases(one, audience, world) for one in stored)


def _json(asked: list[Indicator], cleared: Cleared) -> bytes:
    return msgspec.json.encode(answers.as_json(answers.entries(asked, cleared)))


# Figures are judged by who might have read everything that they count.


@proof
@given(some_assertions, conversations, worlds, st.sampled_from((*READERS, UNKNOWN)))
def test_whoever_is_entitled_may_join_and_everything_reads_the_same(
    told: list[Assertion], audience: Audience, world: World, joining: str
) -> None:
    joined = replace(audience, orgs=audience.orgs | {joining})
    known = joining if joining in world.in_force | {world.host} else UNKNOWN

    if known in entitled(told, audience, world):
        assert clear(told, joined, world).shown == clear(told, audience, world).shown


@proof
@given(some_assertions, conversations, worlds, st.sampled_from(READERS))
def test_whoever_is_not_entitled_would_read_less_or_otherwise(
    told: list[Assertion], audience: Audience, world: World, joining: str
) -> None:
    joined = replace(audience, orgs=audience.orgs | {joining})

    if joining in world.in_force and joining not in entitled(told, audience, world):
        assert clear(told, joined, world).shown != clear(told, audience, world).shown
