"""Assertions into the store: read what is there, work out what becomes of it, write it at one go."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from bot.assertions import Assertion, narrows, remark, widens
from bot.services import Tally
from bot.store import changing, queries, rows
from bot.store.engine import Connection, merging
from bot.store.files import FileId, Files
from bot.store.intake import Intake, Key

_PAIR = ("text", "text")


class Plan(NamedTuple):
    """What an import makes of the stored rows, and what of them it looked at."""

    intake: Intake
    keys: set[bytes]
    files: set[FileId]


def add(connection: Connection, assertions: Sequence[Assertion], stored_at: int) -> Tally:
    """Store or merge them in one transaction.

    Others may merge until this one holds the clock; if they touched the same rows, it plans once more.
    """
    keys = [rows.key(each.indicator) for each in assertions]
    merge = connection.merge
    with merging(connection) as seen:
        plan = _plan(connection, assertions, keys, seen.head)
        if not plan.intake.changes:
            return plan.intake.tally
        merge.stage(_rows(plan, stored_at))
        held = merge.hold()
        if merge.is_outdated(seen, plan.keys, plan.files):
            seen, plan = held, _plan(connection, assertions, keys, held.head)
            merge.stage(_rows(plan, stored_at))
        merge.rename(plan.intake.files.joined)
        merge.put(seen, held)
        changing.log(connection, plan.intake.narrowed())
        merge.finish(plan.intake.head - seen.head + held.head)
    connection.wrote(len(assertions))
    return plan.intake.tally


def change_marking(connection: Connection, assertion: Assertion, stored_at: int) -> bool:
    """Put its marking on the stored row; False if there is none. A row that is widened takes a new number."""
    key = rows.key(assertion.indicator)
    merge = connection.merge
    with merging(connection):
        clock = merge.hold()
        old = _stored(connection, [key]).get((assertion.source, key))
        if old is None:
            return False
        new, seq = remark(old, assertion), old.seq
        if widens(old, new):
            seq = clock.head + 1
            connection.execute("DELETE FROM assertion WHERE seq = ?", (old.seq,))
        merge.stage([rows.encode(new, key, seq, stored_at)])
        merge.put(clock, clock)
        if narrows(old, new):
            changing.log(connection, [old])
        merge.finish(max(clock.head, seq))
    return True


def _plan(connection: Connection, new: Sequence[Assertion], keys: Sequence[bytes], head: int) -> Plan:
    """Merge them with what is stored, in memory."""
    wanted = set(keys)
    stored = _stored(connection, wanted)
    said = {(each.source, each.file) for each in new if each.file is not None}
    held = {(row.source, row.file) for row in stored.values() if row.file is not None} if said else set()
    files, known = _files(connection, said | held)
    intake = Intake(stored, files, head)
    for assertion, key in zip(new, keys, strict=True):
        intake.take(assertion, key)
    return Plan(intake, wanted, known)


def _rows(plan: Plan, stored_at: int) -> Iterable[rows.Row]:
    return (rows.encode(*each, stored_at) for each in plan.intake.changed())


def _stored(connection: Connection, keys: Iterable[bytes]) -> dict[Key, Assertion]:
    """The rows of these keys."""
    return {(row.source, rows.key(row.indicator)): row for row in queries.by_key(connection, keys)}


def _files(connection: Connection, ids: set[FileId]) -> tuple[Files, set[FileId]]:
    """What is known of these file ids, and every id that was looked for."""
    roots: dict[FileId, str] = {}
    for part, parameters in connection.dialect.parts(ids, _PAIR):
        for source, alias, file in connection.execute(rows.file_aliases(part), parameters).fetchall():
            roots[source, alias] = file
    current = ids | {(source, file) for (source, _), file in roots.items()}
    members: dict[FileId, int] = {}
    for part, parameters in connection.dialect.parts(current, _PAIR):
        for source, file, count in connection.execute(rows.file_members(part), parameters).fetchall():
            members[source, file] = count
    return Files(roots, members), current
