"""The type checker as a witness: what was not cleared cannot be rendered, or mypy fails."""

from pathlib import Path

import pytest
from mypy import api

ROOT = Path(__file__).parents[1]

GIVEN = """
from bot.answers import Entry, entries
from bot.assertions import Assertion
from bot.blocks import render
from bot.chat import Lookup, Recent
from bot.indicators import Indicator
from bot.sharing import Audience, Cleared, World, clear

def check(stored: list[Assertion], asked: list[Indicator], audience: Audience, world: World) -> None:
    cleared = clear(stored, audience, world)
"""
RIGHT = (
    "render(Recent(period='24h', cleared=cleared, more=False))",
    "render(Lookup(entries=tuple(entries(asked, cleared)), cleared=cleared))",
)
WRONG = (
    ("render(stored)", "arg-type"),
    ("render(stored[0])", "arg-type"),
    ("render(cleared.shown)", "arg-type"),
    ("entries(asked, stored)", "arg-type"),
    ("Recent(period='24h', cleared=stored, more=False)", "arg-type"),
    ("Lookup(entries=(), cleared=stored)", "arg-type"),
    ("Lookup(entries=tuple(stored), cleared=cleared)", "arg-type"),
    ("Entry(asked[0], cleared.label, 'malicious', tuple(stored), ())", "arg-type"),
    ("cleared.shown = ()", "misc"),
    ("class Opened(Cleared): pass", "misc"),
)


@pytest.fixture(scope="module")
def findings(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What mypy says, a list entry for each line of a function that holds all the lines above."""
    lines = [*GIVEN.splitlines(), *(f"    {line}" for line in (*RIGHT, *(wrong for wrong, _ in WRONG)))]
    snippet = tmp_path_factory.mktemp("types") / "snippet.py"
    snippet.write_text("\n".join(lines) + "\n")
    cache = tmp_path_factory.getbasetemp() / "mypy"
    config = ["--config-file", str(ROOT / "pyproject.toml"), "--cache-dir", str(cache)]
    told, failure, _ = api.run([*config, "--follow-imports=silent", str(snippet)])
    assert not failure
    said = {int(line.split(":")[1]): line for line in told.splitlines() if "error:" in line}
    return [said.get(number, "") for number in range(1, len(lines) + 1)]


@pytest.mark.timeout(300)
def test_what_was_cleared_can_be_rendered(findings: list[str]) -> None:
    assert findings[: -len(WRONG)] == [""] * (len(findings) - len(WRONG))


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("place", "line", "error"), [(n, *wrong) for n, wrong in enumerate(WRONG)])
def test_what_was_not_cleared_cannot(findings: list[str], place: int, line: str, error: str) -> None:
    assert f"[{error}]" in findings[place - len(WRONG)], line
