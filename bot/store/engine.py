"""What the store's functions know of the database below them: a connection, its transactions, its dialect.

Each engine brings a connection of its own; the functions and their SQL are the same for all.
"""

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any, NamedTuple, Protocol

from bot.store.files import FileId

Parameters = Sequence[Any] | Mapping[str, Any]
Types = tuple[str, ...]  # of the columns of a part: text, bytea, bigint

ANY_SUBJECT = "store"
PART = 2_000  # values handed over in one statement; SQLite takes 32,766 parameters


class LostError(Exception):
    """The session is gone, or the server undid what it did: it may be done anew, in another session."""

    def __init__(self, *, in_doubt: bool = False) -> None:
        super().__init__()
        self.in_doubt = in_doubt  # whether it may be committed all the same


class Cursor(Protocol):
    """What a statement found or did."""

    @property
    def rowcount(self) -> int:
        """How many rows were written."""

    def fetchone(self) -> Any:
        """The next row, or None."""

    def fetchall(self) -> list[Any]:
        """All rows."""


class Dialect(ABC):
    """The few words in which engines differ. Their texts are made of names from the code alone."""

    name: str  # of the engine, for people

    @abstractmethod
    def parts(self, values: Iterable[Sequence[Any]], types: Types) -> Iterator[tuple[str, list[Any]]]:
        """The values in portions: the relation `part (column1, column2, ...)` to read from, its parameters.

        A portion may hold rows of NULL, too.
        """

    @abstractmethod
    def sets(self, values: Iterable[Any], type_: str) -> Iterator[tuple[str, list[Any]]]:
        """The values in portions: what follows a column that shall be one of them, and its parameters."""

    @abstractmethod
    def listed(self, columns: str) -> str:
        """An aggregate: all rows as one JSON array of arrays, in no particular order."""

    @abstractmethod
    def joined(self, text: str, between: str) -> str:
        """An aggregate: the texts of all rows in one, or NULL."""

    @abstractmethod
    def quoted(self, column: str) -> str:
        """A text as JSON, or NULL."""

    @abstractmethod
    def rest(self, column: str) -> str:
        """A text without its first character."""

    @abstractmethod
    def hexed(self, column: str) -> str:
        """Bytes as hexadecimal digits."""


class Clock(NamedTuple):
    """The row that numbers come from. Whoever holds it is the only one who merges."""

    head: int  # the highest number given so far
    merges: int = 0  # how many there were, as far as the engine counts


class Merge(Protocol):
    """What an engine does differently when assertions are merged: reading first, then writing at one go."""

    def begin(self) -> Clock:
        """Begin a transaction; the clock as it stands."""

    def stage(self, rows: Iterable[Sequence[Any]]) -> None:
        """Bring `rows.Row`s close to their table, in the place of those that were brought before."""

    def hold(self) -> Clock:
        """Wait for the right to merge, which is ours until the end of the transaction."""

    def is_outdated(self, since: Clock, keys: Collection[bytes], files: Collection[FileId]) -> bool:
        """Whether others changed rows or files of these since then."""

    def rename(self, joined: Iterable[tuple[str, str, str]]) -> None:
        """Let files of a source go by other ids: source, id, the other."""

    def put(self, seen: Clock, held: Clock) -> None:
        """Put what is staged into its table; numbers above the head that was seen follow the one held."""

    def finish(self, head: int) -> None:
        """Set the clock."""


class Connection(Protocol):
    """One session with the database, for one thread. Statements name parameters `?` or `:name`."""

    @property
    def dialect(self) -> Dialect:
        """How this engine says it."""

    @property
    def merge(self) -> Merge:
        """Its way of merging."""

    def execute(self, sql: str, parameters: Parameters = ..., /) -> Cursor:
        """Do one statement."""

    def executemany(self, sql: str, rows: Iterable[Sequence[Any]], /) -> object:
        """Do it for each of the rows."""

    def begin(self, subject: str) -> None:
        """Begin a transaction that excludes others on this subject."""

    def begin_reading(self) -> None:
        """Begin a transaction in which all queries see the same moment."""

    def commit(self) -> None:
        """Make it last."""

    def rollback(self) -> None:
        """Undo it, if one is under way."""

    def wrote(self, count: int) -> None:
        """Do what the engine needs after so many rows were written, outside of transactions."""

    def close(self) -> None:
        """End the session."""


class Engine(Protocol):
    """A database that can be connected to."""

    def connect(self, role: str) -> Connection:
        """Begin a session as `writer`, who first brings the tables up to date, or as `reader`.

        Raises ConfigError and what `in_our_words` translates.
        """

    def in_our_words(self) -> AbstractContextManager[None]:
        """Turns the engine's errors into BotError."""


@contextmanager
def reading(connection: Connection) -> Iterator[None]:
    """A transaction in which several queries see the same moment."""
    connection.begin_reading()
    try:
        yield
    finally:
        connection.rollback()


@contextmanager
def writing(connection: Connection, subject: str = ANY_SUBJECT) -> Iterator[None]:
    """A transaction that owns the right to write on its subject: all of it is committed, or nothing."""
    connection.begin(subject)
    with _all_or_nothing(connection):
        yield


@contextmanager
def merging(connection: Connection) -> Iterator[Clock]:
    """A transaction that merges assertions; gives the clock, which is not held yet."""
    clock = connection.merge.begin()
    with _all_or_nothing(connection):
        yield clock


@contextmanager
def _all_or_nothing(connection: Connection) -> Iterator[None]:
    try:
        yield
        connection.commit()
    except BaseException:
        connection.rollback()
        raise
