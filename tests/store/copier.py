"""Copies a store and tells each step, for a test that kills it: `python -m tests.store.copier FROM TO`."""

import sys

from bot.store import operations
from bot.store.copying import Phase


def _tell(phase: Phase, table: str, rows: int) -> None:
    print(phase, table, rows, flush=True)


if __name__ == "__main__":
    print("started", flush=True)
    origin, target = sys.argv[1:]
    operations.copy(origin, target, _tell)
