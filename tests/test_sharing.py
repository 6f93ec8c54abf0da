"""What the release policy promises: by table, by example, and for whatever hypothesis can think of."""

from dataclasses import replace
from datetime import timedelta
from itertools import chain, permutations, product

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import answers
from bot.assertions import Assertion
from bot.indicators import Indicator
from bot.sharing import UNKNOWN, Audience, Cleared, Reach, World, clear, may_release
from bot.tlp import Label, Pap
from tests import policy_reference
from tests.strategies import (
    HOST,
    INDICATORS,
    NOW,
    ORGS,
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

MD5, SHA256, DOMAIN = INDICATORS

some_assertions = st.lists(assertions, max_size=5)
questions = st.sampled_from([None, *subsets(INDICATORS)])


def world(**changes: object) -> World:
    plain = World(
        host=HOST,
        now=NOW,
        in_force=frozenset(PARTNERS[:4]),
        community=frozenset(PARTNERS[:3]),
        names={org: org.title() for org in ORGS},
        aliases={"kaspersky": "Partner K"},
    )
    return replace(plain, **changes)  # type: ignore[arg-type]  # the tests below name real fields


def to(*orgs: str, reach: Reach = Reach.EPHEMERAL, persons: tuple[str, ...] = PEOPLE[:1]) -> Audience:
    return Audience(reach=reach, orgs=frozenset(orgs), persons=frozenset(persons), cap=Label.AMBER_STRICT)


def claim(source: str = "kaspersky", label: Label = Label.GREEN, **fields: object) -> Assertion:
    plain = Assertion(indicator=SHA256, source=source, label=label)
    return msgspec.structs.replace(plain, **fields)


def released(assertion: Assertion, audience: Audience, world: World) -> bool:
    return may_release(assertion, audience, world).release


# By table: every part an organisation can play, under every label.


@pytest.mark.parametrize("label", Label)
@pytest.mark.parametrize("org", READERS)
@pytest.mark.parametrize("addressed", [False, True])
@pytest.mark.parametrize("constituent", [False, True])
def test_a_label_reaches_whom_the_table_says(
    label: Label, org: str, addressed: bool, constituent: bool
) -> None:
    here = world(constituents=frozenset({org} & set(PARTNERS[:4])) if constituent else frozenset())
    told = claim(label=label, addressed_to=frozenset({org} if addressed else ()), persons=frozenset(PEOPLE))

    assert released(told, to(org), here) is policy_reference.reaches(org, told, here)


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
    random: object,
) -> None:
    shuffled = sorted(stored, key=lambda _: random.random())  # type: ignore[attr-defined]  # a random.Random

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


# By example: what the properties would not notice if it stopped working altogether.


def test_the_same_hash_from_two_sources_is_told_to_each_as_it_may_know_it() -> None:
    """The worked example of the policy: Kaspersky says AMBER, Trend Micro says GREEN."""
    stored = [claim("kaspersky", Label.AMBER), claim("trendmicro", Label.GREEN)]

    def told(audience: Audience) -> tuple[Label, list[str]]:
        cleared = clear(stored, audience, world())
        return cleared.label, [shown.source for shown in cleared.shown]

    def channel(*orgs: str) -> Audience:
        return to(*orgs, reach=Reach.CHANNEL)

    assert told(to("groupib")) == (Label.GREEN, ["a partner"])
    assert told(to("kaspersky")) == (Label.AMBER, ["kaspersky", "a partner"])
    assert told(to("trendmicro")) == (Label.GREEN, ["trendmicro"])
    assert told(to(HOST)) == (Label.AMBER, ["kaspersky", "trendmicro"])
    assert told(channel(HOST, "kaspersky", "trendmicro")) == (Label.GREEN, ["a partner"])
    assert told(channel(HOST, "kaspersky")) == (Label.AMBER, ["kaspersky", "a partner"])


@pytest.mark.parametrize(
    ("audience", "named_to", "read_as"),
    [
        (to("kaspersky"), (), "kaspersky"),
        (to(HOST), (), "kaspersky"),
        (to("trendmicro"), (), "Partner K"),
        (to("trendmicro"), ("trendmicro",), "kaspersky"),
        (to("trendmicro", "groupib"), ("trendmicro",), "Partner K"),
        (to("lapsed"), ("lapsed",), "a partner"),
        (to(UNKNOWN), (UNKNOWN,), "a partner"),
        (replace(to("trendmicro"), fresh=False), ("trendmicro",), "a partner"),
    ],
)
def test_a_source_is_read_under_the_name_it_allows(
    audience: Audience, named_to: tuple[str, ...], read_as: str
) -> None:
    here = world(named_to={"kaspersky": frozenset(named_to)})

    (shown,) = clear([claim(label=Label.CLEAR)], audience, here).shown

    assert shown.source == read_as
    assert shown.source_name == {"kaspersky": "Kaspersky"}.get(read_as, read_as)


def test_the_host_is_always_named() -> None:
    (shown,) = clear([claim(HOST, Label.CLEAR)], to(UNKNOWN), world()).shown

    assert (shown.source, shown.source_name) == (HOST, "Host")


def test_hashes_of_one_file_are_found_by_each_other() -> None:
    stored = [
        claim(indicator=MD5, file="f"),
        claim(indicator=SHA256, file="f"),
        claim(indicator=DOMAIN),
        claim("groupib", indicator=SHA256, file="f"),
    ]

    cleared = clear(stored, to("trendmicro"), world(), asked=[MD5])

    assert [(shown.indicator, shown.source) for shown in cleared.shown] == [
        (MD5, "Partner K"),
        (SHA256, "Partner K"),
    ]
    (entry,) = answers.entries([MD5], cleared)
    assert [shown.indicator for shown in entry.same_file] == [SHA256]


def test_a_hidden_claim_links_nothing() -> None:
    stored = [
        claim(indicator=MD5, label=Label.AMBER_STRICT, file="f"),
        claim(indicator=SHA256, label=Label.CLEAR, file="f"),
    ]

    by_md5, by_sha256 = (clear(stored, to("trendmicro"), world(), asked=[asked]) for asked in (MD5, SHA256))

    assert by_md5.shown == ()
    assert [shown.indicator for shown in by_sha256.shown] == [SHA256]


def test_a_hash_whose_other_hashes_are_hidden_does_not_say_that_there_are_any() -> None:
    stored = [
        claim(indicator=MD5, label=Label.AMBER_STRICT, file="f"),
        claim(indicator=SHA256, label=Label.CLEAR, file="f"),
    ]

    (shown,) = clear(stored, to("trendmicro"), world(), asked=[SHA256]).shown

    assert shown.file is None


def test_two_files_of_two_partners_stay_two_files() -> None:
    """Even where the partners name them alike, and cannot be told apart."""
    stored = [
        claim(source, indicator=hash_, file="f") for source, hash_ in product(PARTNERS[1:3], (MD5, SHA256))
    ]

    files = [shown.file for shown in clear(stored, to("newco"), world(community=frozenset(PARTNERS))).shown]

    assert files == [1, 2, 1, 2]


def test_two_unnamed_sources_cannot_be_told_apart_by_the_order_of_the_store() -> None:
    earlier, later = (
        claim(source, first_seen=NOW - timedelta(9), last_seen=NOW - timedelta(days), confidence=days)
        for source, days in (("groupib", 1), ("trendmicro", 2))
    )
    told = [
        clear(stored, to("newco"), world(community=frozenset(PARTNERS)))
        for stored in permutations((earlier, later))
    ]

    assert told[0] == told[1]


def test_the_files_of_two_unnamed_sources_cannot_be_told_apart_by_the_order_of_the_store() -> None:
    of_one_file = [
        [claim(source, indicator=MD5, file="f"), claim(source, indicator=SHA256, file="f", family=family)]
        for source, family in (("groupib", "Emotet"), ("trendmicro", "Qakbot"))
    ]
    told = [
        clear(chain(*stored), to("newco"), world(community=frozenset(PARTNERS)), asked=[MD5])
        for stored in permutations(of_one_file)
    ]

    assert told[0] == told[1]
    assert [(shown.family, shown.file) for shown in told[0].shown] == [
        (None, 1),
        (None, 2),
        ("Emotet", 1),
        ("Qakbot", 2),
    ]


def test_a_cleared_answer_carries_the_strictest_label_in_it() -> None:
    stored = [claim(label=label) for label in (Label.GREEN, Label.AMBER, Label.CLEAR)]

    assert clear(stored, to("kaspersky"), world()).label is Label.AMBER
    assert clear([], to("kaspersky"), world()).label is Label.CLEAR


def test_strict_claims_stand_first() -> None:
    stored = [claim(label=label) for label in (Label.CLEAR, Label.AMBER, Label.GREEN)]

    shown = clear(stored, to("kaspersky"), world()).shown

    assert [one.label for one in shown] == [Label.AMBER, Label.GREEN, Label.CLEAR]


def test_everything_the_reader_may_know_arrives() -> None:
    told = claim(
        first_seen=NOW - timedelta(2),
        last_seen=NOW - timedelta(1),
        confidence=70,
        family="Emotet",
        tags=("loader",),
        context="seen in a phishing mail",
        to_ids=False,
    )

    (shown,) = clear([told], to("kaspersky"), world()).shown

    kept = (
        "indicator",
        "label",
        "first_seen",
        "last_seen",
        "confidence",
        "family",
        "tags",
        "context",
        "to_ids",
    )
    assert [getattr(shown, field) for field in kept] == [getattr(told, field) for field in kept]
    assert not shown.revoked


def test_a_revoked_claim_is_still_shown_to_its_source_as_revoked() -> None:
    (shown,) = clear([claim(revoked=True)], to("kaspersky"), world()).shown

    assert shown.revoked


@pytest.mark.parametrize(
    ("seconds_from_now", "valid_from", "valid_until"),
    [(-1, True, False), (0, True, True), (1, False, True)],
)
def test_the_first_and_the_last_moment_belong_to_the_validity(
    seconds_from_now: int, valid_from: bool, valid_until: bool
) -> None:
    moment = NOW + timedelta(seconds=seconds_from_now)

    assert released(claim(not_before=moment), to(HOST), world()) is valid_from
    assert released(claim(not_after=moment), to(HOST), world()) is valid_until


def test_an_audience_of_nobody_is_told_nothing() -> None:
    assert not released(claim(label=Label.CLEAR), to(), world())
