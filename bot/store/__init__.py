"""Where assertions are kept; `open_store` is the way in."""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from bot.errors import ConfigError
from bot.services import Store
from bot.settings import read_store
from bot.store.engine import Engine
from bot.store.sql_store import SqlStore, now
from bot.store.sqlite import SqliteEngine

_SQLITE = "sqlite:///"
_POSTGRESQL = ("postgresql://", "postgres://")
_FORMS = (
    f"The store's address must look like {_SQLITE}liaison.db, {_SQLITE}/var/lib/liaison.db or"
    " postgresql://user@host1,host2/liaison."
)


async def open_store(url: str, clock: Callable[[], datetime] = now) -> Store:
    """The store of that address: `sqlite:///relative.db`, `sqlite:////absolute.db` or `postgresql://…`.

    Raises ConfigError.
    """
    store = SqlStore(engine_at(url), clock, stale=_stale(url))
    await store.open()
    return store


def engine_at(url: str) -> Engine:
    """The database of that address. Raises ConfigError."""
    if url.startswith(_POSTGRESQL):
        return _postgres(url)
    path = sqlite_path(url)
    if path is None:
        raise ConfigError([_FORMS])
    return SqliteEngine(path)


def sqlite_path(url: str) -> Path | None:
    """The file of that address; None if it is of another kind."""
    path = url.removeprefix(_SQLITE)
    return None if path in ("", url) else Path(path)


def _postgres(url: str) -> Engine:
    try:
        from bot.store import postgres, postgres_address  # noqa: PLC0415 - psycopg is optional and slow to load
    except ImportError as error:
        raise ConfigError(["PostgreSQL needs its driver: pip install 'liaison[postgres]'."]) from error
    said = read_store()
    return postgres.PostgresEngine(postgres_address.read(url, said.environment, said.password))


def _stale(url: str) -> timedelta:
    return timedelta(seconds=read_store().stale_seconds if url.startswith(_POSTGRESQL) else 0)
