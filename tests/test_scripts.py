"""The shell scripts of deploy/, run in a copy of that folder with interpreters that only pretend."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
REQUIREMENTS = "deploy/requirements.txt"
# Says its version, makes an environment that holds itself, and installs unless the file `offline` is there.
INTERPRETER = """\
#!/bin/sh
case "$1 $2" in
  "-c import pip" | "-m pip") ;;
  "-c"*) echo {version}; exit {old} ;;
  "-m venv") rm -rf "$4"; mkdir -p "$4/bin"; cp "$0" "$4/bin/python"; echo venv >>made; exit ;;
esac
case "$*" in
  *--require-hashes*) echo install >>made; echo "pip: no route to host" >&2; test ! -e offline ;;
esac
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with a blank in its name, that holds deploy/ and an empty bin/ for interpreters."""
    folder = tmp_path / "my project"
    shutil.copytree(ROOT / "deploy", folder / "deploy")
    (folder / "bin").mkdir()
    return folder


def interpreter(path: Path, version: str) -> Path:
    old = tuple(map(int, version.split("."))) < (3, 11)
    path.write_text(INTERPRETER.format(version=version, old=int(old)))
    path.chmod(0o755)
    return path


def environment(
    project: Path, *arguments: str, python: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run deploy/environment; of interpreters it finds those in bin/ alone."""
    for tool in ("sh", "basename", "cat", "cmp", "cp", "dirname", "mkdir", "rm"):
        found = shutil.which(tool)
        assert found is not None
        if not (project / "bin" / tool).exists():
            (project / "bin" / tool).symlink_to(found)
    variables = {"PATH": str(project / "bin")} | ({"PYTHON": str(python)} if python else {})
    return subprocess.run(
        [project / "deploy" / "environment", *arguments],
        cwd=project.parent,
        env=variables,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def made(project: Path) -> list[str]:
    """What was done, in order."""
    return (project / "made").read_text().split()


def sentence(done: subprocess.CompletedProcess[str]) -> str:
    """The last and only complaint of a run that failed."""
    assert done.returncode == 1
    assert done.stdout == ""
    *before, last = done.stderr.splitlines()
    assert [line for line in before if "installing into" not in line] == []
    return last


def test_an_interpreter_too_old_is_named_with_its_version(project: Path) -> None:
    old = interpreter(project / "python", "3.8.18")
    said = sentence(environment(project, REQUIREMENTS, python=old))
    assert f"{old} is 3.8.18; Python 3.11 or newer is needed" in said
    assert "PYTHON=/path/to/python3.13 ./deploy/demo" in said


@pytest.mark.parametrize(
    ("version", "words"),
    [("3.9.2", "python3 is 3.9.2; Python 3.11"), (None, "python3 cannot be run; Python")],
)
def test_without_a_new_enough_interpreter_one_sentence_says_what_is_there(
    project: Path, version: str | None, words: str
) -> None:
    if version is not None:
        interpreter(project / "bin" / "python3", version)
    assert words in sentence(environment(project, REQUIREMENTS))


def test_an_interpreter_further_down_the_list_is_found(project: Path) -> None:
    interpreter(project / "bin" / "python3", "3.9.2")
    interpreter(project / "bin" / "python3.12", "3.12.1")
    assert environment(project, REQUIREMENTS).stdout == ".venv\n"


def test_without_an_argument_it_says_how_to_call_it(project: Path) -> None:
    assert "usage: deploy/environment REQUIREMENTS" in sentence(environment(project))


def test_the_second_start_does_nothing(project: Path) -> None:
    interpreter(project / "bin" / "python3", "3.13.0")
    for _ in range(2):
        assert environment(project, REQUIREMENTS).stdout == ".venv\n"
    assert made(project) == ["venv", "install"]


def test_other_requirements_are_installed_into_the_same_environment(project: Path) -> None:
    interpreter(project / "bin" / "python3", "3.13.0")
    environment(project, REQUIREMENTS)
    environment(project, "deploy/requirements-test.txt")
    assert made(project) == ["venv", "install", "install"]


def test_an_environment_whose_interpreter_is_gone_is_made_again(project: Path) -> None:
    interpreter(project / "bin" / "python3", "3.13.0")
    environment(project, REQUIREMENTS)
    (project / ".venv" / "bin" / "python").unlink()
    (project / ".venv" / "bin" / "python").symlink_to(project / "gone")
    assert environment(project, REQUIREMENTS).returncode == 0
    assert made(project) == ["venv", "install"] * 2


def test_without_a_network_one_sentence_names_the_log_and_the_next_start_tries_again(project: Path) -> None:
    interpreter(project / "bin" / "python3", "3.13.0")
    (project / "offline").touch()
    said = sentence(environment(project, REQUIREMENTS))
    assert "is there a network?" in said
    assert said.endswith(".venv/install.log")
    assert "no route to host" in (project / ".venv" / "install.log").read_text()

    (project / "offline").unlink()
    assert environment(project, REQUIREMENTS).returncode == 0
