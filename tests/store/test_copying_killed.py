"""Killed at any moment, a copy is gone on with by the same words and ends as if nobody had killed it."""

import random
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from bot.store import content, engine_at, operations
from tests.store.filling import fill

KILLS = 8
ROWS = 400
PAGE = 40  # rows, since one of them is long
LATEST = 0.02  # seconds after what was told last

_LENGTHEN = "UPDATE delivery SET body = ? WHERE id = (SELECT max(id) FROM delivery)"


@pytest.mark.parametrize("target", ["sqlite", "postgres"])
def test_a_killed_copy_is_gone_on_with(request: pytest.FixtureRequest, tmp_path: Path, target: str) -> None:
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    origin = f"sqlite:///{tmp_path / 'from.db'}"
    to = request.getfixturevalue("postgres") if target == "postgres" else f"sqlite:///{tmp_path / 'to.db'}"
    with closing(engine_at(origin).connect("writer")) as connection:
        fill(connection, ROWS, seed)
        connection.execute(_LENGTHEN, ("x" * (content.PAGE_LENGTH // (PAGE + 1)),))

    for _ in range(KILLS):
        _kill([origin, to], steps=chance.randrange(12), seconds=chance.uniform(0, LATEST))
    copied = operations.copy(origin, to, lambda *_: None)

    assert copied.resumed
    assert copied.different == []
    assert {held.rows for held in copied.target.values()} == {ROWS}


def _kill(words: Sequence[str], steps: int, seconds: float) -> None:
    """Let a copy tell some steps, and kill it a moment later."""
    command = [sys.executable, "-m", "tests.store.copier", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]) as process:
        assert process.stdout is not None
        for _ in range(steps + 1):
            process.stdout.readline()
        time.sleep(seconds)  # to hit it anywhere within a step
        process.kill()
