"""The judge bites: what was planted is found, and nothing else is."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.simulation.judge import Verdict, judge
from bot.simulation.played import Arrived, Play, telling
from bot.simulation.world import AMBER, CLEAR, RED, STRICT, UNREADABLE, Claim, Question
from tests.simulation.days import DUE, ROOM, claim, day, played, stands, told

HASH = "0123456789abcdef" * 4


def found(made: Claim, **post: Any) -> Verdict:
    """What the judge says of a digest that shows this claim."""
    world = day(made)
    return judge(world, played(world, told(f"{made.value} {made.family}", **post)))


@pytest.mark.parametrize(
    "hidden",
    [
        claim(label=AMBER),
        claim(label=STRICT),
        claim(label=RED),
        claim(label=""),
        claim(label=UNREADABLE),
        claim(never_to=frozenset(("bureau",))),
        claim(only_orgs=frozenset(("vendor", "centre"))),
        claim(not_before=DUE + timedelta(hours=1)),
        claim(not_after=DUE - timedelta(hours=1)),
    ],
    ids=lambda one: f"{one.label or 'unmarked'} {one.never_to or one.only_orgs or ''}"[:30],
)
def test_what_a_reader_may_not_know_is_a_leak(hidden: Claim) -> None:
    verdict = found(hidden)

    assert verdict.leaks
    assert {leak.claim for leak in verdict.leaks} == {hidden}


@pytest.mark.parametrize(
    "shown",
    [
        claim(),
        claim(label=CLEAR),
        claim(not_before=DUE - timedelta(hours=1)),
        claim(only_orgs=frozenset(("vendor", "bureau", "centre"))),
    ],
    ids=lambda one: one.label,
)
def test_what_everybody_there_may_know_is_none(shown: Claim) -> None:
    assert not found(shown).leaks


@pytest.mark.parametrize(
    "text",
    [
        "zd0000000000a[.]example[.]com",
        "hxxp://zd0000000000a.example.com/x",
        "the list;ZD0000000000A.EXAMPLE.COM;malicious",
    ],
)
def test_it_is_found_in_whatever_form_it_stands_there(text: str) -> None:
    world = day(claim(label=STRICT))

    assert judge(world, played(world, told(text))).leaks


def test_the_family_alone_gives_a_claim_away() -> None:
    hidden = claim(label=STRICT)
    world = day(hidden)

    assert judge(world, played(world, told(hidden.family))).leaks


@pytest.mark.parametrize("surface", ["slash", "mention"])
def test_what_somebody_asked_about_may_be_repeated_to_them_but_nothing_about_it(surface: str) -> None:
    hidden = claim(HASH, label=STRICT)
    question = Question(
        number=0, at=DUE, user="U0BEA", room=ROOM, surface=surface, verb="lookup", values=(HASH,)
    )
    world = day(hidden, questions=(question,))
    answer: dict[str, Any] = {
        "kind": "ephemeral",
        "readers": frozenset(("U0BEA",)),
        "orgs": frozenset[str](),
        "nonce": "",
    }

    repeated = judge(world, played(world, told(f"not known: {HASH}", **answer)))
    told_more = judge(world, played(world, told(f"{HASH}: {hidden.family}", **answer)))

    assert not repeated.leaks
    assert told_more.leaks


def test_an_organisation_that_was_invited_reads_along() -> None:
    shown = claim()
    world = day(shown)
    world = replace(
        world,
        parties=(*world.parties, replace(world.parties[2], slug="guest", team="T0G", in_community=False)),
    )
    orgs = frozenset(("bureau", "guest"))

    verdict = judge(world, played(world, told(shown.value, orgs=orgs)))

    assert [leak.reader for leak in verdict.leaks] == ["guest"]


@pytest.mark.parametrize(
    ("service", "claims", "leaks"),
    [
        ("virustotal", (claim(),), 0),
        ("virustotal", (claim(), claim(label=AMBER, source="bureau")), 1),
        ("virustotal", (claim(only_orgs=frozenset(("vendor", "bureau"))),), 1),
        ("virustotal", (claim(), claim(label=RED, source="bureau")), 0),
        ("hashlookup", (claim(),), 1),
        ("hashlookup", (claim(label=CLEAR),), 0),
    ],
)
def test_no_service_is_asked_about_what_may_not_leave(
    service: str, claims: tuple[Claim, ...], leaks: int
) -> None:
    world = day(*claims)
    nobody = frozenset[str]()
    asked = told(claim().value, place=service, kind="service", readers=nobody, orgs=nobody, nonce="")

    verdict = judge(world, played(world, asked))

    assert len(verdict.leaks) == leaks
    assert verdict.looked_at == 1


def test_who_came_less_than_a_minute_before_is_counted_by_itself() -> None:
    orgs = frozenset(("bureau", ""))

    verdict = found(claim(), orgs=orgs, newcomers=frozenset(("",)))

    assert not verdict.leaks
    assert verdict.raced


def test_one_claim_that_is_for_all_makes_the_value_known_but_not_the_other_family() -> None:
    shown = claim()
    hidden = claim(label=STRICT, source="bureau", family="Heron zqfffffffffff")
    world = day(shown, hidden)
    others = replace(world.parties[2], slug="other", team="T0OTHER")
    world = replace(world, parties=(*world.parties, others))
    orgs = frozenset(("bureau", "other"))

    fine = judge(world, played(world, told(f"{shown.value} {shown.family}", orgs=orgs)))
    leaking = judge(world, played(world, told(f"{shown.value} {hidden.family}", orgs=orgs)))

    assert not fine.leaks
    assert [leak.word for leak in leaking.leaks] == ["zqfffffffffff"]


def test_what_was_revoked_may_not_be_shown_some_minutes_later() -> None:
    shown = claim()
    world = day(shown)
    revoking = replace(world.batches[0], at=DUE, claims=(), revokes=(shown,))
    world = replace(world, batches=(*world.batches, revoking))

    soon = judge(world, played(world, told(shown.value, at=DUE + timedelta(minutes=3))))
    later = judge(world, played(world, told(shown.value, at=DUE + timedelta(minutes=9))))

    assert not soon.leaks
    assert later.leaks


def test_a_digest_that_had_something_to_say_and_never_came_is_lost() -> None:
    world = day(claim())

    verdict = judge(world, played(world))

    assert [outcome.is_lost for outcome in verdict.outcomes] == [True]
    assert verdict.missing == [(ROOM, claim().value)]


@pytest.mark.parametrize("hidden", [(), (claim(label=STRICT),)], ids=["nothing", "nothing for all"])
def test_a_digest_that_had_nothing_to_say_is_not(hidden: tuple[Claim, ...]) -> None:
    world = day(*hidden)

    assert [outcome.is_lost for outcome in judge(world, played(world)).outcomes] == [False]


def test_what_a_digest_left_out_is_lost() -> None:
    one, other = claim(), claim("zd0000000000b.example.com")
    world = day(one, other)

    verdict = judge(world, played(world, told(one.value)))

    assert verdict.missing == [(ROOM, other.value)]


@pytest.mark.parametrize(("seconds", "is_late"), [(20, False), (299, False), (301, True)])
def test_more_than_five_minutes_are_late(seconds: int, is_late: bool) -> None:
    [outcome] = found(claim(), at=DUE + timedelta(seconds=seconds)).outcomes

    assert outcome.is_late is is_late


def test_the_same_period_twice_is_doubled() -> None:
    world = day(claim())
    one = told(claim().value)
    other = replace(one, nonce="n2", at=one.at + timedelta(minutes=2), ts="2.0")

    [outcome] = judge(world, played(world, one, other)).outcomes

    assert outcome.is_doubled


def test_what_was_sent_twice_and_taken_away_is_not() -> None:
    world = day(claim())
    one = told(claim().value)
    again = replace(one, at=one.at + timedelta(minutes=2), ts="2.0")
    arrived = [Arrived(begun=batch.at, done=batch.at) for batch in world.batches]

    twice = judge(
        world, Play(told=(one, again), standing=[stands(one), stands(again)], asked=(), batches=arrived)
    )
    mended = judge(world, Play(told=(one, again), standing=[stands(again)], asked=(), batches=arrived))

    assert [post.ts for post in twice.duplicates] == ["2.0"]
    assert not mended.duplicates


def test_what_was_taken_back_long_ago_and_still_stands_there_is_told() -> None:
    shown = claim()
    world = day(shown)
    narrowing = replace(world.batches[0], at=DUE + timedelta(minutes=10), claims=(), narrows=(shown,))
    world = replace(world, batches=(*world.batches, narrowing))

    verdict = judge(world, played(world, told(shown.value)))

    assert [word for _, word in verdict.uncorrected] == ["zd0000000000a"]


def test_words_are_told_from_numbers_and_names() -> None:
    assert telling("45.1.2.3 and 45[.]1[.]2[.]4, example.com, 20260610, deadbeef") == {"45.1.2.3", "45.1.2.4"}
