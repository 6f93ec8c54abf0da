"""The images hold what exists, run as nobody in particular, and install only what is pinned."""

import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner

from bot.__main__ import cli
from bot.app import HEALTH_PATH
from tests.deploy.described import DEPLOY, ROOT, compose, instructions

DOCKERFILES = sorted(DEPLOY.rglob("Dockerfile"))
CONTEXTS = {DEPLOY / "proxy" / "Dockerfile": DEPLOY / "proxy"}  # the others are built from the root
PUBLIC = re.compile(r"python|debian")


def words(instruction: str) -> list[str]:
    return [word for word in shlex.split(instruction) if not word.startswith("--")]


@pytest.mark.parametrize("dockerfile", DOCKERFILES, ids=lambda path: path.parent.name)
def test_every_file_that_is_copied_exists_and_is_not_left_out_of_the_context(dockerfile: Path) -> None:
    context = CONTEXTS.get(dockerfile, ROOT)
    kept = [
        line.removeprefix("!")
        for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
        if line.startswith("!")
    ]
    copied = [
        name
        for word, rest in instructions(dockerfile)
        if word == "COPY" and "--from=" not in rest
        for name in words(rest)[:-1]
    ]

    assert copied
    assert [name for name in copied if not (context / name).exists()] == []
    if context == ROOT:
        assert set(copied) <= set(kept)


def test_nothing_secret_gets_into_an_image() -> None:
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]

    assert rules[0] == "*"  # everything is left out but what is named
    assert {rule for rule in rules if "secret" in rule or rule.endswith((".toml", ".db"))} == set()
    assert "/deploy/secrets/" in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("dockerfile", DOCKERFILES, ids=lambda path: path.parent.name)
def test_an_image_runs_as_a_numbered_user_without_rights(dockerfile: Path) -> None:
    stages: list[list[str]] = []
    for word, rest in instructions(dockerfile):
        if word == "FROM":
            stages.append([])
        elif word == "USER":
            stages[-1].append(rest)

    users = [stage[-1] for stage in stages if stage]
    assert users
    assert stages[-1], "the last stage would run as root"
    assert all(re.fullmatch(r"1000\d:1000\d", user) for user in users)


@pytest.mark.parametrize("dockerfile", DOCKERFILES, ids=lambda path: path.parent.name)
def test_an_image_names_no_registry_and_no_moving_version(dockerfile: Path) -> None:
    bases = [rest.partition("=")[2] for word, rest in instructions(dockerfile) if word == "ARG"]

    assert bases
    for base in bases:
        name, _, version = base.partition(":")
        assert PUBLIC.fullmatch(name), base
        assert re.match(r"\d", version), base
    assert "latest" not in dockerfile.read_text(encoding="utf-8")


def test_the_bot_installs_wheels_with_hashes_only() -> None:
    [installing] = [
        rest for word, rest in instructions(DEPLOY / "Dockerfile") if "pip" in rest and word == "RUN"
    ]

    assert "--require-hashes" in installing
    assert "--only-binary :all:" in installing


@pytest.mark.parametrize("extra", ["", "postgres"])
def test_requirements_hold_what_the_project_asks_for(extra: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = project["optional-dependencies"][extra] if extra else project["dependencies"]
    pinned = (DEPLOY / "requirements.txt").read_text(encoding="utf-8")
    names = {line.partition("==")[0].partition("[")[0] for line in pinned.splitlines() if "==" in line}

    assert {re.split(r"[^a-zA-Z0-9-]", each)[0] for each in wanted} <= names
    assert pinned.count("==") <= pinned.count("--hash=sha256:")


def test_the_health_check_asks_where_the_bot_answers() -> None:
    [check] = [rest for word, rest in instructions(DEPLOY / "Dockerfile") if word == "HEALTHCHECK"]
    [port] = [rest for word, rest in instructions(DEPLOY / "Dockerfile") if word == "EXPOSE"]

    assert f"http://127.0.0.1:{port}{HEALTH_PATH}" in check


def test_what_the_image_runs_by_itself_is_a_command_there_is() -> None:
    lines = dict(instructions(DEPLOY / "Dockerfile"))
    arguments = [word.strip('",') for word in lines["CMD"].strip("[]").split(", ")]

    assert lines["ENTRYPOINT"] == '["python", "-m", "bot"]'
    assert CliRunner().invoke(cli, [*arguments, "--help"]).exit_code == 0


@pytest.mark.parametrize("script", ["first-secrets", "postgresql/start", "postgresql/post_init"])
def test_scripts_are_executable_and_parse(script: str) -> None:
    path = DEPLOY / script

    assert path.stat().st_mode & 0o111
    subprocess.run(["sh", "-n", path], check=True, timeout=10)


def test_the_code_of_the_image_alone_starts(tmp_path: Path) -> None:
    """What is copied is enough: nothing is imported from tests, deploy or a folder that is left out."""
    for folder in ("bot", "commands"):
        (tmp_path / folder).symlink_to(ROOT / folder)

    start = "import sys; sys.path.insert(0, '.'); from bot.__main__ import main; main()"
    done = subprocess.run(
        [sys.executable, "-P", "-c", start, "--version"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    assert "version" in done.stdout


def test_compose_builds_every_image_that_it_runs() -> None:
    services = compose()["services"].values()
    built = {each["image"] for each in services if "build" in each}

    assert {each["image"] for each in services} == built
    for each in services:
        if "build" in each:
            context = (DEPLOY / each["build"]["context"]).resolve()
            assert (context / each["build"].get("dockerfile", "Dockerfile")).is_file()
