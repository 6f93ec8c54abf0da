"""One cluster for a whole run of the suite, whatever workers it has: the first one to ask starts a keeper.

Users hold a shared lock, which the kernel takes back also from the dead; when there is none left, the keeper
gets the lock for itself, stops the cluster and ends. Whoever asks after that starts another keeper.
"""

import fcntl
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

import psycopg

from tests.postgres.cluster import FAST, SECONDS_TO_START, Ground, Node

ROLE = "liaison"  # may log in and own its databases, nothing else
_ROOT = Path(__file__).parents[2]


@contextmanager
def joined(folder: Path) -> Iterator[str]:
    """The address of the cluster that the users of this folder share, as superuser; starts it if need be."""
    with (folder / "users").open("ab") as users:
        with _locked(folder / "turn"):
            fcntl.flock(users, fcntl.LOCK_SH)  # waits for a keeper who is about to end
            if not _is_kept(folder):
                _start_keeper(folder)
        yield str(json.loads((folder / "cluster.json").read_text(encoding="utf-8"))["url"])


@contextmanager
def _locked(path: Path) -> Iterator[IO[bytes]]:
    with path.open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield file


def _is_kept(folder: Path) -> bool:
    with (folder / "kept").open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _start_keeper(folder: Path) -> None:
    words = [sys.executable, "-m", "tests.postgres.shared", str(folder)]
    done = subprocess.run(
        words, cwd=_ROOT, capture_output=True, text=True, timeout=SECONDS_TO_START, check=False
    )
    if done.stdout != "ready":
        raise RuntimeError(f"the cluster for tests did not start: {done.stderr[-2000:]}")


def _keep(folder: Path) -> None:
    with (folder / "users").open("ab") as users, _locked(folder / "kept"), Ground() as ground:
        node = Node(ground, "shared", FAST)
        node.initialise()
        node.start()
        with psycopg.connect(node.url(), autocommit=True) as connection:
            connection.execute(f"CREATE ROLE {ROLE} LOGIN PASSWORD '{ground.password}'")
        (folder / "cluster.json").write_text(json.dumps({"url": node.url()}), encoding="utf-8")
        _say_ready()
        fcntl.flock(users, fcntl.LOCK_EX)
        node.stop()


def _say_ready() -> None:
    """Tell whoever started us, who waits for the end of what we say."""
    os.write(1, b"ready")
    silent = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(silent, number)
    os.close(silent)


if __name__ == "__main__":
    if os.fork() == 0:  # the parent's end lets go of whoever started us; the keeper outlives its first user
        os.setsid()
        with suppress(KeyboardInterrupt):
            _keep(Path(sys.argv[1]))
