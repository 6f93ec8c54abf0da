"""What deploy/ describes, read as data: services of compose.yaml, Kubernetes objects, Dockerfiles."""

import re
import stat
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
OWNER_AND_GROUP_MAY_READ = stat.S_IRUSR | stat.S_IRGRP

Json = dict[str, Any]


@cache
def compose() -> Json:
    """compose.yaml, anchors resolved."""
    loaded: Json = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
    return loaded


@cache
def objects() -> tuple[Json, ...]:
    """Every Kubernetes object."""
    files = sorted((DEPLOY / "kubernetes").glob("*.yaml"))
    return tuple(each for file in files for each in yaml.safe_load_all(file.read_text(encoding="utf-8")))


def kind(name: str) -> list[Json]:
    """The Kubernetes objects of a kind."""
    return [each for each in objects() if each["kind"] == name]


def pods() -> list[Json]:
    """The specifications of the pods that we describe ourselves."""
    return [each["spec"]["template"]["spec"] for each in (*kind("Deployment"), *kind("Job"))]


def instructions(dockerfile: Path) -> Iterator[tuple[str, str]]:
    """The instructions of a Dockerfile, continued lines joined: COPY, "bot bot"."""
    text = re.sub(r"\\\n", " ", dockerfile.read_text(encoding="utf-8"))
    for line in text.splitlines():
        if line.strip() and not line.startswith("#"):
            word, _, rest = line.strip().partition(" ")
            yield word, rest.strip()


def bot_containers() -> list[Json]:
    """Every container that runs our image, of compose and of Kubernetes: its arguments and environment."""
    services = [each for each in compose()["services"].values() if each["image"] == "liaison"]
    theirs = [pod["containers"][0] for pod in pods()]
    return [
        *({"arguments": each["command"], "environment": each["environment"]} for each in services),
        *(
            {"arguments": each["args"], "environment": {one["name"]: one["value"] for one in each["env"]}}
            for each in theirs
        ),
    ]
