"""Two replicas in processes of their own behind the real haproxy.cfg, beside a sandbox that calls it."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.manifest import EVENTS_PATH
from bot.sandbox.alone import Alone, own_sandbox
from tests.deploy.described import DEPLOY, ROOT
from tests.deploy.names import naming
from tests.postgres.cluster import free_port

HOSTS = ("127.0.0.2", "127.0.0.3")  # one each, and the same port, as in containers
SECONDS = 30.0


@dataclass
class Stand:
    """All of it, running."""

    slack: Alone
    url: str  # of the proxy
    bots: Mapping[str, subprocess.Popen[bytes]]
    log: Path  # of the proxy
    authority: Path  # whose certificates are trusted

    def served(self) -> list[str]:
        """Which replica took each request that the proxy let through, oldest first: ready/bot1."""
        lines = self.log.read_text(encoding="utf-8").splitlines()
        words = [word for line in lines if " wait=" in line for word in line.split()]
        return [word for word in words if word.startswith(("ready/bot", "alive/bot"))]

    def stop(self, host: str) -> None:
        """Ask a replica to stop, and wait until it has."""
        self.bots[host].send_signal(signal.SIGTERM)
        assert self.bots[host].wait(SECONDS) == 0


def haproxy() -> str:
    """The program; without it a test is skipped, and fails in CI."""
    found = shutil.which("haproxy", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin")
    if found is None and os.environ.get("CI"):
        pytest.fail("haproxy is needed: on Debian apt install haproxy")
    if found is None:
        pytest.skip("haproxy is not there: on Debian apt install haproxy")
    return found


def secrets_made(folder: Path) -> Path:
    """What deploy/first-secrets makes."""
    subprocess.run([DEPLOY / "first-secrets", folder], check=True, capture_output=True, timeout=60)
    return folder


@asynccontextmanager
async def standing(folder: Path) -> AsyncIterator[Stand]:
    """Start everything; ready means that both replicas are behind the proxy."""
    program, made = haproxy(), secrets_made(folder / "secrets")
    bots_port, port = free_port(), free_port()
    async with naming(HOSTS) as names:
        with _sandbox(made / "ca.crt") as slack, _bots(folder, slack, bots_port) as bots:
            settings = {
                "bind :8443": f"bind 127.0.0.1:{port}",
                "/run/secrets/proxy.pem": str(made / "proxy" / "proxy.pem"),
                "127.0.0.11:53": f"127.0.0.1:{names}",
                "bot:3000": f"bot:{bots_port}",
            }
            with _proxy(program, folder, settings) as log:
                url = f"https://localhost:{port}{EVENTS_PATH}"
                slack.connect(url)
                await until(lambda: is_up(log, 2))
                yield Stand(slack, url, bots, log, made / "ca.crt")


@contextmanager
def _sandbox(authority: Path) -> Iterator[Alone]:
    """One that trusts that authority; the process reads its environment when it starts."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", str(authority))
        with own_sandbox() as slack:
            patch.undo()
            yield slack


@contextmanager
def _bots(folder: Path, slack: Alone, port: int) -> Iterator[Mapping[str, subprocess.Popen[bytes]]]:
    environment = os.environ | {
        "SLACK_API_URL": slack.api_url,
        "SLACK_BOT_TOKEN": slack.bot_token,
        "SLACK_SIGNING_SECRET": slack.signing_secret,
        "LIAISON_STORE": f"sqlite:///{folder / 'store.db'}",
        "LIAISON_CONFIG": str(DEPLOY / "liaison.example.toml"),
    }
    bots = {}
    try:
        for host in HOSTS:
            words = [sys.executable, "-m", "bot", "serve", "--host", host, "--port", str(port)]
            with (folder / f"{host}.log").open("wb") as log:
                bots[host] = subprocess.Popen(words, cwd=ROOT, env=environment, stdout=log, stderr=log)
        yield bots
    finally:
        for bot in bots.values():
            bot.kill()
            bot.wait()


@contextmanager
def _proxy(program: str, folder: Path, settings: Mapping[str, str]) -> Iterator[Path]:
    text = (DEPLOY / "proxy" / "haproxy.cfg").read_text(encoding="utf-8")
    for ours, here in settings.items():
        assert ours in text
        text = text.replace(ours, here)
    path, log = folder / "haproxy.cfg", folder / "haproxy.log"
    path.write_text(text, encoding="utf-8")
    with log.open("wb") as output:
        process = subprocess.Popen([program, "-db", "-f", path], stdout=output, stderr=output)
    try:
        yield log
    finally:
        process.kill()
        process.wait()


def is_up(log: Path, replicas: int) -> bool:
    """Whether the proxy has so many replicas that reach the store, by what it said last."""
    told = [
        line
        for line in log.read_text(encoding="utf-8").splitlines()
        if "Server ready/bot" in line and " active and " in line
    ]  # a replica that was there at the first check is counted, and never named
    return bool(told) and f" {replicas} active and " in told[-1]


async def until(done: Callable[[], bool], seconds: float = SECONDS) -> None:
    """Look every few milliseconds; fail after a while."""
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline, "it did not come to that"
        await asyncio.sleep(0.02)
