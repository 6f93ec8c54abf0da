"""The runbook tells of what there is: log lines, commands, files, limits."""

import ast
import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from bot.__main__ import cli
from bot.app import HEALTH_PATH, LIFE_PATH
from bot.slack.work import MAX_AT_ONCE
from tests.deploy.described import DEPLOY, ROOT, compose

RUNBOOK = (DEPLOY / "runbook.md").read_text(encoding="utf-8")


def said_in_code() -> str:
    """Every text in the code."""
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in (ROOT / "bot").rglob("*.py")]
    nodes = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    return "\n".join(str(node.value) for node in nodes)


def quoted_lines() -> list[str]:
    """The parts of log lines in the table of alerts."""
    [table] = re.findall(r"\| line \| means \|\n\|---\|---\|\n((?:\|.*\n)+)", RUNBOOK)
    lines = [quote for row in table.splitlines() for quote in re.findall(r"`([^`]+)`", row.split(" | ")[0])]
    return [part.strip() for line in lines for part in line.split("…") if len(part.strip()) > 3]


def test_log_lines_are_those_of_the_code() -> None:
    texts = said_in_code()

    assert len(quoted_lines()) > 8
    assert [line for line in quoted_lines() if line not in texts] == []


@pytest.mark.parametrize("words", sorted(set(re.findall(r"`liaison ((?!_)[^`]+)`", RUNBOOK))))
def test_commands_are_those_of_liaison(words: str) -> None:
    arguments = shlex.split(words)
    names = arguments[: 2 if arguments[0] == "store" else 1]

    assert CliRunner().invoke(cli, [*names, "--help"]).exit_code == 0


def test_files_and_paths_are_there() -> None:
    made_later = {"liaison.toml", "proxy.pem"}
    named = {
        word
        for word in re.findall(r"[\w./-]+\.(?:yaml|sql|yml|cfg)\b", RUNBOOK)
        if Path(word).name not in made_later and not word.startswith("/")
    }

    assert named
    for word in named:
        assert list(DEPLOY.rglob(Path(word).name)), word
    assert HEALTH_PATH in RUNBOOK
    assert LIFE_PATH in RUNBOOK


def test_figures_are_those_of_code_and_files() -> None:
    patroni = (DEPLOY / "postgresql" / "patroni.yml").read_text(encoding="utf-8")

    assert "ttl: 20" in patroni
    assert "`ttl: 20`" in RUNBOOK
    assert f"{MAX_AT_ONCE} answers under way" in RUNBOOK
    assert "max_slot_wal_keep_size: 8GB" in patroni
    assert "server-template bot 1-8" in (DEPLOY / "proxy" / "haproxy.cfg").read_text(encoding="utf-8")
    for service in re.findall(r"exec (\w+) patronictl", RUNBOOK):
        assert service in compose()["services"]


def test_the_readme_points_to_it() -> None:
    assert "deploy/runbook.md" in (ROOT / "README.md").read_text(encoding="utf-8")
