"""What a simulated day is made of."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot import config
from bot.feeds import jsonl
from bot.feeds.parsed import Defaults, Rejected
from bot.schedules import next_after, parse
from bot.simulation import paper
from bot.simulation.geography import BUREAUS
from bot.simulation.mornings import dues
from bot.simulation.script import BEGINS, script
from bot.simulation.world import BOT, HOST, Script, Subscribed
from bot.tlp import Label
from tests.simulation.days import claim, day


def made(seed: int = 3, **more: int) -> Script:
    """A small day."""
    sizes = {"organisations": 30, "channels": 60, "questions": 80, "assertions": 200, "kills": 1}
    whole: dict[str, Any] = sizes | more
    return script(seed=seed, hours=24.0, begins=BEGINS, **whole)


@settings(max_examples=10)
@given(seed=st.integers(0, 2**32 - 1))
def test_the_same_seed_makes_the_same_day_and_another_one_another(seed: int) -> None:
    assert made(seed) == made(seed) != made(seed + 1)


def test_a_large_centre_has_bureaus_all_over_the_world_and_digests_spread_over_its_mornings() -> None:
    large = made(organisations=200, channels=1_000)
    due = Counter(moment for one in large.subscribed for moment in dues(one, large.begins, large.ends))

    assert len(large.parties) == 200
    assert len({party.zone for party in large.parties}) > 120
    assert len({moment.hour for moment in due}) > 18
    assert due.total() > 900
    assert max(due.values()) > 60
    assert len({code for code, _ in BUREAUS}) == len(BUREAUS) > 190


def test_every_label_and_every_exception_is_there() -> None:
    claims = [each for batch in (*made().stored, *made().batches) for each in batch.claims]

    assert len({each.label for each in claims}) == 7
    assert any(each.never_to for each in claims)
    assert any(each.only_orgs for each in claims)
    assert any(each.not_before for each in claims)
    assert any(each.not_after for each in claims)
    assert any(batch.revokes for batch in made().batches)
    assert any(batch.narrows for batch in made().batches)
    assert max(Counter(each.value for each in claims).values()) > 1


def test_nobody_says_the_same_twice_and_families_are_of_one_marking() -> None:
    claims = [each for batch in (*made().stored, *made().batches) for each in batch.claims]

    assert max(Counter((each.source, each.value) for each in claims).values()) == 1
    assert len({(each.family, each.label, each.source) for each in claims}) == len({c.family for c in claims})


def test_partners_have_no_slash_commands_and_people_ask_where_they_are() -> None:
    centre = {person.user for person in made().people if person.home == HOST or person.is_guest}
    inside = {room.id: room.members for room in made().rooms}

    assert all(one.user in centre for one in made().questions if one.surface == "slash")
    assert all(one.user in inside[one.room] and one.user != BOT for one in made().questions)
    assert {one.surface for one in made().questions} == {"slash", "mention", "dm"}


@pytest.mark.parametrize("zone", ["Europe/Paris", "Asia/Kathmandu", "America/Los_Angeles", "Pacific/Apia"])
@pytest.mark.parametrize("words", ["daily 08:00", "weekdays 08:00", "every 6h"])
def test_what_is_due_is_reckoned_as_the_bot_reckons_it(words: str, zone: str) -> None:
    clock = None if "6h" in words else (8, 0)
    one = Subscribed(room="C0ONE", purpose="digest", words=f"{words} tz {zone}", zone=zone, clock=clock)
    begins = datetime(2026, 6, 9, 20, tzinfo=UTC)
    ends = begins + timedelta(days=6)

    moment, expected = begins, list[datetime]()
    while (moment := next_after(parse(one.words, "UTC"), moment)) < ends:
        expected.append(moment)

    assert list(dues(one, begins, ends)) == expected


def test_its_settings_are_sound_and_say_who_is_who(tmp_path: Path) -> None:
    path = tmp_path / "liaison.toml"
    path.write_text(paper.settings(made()), encoding="utf-8")

    registry = config.load(path)

    assert [registry.host.id, *(each.id for each in registry.partners)] == [p.slug for p in made().parties]
    assert {each.id for each in registry.partners if each.community} == {
        party.slug for party in made().parties if party.in_community
    }


def test_what_sources_send_is_taken_whole() -> None:
    read = [
        each for batch in made().batches for each in jsonl.parse(paper.lines(batch), Defaults(batch.source))
    ]

    assert not [each for each in read if isinstance(each, Rejected)]
    sent = sum(len(batch.claims) + len(batch.revokes) + len(batch.narrows) for batch in made().batches)
    assert len(read) == sent


def test_a_change_says_the_same_under_another_marking() -> None:
    one = claim()
    batch = replace(day(one).batches[0], claims=(), narrows=(one,))

    [read] = jsonl.parse(paper.lines(batch), Defaults("vendor"))

    assert not isinstance(read, Rejected)
    assert (read.indicator.value, read.label, read.family) == (one.value, Label.AMBER_STRICT, one.family)
    assert batch.at > BEGINS
