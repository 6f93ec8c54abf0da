"""Databases that a benchmark makes for itself and takes away again."""

import secrets
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from bot.bench.raw import Raw, RawPostgres, RawSqlite
from bot.errors import UsageError


@dataclass(frozen=True)
class Ground:
    """Two empty databases of one engine, by their addresses, and how to reach one by hand."""

    engine: str
    store: str
    plain: str
    raw: Callable[[str], Raw]


@contextmanager
def ground(url: str | None) -> Iterator[Ground]:
    """Databases on that server, where new ones may be made; SQLite files without. Raises UsageError."""
    with _files() if url is None else _databases(url) as made:
        yield made


@contextmanager
def _files() -> Iterator[Ground]:
    prefix = "sqlite:///"
    with tempfile.TemporaryDirectory() as folder:
        store, plain = (f"{prefix}{Path(folder) / name}" for name in ("store.db", "plain.db"))
        yield Ground("SQLite", store, plain, lambda url: RawSqlite(Path(url.removeprefix(prefix))))


@contextmanager
def _databases(url: str) -> Iterator[Ground]:
    if urlsplit(url).scheme not in ("postgresql", "postgres"):
        raise UsageError(
            "--store takes postgresql://…, a server where databases may be made; or leave it out."
        )
    import psycopg  # noqa: PLC0415 - comes with liaison[postgres] only
    from psycopg import sql  # noqa: PLC0415 - see above

    names = [f"liaison_bench_{secrets.token_hex(4)}" for _ in range(2)]
    with psycopg.connect(url, autocommit=True) as server:
        try:
            for name in names:
                make = sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name))
                server.execute(make)
            store, plain = (urlsplit(url)._replace(path=f"/{name}").geturl() for name in names)
            yield Ground("PostgreSQL", store, plain, RawPostgres)
        finally:
            for name in names:
                drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
                server.execute(drop)
