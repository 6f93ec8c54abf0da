"""A session with PostgreSQL in which no wait lasts for ever."""

from typing import Any, TypeVar

import psycopg
from psycopg.abc import PQGen
from psycopg.pq import TransactionStatus

T = TypeVar("T")


class Session(psycopg.Connection[Any]):
    """Gives up a server that hangs: its machine still acknowledges what is sent, so TCP waits for ever."""

    longest_wait: float | None = None  # seconds until the end of what was asked

    def wait(self, gen: PQGen[T], interval: float = 0.1, timeout: float | None = None) -> T:
        """What the exchange returns. Raises OperationalError, and closes the session if it took too long."""
        try:
            return super().wait(gen, interval, self.longest_wait if timeout is None else timeout)
        except psycopg.OperationalError:
            if self.pgconn.transaction_status == TransactionStatus.ACTIVE:  # an answer may still come
                self.pgconn.finish()
            raise
