"""Where assertions are kept; `open_store` is the way in."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from bot.errors import ConfigError
from bot.services import Store
from bot.store.engine import Engine
from bot.store.sql_store import SqlStore, now
from bot.store.sqlite import SqliteEngine

_SQLITE = "sqlite:///"


async def open_store(url: str, clock: Callable[[], datetime] = now) -> Store:
    """The store of that address: `sqlite:///relative.db` or `sqlite:////absolute.db`. Raises ConfigError."""
    store = SqlStore(engine_at(url), clock)
    await store.open()
    return store


def engine_at(url: str) -> Engine:
    """The database of that address. Raises ConfigError."""
    path = sqlite_path(url)
    if path is None:
        raise ConfigError(
            [f"The store's address must look like {_SQLITE}liaison.db or {_SQLITE}/var/lib/liaison.db."]
        )
    return SqliteEngine(path)


def sqlite_path(url: str) -> Path | None:
    """The file of that address; None if it is of another kind."""
    path = url.removeprefix(_SQLITE)
    return None if path in ("", url) else Path(path)
