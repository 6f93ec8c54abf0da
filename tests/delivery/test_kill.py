"""Killed at every named step and at any moment, in bad weather too, a bot says everything once."""

import random
from collections.abc import Iterator

import pytest

from tests.delivery.matrix import AGAIN, LATE_FILE, Matrix, bots

CASES = 250
KILLS = 40  # at random; `python -m tests.delivery.matrix` does 500
OF_FILES = 6  # the last steps of a delivery
OF_REVOKING = 4  # steps until it goes the same way as what was retracted


@pytest.fixture(scope="module")
def matrix(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Matrix]:
    with bots(CASES) as made:
        yield Matrix(made, tmp_path_factory.mktemp("matrix"))


@pytest.mark.parametrize("is_done", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(("part", "most"), [("deliver", None), ("retract", None), ("revoke", OF_REVOKING)])
def test_killed_at_any_named_step_everything_stands_there_once(
    matrix: Matrix, part: str, most: int | None, is_done: bool
) -> None:
    steps = matrix.steps[part][:most]
    assert len(steps) >= (most or 15)

    for step in steps:
        row = matrix.kill_at(part, step, is_done=is_done)

        assert (row.kills, row.lost, row.doubled, row.complaints) == (1, 0, 0, []), step


@pytest.mark.parametrize("is_done", [False, True], ids=["before", "after"])
def test_killed_at_any_step_of_an_answer_what_is_revoked_then_stands_nowhere(
    matrix: Matrix, is_done: bool
) -> None:
    steps = matrix.steps["answer"]
    assert len(steps) >= 10

    for step in steps:
        row = matrix.kill_answering(step, is_done=is_done)

        assert (row.kills, row.doubled, row.complaints) == (1, 0, []), step


@pytest.mark.parametrize("is_done", [False, True], ids=["before", "after"])
def test_killed_where_its_file_comes_late_everything_stands_there_once(matrix: Matrix, is_done: bool) -> None:
    for step in matrix.steps["deliver"][-OF_FILES:]:
        row = matrix.kill_at("deliver", step, is_done=is_done, fault=LATE_FILE)

        assert (row.lost, row.doubled, row.complaints) == (0, 0, []), step


def test_killed_at_any_moment_under_faults_everything_stands_there_once(matrix: Matrix) -> None:
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    kills = 0

    while kills < KILLS:
        kills += matrix.kill_somewhere(chance, most=min(KILLS - kills, AGAIN))

    rows = [row for name, row in matrix.rows.items() if name.endswith("with faults")]
    assert sum(row.kills for row in rows) == KILLS
    assert [(row.lost, row.doubled, row.complaints) for row in rows] == [(0, 0, [])] * len(rows)
