"""Claims in the store: the first who names a key has it for a while."""

from collections.abc import Iterable, Sequence
from functools import cache
from hashlib import sha256

from bot.errors import BotError
from bot.store.engine import Connection, Dialect, writing

PRUNE_SECONDS = 60  # how often expired claims are deleted, at most

Claim = tuple[bytes, float]  # digest of the key, seconds

_TYPES = ("bytea", "bigint")


def claim(key: str, seconds: float) -> Claim:
    """What `Claims.answer` takes."""
    return sha256(key.encode(errors="surrogatepass")).digest(), seconds


class Claims:
    """Answers claims, several in a transaction, and deletes old ones now and then."""

    def __init__(self) -> None:
        self._pruned = 0

    def answer(self, connection: Connection, claims: Sequence[Claim], now: int) -> list[bool | BotError]:
        """Answer each claim; of several on one key in this turn the first gets it."""
        won: dict[bytes, int] = {}
        with writing(connection, "claim"):
            taken = _taken(connection, {key for key, _ in claims}, now)
            answers: list[bool | BotError] = [
                key not in taken and won.setdefault(key, index) == index
                for index, (key, _) in enumerate(claims)
            ]
            until = [(key, now + int(claims[index][1] * 1e6)) for key, index in won.items()]
            for part, parameters in connection.dialect.parts(until, _TYPES):
                connection.execute(put(part), parameters)
            if now - self._pruned >= PRUNE_SECONDS * 1e6:
                connection.execute("DELETE FROM claim WHERE until <= ?", (now,))
                self._pruned = now
        return answers


@cache
def taken(dialect: Dialect, among: str) -> str:
    """The statement that tells which keys are claimed at a moment, in hexadecimal with blanks between."""
    return f"SELECT {dialect.joined(dialect.hexed('key'), ' ')} FROM claim WHERE until > ? AND key {among}"  # noqa: S608 (marks)


@cache
def put(part: str) -> str:
    """The statement that stores claims, over expired ones."""
    return (
        f"INSERT INTO claim (key, until) SELECT * FROM {part} WHERE column1 IS NOT NULL"  # noqa: S608 (marks)
        " ON CONFLICT (key) DO UPDATE SET until = excluded.until"
    )


def _taken(connection: Connection, keys: Iterable[bytes], now: int) -> set[bytes]:
    found: set[bytes] = set()
    for among, parameters in connection.dialect.sets(keys, "bytea"):
        statement = taken(connection.dialect, among)
        [digits] = connection.execute(statement, [now, *parameters]).fetchone()
        found.update(bytes.fromhex(key) for key in (digits or "").split())
    return found
