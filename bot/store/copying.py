"""Copying a whole store into an empty one, also of another engine, so that a killed copy can be gone on with.

Rows go over in the order of their keys, a page a transaction: the last key of a table says how far it is.
A table of its own in the new store says whose copy it is until all is verified; until then nobody opens it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial

from bot.errors import UsageError
from bot.store import catalogue, content
from bot.store.catalogue import COPYING, Table
from bot.store.content import Content
from bot.store.engine import Connection, reading, writing


class Phase(StrEnum):
    """What is done to a table."""

    COPY = "copying"
    READ_ORIGIN = "verifying FROM"
    READ_TARGET = "verifying TO"


Progress = Callable[[Phase, str, int], None]  # what is done, to which table, how many rows so far

_MAKE = f"CREATE TABLE {COPYING} (role TEXT NOT NULL, name TEXT NOT NULL, PRIMARY KEY (role, name))"
_NOTE = f"INSERT INTO {COPYING} (role, name) VALUES (?, ?)"  # noqa: S608 (constant)
_NOTES = f"SELECT name FROM {COPYING} WHERE role = ?"  # noqa: S608 (constant)
_FORGET = f"DELETE FROM {COPYING} WHERE role = ?"  # noqa: S608 (constant)
_DROP = f"DROP TABLE {COPYING}"
_ORIGIN, _ANEW = "origin", "anew"  # roles: whose copy it is, which tables must be copied once more


@dataclass(frozen=True)
class Copied:
    """What each table holds here and there, and whether an earlier copy was gone on with."""

    origin: Mapping[str, Content]
    target: Mapping[str, Content]
    resumed: bool

    @property
    def different(self) -> list[str]:
        """The tables that are not the same in both: FROM was written meanwhile."""
        return [name for name, held in self.origin.items() if self.target[name] != held]


def copy(origin: Connection, target: Connection, blank: Connection, name: str, progress: Progress) -> Copied:
    """Copy all of `origin`, or what is missing, and compare; `name` tells it from other origins.

    `blank` is a new store, to tell whether `target` is one.
    Tables that differ in the end are made anew by the next copy. If both hold the same already, that is all.
    Raises UsageError if `target` holds something else.
    """
    tables = _tables(origin, target)
    resumed = _enter(target, blank, name, tables)
    if resumed is None:
        _refuse_unless(_counts(origin, tables) == _counts(target, tables))
        same = _compare(origin, target, tables, progress)
        _refuse_unless(not Copied(*same, resumed=True).different)
        return Copied(*same, resumed=True)
    _make_room(target, tables)
    for table in tables:
        _fill(origin, target, table, progress)
    _go_on_counting(origin, target, tables)
    copied = Copied(*_compare(origin, target, tables, progress), resumed)
    catalogue.look_anew(target)
    _leave(target, copied.different)
    return copied


def _tables(origin: Connection, target: Connection) -> list[Table]:
    here, there = catalogue.tables(origin), catalogue.tables(target)
    different = sorted({table.name for table in {*here} ^ {*there}})
    if different:
        raise UsageError(f"FROM and TO have different tables ({', '.join(different)}): they are not alike.")
    return here


def _enter(target: Connection, blank: Connection, name: str, tables: Sequence[Table]) -> bool | None:
    """False if the copy begins, True if it goes on, None if the store holds something else."""
    with writing(target):
        if catalogue.is_copying(target):
            begun = [found for (found,) in target.execute(_NOTES, (_ORIGIN,)).fetchall()]
            if begun != [name]:
                raise UsageError("TO holds the beginning of a copy of another store: name an empty one.")
            return True
        if not _is_new(target, blank, tables):
            return None
        target.execute(_MAKE)
        target.execute(_NOTE, (_ORIGIN, name))
        for table in tables:
            target.execute(content.clear(table))  # what a new store holds, such as its clock
    return False


def _is_new(target: Connection, blank: Connection, tables: Sequence[Table]) -> bool:
    """Whether a store holds what a blank one does, and nothing else."""
    known = {table.name for table in catalogue.tables(blank)}
    for table in tables:
        new = content.page(blank, table, None, content.PAGE) if table.name in known else []
        if content.page(target, table, None, len(new) + 1) != new:
            return False
    return True


def _make_room(target: Connection, tables: Sequence[Table]) -> None:
    """Empty the tables that were different at the end of the last copy."""
    with writing(target):
        anew = {name for (name,) in target.execute(_NOTES, (_ANEW,)).fetchall()}
        for table in tables:
            if table.name in anew:
                target.execute(content.clear(table))
        target.execute(_FORGET, (_ANEW,))


def _fill(origin: Connection, target: Connection, table: Table, progress: Progress) -> None:
    """Copy what lies above the last key; what conflicts was changed meanwhile, and comparing finds it."""
    done = content.count(target, table)
    for rows in content.pages(origin, table, after=content.last_key(target, table)):
        with writing(target):
            content.put(target, table, rows)
        done += len(rows)
        progress(Phase.COPY, table.name, done)


def _go_on_counting(origin: Connection, target: Connection, tables: Sequence[Table]) -> None:
    """Let generated numbers go on above all that were given, also to rows that are gone."""
    given = catalogue.counters(origin)
    with writing(target):
        for table in tables:
            top = content.last_key(target, table)
            highest = top[0] if top and isinstance(top[0], int) else 0
            catalogue.raise_counter(target, table.name, max(highest, given.get(table.name, 0)))


def _counts(connection: Connection, tables: Sequence[Table]) -> list[int]:
    return [content.count(connection, table) for table in tables]


def _compare(
    origin: Connection, target: Connection, tables: Sequence[Table], progress: Progress
) -> tuple[dict[str, Content], dict[str, Content]]:
    """What each table holds here and there, here as of one moment."""
    here: dict[str, Content] = {}
    there: dict[str, Content] = {}
    with reading(origin):
        for table in tables:
            here[table.name] = content.content(
                origin, table, partial(progress, Phase.READ_ORIGIN, table.name)
            )
            there[table.name] = content.content(
                target, table, partial(progress, Phase.READ_TARGET, table.name)
            )
    return here, there


def _refuse_unless(same: bool) -> None:
    if not same:
        raise UsageError("TO holds a store of its own already: name an empty one.")


def _leave(target: Connection, different: Sequence[str]) -> None:
    """Let the copy be opened, or note what must be copied once more."""
    with writing(target):
        for name in different:
            target.execute(_NOTE, (_ANEW, name))
        if not different:
            target.execute(_DROP)
