"""What `pip install .` leaves on a machine: the command, and every file that it needs."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bot import __version__

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Liaison built from a copy of the sources and installed into a folder of its own."""
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("installed")
    for name in ("bot", "commands"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    pip = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "--no-index",
    ]
    subprocess.run([*pip, "--target", target, "."], cwd=source, check=True, timeout=100)
    return target


def run(installed: Path, *arguments: str) -> str:
    """What the installed command prints, far from the sources."""
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    done = subprocess.run(
        [sys.executable, installed / "bin" / "liaison", *arguments],
        cwd=installed.parent,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return done.stdout


def test_the_command_says_its_version(installed: Path) -> None:
    assert __version__ in run(installed, "--version")


def test_the_demo_brings_its_page_and_its_data(installed: Path) -> None:
    assert "promises kept" in run(installed, "demo", "--check")
