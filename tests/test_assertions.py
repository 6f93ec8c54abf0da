"""Merging what a source repeats: fresher facts, never a wider audience, and the same result in any order."""

from collections.abc import Sequence
from datetime import timedelta
from functools import reduce
from random import Random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.assertions import MAX_TAGS, Assertion, effective_pap, merge, narrows, widens
from bot.sharing import Audience, Reach, World, may_release
from bot.tlp import Label, Pap
from tests import policy_reference
from tests.strategies import INDICATORS, NOW, POLICY_MENUS, assertions, audiences, claims, proof, worlds

DAY = timedelta(1)

# One source about one indicator, as an import repeats it.
_own = {"source": "kaspersky", "indicator": INDICATORS[0]}
repeats = assertions.map(lambda one: msgspec.structs.replace(one, **_own))
imports = st.lists(repeats, min_size=1, max_size=6)


def claim(**fields: object) -> Assertion:
    plain = Assertion(indicator=INDICATORS[0], source="kaspersky")
    return msgspec.structs.replace(plain, **fields)


def restrictions(one: Assertion) -> tuple[object, ...]:
    """Everything that decides who may know and what may be done."""
    return (
        one.label,
        one.addressed_to,
        one.only_orgs,
        one.never_to,
        one.persons,
        effective_pap(one),
        one.not_before,
        one.not_after,
        one.revoked,
        one.quarantined,
    )


@proof
@given(repeats, repeats)
def test_merging_the_same_claim_again_changes_nothing(old: Assertion, new: Assertion) -> None:
    once = merge(old, new)

    assert merge(once, new) == once
    assert merge(old, old) == old


@proof
@given(repeats, repeats, audiences, worlds)
def test_a_merged_claim_is_told_to_nobody_whom_either_claim_was_kept_from(
    old: Assertion, new: Assertion, audience: Audience, world: World
) -> None:
    """Except by its end: a source that repeats itself later, or without an end, prolongs what it said."""
    merged = merge(old, new)

    if may_release(merged, audience, world).release:
        for one in (old, new):
            prolonged = msgspec.structs.replace(one, not_after=merged.not_after)
            assert policy_reference.releases(prolonged, audience, world)


@proof
@given(repeats, repeats)
def test_the_restrictions_are_the_same_whichever_claim_came_first(old: Assertion, new: Assertion) -> None:
    assert restrictions(merge(old, new)) == restrictions(merge(new, old))


@proof
@given(imports, st.randoms(use_true_random=False))
def test_the_restrictions_are_the_same_in_whatever_order_and_groups_files_are_imported(
    said: list[Assertion], random: Random
) -> None:
    shuffled = sorted(said, key=lambda _: random.random())
    half = len(said) // 2
    groups = [reduce(merge, group) for group in (said[:half], said[half:]) if group]

    in_turn = restrictions(reduce(merge, said))

    assert restrictions(reduce(merge, shuffled)) == in_turn
    assert restrictions(reduce(merge, groups)) == in_turn


@proof
@given(imports)
def test_no_sequence_of_imports_lowers_a_label(said: list[Assertion]) -> None:
    stored = said[0]
    for count, new in enumerate(said, 1):
        stored = merge(stored, new)
        assert stored.label == max(one.label.value for one in said[:count])
        assert stored.quarantined == any(one.quarantined for one in said[:count])
        assert stored.revoked == any(one.revoked for one in said[:count])


@proof
@given(claims, st.sampled_from(Label))
def test_a_stricter_label_never_permits_more_to_be_done(assertion: Assertion, label: Label) -> None:
    stricter = msgspec.structs.replace(assertion, label=max(label, assertion.label))

    assert effective_pap(stricter) >= effective_pap(assertion)


@pytest.mark.parametrize(
    ("field", "old", "new", "merged"),
    [
        ("label", Label.GREEN, Label.AMBER, Label.AMBER),
        ("label", Label.RED, Label.CLEAR, Label.RED),
        ("addressed_to", {"groupib", "newco"}, {"newco", "trendmicro"}, {"newco"}),
        ("only_orgs", None, {"host"}, {"host"}),
        ("only_orgs", {"host"}, None, {"host"}),
        ("only_orgs", {"host", "newco"}, {"host", "groupib"}, {"host"}),
        ("only_orgs", {"newco"}, {"groupib"}, set()),
        ("never_to", {"newco"}, {"groupib"}, {"newco", "groupib"}),
        ("persons", {"U0ANNA", "U0BEN"}, {"U0BEN"}, {"U0BEN"}),
        ("not_before", None, NOW, NOW),
        ("not_before", NOW, NOW - DAY, NOW),
        ("not_after", NOW, NOW + DAY, NOW + DAY),
        ("not_after", NOW + DAY, NOW, NOW + DAY),
        ("not_after", NOW, None, None),
        ("not_after", None, NOW, None),
        ("first_seen", NOW, NOW - DAY, NOW - DAY),
        ("first_seen", None, NOW, NOW),
        ("last_seen", NOW, NOW - DAY, NOW),
        ("last_seen", NOW, None, NOW),
        ("tags", ("loader", "botnet"), ("botnet", "apt"), ("loader", "botnet", "apt")),
        ("to_ids", False, True, True),
        ("to_ids", False, False, False),
        ("revoked", True, False, True),
        ("quarantined", False, True, True),
        ("file", None, "f", "f"),
        ("file", "f", "g", "f"),
        ("seq", 7, 0, 7),
    ],
)
def test_a_repeated_claim_is_merged_field_by_field(
    field: str, old: object, new: object, merged: object
) -> None:
    both = merge(claim(**{field: old}), claim(**{field: new}))

    assert getattr(both, field) == merged


@pytest.mark.parametrize("field", ["family", "context", "confidence"])
@pytest.mark.parametrize(
    ("first", "second", "kept"),
    [
        ((NOW, 1), (NOW + DAY, 2), 2),
        ((NOW + DAY, 1), (NOW, 2), 1),
        ((NOW, 1), (NOW, 2), 1),
        ((None, 1), (NOW, 2), 2),
        ((NOW, 1), (None, 2), 1),
        ((None, 1), (None, 2), 1),
        ((NOW, 1), (NOW + DAY, None), 1),
        ((NOW, None), (None, 2), 2),
    ],
)
def test_the_claim_that_was_seen_last_gives_the_facts(
    field: str, first: Sequence[object], second: Sequence[object], kept: int
) -> None:
    old, new = (claim(**{"last_seen": seen, field: value}) for seen, value in (first, second))

    assert getattr(merge(old, new), field) == kept


def test_a_confidence_of_nought_is_a_statement_too() -> None:
    merged = merge(claim(confidence=90), claim(confidence=0, last_seen=NOW))

    assert merged.confidence == 0


@pytest.mark.parametrize(
    ("old", "new", "merged"),
    [
        ((Label.CLEAR, None), (Label.CLEAR, None), Pap.GREEN),
        ((Label.CLEAR, None), (Label.AMBER, None), Pap.RED),
        ((Label.CLEAR, Pap.AMBER), (Label.CLEAR, None), Pap.AMBER),
        ((Label.GREEN, None), (Label.CLEAR, Pap.CLEAR), Pap.AMBER),
        ((Label.AMBER, Pap.GREEN), (Label.GREEN, Pap.CLEAR), Pap.GREEN),
    ],
)
def test_what_may_be_done_is_what_both_claims_permit(
    old: tuple[Label, Pap | None], new: tuple[Label, Pap | None], merged: Pap
) -> None:
    both = merge(claim(label=old[0], pap=old[1]), claim(label=new[0], pap=new[1]))

    assert effective_pap(both) is merged


def test_tags_are_limited() -> None:
    merged = merge(claim(tags=("first",)), claim(tags=tuple(map(str, range(100)))))

    assert len(merged.tags) == MAX_TAGS
    assert merged.tags[:2] == ("first", "0")


def test_data_without_a_label_is_strict() -> None:
    assert Assertion(indicator=INDICATORS[0], source="kaspersky").label is Label.AMBER_STRICT


# --- what becomes narrower ---------------------------------------------------------------------------------

_readers = audiences.filter(lambda audience: audience.reach is not Reach.PROVIDER)
_markings = st.sets(st.sampled_from(sorted(POLICY_MENUS.keys() - {"source"})), min_size=1, max_size=3)


@proof
@given(claims, claims, _markings, st.lists(_readers, min_size=5, max_size=5), worlds)
def test_whenever_somebody_may_read_no_more_what_he_could_it_is_narrower(
    old: Assertion, other: Assertion, changed: set[str], readers: Sequence[Audience], world: World
) -> None:
    new = msgspec.structs.replace(old, **{name: getattr(other, name) for name in changed})

    for audience in readers:
        if policy_reference.releases(old, audience, world):
            assert policy_reference.releases(new, audience, world) or narrows(old, new)


@proof
@given(repeats, repeats)
def test_nothing_is_narrower_than_itself_or_wider_than_what_it_narrows(
    old: Assertion, new: Assertion
) -> None:
    """Whatever else is read of it: facts, and what may be done."""
    assert not narrows(
        old, msgspec.structs.replace(new, **{name: getattr(old, name) for name in POLICY_MENUS})
    )
    assert widens(new, old) or not narrows(old, new)


@pytest.mark.parametrize(
    ("field", "wide", "narrow"),
    [
        ("label", Label.CLEAR, Label.GREEN),
        ("addressed_to", {"newco", "groupib"}, {"newco"}),
        ("addressed_to", {"newco"}, set()),
        ("only_orgs", None, set()),
        ("only_orgs", {"newco", "groupib"}, {"groupib"}),
        ("never_to", set(), {"newco"}),
        ("not_before", None, NOW),
        ("not_before", NOW, NOW + DAY),
        ("not_after", None, NOW),
        ("not_after", NOW + DAY, NOW),
        ("revoked", False, True),
        ("quarantined", False, True),
    ],
)
def test_each_restriction_narrows_and_its_end_does_not(field: str, wide: object, narrow: object) -> None:
    before, after = claim(**{field: wide}), claim(**{field: narrow})

    assert narrows(before, after)
    assert not narrows(after, before)


@pytest.mark.parametrize(
    ("label", "field", "before", "after"),
    [
        (Label.CLEAR, "addressed_to", {"newco"}, set()),
        (Label.AMBER, "persons", {"U0ANNA"}, set()),
        (Label.AMBER, "pap", None, Pap.RED),
    ],
)
def test_what_decides_nothing_under_its_label_narrows_nothing(
    label: Label, field: str, before: object, after: object
) -> None:
    assert not narrows(claim(label=label, **{field: before}), claim(label=label, **{field: after}))


def test_a_person_less_may_read_what_is_red() -> None:
    both, one = (claim(label=Label.RED, persons=frozenset(named)) for named in ({"U1", "U2"}, {"U1"}))

    assert narrows(both, one)
