"""How the command ends as a process: a full disk, a reader that leaves, Ctrl-C."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SETTINGS = ROOT / "bot" / "sandbox" / "data" / "liaison.toml"
FULL = Path("/dev/full")


def started(tmp_path: Path, *arguments: str, stdout: int = subprocess.PIPE) -> subprocess.Popen[str]:
    store = f"sqlite:///{tmp_path / 'l.db'}"
    return subprocess.Popen(
        [sys.executable, "-m", "bot", "--config", SETTINGS, "--store", store, *arguments],
        cwd=ROOT,
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.skipif(not FULL.exists(), reason="needs /dev/full")
@pytest.mark.parametrize("arguments", [("manifest",), ("export", "--as", "igci", "--format", "stix")])
def test_a_full_disk_is_one_clear_sentence(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    with FULL.open("w") as full, started(tmp_path, *arguments, stdout=full.fileno()) as process:
        _, errors = process.communicate(timeout=30)
    assert errors == "liaison: stopped: No space left on device\n"
    assert process.returncode == 1


def test_a_reader_that_leaves_is_no_mistake_to_talk_about(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with started(tmp_path, "manifest", stdout=writing) as process:
        os.close(writing)
        _, errors = process.communicate(timeout=30)
    assert errors == ""
    assert process.returncode == 1


def test_an_interrupted_import_says_that_nothing_is_lost(tmp_path: Path) -> None:
    lines = tmp_path / "domains.txt"
    lines.write_text("".join(f"d{number}.example.org\n" for number in range(400_000)))
    with started(tmp_path, "import", str(lines), "--source", "trendmicro") as process:
        while not (tmp_path / "l.db").exists():  # from here on it imports
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    assert errors.strip() == ("Stopped. What was imported so far is kept; run it again to import the rest.")
    assert process.returncode == 130
