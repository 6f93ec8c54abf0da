"""A folder on a leash: when its holder ends, however it ends, its processes are killed and the folder goes.

A process belongs to the folder it works in: PostgreSQL, Patroni and etcd all stay where they were started,
also those that change their parent, their session or their command line. This file runs by itself, too,
without the packages of the project, so that it starts in a moment.
"""

import os
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_PAUSE = 0.005  # seconds between two looks
_PATIENCE = 10.0  # seconds for the kernel to remove what was killed


def residents(folder: Path) -> list[int]:
    """The processes that work in a folder or below it; those of other users only for root."""
    return [pid for pid in _running() if _works_in(pid, folder)]


def send(folder: Path, number: signal.Signals) -> None:
    """Send a signal to every process of a folder, also to those that are born meanwhile."""
    told: set[int] = set()
    while fresh := set(residents(folder)) - told:
        for pid in fresh:
            with suppress(ProcessLookupError):
                os.kill(pid, number)
        told |= fresh


def kill(folder: Path) -> None:
    """Kill every process of a folder, as a power cut would; returns when none is left."""
    until = time.monotonic() + _PATIENCE
    while (left := residents(folder)) and time.monotonic() < until:
        for pid in left:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(_PAUSE)


def _running() -> Iterator[int]:
    return (int(entry.name) for entry in os.scandir("/proc") if entry.name.isdecimal())


def _works_in(pid: int, folder: Path) -> bool:
    with suppress(OSError):  # gone meanwhile, or somebody else's
        place = Path(f"/proc/{pid}/cwd").readlink()
        return place.is_relative_to(folder) and not _is_dead(pid)
    return False


def _is_dead(pid: int) -> bool:
    """Whether only the parent's question for the end is missing; a dead process has no folder any more."""
    state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2]
    return state.split()[0] in "ZX"


def _hold(folder: Path) -> None:
    """Wait for the end of the holder, who keeps the other end of standard input; then clear up."""
    while sys.stdin.buffer.read(1):
        pass
    kill(folder)
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    _hold(Path(sys.argv[1]))
