"""What a button refers to is found by every replica, for an hour, by nobody who only reads the store."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.chat import Surface
from bot.errors import UnavailableError
from bot.slack.interactions import Filling, Sharing
from bot.slack.keeping import KEPT_SECONDS, Keeping, Question
from bot.store.sqlite import SqliteStore
from bot.subscriptions import Purpose

QUESTION = Question(
    user="U0ANA", text="lookup “a” \n\U0001f480", surface=Surface.MENTION, conversation="C0KASP"
)


@dataclass
class Shared:
    """One file, two replicas' stores, and their clock."""

    path: Path
    ours: SqliteStore
    theirs: SqliteStore
    clock: list[datetime]

    def pass_by(self, seconds: float) -> None:
        self.clock[0] += timedelta(seconds=seconds)


@pytest.fixture
async def shared(tmp_path: Path) -> AsyncIterator[Shared]:
    clock = [datetime(2026, 5, 1, tzinfo=UTC)]
    ours, theirs = (SqliteStore(tmp_path / "store.db", lambda: clock[0]) for _ in range(2))
    await ours.open()
    await theirs.open()
    yield Shared(tmp_path / "store.db", ours, theirs, clock)
    await ours.close()
    await theirs.close()


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(QUESTION, id="question"),
        pytest.param(Sharing(question=QUESTION, seen="ab", to="https://hooks.example.org/1"), id="sharing"),
        pytest.param(Filling(question=QUESTION, purpose=Purpose.DIGEST), id="form"),
    ],
)
async def test_what_one_replica_keeps_another_finds_as_it_was(
    shared: Shared, value: Question | Sharing | Filling
) -> None:
    token = await Keeping(shared.ours, type(value)).keep(value)

    assert await Keeping(shared.theirs, type(value)).find(token) == value


async def test_of_several_who_take_it_one_gets_it(shared: Shared) -> None:
    ours, theirs = Keeping(shared.ours, Question), Keeping(shared.theirs, Question)
    token = await ours.keep(QUESTION)

    taken = await asyncio.gather(*(each.take(token) for each in (ours, theirs, ours, theirs)))

    assert sorted(map(repr, taken)) == sorted(map(repr, [QUESTION, None, None, None]))
    assert await theirs.find(token) is None


async def test_it_is_found_for_an_hour(shared: Shared) -> None:
    keeping = Keeping(shared.ours, Question)
    token = await keeping.keep(QUESTION)

    shared.pass_by(KEPT_SECONDS - 1)
    assert await keeping.find(token) == QUESTION
    shared.pass_by(1)
    assert await keeping.find(token) is None


@pytest.mark.parametrize("token", ["", "-", "x" * 101, "\ud800", "a\0b"])
async def test_no_token_finds_what_it_does_not_stand_for(shared: Shared, token: str) -> None:
    keeping = Keeping(shared.ours, Question)
    await keeping.keep(QUESTION)

    assert await keeping.find(token) is None
    assert await keeping.take(token) is None


async def test_a_token_of_one_kind_is_none_of_another(shared: Shared) -> None:
    token = await Keeping(shared.ours, Filling).keep(Filling(question=QUESTION, purpose=Purpose.DIGEST))

    assert await Keeping(shared.ours, Question).find(token) is None


async def test_what_another_version_kept_counts_as_too_old(shared: Shared) -> None:
    await shared.ours.keep("token", 'Question {"user":"U0ANA"}', seconds=60)

    assert await Keeping(shared.ours, Question).find("token") is None


async def test_whoever_reads_the_store_finds_no_token(shared: Shared) -> None:
    token = await Keeping(shared.ours, Question).keep(QUESTION)
    await shared.ours.close()
    await shared.theirs.close()

    written = b"".join(each.read_bytes() for each in shared.path.parent.iterdir())
    assert QUESTION.user.encode() in written
    assert token.encode() not in written


async def test_an_answer_is_given_though_its_buttons_cannot_be_kept(shared: Shared) -> None:
    keeping = Keeping(shared.ours, Question)
    await shared.ours.close()

    assert await keeping.keep(QUESTION)
    with pytest.raises(UnavailableError):
        await keeping.find("token")
