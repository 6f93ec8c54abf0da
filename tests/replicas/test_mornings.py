"""Replicas that are killed while digests are due deliver each of them once, within Slack's limits."""

import random

import pytest

from tests.replicas.mornings import morning


@pytest.mark.parametrize(("replicas", "kills"), [(2, 6), (4, 0)])
def test_every_digest_is_delivered_once(replicas: int, kills: int) -> None:
    """The large one is `python -m tests.replicas.mornings`."""
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")

    done = morning(replicas=replicas, channels=20, kills=kills, seed=seed, speed=30, faults=kills > 0)

    assert (done.due, done.kills) == (20, kills)
    assert (done.lost, done.doubled, dict(done.not_done)) == (0, 0, {})
    assert done.limited["chat.postMessage"] == 0


def test_every_digest_is_delivered_once_on_postgresql(postgres: str) -> None:
    done = morning(replicas=4, channels=20, kills=4, seed=2, speed=30, store=postgres)

    assert (done.due, done.lost, done.doubled, dict(done.not_done)) == (20, 0, 0, {})
    assert done.limited["chat.postMessage"] == 0


def test_four_replicas_keep_slacks_limits_as_one_does() -> None:
    done = morning(replicas=4, channels=80, kills=0, seed=1, speed=30, faults=False)

    assert (done.lost, done.doubled, dict(done.not_done)) == (0, 0, {})
    assert done.limited == {}
