"""A primary with a synchronous standby, and what happens to such pairs: crashes, promotions, the way back."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass

import psycopg

from tests.postgres.cluster import LOOPBACK, Ground, Node, wait_until
from tests.postgres.shared import ROLE

DATABASE = "liaison"

# As in earnest: what is acknowledged stands on two disks.
DURABLE = {
    "fsync": "on",
    "synchronous_commit": "on",
    "wal_level": "replica",
    "wal_keep_size": "128MB",  # instead of slots, which would not be there after a promotion
    "wal_retrieve_retry_interval": "200ms",
    "wal_receiver_timeout": "5s",
    "wal_sender_timeout": "5s",
    "shared_buffers": "64MB",
    "max_connections": "100",
}
_LOCALLY = "-c synchronous_commit=local"  # for what is done before there is a standby


@dataclass
class Pair:
    """Two servers that hold the same; `primary` is written to, until somebody promotes `standby`."""

    primary: Node
    standby: Node

    @classmethod
    def start(cls, ground: Ground) -> "Pair":
        """Make both, with an empty database of a role that owns it."""
        primary, standby = Node(ground, "one", DURABLE), Node(ground, "two", DURABLE)
        primary.initialise()
        primary.start()
        pair = cls(primary, standby)
        _execute(primary, f"CREATE ROLE {ROLE} LOGIN PASSWORD '{ground.password}'")
        _execute(primary, f"CREATE DATABASE {DATABASE} OWNER {ROLE} TEMPLATE template0")
        ground.run("pg_basebackup", "-D", standby.data, "-d", primary.url(), "-R", "-c", "fast", "--no-sync")
        standby.start()
        pair.synchronise()
        return pair

    @property
    def url(self) -> str:
        """The address of the database on both servers; which one is primary is not told."""
        nodes = sorted((self.primary, self.standby), key=lambda node: node.name)
        hosts = ",".join(f"{LOOPBACK}:{node.port}" for node in nodes)
        return f"postgresql://{ROLE}:{self.primary.ground.password}@{hosts}/{DATABASE}"

    def promote(self) -> None:
        """Make the standby the primary; the other one must be dead, or there are two."""
        self.primary, self.standby = self.standby, self.primary
        _execute(self.primary, "SELECT pg_promote(true, 60)", "CHECKPOINT")  # pg_rewind looks for that one

    def rejoin(self) -> None:
        """Bring the standby back, however far it had gone alone, and let the primary wait for it again."""
        source = self.primary.url()
        self.standby.ground.run("pg_rewind", "-D", self.standby.data, f"--source-server={source}", "-R")
        self.standby.start()
        self.synchronise()

    def return_standby(self) -> None:
        """Bring back a standby that crashed while the primary stayed."""
        self.standby.start()
        self.synchronise()

    def return_both(self) -> None:
        """Bring back both after they crashed, in their old places."""
        self.primary.start()
        self.return_standby()

    def synchronise(self) -> None:
        """Wait until the standby follows, and from then on with every commit."""
        wait_until(lambda: "streaming" in self._followers(), "the standby")
        self._wait_for_standbys("*")
        wait_until(lambda: "sync" in self._followers(), "the synchronous standby")

    def go_on_alone(self) -> None:
        """Let the primary commit without the standby."""
        self._wait_for_standbys("")

    def _wait_for_standbys(self, names: str) -> None:
        change = f"ALTER SYSTEM SET synchronous_standby_names = '{names}'"
        _execute(self.primary, change, "SELECT pg_reload_conf()")

    def _followers(self) -> set[str]:
        """What is said about the standbys: their states and how they follow."""
        with _connected(self.primary) as connection:
            rows = connection.execute("SELECT state, sync_state FROM pg_stat_replication").fetchall()
        return {word for row in rows for word in row}

    def stop(self) -> None:
        """End both; the standby first, or the primary would wait for it."""
        self.standby.stop()
        self.primary.stop()


def _connected(node: Node) -> AbstractContextManager[psycopg.Connection]:
    return closing(psycopg.connect(node.url(), autocommit=True, options=_LOCALLY, connect_timeout=10))


def _execute(node: Node, *statements: str) -> None:
    with _connected(node) as connection:
        for statement in statements:
            connection.execute(statement)


def rows(node: Node, query: str) -> Sequence[tuple[object, ...]]:
    """What a superuser reads from the database on one of the servers."""
    with closing(psycopg.connect(node.url(DATABASE), options=_LOCALLY, connect_timeout=10)) as connection:
        return connection.execute(query).fetchall()
