"""A real store for every test of a command."""

from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path

import pytest

from bot.services import Services
from bot.store.sqlite import SqliteStore
from tests.commands.asking import NOW, REGISTRY


class Clock:
    """A clock that stands still until a test sets it."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def services(tmp_path: Path, clock: Clock) -> AsyncIterator[Services]:
    store = SqliteStore(tmp_path / "store.db", clock)
    await store.open()
    yield Services(store, REGISTRY, clock)
    await store.close()
