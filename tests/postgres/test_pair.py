"""A pair does what its name says: both hold what was acknowledged, and each can take the other's place."""

from collections.abc import Iterator

import psycopg
import pytest

from tests.postgres.cluster import Ground
from tests.postgres.pair import Pair, rows


@pytest.fixture
def pair() -> Iterator[Pair]:
    with Ground() as ground:
        pair = Pair.start(ground)
        yield pair
        pair.stop()


def _count(pair: Pair) -> int:
    with psycopg.connect(pair.url, target_session_attrs="read-write", connect_timeout=10) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS one (n INTEGER)")
        connection.execute("INSERT INTO one VALUES (1)")
        [(count,)] = connection.execute("SELECT count(*) FROM one")
        return int(count)


@pytest.mark.usefixtures("postgres_binaries")
def test_either_server_can_be_the_primary_and_nothing_acknowledged_is_lost(pair: Pair) -> None:
    assert _count(pair) == 1

    for before in (1, 2):
        crashed = pair.primary
        crashed.crash()
        pair.promote()
        assert _count(pair) == before + 1
        assert pair.primary is not crashed

        pair.rejoin()
        assert rows(pair.standby, "SELECT pg_is_in_recovery(), count(*) FROM one") == [(True, before + 1)]
