"""What the release policy promises, by table and by example: what properties would not miss if it went."""

from dataclasses import replace
from datetime import timedelta
from itertools import chain, permutations, product

import msgspec
import pytest

from bot import answers
from bot.assertions import Assertion
from bot.indicators import Indicator, Kind
from bot.sharing import UNKNOWN, Audience, Reach, World, clear, may_release
from bot.tlp import Label
from tests import policy_reference
from tests.strategies import HOST, INDICATORS, NOW, ORGS, PARTNERS, PEOPLE, READERS

MD5, SHA256, DOMAIN = INDICATORS
SHA1 = Indicator(Kind.SHA1, "0f" * 20)


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


def test_a_source_that_nobody_registered_has_no_name_but_its_slug() -> None:
    (shown,) = clear([claim("ghost")], to(HOST), world()).shown

    assert (shown.source, shown.source_name) == ("ghost", "ghost")


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


@pytest.mark.parametrize(("label", "same_file"), [(Label.CLEAR, [SHA256]), (Label.AMBER_STRICT, [])])
def test_hashes_are_one_file_only_through_claims_that_are_shown(
    label: Label, same_file: list[Indicator]
) -> None:
    stored = [  # the store joined both files into one, because the SHA-1 is in both
        claim(indicator=MD5, label=Label.CLEAR, file="joined", links=("one",)),
        claim(indicator=SHA1, label=label, file="joined", links=("one", "other")),
        claim(indicator=SHA256, label=Label.CLEAR, file="joined", links=("other",)),
    ]

    told = clear(stored, to("newco"), world(), asked=[MD5])

    [entry] = answers.entries([MD5], told)
    assert [shown.indicator for shown in entry.same_file if shown.indicator != SHA1] == same_file


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


def test_claims_stand_in_the_order_they_were_first_seen() -> None:
    stored = [claim(first_seen=NOW - timedelta(days), confidence=days) for days in (1, 3, 2)]

    assert [shown.confidence for shown in clear(stored, to("kaspersky"), world()).shown] == [3, 2, 1]


def test_neither_the_store_nor_the_names_of_unnamed_sources_decide_the_order_of_their_files() -> None:
    told = [
        clear(
            chain.from_iterable(
                [
                    claim(source, indicator=MD5, file="f"),
                    claim(source, indicator=SHA256, file="f", family=family),
                ]
                for source, family in zip(sources, families, strict=True)
            ),
            to("newco"),
            world(community=frozenset(PARTNERS)),
            asked=[MD5],
        )
        for sources in permutations(("groupib", "trendmicro"))
        for families in permutations(("Emotet", "Qakbot"))
    ]

    assert all(one == told[0] for one in told)
    assert [(shown.family, shown.file) for shown in told[0].shown] == [
        (None, 1),
        (None, 2),
        ("Emotet", 1),
        ("Qakbot", 2),
    ]


def test_a_claim_about_no_file_stands_before_the_same_claim_about_one() -> None:
    stored = [claim("trendmicro", indicator=MD5)]
    stored += [claim("groupib", indicator=hash_, file="f") for hash_ in (MD5, SHA256)]

    for several in permutations(stored):
        shown = clear(several, to("newco"), world(community=frozenset(PARTNERS))).shown
        assert [one.file for one in shown] == [None, 1, 1]


def test_a_cleared_answer_knows_its_audience() -> None:
    audience = to("kaspersky")

    assert clear([], audience, world()).audience is audience


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


def test_an_audience_of_which_no_more_is_said_is_told_little() -> None:
    plain = Audience(reach=Reach.CHANNEL, orgs=frozenset({HOST}))

    assert (plain.cap, plain.max_label, plain.persons) == (Label.GREEN, Label.CLEAR, frozenset())
    assert (plain.fresh, plain.pending_invite, plain.public, plain.active) == (True, False, False, False)


def test_an_audience_of_nobody_is_told_nothing() -> None:
    assert not released(claim(label=Label.CLEAR), to(), world())
