"""What buttons and modals refer to: for an hour, found by a token of which only a digest is kept."""

from collections.abc import Sequence
from hashlib import sha256

from bot.errors import BotError, InputError
from bot.store.engine import Connection, writing

MOST = 20_000  # the oldest make room when there are more
MAX_BODY = 400_000  # characters of one
FORGET_EVERY = 200  # kept ones between two times that old ones are deleted

Kept = tuple[bytes, float, str]  # digest of the token, seconds, body

_PUT = """INSERT INTO kept (token, until, body) VALUES (?, ?, ?)
ON CONFLICT (token) DO UPDATE SET until = excluded.until, body = excluded.body"""
_FIND = "SELECT body FROM kept WHERE token = ? AND until > ?"
_DROP = "DELETE FROM kept WHERE token = ?"
_EXPIRED = """DELETE FROM kept WHERE until <= ?
OR until <= (SELECT until FROM kept ORDER BY until DESC LIMIT 1 OFFSET ?)"""


def kept(token: str, body: str, seconds: float) -> Kept:
    """What `keep` takes. Raises InputError."""
    if len(body) > MAX_BODY or "\0" in body:
        raise InputError(f"what a button refers to is longer than {MAX_BODY} characters, or no text")
    return digest(token), seconds, body


def digest(token: str) -> bytes:
    """What a row is found by: whoever reads the store cannot press the button."""
    return sha256(token.encode(errors="surrogatepass")).digest()


def keep(connection: Connection, values: Sequence[Kept], now: int) -> list[BotError | None]:
    """Put them away."""
    with writing(connection, "kept"):
        for token, seconds, body in values:
            connection.execute(_PUT, (token, now + int(seconds * 1e6), body))
    return [None] * len(values)


def forget(connection: Connection, now: int, most: int) -> None:
    """Delete what is too old, or too much."""
    with writing(connection, "kept"):
        connection.execute(_EXPIRED, (now, most))


def find(connection: Connection, tokens: Sequence[bytes], now: int) -> list[str | BotError | None]:
    """The bodies, as far as they are kept still."""
    found = (connection.execute(_FIND, (token, now)).fetchone() for token in tokens)
    return [row[0] if row else None for row in found]


def take(connection: Connection, token: bytes, now: int) -> str | None:
    """The body for the first who asks."""
    with writing(connection, "kept"):
        row = connection.execute(_FIND, (token, now)).fetchone()
        connection.execute(_DROP, (token,))
    return row[0] if row else None
