"""Where assertions are kept; `open_store` is the way in."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from bot.errors import ConfigError
from bot.services import Store
from bot.store.sqlite import SqliteStore

_SQLITE = "sqlite:///"


def _now() -> datetime:
    return datetime.now(UTC)


async def open_store(url: str, clock: Callable[[], datetime] = _now) -> Store:
    """The store of that address: `sqlite:///relative.db` or `sqlite:////absolute.db`. Raises ConfigError."""
    path = url.removeprefix(_SQLITE)
    if path in ("", url):
        raise ConfigError(
            [f"The store's address must look like {_SQLITE}liaison.db or {_SQLITE}/var/lib/liaison.db."]
        )
    store = SqliteStore(Path(path), clock)
    await store.open()
    return store
