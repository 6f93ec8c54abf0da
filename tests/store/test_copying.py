"""A copy of a store holds the same, row by row, or says what differs; it goes into empty stores only."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.bench.claims import claim
from bot.errors import BotError, ConfigError, UnavailableError, UsageError
from bot.store import catalogue, content, engine_at, open_store, operations
from bot.store.catalogue import Row, Table
from bot.store.content import Content
from bot.store.copying import Copied, Phase, Progress
from bot.store.engine import Connection
from tests.store.filling import fill

PAIRS = [("sqlite", "sqlite"), ("sqlite", "postgres"), ("postgres", "sqlite")]
NOVELTY = "CREATE TABLE novelty (name TEXT NOT NULL, what BIGINT, PRIMARY KEY (name))"


def quiet(phase: Phase, table: str, rows: int) -> None:
    """Progress that nobody looks at."""


@dataclass
class Two:
    """A store and where its copy goes."""

    origin: str
    target: str
    connected: ExitStack

    def copy(self, progress: Progress = quiet) -> Copied:
        """Copy the one into the other."""
        return operations.copy(self.origin, self.target, progress)

    def connect(self, url: str) -> Connection:
        """A session that makes the tables and ends with the test."""
        return self.connected.enter_context(closing(engine_at(url).connect("writer")))


@pytest.fixture(params=PAIRS, ids="-to-".join)
def two(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Two]:
    """Two stores on each pair of engines, the first one not made yet."""
    origin, target = (
        f"sqlite:///{tmp_path / name}" if engine == "sqlite" else request.getfixturevalue("postgres")
        for name, engine in zip(("from.db", "to.db"), request.param, strict=True)
    )
    with ExitStack() as stack:
        yield Two(origin, target, stack)


@pytest.fixture
def filled(two: Two) -> Two:
    """The first one has rows in every table."""
    fill(two.connect(two.origin), rows=300)
    return two


def held(connection: Connection) -> dict[str, Content]:
    return {
        table.name: content.content(connection, table, lambda _: None)
        for table in catalogue.tables(connection)
    }


def table_of(connection: Connection, name: str) -> Table:
    return next(table for table in catalogue.tables(connection) if table.name == name)


def all_rows(connection: Connection, table: Table) -> Sequence[Row]:
    return content.page(connection, table, None, size=1_000)


def test_a_copy_holds_every_row_of_every_table(filled: Two) -> None:
    origin, target = filled.connect(filled.origin), filled.connect(filled.target)
    before = held(origin)

    copied = filled.copy()

    assert copied.different == []
    assert held(target) == copied.target == copied.origin == held(origin) == before
    assert {found.rows for found in before.values()} == {300}
    for table in catalogue.tables(origin):
        assert all_rows(target, table) == all_rows(origin, table)


async def test_what_a_store_kept_is_answered_by_its_copy(two: Two) -> None:
    claims = [claim(number) for number in range(500)]
    store = await open_store(two.origin)
    await store.add(claims)
    await store.close()

    two.copy()

    store = await open_store(two.target)
    found = await store.lookup([each.indicator for each in claims])
    assert {each.indicator: each.context for each in found} == {
        each.indicator: each.context for each in claims
    }
    assert await store.head() == 500
    await store.add([claim(500)])
    assert await store.head() == 501
    await store.close()


def test_a_table_that_is_new_is_not_forgotten(two: Two) -> None:
    for url in (two.origin, two.target):
        two.connect(url).execute(NOVELTY)
    two.connect(two.origin).execute("INSERT INTO novelty VALUES ('first', NULL), ('second', -2)")

    copied = two.copy()

    assert copied.target["novelty"].rows == 2
    found = two.connect(two.target).execute("SELECT name, what FROM novelty ORDER BY name").fetchall()
    assert found == [("first", None), ("second", -2)]


def test_stores_whose_tables_differ_are_not_copied(two: Two) -> None:
    two.connect(two.origin).execute(NOVELTY)

    with pytest.raises(UsageError, match="novelty"):
        two.copy()


@pytest.mark.parametrize("columns", ["name TEXT", "name REAL PRIMARY KEY"])
def test_a_table_that_cannot_be_read_in_pages_stops_everything(two: Two, columns: str) -> None:
    two.connect(two.origin).execute(f"CREATE TABLE novelty ({columns})")

    with pytest.raises(UnavailableError, match="novelty has no primary key, or columns of an unknown type"):
        two.copy()


def test_numbers_go_on_above_all_that_were_given(two: Two) -> None:
    origin = two.connect(two.origin)
    change = "INSERT INTO change (source, kind, value) VALUES ('igci', 'domain', ?)"
    for value in ("a.example", "b.example", "c.example"):
        origin.execute(change, (value,))
    origin.execute("DELETE FROM change WHERE value <> 'a.example'")
    post = "INSERT INTO post (id, channel, ts, posted_at, state, body) VALUES (7, 'C1', '1', 1, 'new', '{}')"
    origin.execute(post)

    two.copy()

    target = two.connect(two.target)
    target.execute(change, ("d.example",))
    target.execute(
        "INSERT INTO post (channel, ts, posted_at, state, body) VALUES ('C1', '2', 2, 'new', '{}')"
    )
    assert target.execute("SELECT number FROM change ORDER BY number").fetchall() == [(1,), (4,)]
    assert target.execute("SELECT id FROM post ORDER BY id").fetchall() == [(7,), (8,)]


def test_long_rows_are_read_a_few_at_a_time(two: Two) -> None:
    origin = two.connect(two.origin)
    sizes = []
    fill(origin, rows=10)
    long = "x" * (content.PAGE_LENGTH // 4 - 1_000)
    origin.execute("UPDATE readers SET body = ? WHERE channel = (SELECT max(channel) FROM readers)", (long,))

    two.copy(lambda phase, table, rows: sizes.append(rows) if table == "readers" else None)

    assert sizes[:3] == [4, 8, 10]


def test_a_copy_goes_on_where_it_was_stopped(filled: Two) -> None:
    def stop(phase: Phase, table: str, rows: int) -> None:
        if table == "finding":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        filled.copy(stop)
    begun: list[tuple[str, int]] = []
    copied = filled.copy(lambda phase, table, rows: begun.append((table, rows)))

    assert copied.resumed
    assert copied.different == []
    assert begun[0] == ("kept", 300)  # what was copied is not copied again


async def test_nobody_opens_a_store_before_all_of_it_is_copied(filled: Two) -> None:
    def stop(phase: Phase, table: str, rows: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        filled.copy(stop)

    with pytest.raises(ConfigError, match="beginning of a copy"):
        await open_store(filled.target)
    assert not operations.check(filled.target, lambda *_: None).complete
    with pytest.raises(BotError, match="beginning of a copy"):
        operations.copy(filled.target, filled.origin, quiet)


@pytest.mark.parametrize(
    ("table", "change"),
    [
        ("assertion", "DELETE FROM assertion WHERE seq = (SELECT min(seq) FROM assertion)"),
        ("assertion", "UPDATE assertion SET body = 'other' WHERE seq = (SELECT max(seq) FROM assertion)"),
        ("assertion", "UPDATE assertion SET seq = 99 WHERE seq = (SELECT min(seq) FROM assertion)"),
        ("asked", "INSERT INTO asked (minute, org, asked, answered) VALUES (-1, 'igci', 1, 1)"),
    ],
)
def test_what_is_written_meanwhile_is_found_out_and_copied_once_more(
    filled: Two, table: str, change: str
) -> None:
    origin = filled.connect(filled.origin)

    def write(phase: Phase, at: str, rows: int) -> None:
        if (phase, at) == (Phase.COPY, "budget"):
            origin.execute(change)

    first = filled.copy(write)
    second = filled.copy()

    assert first.different == [table]
    assert second.different == []
    assert held(filled.connect(filled.target)) == held(origin)


def test_a_row_that_moved_on_meanwhile_is_found_out(filled: Two) -> None:
    """Its old number is copied already: the new one conflicts with it."""
    origin = filled.connect(filled.origin)
    origin.execute("UPDATE assertion SET source = 'x' WHERE seq = (SELECT min(seq) FROM assertion)")
    origin.execute("UPDATE assertion SET body = ? WHERE source = 'x'", ("x" * (content.PAGE_LENGTH // 101),))

    def move(phase: Phase, table: str, rows: int) -> None:
        if (table, rows) == ("assertion", 100):
            origin.execute(
                "UPDATE assertion SET seq = (SELECT max(seq) + 1 FROM assertion) WHERE source = 'x'"
            )

    first = filled.copy(move)

    assert first.different == ["assertion"]
    assert filled.copy().different == []


def test_stores_that_hold_something_else_are_left_alone(filled: Two) -> None:
    target = filled.connect(filled.target)
    target.execute("INSERT INTO mark (name, number) VALUES ('mine', 1)")
    before = held(target)

    with pytest.raises(UsageError, match="holds a store of its own"):
        filled.copy()

    assert held(target) == before


def test_a_store_that_holds_as_many_other_rows_is_left_alone(filled: Two) -> None:
    target = filled.connect(filled.target)
    fill(target, rows=300, seed=2)
    before = held(target)

    with pytest.raises(UsageError, match="holds a store of its own"):
        filled.copy()

    assert held(target) == before


def test_once_it_is_done_the_same_words_only_verify(filled: Two) -> None:
    """As after a kill behind the last step, before anything was said."""
    filled.copy()

    phases = []
    again = filled.copy(lambda phase, table, rows: phases.append(phase))

    assert again.different == []
    assert Phase.COPY not in phases


def test_the_beginning_of_another_copy_is_left_alone(filled: Two, tmp_path: Path) -> None:
    other = f"sqlite:///{tmp_path / 'other.db'}"
    filled.connect(other)

    def stop(phase: Phase, table: str, rows: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        filled.copy(stop)

    with pytest.raises(UsageError, match="copy of another store"):
        operations.copy(other, filled.target, quiet)


def test_a_store_is_not_copied_into_itself(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    url, same = f"sqlite:///{tmp_path}/a.db", f"sqlite:///{tmp_path}/folder/../a.db"

    with pytest.raises(UsageError, match="same store"):
        operations.copy(url, same, quiet)


def test_what_is_not_there_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no store at"):
        operations.copy(f"sqlite:///{tmp_path}/a.db", f"sqlite:///{tmp_path}/b.db", quiet)

    assert list(tmp_path.iterdir()) == []


def test_stores_of_other_versions_are_brought_up_to_date_first(tmp_path: Path) -> None:
    origin = f"sqlite:///{tmp_path}/a.db"
    with closing(engine_at(origin).connect("writer")) as connection:
        connection.execute("DELETE FROM _sqlite_migrations WHERE name = 'm008_asked'")

    with pytest.raises(UsageError, match="store migrate"):
        operations.copy(origin, f"sqlite:///{tmp_path}/b.db", quiet)

    assert not (tmp_path / "b.db").exists()
