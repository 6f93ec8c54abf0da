"""The guard of tests/conftest.py fails a test that lets a key or a marked value out."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LEAKS = {
    "prints": "print('canary-key')",
    "logs": "import logging; logging.getLogger('bot.x').debug('asked with %s', 'canary-key')",
    "logs an error": "import logging; logging.getLogger('x').error('x', exc_info=ValueError('CANARY'))",
}


@pytest.mark.parametrize("leak", LEAKS.values(), ids=LEAKS)
def test_a_test_that_leaks_fails(leak: str, tmp_path: Path) -> None:
    assert "1 failed" in outcome(leak, tmp_path)


def test_a_test_that_keeps_quiet_passes(tmp_path: Path) -> None:
    assert "1 passed" in outcome("print('nothing')", tmp_path)


def outcome(body: str, folder: Path) -> str:
    test = folder / "test_one.py"
    test.write_text(f"def test_it():\n    {body}\n")
    options = ["-p", "tests.conftest", "-p", "no:cacheprovider", "-o", "addopts=", "-o", "log_level=DEBUG"]
    command = [sys.executable, "-m", "pytest", "-q", *options, str(test)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    return done.stdout
