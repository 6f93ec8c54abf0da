"""Stores to test: each backend opens its places as often as a test likes."""

from collections.abc import AsyncIterator, Callable
from datetime import datetime
from pathlib import Path

import pytest

from bot.store.sqlite import SqliteStore
from tests.store.contract import Backend, now


class SqliteBackend:
    """Every place is a file in one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._opened: list[SqliteStore] = []

    async def open(self, place: str = "store", clock: Callable[[], datetime] = now) -> SqliteStore:
        """A store on that place, with what was stored there before."""
        store = SqliteStore(self._folder / f"{place}.db", clock)
        await store.open()
        self._opened.append(store)
        return store

    async def close(self) -> None:
        """Close whatever a test left open."""
        for store in self._opened:
            await store.close()


@pytest.fixture(params=[SqliteBackend])
async def backend(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Backend]:
    """Where a store under test lives; a second backend is one more parameter."""
    backend: Backend = request.param(tmp_path)
    yield backend
    await backend.close()
