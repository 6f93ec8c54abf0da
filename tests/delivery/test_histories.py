"""Whatever was posted, whatever happened since: in the end nobody reads what is not for them.

Posts of all kinds, readers who come and go, sources that revoke and restrict, wishes, and processes that end
between any two of their calls.
"""

import asyncio
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.sharing import UNKNOWN
from bot.tlp import Label
from tests.delivery.board import HOST, OWN, claim
from tests.delivery.histories import CHANNELS, NUMBERS, History, Step
from tests.delivery.mending import mending

ORGS = ("kaspersky", "trendmicro", "academy", UNKNOWN)

_channels, _numbers = st.sampled_from(CHANNELS), st.sampled_from(NUMBERS)
_posts = st.one_of(
    st.tuples(st.sampled_from(("digest", "summary", "mention")), _channels),
    st.tuples(st.sampled_from(("direct", "grow"))),
)
_happens = st.one_of(
    st.tuples(st.just("add"), st.lists(_numbers, min_size=1, max_size=4), st.sampled_from(Label)),
    st.tuples(st.just("label"), _numbers, st.sampled_from(Label)),
    st.tuples(st.sampled_from(("revoke", "retract")), _numbers),
    st.tuples(st.just("exclude"), _numbers, st.sampled_from(ORGS[:3])),
    st.tuples(st.sampled_from(("join", "leave")), _channels, st.sampled_from(ORGS)),
    st.tuples(st.just("move"), st.sampled_from(ORGS)),
)
_goes_on = st.one_of(
    st.tuples(st.just("correct")),
    st.tuples(st.just("wait"), st.sampled_from((20, 90, 700))),
    st.tuples(st.just("kill"), st.integers(0, 40)),
)
_steps = st.lists(st.one_of(_posts, _happens, _goes_on), min_size=4, max_size=20)
_BEFORE: tuple[Step, ...] = (("add", [1, 2, 3], Label.GREEN), ("mention", HOST), ("direct",))


async def played(folder: Path, steps: Sequence[Step]) -> tuple[History, list[object]]:
    """What happened, and what is wrong in the end."""
    async with mending(folder) as scene:
        await scene.shows(OWN, claim(9))
        history = History(scene)
        for channel in CHANNELS:
            await history.take(("digest", channel))  # from now on
        for step in (*_BEFORE, *steps):
            scene.clock.pass_by(1)
            await history.take(step)
        await history.end()
        wrong = [*await history.leaks(), *history.untold()]
        posts = await scene.store.posts()
        wrong += [each for each in posts if each.amending is not None or each.is_intended]
        kept = {(each.channel, each.ts) for each in posts}
        wrong += [each for each in scene.board.standing if each.names and (each.channel, each.ts) not in kept]
        return history, wrong


@settings(max_examples=40, deadline=None)
@given(_steps)
def test_in_the_end_nobody_reads_what_is_not_for_them_and_all_who_must_know_were_told(
    steps: list[Step],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        _, wrong = asyncio.run(played(Path(folder), steps))

    assert wrong == []


@pytest.mark.parametrize(
    "steps",
    [
        pytest.param([("mention", HOST), ("retract", 1)], id="an answer in a channel"),
        pytest.param([("direct",), ("revoke", 1)], id="a direct message"),
        pytest.param([("direct",), ("move", "academy")], id="a direct message to somebody who moved"),
        pytest.param(
            [("direct",), ("move", "kaspersky"), ("grow",), ("move", "academy")],
            id="a reader who moved twice",
        ),
        pytest.param([("digest", HOST), ("label", 1, Label.RED)], id="a digest"),
        pytest.param([("kill", 4), ("mention", HOST), ("revoke", 1)], id="an answer that was not completed"),
    ],
)
def test_these_histories_correct_something(tmp_path: Path, steps: list[Step]) -> None:
    history, wrong = asyncio.run(played(tmp_path, steps))

    assert wrong == []
    assert history.corrected


@pytest.mark.parametrize("org", ["academy", UNKNOWN])
def test_a_summary_goes_when_others_come_to_read_it(tmp_path: Path, org: str) -> None:
    before, _ = asyncio.run(played(tmp_path, [("summary", HOST)]))
    assert [each for each in before.scene.board.at(HOST) if "summary:" in each.text]
    folder = tmp_path / "other"
    folder.mkdir()

    after, wrong = asyncio.run(played(folder, [("summary", HOST), ("join", HOST, org)]))

    assert wrong == []
    texts = [each.text for each in after.scene.board.at(HOST)]
    assert not [text for text in texts if "summary:" in text or "new reports a day" in text]
    assert [text for text in texts if "Its figures go: they were counted for other readers." in text]
    assert [words for words in after.scene.told if "its figures" in words]


def test_a_source_goes_by_another_name_when_somebody_joins_who_may_not_know_it(tmp_path: Path) -> None:
    posted: list[Step] = [("leave", HOST, "trendmicro"), ("digest", HOST), ("mention", HOST)]
    before, _ = asyncio.run(played(tmp_path, posted))
    assert "Kaspersky" in " ".join(each.text for each in before.scene.board.at(HOST))
    folder = tmp_path / "other"
    folder.mkdir()

    after, wrong = asyncio.run(played(folder, [*posted, ("join", HOST, "trendmicro")]))

    assert wrong == []
    texts = " ".join(each.text for each in after.scene.board.at(HOST))
    assert "Kaspersky" not in texts
    assert "Partner k" in texts


def test_a_summary_keeps_its_figures_when_what_they_count_is_revoked_and_that_is_said(tmp_path: Path) -> None:
    steps: list[Step] = [("summary", HOST), ("digest", HOST), ("revoke", 1)]

    history, wrong = asyncio.run(played(tmp_path, steps))

    assert wrong == []
    assert [each for each in history.scene.board.at(HOST) if "summary:" in each.text and not each.edits]
    notes = history.scene.board.notes(HOST)
    assert notes
    assert all("leave their figures as they were" in each.text for each in notes)
