"""The store on PostgreSQL, or on whatever speaks like it: sessions with servers, errors in our words."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import errors

from bot.errors import BotError, ConfigError, InputError, UnavailableError
from bot.logs import log_mistake
from bot.store import postgres_arrays, postgres_schema
from bot.store.engine import LostError
from bot.store.postgres_address import Address
from bot.store.postgres_connection import PostgresConnection
from bot.store.postgres_session import Session

LOG = logging.getLogger("bot.store")

_SESSIONS = {"writer": "read-write", "reader": "primary", "follower": "prefer-standby"}
LONGEST_WAITS = {"writer": 20.0, "reader": 10.0, "follower": 3.0}  # seconds; no limit while tables are made
_UNPROVEN = (  # words of libpq
    "certificate verify failed",
    "does not match host name",
    "root certificate",
    "server does not support SSL",
)

_REFUSED = "The store refuses Liaison's user or password: correct the address or LIAISON_STORE_PASSWORD."
_NO_DATABASE = "The store's server has no such database: create it, or correct the address."
_NO_RIGHT = (
    "The store's user may not do that: run `liaison store migrate` as the owner of the tables, and grant what"
    " deploy/postgresql/roles.sql grants."
)
_NOT_PROVEN = "The store's server could not prove who it is: set sslrootcert in the address to its authority."
_FULL = "The disk of the store is full; nothing of this was stored. Free some space, then try again."
_BUSY = "The store is busy; try again in a minute."


class PostgresEngine:
    """`engine.Engine` of one database, whatever server of it is primary now."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._is_migrated = False

    def connect(self, role: str) -> PostgresConnection:
        """Begin a session. Raises ConfigError, LostError."""
        password = self._address.password
        own = {} if password is None else {"password": password.value}
        wanted = {**self._address.parameters, **own, "target_session_attrs": _SESSIONS[role]}
        try:
            session = Session.connect(autocommit=True, **wanted)  # type: ignore[arg-type]  # names are libpq's
        except psycopg.OperationalError as error:
            raise _refusal(error) from None  # its text may quote the address
        postgres_arrays.register(session)
        connection = PostgresConnection(session)
        if role == "writer" and not self._is_migrated:
            self._migrate(connection)
        session.longest_wait = LONGEST_WAITS[role]
        return connection

    @contextmanager
    def in_our_words(self) -> Iterator[None]:
        """Turn errors of PostgreSQL and of encoding into ours."""
        try:
            yield
        except UnicodeEncodeError:
            raise InputError("a text holds half a surrogate pair, which cannot be stored") from None
        except psycopg.Error as error:
            raise _translated(error) from None  # its text may quote a row

    def _migrate(self, connection: PostgresConnection) -> None:
        try:
            postgres_schema.migrate(connection)
        except BaseException:
            connection.close()
            raise
        self._is_migrated = True


def _refusal(error: psycopg.OperationalError) -> Exception:
    """Why no session began: what the operator must correct, or else a server that is not there now."""
    words = str(error)
    if any(each in words for each in _UNPROVEN):
        return ConfigError([_NOT_PROVEN])
    if "authentication failed" in words or "no password supplied" in words or "no pg_hba.conf entry" in words:
        return ConfigError([_REFUSED])
    if "does not exist" in words and "database" in words:
        return ConfigError([_NO_DATABASE])
    return LostError()


def _translated(error: psycopg.Error) -> BotError:
    match error:
        case errors.DataError():
            return InputError("a text holds a NUL character, or a number is too large to be stored")
        case errors.InsufficientPrivilege() | errors.UndefinedTable():
            return ConfigError([_NO_RIGHT])
        case errors.DiskFull():
            return UnavailableError(_FULL)
        case errors.LockNotAvailable() | errors.QueryCanceled() | errors.TooManyConnections():
            return UnavailableError(_BUSY)
    LOG.error("the database says %s", error.sqlstate)
    number = log_mistake(LOG, error)
    return UnavailableError(
        f"The store does not answer; the operator finds the reason in the log ({number})."
    )
