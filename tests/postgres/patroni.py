"""The whole path of a failover: two servers under Patroni, which asks etcd who leads; all of it real."""

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

import psycopg
import pytest

from tests.postgres import leash
from tests.postgres.cluster import LOOPBACK, SUPERUSER, Ground, binaries, free_port, wait_until
from tests.postgres.pair import DATABASE, DURABLE
from tests.postgres.shared import ROLE

HOW_TO_INSTALL = "Patroni and etcd are needed: on Debian `apt install patroni etcd-server`"
TTL = 8  # seconds without a word after which a primary is replaced; Patroni 4 makes 20 of it
_REPLICATOR = "replicator"
_ASK = build_opener(ProxyHandler({})).open  # straight, whatever proxy the machine has


def programs() -> dict[str, str | None]:
    """The programs needed and where they are; None for what is not there."""
    return {name: shutil.which(name) for name in ("patroni", "etcd")}


def require() -> None:
    """Skip the test where a program is missing; fail it in CI."""
    if not all(programs().values()):
        (pytest.fail if os.environ.get("CI") else pytest.skip)(HOW_TO_INSTALL)


class Member:
    """One server and the Patroni that keeps it."""

    def __init__(self, ground: Ground, name: str, etcd: int) -> None:
        self.name = name
        self.port, self.rest = free_port(), free_port()
        self._ground = ground
        self._etcd = etcd
        self._process: subprocess.Popen[bytes] | None = None
        ground.make(name)
        config = json.dumps(self._config(), indent=1)  # which is YAML, too
        (ground.folder / name / "patroni.yml").write_text(config, encoding="utf-8")

    @property
    def folder(self) -> Path:
        """Where Patroni and its server work."""
        return self._ground.folder / self.name

    def start(self) -> None:
        """Start Patroni, which starts the server."""
        program = programs()["patroni"]
        assert program, HOW_TO_INSTALL
        self._process = self._ground.spawn([program, "patroni.yml"], f"{self.name}.log", cwd=self.name)

    def crash(self) -> None:
        """Kill the server and its Patroni at once, as a power cut would."""
        leash.send(self.folder, signal.SIGSTOP)
        leash.kill(self.folder)
        self.wait()

    def wait(self) -> None:
        """Take note that Patroni has ended."""
        if self._process is not None:
            self._process.wait(10)
            self._process = None

    def is_primary(self) -> bool:
        """Whether Patroni says that its server is the primary, and runs."""
        return self._says("primary")

    def is_synchronous(self) -> bool:
        """Whether Patroni says that its server is the standby which every commit waits for."""
        return self._says("synchronous")

    def _says(self, role: str) -> bool:
        try:
            with _ASK(f"http://{LOOPBACK}:{self.rest}/{role}", timeout=2) as reply:
                return bool(reply.status == 200)
        except (URLError, OSError):
            return False

    def _config(self) -> Mapping[str, object]:
        users = {"superuser": SUPERUSER, "replication": _REPLICATOR, "rewind": SUPERUSER}
        login = {role: {"username": user, "password": self._ground.password} for role, user in users.items()}
        return {
            "scope": "liaison",
            "name": self.name,
            "restapi": _listens(self.rest),
            "etcd3": {"host": f"{LOOPBACK}:{self._etcd}"},
            "bootstrap": {"dcs": _agreed(), "initdb": ["data-checksums", {"encoding": "UTF8"}]},
            "postgresql": {
                **_listens(self.port),
                "data_dir": str(self.folder / "data"),
                "bin_dir": str(binaries()),
                "pgpass": str(self.folder / "pgpass"),
                "authentication": login,
                "pg_hba": [f"host {what} all {LOOPBACK}/32 scram-sha-256" for what in ("all", "replication")],
                "parameters": {"unix_socket_directories": "", "password_encryption": "scram-sha-256"},
            },
        }


def _listens(port: int) -> Mapping[str, object]:
    return {"listen": f"{LOOPBACK}:{port}", "connect_address": f"{LOOPBACK}:{port}"}


def _agreed() -> Mapping[str, object]:
    """What all members hold to; the last three keep Patroni's rule loop_wait + 2 retry_timeout <= ttl."""
    return {
        "synchronous_mode": True,
        "maximum_lag_on_failover": 0,
        "postgresql": {"use_pg_rewind": True, "parameters": dict(DURABLE)},
        "ttl": TTL,
        "loop_wait": 1,
        "retry_timeout": 3,
    }


class Cluster:
    """Two members and an etcd of one server, with an empty database."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._etcd = free_port()
        self._keeper = self._start_etcd()
        self.members = [Member(ground, name, self._etcd) for name in ("one", "two")]
        for member in self.members:
            member.start()
        self.wait_until_whole()
        self._make_database()

    def _start_etcd(self) -> subprocess.Popen[bytes]:
        program = programs()["etcd"]
        assert program, HOW_TO_INSTALL
        clients, peers = (f"http://{LOOPBACK}:{port}" for port in (self._etcd, free_port()))
        self._ground.make("etcd")
        words: Iterable[str] = (
            *(program, "--data-dir=data", "--name=etcd", f"--initial-cluster=etcd={peers}"),
            *(f"--listen-client-urls={clients}", f"--advertise-client-urls={clients}"),
            *(f"--listen-peer-urls={peers}", f"--initial-advertise-peer-urls={peers}"),
        )
        return self._ground.spawn(words, "etcd.log", cwd="etcd")

    def wait_until_whole(self) -> None:
        """Wait for a primary and a synchronous standby. Raises TimeoutError."""
        wait_until(self.is_whole, "Patroni's members to agree")

    def wait_for_primary(self) -> None:
        """Wait for one. Raises TimeoutError."""
        wait_until(lambda: any(one.is_primary() for one in self.members), "a new primary")

    def is_whole(self) -> bool:
        """Whether there is a primary and a synchronous standby."""
        roles = {(one.is_primary(), one.is_synchronous()) for one in self.members}
        return roles == {(True, False), (False, True)}

    @property
    def primary(self) -> Member:
        """Who leads. Raises StopIteration between two leaders."""
        return next(member for member in self.members if member.is_primary())

    @property
    def url(self) -> str:
        """The address of the database on both servers; which one is primary is not told."""
        return self._address(ROLE, DATABASE, [member.port for member in self.members])

    def _address(self, user: str, database: str, ports: Iterable[int]) -> str:
        hosts = ",".join(f"{LOOPBACK}:{port}" for port in ports)
        return f"postgresql://{user}:{self._ground.password}@{hosts}/{database}"

    def _make_database(self) -> None:
        url = self._address(SUPERUSER, "postgres", [self.primary.port])
        with closing(psycopg.connect(url, autocommit=True, connect_timeout=10)) as connection:
            connection.execute(f"CREATE ROLE {ROLE} LOGIN PASSWORD '{self._ground.password}'")
            connection.execute(f"CREATE DATABASE {DATABASE} OWNER {ROLE}")

    def stop(self) -> None:
        """End everything at once; nothing of it is needed any more."""
        leash.kill(self._ground.folder)
        for member in self.members:
            member.wait()
        self._keeper.wait(10)
