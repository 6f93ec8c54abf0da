"""Whatever is imported in whatever order, the store holds what `merge` says, and nothing gets wider."""

import asyncio
import tempfile
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Any

import msgspec
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from bot.assertions import Assertion, merge, remark, widens
from bot.indicators import Indicator
from bot.sharing import Audience, World, may_release
from bot.store.sqlite import SqliteStore
from tests.store.contract import bare, everything
from tests.strategies import INDICATORS, assertions, conversations, worlds

Key = tuple[str, Indicator]
batches = st.lists(assertions, min_size=1, max_size=8)


class Histories(RuleBasedStateMachine):
    """Does to a real store and to a dictionary the same, and compares."""

    def __init__(self) -> None:
        super().__init__()
        self._loop = asyncio.Runner()
        self._folder = tempfile.TemporaryDirectory()
        self._rows: dict[Key, Assertion] = {}
        self._groups: list[set[Key | tuple[str, str]]] = []  # rows and the file ids they were said to have
        self._open()

    def _open(self) -> None:
        self._store = SqliteStore(Path(self._folder.name) / "store.db")
        self._run(self._store.open())

    def _run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self._loop.run(work)

    def teardown(self) -> None:
        """Leave nothing behind."""
        self._run(self._store.close())
        self._loop.close()
        self._folder.cleanup()

    @rule(batch=batches)
    def add(self, batch: Sequence[Assertion]) -> None:
        """Import a few assertions."""
        tally = self._run(self._store.add(batch))

        new = len({_key(each) for each in batch} - self._rows.keys())
        for each in batch:
            self._remember(each)
        assert tally.new == new
        assert tally.new + tally.updated + tally.unchanged == len(batch)

    @rule(batch=batches)
    def add_twice(self, batch: Sequence[Assertion]) -> None:
        """Import the same twice: the second time changes nothing."""
        self.add(batch)
        before = self._run(everything(self._store))

        tally = self._run(self._store.add(batch))

        assert tally.unchanged == len(batch)
        assert self._run(everything(self._store)) == before

    @rule(assertion=assertions)
    def remark(self, assertion: Assertion) -> None:
        """Change a marking by command."""
        old = self._rows.get(_key(assertion))

        done = self._run(self._store.remark(assertion))

        assert done == (old is not None)
        if old is not None:
            self._rows[_key(assertion)] = remark(old, assertion)

    @rule(asked=st.lists(st.sampled_from(INDICATORS), max_size=4))
    def lookup(self, asked: Sequence[Indicator]) -> None:
        """A lookup finds the rows and those of the same files."""
        found = self._run(self._store.lookup(asked))

        direct = {key for key in self._rows if key[1] in asked}
        linked = {key for group in self._groups if group & direct for key in group if key in self._rows}
        assert {_key(row) for row in found} == direct | linked
        assert len(found) == len(direct | linked)

    @precondition(lambda self: self._rows)
    @rule()
    def open_again(self) -> None:
        """Close and open."""
        self._run(self._store.close())
        self._open()

    @invariant()
    def holds_what_merging_says(self) -> None:
        """Rows are equal; numbers are unique, rising, and none is above the head."""
        rows = self._run(everything(self._store))

        assert {_key(row): bare(row) for row in rows} == self._rows
        numbers = [row.seq for row in rows]
        assert numbers == sorted(set(numbers))
        assert max(numbers, default=0) <= self._run(self._store.head())

    def _remember(self, new: Assertion) -> None:
        key, row = _key(new), bare(new)
        self._rows[key] = merge(self._rows[key], row) if key in self._rows else row
        if new.file is not None:
            joined: set[Key | tuple[str, str]] = {key, (new.source, new.file)}
            apart = [group for group in self._groups if not group & joined]
            together = [group for group in self._groups if group & joined]
            self._groups = [*apart, joined.union(*together)]


def _key(assertion: Assertion) -> Key:
    return assertion.source, assertion.indicator


class Widening(RuleBasedStateMachine):
    """Imports after one another on a real store, seen by random audiences."""

    def __init__(self) -> None:
        super().__init__()
        self._loop = asyncio.Runner()
        self._folder = tempfile.TemporaryDirectory()
        self._store = SqliteStore(Path(self._folder.name) / "store.db")
        self._loop.run(self._store.open())

    def teardown(self) -> None:
        """Leave nothing behind."""
        self._loop.run(self._store.close())
        self._loop.close()
        self._folder.cleanup()

    @rule(batch=batches, audiences=st.lists(conversations, min_size=3, max_size=3), world=worlds)
    def imports_never_widen(
        self, batch: Sequence[Assertion], audiences: Sequence[Audience], world: World
    ) -> None:
        """Who could not see a row cannot see it after an import; no label falls, validity may grow."""
        before = {row.seq: row for row in self._loop.run(everything(self._store))}

        self._loop.run(self._store.add(batch))

        after = {row.seq: row for row in self._loop.run(everything(self._store))}
        for seq, old in before.items():
            new = after[seq]
            same_validity = msgspec.structs.replace(new, not_after=old.not_after)
            assert new.label >= old.label
            assert not widens(old, same_validity)
            for audience in audiences:
                seen = may_release(same_validity, audience, world).release
                assert not seen or may_release(old, audience, world).release


_moderate = settings(max_examples=25, stateful_step_count=12, deadline=None)
TestHistories = Histories.TestCase
TestHistories.settings = _moderate
TestWidening = Widening.TestCase
TestWidening.settings = _moderate
