"""Time extractors beside one another: Liaison, and its peers in a throw-away environment."""

import json
import os
import subprocess
import sys
import tempfile
import venv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from bot.errors import UnavailableError

PEERS = {"iocsearcher": "iocsearcher==3.1.0", "ioc-finder": "ioc-finder==9.4.1"}
OURS = "liaison"
ROUNDS = 3
INSTALL_SECONDS = 600
RUN_SECONDS = 600

_WORKER = Path(__file__).with_name("peer_worker.py")
_ROOT = Path(__file__).parents[2]


def megabytes_per_second(texts: Sequence[str], *, with_peers: bool) -> dict[str, float]:
    """The median speed of each extractor over the same texts, one process a round, taking turns."""
    size = sum(len(text.encode("utf-8", "surrogatepass")) for text in texts)
    with tempfile.TemporaryDirectory() as folder, _pythons(Path(folder), with_peers) as pythons:
        corpus = Path(folder, "texts.json")
        corpus.write_text(json.dumps(list(texts)), encoding="utf-8")
        seconds = [
            {name: _run(python, name, corpus) for name, python in pythons.items()} for _ in range(ROUNDS)
        ]
    return {name: size / median(turn[name] for turn in seconds) / 1e6 for name in pythons}


@contextmanager
def _pythons(folder: Path, with_peers: bool) -> Iterator[dict[str, Path]]:
    """Which interpreter runs which extractor; the peers' own one is made here."""
    pythons = {OURS: Path(sys.executable)}
    if with_peers:
        python = _install(folder / "peers")
        pythons |= dict.fromkeys(PEERS, python)
    yield pythons


def _install(folder: Path) -> Path:
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    command: list[str | Path] = [
        python,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        *PEERS.values(),
    ]
    try:
        subprocess.run(command, check=True, capture_output=True, timeout=INSTALL_SECONDS)  # noqa: S603 - fixed words
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        raise UnavailableError("the peers could not be installed; go online, or add --no-peers") from error
    return python


def _run(python: Path, name: str, corpus: Path) -> float:
    """Processor seconds of one pass over the corpus, start-up and first use not counted."""
    command: list[str | Path] = [python, "-P", _WORKER, name, corpus]
    environment = os.environ | {"PYTHONPATH": str(_ROOT)} if name == OURS else None
    done = subprocess.run(  # noqa: S603 - our own worker
        command, check=True, capture_output=True, timeout=RUN_SECONDS, env=environment, text=True
    )
    return float(done.stdout)
