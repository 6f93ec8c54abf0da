"""What an operator does with a whole store, by its address: update its tables, look into it, copy it."""

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from bot.errors import UnavailableError, UsageError
from bot.store import catalogue, content, copying, engine_at, sqlite_path
from bot.store.content import Content
from bot.store.copying import Copied, Progress
from bot.store.engine import Connection, LostError, reading
from bot.store.sqlite import SqliteEngine

Told = Callable[[str, int], None]  # is given a table and the number of rows read so far


@dataclass(frozen=True)
class Checked:
    """What a store is and holds."""

    engine: str
    version: str  # the last step that made its tables
    current: bool  # whether its tables are those of this Liaison
    complete: bool  # whether it is not the beginning of a copy
    size: int  # bytes
    tables: Mapping[str, Content]


def migrate(url: str) -> str:
    """Make the tables, or bring them up to date; the last step that did. Raises BotError."""
    with _connected(url, "writer") as connection:
        return max(catalogue.versions(connection))


def check(url: str, told: Told) -> Checked:
    """Read all of a store as of one moment, without changing it. Raises BotError."""
    _refuse_missing(url)
    with _connected(url, "reader") as connection, _blank() as blank, reading(connection):
        versions = catalogue.versions(connection)
        if not versions:
            raise UsageError("There is no store yet: `liaison store migrate` makes one.")
        return Checked(
            engine=connection.dialect.name,
            version=max(versions),
            current=versions == catalogue.versions(blank),
            complete=not catalogue.is_copying(connection),
            size=catalogue.size(connection),
            tables={
                table.name: content.content(connection, table, partial(told, table.name))
                for table in catalogue.tables(connection)
            },
        )


def copy(origin: str, target: str, progress: Progress) -> Copied:
    """Copy the store at one address into the empty one at another, and compare them. Raises BotError."""
    if _place(origin) == _place(target):
        raise UsageError("FROM and TO are the same store: name another one.")
    _refuse_missing(origin)
    with _connected(origin, "reader") as here, _blank() as blank:
        if catalogue.versions(here) != catalogue.versions(blank):
            raise UsageError(
                "FROM is not a store of this version of Liaison: `liaison --store FROM store migrate` first."
            )
        catalogue.refuse_copying(here)
        with _connected(target, "writer") as there:
            name = sha256(_place(origin).encode()).hexdigest()
            return copying.copy(here, there, blank, name, progress)


@contextmanager
def _connected(url: str, role: str) -> Iterator[Connection]:
    engine = engine_at(url)
    try:
        with engine.in_our_words(), closing(engine.connect(role)) as connection:
            catalogue.be_patient(connection)
            yield connection
    except LostError as error:
        raise UnavailableError("The store does not answer. Run the same words again when it does.") from error


@contextmanager
def _blank() -> Iterator[Connection]:
    """A new store."""
    with (
        tempfile.TemporaryDirectory() as folder,
        closing(SqliteEngine(Path(folder) / "blank.db").connect("writer")) as connection,
    ):
        yield connection


def _refuse_missing(url: str) -> None:
    path = sqlite_path(url)
    if path is not None and not path.exists():
        raise UsageError(f"There is no store at {path}.")


def _place(url: str) -> str:
    """Where a store is, however its address is written; nothing secret."""
    path = sqlite_path(url)
    if path is not None:
        return str(path.resolve())
    parts = urlsplit(url)
    said = dict(parse_qsl(parts.query))
    return repr((parts.netloc.rpartition("@")[2], parts.path, *map(said.get, ("host", "port", "dbname"))))
