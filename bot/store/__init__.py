"""Where assertions are kept; `open_store` is the way in."""

from pathlib import Path

from bot.errors import ConfigError
from bot.services import Store
from bot.store.sqlite import SqliteStore

_SQLITE = "sqlite:///"


async def open_store(url: str) -> Store:
    """The store of that address: `sqlite:///relative.db` or `sqlite:////absolute.db`. Raises ConfigError."""
    path = url.removeprefix(_SQLITE)
    if path in ("", url):
        raise ConfigError(
            [f"The store's address must look like {_SQLITE}liaison.db or {_SQLITE}/var/lib/liaison.db."]
        )
    store = SqliteStore(Path(path))
    await store.open()
    return store
