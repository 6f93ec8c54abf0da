"""A digest counts, ranks and lists what its readers may see, however it came, and nothing else."""

import random
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.assertions import Assertion
from bot.attachments import attachments
from bot.deliveries import Item
from bot.digests import (
    LISTED,
    MOST_CHANGED,
    MOST_GROUPS,
    Changed,
    Digest,
    Gathering,
    Group,
    What,
    changes,
    items,
    rank,
)
from bot.indicators import Indicator, Kind
from bot.sharing import Audience, World, clear, may_release
from bot.subscriptions import Attach, Filters
from bot.tlp import Label
from tests.digesting import (
    CHANNEL,
    HOST_ONLY,
    NOW,
    SINCE,
    WORLD,
    claim,
    digest_of,
    domain,
    everything_sent,
    seen,
)
from tests.strategies import assertions, conversations, worlds

SHA256 = Indicator(Kind.SHA256, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")


# What is counted.


def test_new_indicators_are_counted_by_family_and_kind() -> None:
    claims = [claim(number, family="Emotet") for number in range(3)]

    digest = digest_of(*claims, claim(SHA256, family="Emotet"), claim(7))

    assert (digest.indicators, digest.claims) == (5, 5)
    assert digest.kinds == ((Kind.DOMAIN, 4), (Kind.SHA256, 1))
    assert digest.groups == (
        Group("Emotet", 4, ((Kind.DOMAIN, 3), (Kind.SHA256, 1))),
        Group(None, 1, ((Kind.DOMAIN, 1),)),
    )


def test_an_indicator_of_two_sources_is_one() -> None:
    digest = digest_of(claim(1), claim(1, "igci"))

    assert (digest.indicators, digest.claims) == (1, 2)
    assert digest.groups == (Group(None, 1, ((Kind.DOMAIN, 1),)),)


def test_a_family_is_one_in_any_spelling_and_outweighs_none() -> None:
    digest = digest_of(claim(1, family="EMOTET"), claim(2, family=" Emotet"), claim(2, "igci"))

    assert digest.groups == (Group("EMOTET", 2, ((Kind.DOMAIN, 2),)),)


def test_an_indicator_with_two_families_is_in_both() -> None:
    digest = digest_of(claim(1, family="Emotet"), claim(1, "igci", family="Heodo"))

    assert [(group.family, group.indicators) for group in digest.groups] == [("Emotet", 1), ("Heodo", 1)]
    assert digest.indicators == 1


def test_the_biggest_groups_stand_in_the_message_and_the_rest_is_counted() -> None:
    claims = [claim(f * 10 + n, family=f"Family {f:02}") for f in range(12) for n in range(f % 9 + 1)]

    digest = digest_of(*claims)

    assert digest.families == 12
    assert len(digest.groups) == MOST_GROUPS
    assert [group.indicators for group in digest.groups] == [9, 8, 7, 6, 5, 4, 3, 3]


def test_filters_choose_among_what_may_be_seen() -> None:
    claims = [claim(1, family="Emotet"), claim(2, family="QakBot"), claim(3, "bureau", family="Emotet")]

    by_family = digest_of(*claims, filters=Filters(families=frozenset({"emotet"})))
    by_alias = digest_of(*claims, filters=Filters(sources=frozenset({"partner k"})))
    by_slug = digest_of(*claims, filters=Filters(sources=frozenset({"kaspersky"})))

    assert [digest.claims for digest in (by_family, by_alias)] == [2, 2]
    assert by_slug.is_empty  # these readers do not know that it is Kaspersky


def test_its_label_is_the_strictest_of_all_that_is_in_it_or_leads_to_it() -> None:
    amber: dict[str, Any] = {"label": Label.AMBER, "addressed_to": frozenset({"trendmicro"})}
    raised = Changed(What.RAISED, seen(claim(9, **amber)).shown[0], Label.GREEN)

    assert digest_of().label is Label.CLEAR
    assert digest_of(claim(1, label=Label.CLEAR)).label is Label.CLEAR
    assert digest_of(claim(1), claim(2, **amber)).label is Label.AMBER
    assert digest_of(claim(1), changed=[raised]).label is Label.AMBER
    assert digest_of(changed=[Changed(What.GONE)]).label is Label.GREEN
    assert digest_of(claim(1), before=seen(claim(1, "igci", **amber))).label is Label.AMBER


# What is chosen.


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"confidence": 90}, {"confidence": 60}),
        ({"confidence": 60}, {}),
        ({}, {"confidence": 49}),
        ({"confidence": 49}, {"confidence": 99, "to_ids": False}),
        ({"last_seen": NOW}, {"last_seen": SINCE}),
        ({"first_seen": NOW}, {"last_seen": SINCE}),
        ({"first_seen": SINCE}, {}),
        ({"confidence": 60}, {"confidence": 59, "last_seen": NOW}),
    ],
)
def test_what_condemns_comes_first_then_the_confident_then_the_latest(
    first: dict[str, Any], second: dict[str, Any]
) -> None:
    better, worse = seen(claim(2, **first)).shown[0], seen(claim(1, **second)).shown[0]

    assert rank(better) < rank(worse)


def test_the_list_holds_the_best_of_any_number() -> None:
    claims = [claim(number, confidence=number % 100) for number in range(5_000)]

    digest = digest_of(*claims)

    assert digest.claims == 5_000
    assert len(digest.listed) == LISTED
    assert {shown.confidence for shown in digest.listed} == {98, 99}
    assert len(digest.rows) == 5_000


# What changed.


def test_what_was_known_here_is_confirmed_and_not_new() -> None:
    digest = digest_of(claim(1), claim(2), before=seen(claim(1, "igci")))

    assert digest.indicators == 1
    assert digest.changes == ((What.CONFIRMED, 1),)
    assert [change.shown.indicator for change in digest.changed if change.shown] == [domain(1)]


def test_what_only_others_may_know_confirms_nothing() -> None:
    hidden = claim(1, "bureau", label=Label.AMBER)

    assert digest_of(claim(1), before=seen(hidden)) == digest_of(claim(1))


def test_many_confirmations_are_counted() -> None:
    claims = [claim(number) for number in range(30)]

    digest = digest_of(*claims, before=seen(*(claim(number, "igci") for number in range(30))))

    assert digest.changes == ((What.CONFIRMED, 30),)
    assert len(digest.changed) == MOST_CHANGED
    assert digest.indicators == 0
    assert not digest.is_empty


SHOWN = Item("kaspersky", domain(1), Label.GREEN)


@pytest.mark.parametrize(
    ("stored", "audience", "expected"),
    [
        ([claim(1)], CHANNEL, []),
        ([], CHANNEL, [Changed(What.GONE)]),
        ([claim(1, "igci")], CHANNEL, [Changed(What.GONE)]),
        ([claim(2)], CHANNEL, [Changed(What.GONE)]),
        ([claim(1, label=Label.AMBER)], CHANNEL, [Changed(What.GONE)]),
        ([claim(1, revoked=True)], CHANNEL, [Changed(What.GONE)]),
        ([claim(1, quarantined=True)], CHANNEL, [Changed(What.GONE)]),
        ([claim(1, never_to=frozenset({"trendmicro"}))], CHANNEL, [Changed(What.GONE)]),
        ([claim(1, not_before=NOW + timedelta(days=1))], CHANNEL, [Changed(What.GONE)]),
        ([claim(1, label=Label.CLEAR)], CHANNEL, []),
        ([claim(1, not_after=NOW)], CHANNEL, []),
        ([claim(1, not_after=SINCE)], CHANNEL, [Changed(What.EXPIRED)]),
        ([claim(1, not_after=SINCE, label=Label.AMBER)], CHANNEL, [Changed(What.GONE)]),
        ([claim(1, not_after=SINCE, revoked=True)], CHANNEL, [Changed(What.GONE)]),
    ],
)
def test_a_change_is_told_as_far_as_it_may_be(
    stored: list[Assertion], audience: Audience, expected: list[Changed]
) -> None:
    assert changes([SHOWN], stored, audience, WORLD) == expected


def test_a_raised_label_is_told_once() -> None:
    amber = claim(1, label=Label.AMBER, addressed_to=frozenset({"trendmicro"}))
    told_before = Item("kaspersky", domain(1), Label.AMBER)

    [raised] = changes([SHOWN], [amber], CHANNEL, WORLD)

    assert (raised.what, raised.was) == (What.RAISED, Label.GREEN)
    assert raised.shown is not None
    assert raised.shown.label is Label.AMBER
    assert changes([SHOWN, told_before, SHOWN], [amber], CHANNEL, WORLD) == []


def test_a_withdrawal_is_told_by_name_to_those_who_still_may_know() -> None:
    [change] = changes([SHOWN], [claim(1, revoked=True)], HOST_ONLY, WORLD)

    assert change.what is What.REVOKED
    assert change.shown is not None
    assert change.shown.source_name == "Kaspersky"


@given(st.lists(assertions, max_size=6), conversations, worlds, st.sampled_from(list(Label)))
def test_a_change_names_nothing_that_its_readers_may_not_see(
    stored: list[Assertion], audience: Audience, world: World, was: Label
) -> None:
    shown = [Item(each.source, each.indicator, was) for each in stored]
    now = {(each.source, each.indicator): each for each in stored}  # as in the store: the last of a key
    visible = [each for each in now.values() if may_release(each, audience, world).release]

    told = changes(shown, now.values(), audience, world)
    named = [change for change in told if change.shown is not None]

    readable = [shown for each in visible for shown in clear((each,), audience, world).shown]
    assert all(change.shown in readable for change in named)
    # Whatever hides it: only its validity may make a difference, and that one only to the word.
    blind = changes(shown, visible, audience, world)
    assert [change for change in blind if change.shown] == named
    assert len(blind) == len(told)


# How it is put together.


def _paged(
    claims: Sequence[Assertion], old: Sequence[Assertion], size: int, audience: Audience, world: World
) -> Digest:
    """As a delivery reads it: pages of the store, and for each what is older about what may be seen of it."""
    gathering = Gathering(audience)
    for start in range(0, len(claims), size):
        cleared = clear(claims[start : start + size], audience, world)
        about = {shown.indicator for shown in cleared.shown}
        earlier = [each for each in old if each.indicator in about]
        gathering.add(cleared, before=clear(earlier, audience, world))
    return gathering.digest(since=SINCE, until=NOW, attach=Attach.CSV)


@given(
    st.lists(assertions, max_size=8),
    st.lists(assertions, max_size=3),
    conversations,
    worlds,
    st.integers(1, 5),
    st.randoms(use_true_random=False),
)
def test_hidden_claims_pages_and_order_change_no_byte(
    claims: list[Assertion],
    old: list[Assertion],
    audience: Audience,
    world: World,
    size: int,
    chance: random.Random,
) -> None:
    visible = [each for each in claims if may_release(each, audience, world).release]
    visible_old = [each for each in old if may_release(each, audience, world).release]
    shuffled = chance.sample(visible, len(visible))

    everything = _paged(claims, old, size, audience, world)
    only_visible = _paged(shuffled, visible_old, 3, audience, world)

    assert everything_sent(everything) == everything_sent(only_visible)


def test_pages_for_other_readers_are_refused() -> None:
    gathering = Gathering(CHANNEL)

    with pytest.raises(ValueError, match="one audience"):
        gathering.add(seen(claim(1), audience=HOST_ONLY))


def test_the_ledger_gets_what_is_shown_under_the_name_of_its_source() -> None:
    claims = [claim(1), claim(2, label=Label.AMBER), claim(3, "bureau"), claim(SHA256)]

    found = items(claims, CHANNEL, WORLD, filters=Filters(kinds=frozenset({Kind.DOMAIN})))

    assert found == [Item("kaspersky", domain(1), Label.GREEN), Item("bureau", domain(3), Label.GREEN)]


@given(st.lists(assertions, max_size=8), conversations, worlds)
def test_the_ledger_gets_as_many_as_the_list_has_rows(
    claims: list[Assertion], audience: Audience, world: World
) -> None:
    digest = _paged(claims, [], 3, audience, world)

    assert len(items(claims, audience, world)) == digest.claims


@pytest.mark.parametrize(
    ("number", "attach", "is_filed"),
    [
        (0, Attach.CSV, False),
        (1, Attach.CSV, True),
        (LISTED, None, False),
        (LISTED + 1, None, True),
    ],
)
def test_a_long_list_goes_into_a_file(number: int, attach: Attach | None, is_filed: bool) -> None:
    digest = digest_of(*map(claim, range(number)), attach=attach)

    assert digest.is_filed is is_filed
    assert bool(list(attachments(digest))) is is_filed
