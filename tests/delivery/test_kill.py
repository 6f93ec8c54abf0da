"""Killed at every named step and at any moment, in bad weather too, a bot says everything once."""

import random
from collections.abc import Iterator

import pytest

from tests.delivery.matrix import AGAIN, Matrix, bots

CASES = 250
KILLS = 40  # at random; `python -m tests.delivery.matrix` does 500
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
