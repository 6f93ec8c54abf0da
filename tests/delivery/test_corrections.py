"""What was posted follows what its readers may see: corrected or withdrawn, and whoever must know is told."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from bot.sharing import UNKNOWN
from bot.tlp import Label
from tests.delivery.board import HOST, OTHER, OWN, audience, claim, indicator
from tests.delivery.mending import Scene, mending


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    async with mending(tmp_path) as scene:
        yield scene


async def test_what_stands_rightly_is_left_alone(scene: Scene) -> None:
    await scene.shows(HOST, claim(1), claim(2, label=Label.CLEAR))

    await scene.settle()

    assert await scene.states() == ["shown"]
    assert {request for request, _ in scene.board.requests} == {"readers"}


async def test_a_revoked_entry_is_taken_out_and_the_others_stay(scene: Scene) -> None:
    there = await scene.shows(HOST, claim(1), claim(2))

    await scene.mark(1, revoked=True)
    await scene.settle(minutes=1)

    assert there in scene.board.standing
    assert there.names == {2}
    assert await scene.states() == ["corrected"]


@pytest.mark.parametrize(
    "marking",
    [
        {"label": Label.AMBER_STRICT},
        {"never_to": frozenset({"trendmicro"})},
        {"only_orgs": frozenset({"kaspersky"})},
        {"quarantined": True},
    ],
    ids=str,
)
async def test_whatever_narrows_takes_out_what_somebody_may_read_no_longer(
    scene: Scene, marking: dict[str, object]
) -> None:
    there = await scene.shows(HOST, claim(1), claim(2))

    await scene.mark(1, **marking)
    await scene.settle(minutes=1)

    assert there.names == {2}


async def test_a_raised_label_is_shown_in_the_place_of_the_old_one(scene: Scene) -> None:
    there = await scene.shows(HOST, claim(1, label=Label.CLEAR))

    await scene.mark(1, label=Label.GREEN)
    await scene.settle(minutes=1)

    assert there.names == {1}
    assert there.text.startswith("TLP:GREEN")
    assert there.edits == 1


async def test_when_nothing_may_stay_the_post_goes_and_a_word_stands_in_the_channel(scene: Scene) -> None:
    there = await scene.shows(HOST, claim(1))

    await scene.mark(1, revoked=True)
    await scene.settle(minutes=1)

    [note] = scene.board.at(HOST)
    assert note.ts != there.ts
    assert not note.thread
    assert not note.names


async def test_the_note_stands_in_the_thread_and_names_nothing_that_is_hidden_now(scene: Scene) -> None:
    there = await scene.shows(HOST, claim(1), claim(2))

    await scene.mark(1, revoked=True)
    await scene.settle(minutes=1)

    [note] = scene.board.notes(HOST)
    assert note.thread == there.ts
    assert not note.names
    assert "No longer shared here: 1 entry, withdrawn, or not for everybody who reads here now." in note.text
    assert "kaspersky" not in note.text.casefold()


async def test_the_note_names_what_its_readers_may_still_see(tmp_path: Path) -> None:
    async with mending(tmp_path, readers=("kaspersky",)) as scene:
        there = await scene.shows(HOST, claim(1), claim(2))

        await scene.mark(1, revoked=True)
        await scene.settle(minutes=1)

        [note] = scene.board.notes(HOST)
        assert note.names == {1}
        assert there.names == {1, 2}
        assert there.edits == 1


async def test_parts_and_files_of_a_thread_are_judged_each_and_one_note_is_enough(scene: Scene) -> None:
    there = await scene.shows(HOST, claim(1), claim(2))
    part = await scene.shows(HOST, claim(1), thread=there.ts)
    other = await scene.shows(HOST, claim(3), thread=there.ts)
    file = scene.board.put(HOST, 1, 2, thread=there.ts)
    [post] = [each for each in await scene.store.posts() if each.ts == there.ts]
    await scene.store.record_post(
        msgspec.structs.replace(post, ts=file.ts, thread=there.ts, files=(file.ts,))
    )

    await scene.mark(1, revoked=True)
    await scene.settle(minutes=1)

    assert there.names == {2}
    assert other.edits == 0
    assert part not in scene.board.standing
    assert file not in scene.board.standing
    assert len(scene.board.notes(HOST)) == 1


async def test_somebody_who_joins_finds_nothing_that_is_not_for_them(scene: Scene) -> None:
    there = await scene.shows(HOST, claim(1), claim(2, label=Label.CLEAR))

    scene.board.joins(HOST, "academy")
    scene.corrections.readers_changed(HOST)
    await scene.corrections.round()

    assert there.names == {2}


async def test_somebody_who_joins_unnoticed_is_noticed_in_a_while(scene: Scene) -> None:
    there = await scene.shows(HOST, claim(1), claim(2, label=Label.CLEAR))
    await scene.settle(minutes=1)

    scene.board.joins(HOST, "academy")
    await scene.settle(minutes=11)

    assert there.names == {2}


async def test_a_channel_that_gets_another_id_keeps_its_posts(scene: Scene) -> None:
    there = await scene.shows(HOST, claim(1), claim(2, label=Label.CLEAR))
    scene.board.readers_now["C0NEW"] = scene.board.readers_now.pop(HOST)
    there.channel = "C0NEW"

    scene.board.joins("C0NEW", "academy")
    await scene.corrections.channel_renamed(HOST, "C0NEW")
    await scene.corrections.channel_renamed(HOST, "C0NEW")  # Slack says everything twice now and then
    await scene.settle(minutes=1)

    assert there.names == {2}
    assert await scene.store.posts(channel=HOST) == []
    assert await scene.states() == ["corrected"]


async def test_a_moment_without_knowledge_of_the_readers_costs_nothing(scene: Scene) -> None:
    there = await scene.shows(HOST, claim(1))

    scene.board.readers_now[HOST] = replace(audience(UNKNOWN), fresh=False)
    scene.corrections.readers_changed(HOST)
    await scene.settle(seconds=10, minutes=1 // 2)
    await scene.corrections.round()
    scene.board.readers_now[HOST] = audience("kaspersky", "trendmicro")
    await scene.settle(minutes=12)

    assert there.names == {1}
    assert there.edits == 0


async def test_readers_that_stay_unknown_see_nothing_that_is_not_for_everyone(scene: Scene) -> None:
    there = await scene.shows(HOST, claim(1), claim(2, label=Label.CLEAR))

    scene.board.joins(HOST, UNKNOWN)
    scene.corrections.readers_changed(HOST)
    await scene.settle(minutes=2)

    assert there.names == {2}


async def test_an_organisation_that_slack_names_needs_no_patience(scene: Scene) -> None:
    there = await scene.shows(HOST, claim(1), claim(2, label=Label.CLEAR))

    scene.board.joins(HOST, UNKNOWN)
    scene.corrections.readers_changed(HOST)
    await scene.corrections.round()

    assert there.names == {2}


async def test_what_expires_stays_for_it_was_true_when_it_was_said(scene: Scene) -> None:
    there = await scene.shows(HOST, claim(1, not_after=scene.clock() + timedelta(minutes=5)))

    await scene.settle(minutes=30)

    assert there.names == {1}
    assert there.edits == 0


async def test_an_end_that_lies_before_the_post_takes_it_back(scene: Scene) -> None:
    there = await scene.shows(HOST, claim(1), claim(2))

    await scene.mark(1, not_after=scene.clock() - timedelta(days=1))
    await scene.settle(minutes=1)

    assert there.names == {2}


@pytest.mark.parametrize("source", ["kaspersky", None])
async def test_what_is_wished_is_taken_out_though_its_readers_might_see_it(
    scene: Scene, source: str | None
) -> None:
    there = await scene.shows(HOST, claim(1), claim(2))
    await scene.shows(OTHER, claim(3))

    posts = await scene.corrections.retract([indicator(1), indicator(9)], source=source, by="U0OPS")
    await scene.settle(minutes=1)

    assert posts == 1
    assert there.names == {2}
    assert not [note for note in scene.board.notes(HOST) if note.names]


async def test_nobody_takes_back_what_others_said(scene: Scene) -> None:
    there = await scene.shows(HOST, claim(1))

    posts = await scene.corrections.retract([indicator(1)], source="trendmicro", by="U0TREND")
    await scene.settle(minutes=1)

    assert posts == 0
    assert there.names == {1}


async def test_a_wish_outlives_the_process_that_took_it(scene: Scene) -> None:
    there = await scene.shows(HOST, claim(1), claim(2))

    await scene.corrections.retract([indicator(1)], source=None, by="U0OPS")
    scene.restart()
    await scene.settle(minutes=1)

    assert there.names == {2}


async def test_a_post_that_comes_into_the_ledger_after_a_change_is_corrected_too(scene: Scene) -> None:
    await scene.shows(OWN, claim(1))
    await scene.settle(minutes=12)
    await scene.mark(1, never_to=frozenset({"trendmicro"}))
    await scene.corrections.round()

    there = await scene.shows(HOST, claim(1), claim(2))
    scene.clock.pass_by(30)
    await scene.corrections.round()

    assert there.names == {2}


async def test_source_and_host_are_told_what_had_been_readable_by_whom(scene: Scene) -> None:
    await scene.shows(OWN, claim(7))
    await scene.shows(HOST, claim(1), claim(2))

    await scene.mark(1, revoked=True)
    await scene.settle(minutes=1)

    [notice] = [each for each in scene.board.at(OWN) if "what you changed was corrected" in each.text]
    assert notice.names == {1}
    assert "Partner t" in notice.text
    assert "trendmicro" not in notice.text.casefold()
    [word] = scene.told
    assert "igci, kaspersky, trendmicro" in word
    assert "host-1" not in word
    assert "cannot take back" in word
    assert "leave their figures as they were" in word


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("revoked", "it showed what your organisation has withdrawn or marked anew"),
        ("wished", "as was asked with “retract”"),
        ("joined", "for others read there now"),
    ],
)
async def test_a_source_is_told_why_its_entries_went(scene: Scene, what: str, said: str) -> None:
    await scene.shows(OWN, claim(7))
    await scene.shows(HOST, claim(1), claim(2, label=Label.CLEAR))

    if what == "revoked":
        await scene.mark(1, revoked=True)
    elif what == "wished":
        await scene.corrections.retract([indicator(1)], source=None, by="U0OPS")
    else:
        scene.board.joins(HOST, "academy")
        scene.corrections.readers_changed(HOST)
    await scene.settle(minutes=1)

    [notice] = [each for each in scene.board.at(OWN) if "could be read by" in each.text]
    assert said in notice.text


async def test_what_only_the_host_could_read_needs_no_word_to_its_operators(tmp_path: Path) -> None:
    async with mending(tmp_path, readers=()) as scene:
        await scene.shows(HOST, claim(1), claim(2))

        await scene.mark(1, revoked=True)
        await scene.settle(minutes=1)

        assert scene.told == []
        assert len(scene.board.notes(HOST)) == 1


async def test_a_source_without_a_channel_of_its_own_is_left_to_the_operators(scene: Scene) -> None:
    await scene.shows(HOST, claim(1))

    await scene.mark(1, revoked=True)
    await scene.settle(minutes=1)

    [word] = scene.told
    assert word.endswith("kaspersky.")


async def test_a_note_is_taken_back_like_any_post(tmp_path: Path) -> None:
    async with mending(tmp_path, readers=("kaspersky",)) as scene:
        await scene.shows(HOST, claim(1), claim(2))
        await scene.mark(1, revoked=True)
        await scene.settle(minutes=1)
        [note] = scene.board.notes(HOST)

        scene.board.joins(HOST, "trendmicro")
        await scene.settle(minutes=12)

        assert note not in scene.board.standing
        assert all(not each.names - {2} for each in scene.board.at(HOST))
