"""Real PostgreSQL clusters for tests: on loopback, in folders of their own, gone when the tests are.

The binaries are those of the machine. PostgreSQL refuses to run as root, so a suite of root's runs it as the
user `postgres` or `nobody`, who could not enter pytest's folder: each `Ground` is a folder beside it instead.
"""

import importlib.util
import os
import pwd
import random
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Self

from tests.postgres import leash

SECONDS_TO_START = 60.0
LOOPBACK = "127.0.0.1"
SUPERUSER = "keeper"
HOW_TO_INSTALL = (
    "PostgreSQL 15 or newer is needed: on Debian `apt install postgresql`; or put its bin folder into PATH"
)

# Nothing of a test is worth a disk's time.
FAST = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "autovacuum_naptime": "1h",
    "shared_buffers": "64MB",
    "max_connections": "200",
    "max_prepared_transactions": "0",
}
# What every cluster here has: reached through loopback only, by whoever has the password.
_ALWAYS = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "logging_collector": "off",
    "jit": "off",
}
# Texts sort as people in most countries expect, not by their bytes: whoever needs bytes must say so.
_LOCALE = ("--locale-provider=icu", "--icu-locale=en-US")
_NEEDED = ("initdb", "postgres", "pg_ctl", "pg_basebackup", "pg_rewind")


@cache
def binaries() -> Path | None:
    """The folder of the newest PostgreSQL of this machine; None if there is none."""
    on_path = [Path(one) for one in os.get_exec_path()]
    places = [*_debian(), *_told_by_pg_config(), *on_path, *_of_the_wheel()]
    return next((place for place in places if all((place / name).exists() for name in _NEEDED)), None)


def _debian() -> list[Path]:
    versions = [one for one in Path("/usr/lib/postgresql").glob("*/bin") if one.parent.name.isdecimal()]
    return sorted(versions, key=lambda one: -int(one.parent.name))


def _told_by_pg_config() -> list[Path]:
    if shutil.which("pg_config") is None:
        return []
    asked = subprocess.run(["pg_config", "--bindir"], capture_output=True, text=True, timeout=10, check=False)
    return [Path(asked.stdout.strip())] if asked.returncode == 0 else []


def _of_the_wheel() -> list[Path]:
    wheel = importlib.util.find_spec("pgserver")
    return [Path(one) / "pginstall" / "bin" for one in (wheel and wheel.submodule_search_locations) or []]


def _program(name: str) -> Path:
    found = binaries()
    assert found is not None, HOW_TO_INSTALL
    return found / name


@cache
def _locale(folder: Path) -> list[str]:
    """How texts sort, as far as this build can: the wheel's sorts by bytes only."""
    words = [str(folder / "pg_config"), "--configure"]
    asked = subprocess.run(words, capture_output=True, text=True, timeout=10, check=True)
    return ["--encoding=UTF8", "--locale=C.UTF-8", *(_LOCALE if "--with-icu" in asked.stdout else ())]


@cache
def tenant() -> pwd.struct_passwd | None:
    """The user to run PostgreSQL as; None where that is who runs the tests."""
    if os.geteuid() != 0:
        return None
    users = {user.pw_name: user for user in pwd.getpwall()}
    return users.get("postgres") or users["nobody"]


def free_port() -> int:
    """A port of loopback that nobody has; not one of those that the kernel gives to outgoing connections."""
    while True:
        port = random.randint(15_000, 32_000)
        with closing(socket.socket()) as probe:
            if probe.connect_ex((LOOPBACK, port)):
                return port


def wait_until(done: Callable[[], bool], words: str, seconds: float = SECONDS_TO_START) -> None:
    """Look every few milliseconds. Raises TimeoutError."""
    until = time.monotonic() + seconds
    while not done():
        if time.monotonic() > until:
            raise TimeoutError(f"after {seconds} s still waiting: {words}")
        time.sleep(0.01)


class Ground:
    """A folder for clusters and their processes. Leaving it, or dying, kills them and removes it."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="liaison-postgres-")).resolve()
        own = [sys.executable, "-IS", leash.__file__, str(self.folder)]
        self._leash = subprocess.Popen(
            own,
            cwd="/",
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self.password = f"canary-{secrets.token_hex(8)}"  # so that no test can log it
        (self.folder / "password").write_text(self.password, encoding="ascii")
        if user := tenant():
            os.chown(self.folder, user.pw_uid, user.pw_gid)
            os.chown(self.folder / "password", user.pw_uid, user.pw_gid)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Kill what is left and remove the folder."""
        self._leash.communicate(timeout=SECONDS_TO_START)

    def make(self, name: str) -> None:
        """Make a folder of the tenant's in it."""
        place = self.folder / name
        place.mkdir(mode=0o700)
        if user := tenant():
            os.chown(place, user.pw_uid, user.pw_gid)

    def spawn(
        self, words: Iterable[object], log: str, extra: Mapping[str, str] | None = None, cwd: str = "."
    ) -> subprocess.Popen[bytes]:
        """Start a program in the folder, as the tenant; what it says goes to a file there."""
        user = tenant()
        with (self.folder / log).open("ab") as output:
            return subprocess.Popen(
                [str(word) for word in words],
                cwd=self.folder / cwd,
                env={"PATH": os.defpath, "LC_ALL": "C", "HOME": str(self.folder), **(extra or {})},
                user=user and user.pw_uid,
                group=user and user.pw_gid,
                extra_groups=[] if user else None,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def run(self, program: str, *words: str | Path, seconds: float = SECONDS_TO_START) -> None:
        """Run one of PostgreSQL's programs to its end. Raises RuntimeError with what it said."""
        log = f"{program}-{secrets.token_hex(4)}.log"
        process = self.spawn([_program(program), *words], log, {"PGPASSWORD": self.password})
        if process.wait(seconds):
            raise RuntimeError(f"{program}: {(self.folder / log).read_text(errors='replace')[-2000:]}")


@dataclass
class Node:
    """One PostgreSQL server of a ground: its data stand in the folder of its name."""

    ground: Ground
    name: str
    settings: Mapping[str, str]
    port: int = 0
    process: subprocess.Popen[bytes] | None = None

    @property
    def data(self) -> Path:
        """Where its files are, and its processes work."""
        return self.ground.folder / self.name

    def url(self, database: str = "postgres", user: str = SUPERUSER) -> str:
        """How to connect to it."""
        return f"postgresql://{user}:{self.ground.password}@{LOOPBACK}:{self.port}/{database}"

    def initialise(self) -> None:
        """Make an empty cluster."""
        password = self.ground.folder / "password"
        access = ["-U", SUPERUSER, "--auth=scram-sha-256", f"--pwfile={password}"]
        options = ["--no-sync", "--data-checksums"]  # pg_rewind wants the checksums
        self.ground.run("initdb", "-D", self.data, *options, *access, *_locale(_program("initdb").parent))
        lines = [f"{name} = '{value}'\n" for name, value in {**_ALWAYS, **self.settings}.items()]
        with (self.data / "postgresql.conf").open("a", encoding="ascii") as file:
            file.writelines(lines)

    def start(self) -> None:
        """Start it, on the port it had before; return when it answers. Raises RuntimeError."""
        self.port = self.port or free_port()
        (self.data / "postmaster.pid").unlink(missing_ok=True)  # as left by a crash; we know that none runs
        words = [_program("postgres"), "-D", self.data, "-p", str(self.port)]
        self.process = self.ground.spawn(words, f"{self.name}.log", cwd=self.name)
        wait_until(self._answers, f"the start of {self.name}")

    def _answers(self) -> bool:
        assert self.process is not None
        if self.process.poll() is not None:
            raise RuntimeError(f"{self.name} did not start: {self.said()[-2000:]}")
        try:
            lines = (self.data / "postmaster.pid").read_text(encoding="ascii").splitlines()
        except FileNotFoundError:
            return False
        return len(lines) > 7 and lines[7].strip() == "ready"

    def said(self) -> str:
        """Its log."""
        return (self.ground.folder / f"{self.name}.log").read_text(encoding="utf-8", errors="replace")

    def stop(self) -> None:
        """Shut it down, ending its connections; a second time does nothing."""
        if self.process is not None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(SECONDS_TO_START)
            self.process = None

    def crash(self) -> None:
        """Kill all its processes at once, as a power cut would."""
        leash.send(self.data, signal.SIGSTOP)  # none must see the others die
        leash.kill(self.data)
        if self.process is not None:
            self.process.wait(SECONDS_TO_START)
            self.process = None

    def freeze(self) -> None:
        """Stop all its processes: connections stay open, nothing answers."""
        leash.send(self.data, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let a frozen one go on."""
        leash.send(self.data, signal.SIGCONT)
