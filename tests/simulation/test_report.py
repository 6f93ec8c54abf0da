"""The figures of a day."""

import json
from collections import Counter
from datetime import timedelta

import pytest

from bot.simulation.judge import judge
from bot.simulation.played import Asked, Heard, Told
from bot.simulation.report import Report, report
from bot.simulation.world import Question
from tests.simulation.days import BEGINS, DUE, ROOM, claim, day, played, stands, told

ASKED = Question(
    number=0, at=DUE, user="U0HOST", room=ROOM, surface="slash", verb="lookup", values=("example.org",)
)


def reported(*posts: Told, asked: tuple[Asked, ...] = ()) -> Report:
    """The report of a day of one question, with these posts."""
    made = day(claim(), questions=(ASKED,))
    hour = BEGINS.replace(minute=0)
    calls = Counter({(hour, "tier 3", False): 7, (hour, "posts", True): 2})
    heard = Heard(list(posts), [stands(post) for post in posts], list(asked), calls)
    verdict = judge(made, played(made, *posts))
    return report(made, heard, verdict, memory={hour: {0: 123_000_000}}, seconds=60.0, speed=(60.0, 5.0))


def answered(seconds: float | None, tries: int = 1) -> Asked:
    """What became of the question."""
    return Asked(number=0, at=DUE, seconds=seconds, refusals=tries - 1, tries=tries)


def test_all_is_well_when_everything_came_once() -> None:
    whole = reported(told(claim().value), asked=(answered(0.25, tries=2),))

    assert not whole.is_failed
    figures = whole.plain()["total"]
    expected = {"asked": 1, "answered": 1, "refused": 1, "again": 1, "due": 1, "posted": 1, "late": 0}
    assert isinstance(figures, dict)
    assert expected.items() <= figures.items()
    assert (figures["p50_ms"], figures["limited"], figures["memory_mb"]) == (250, 2, {"0": 123})
    assert "leaked 0, lost 0, doubled 0, late 0" in str(whole)


@pytest.mark.parametrize(
    ("posts", "word"),
    [
        ((), "LOST"),
        ((told(claim().value), told(claim().value, nonce="n2", ts="9.9")), "DOUBLED"),
        ((told(claim().value, orgs=frozenset(("",))),), "LEAKED"),
    ],
    ids=["lost", "doubled", "leaked"],
)
def test_what_went_wrong_is_said_and_fails(posts: tuple[Told, ...], word: str) -> None:
    whole = reported(*posts, asked=(answered(0.1),))

    assert whole.is_failed
    assert word in str(whole)
    assert word in json.dumps(whole.plain())


def test_a_question_without_an_answer_is_lost() -> None:
    whole = reported(told(claim().value), asked=(answered(None, tries=4),))

    assert whole.is_failed
    assert whole.whole.lost == 1


def test_each_hour_has_its_own_figures() -> None:
    late = told(claim().value, at=DUE + timedelta(minutes=7))

    hours = reported(late, asked=(answered(0.1),)).hours

    assert [(f"{hour:%H}", one.late, one.asked) for hour, one in hours.items()] == [
        ("05", 0, 0),
        ("06", 1, 1),
        ("07", 0, 0),
    ]
