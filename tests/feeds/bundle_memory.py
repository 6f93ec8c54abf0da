"""Imports one STIX file in a process of its own and prints how much memory that took beyond the start."""

import asyncio
import json
import resource
import sys
from pathlib import Path

from bot import imports
from bot.feeds.parsed import Defaults
from bot.store import open_store
from bot.tlp import Label


async def main(bundle: Path, database: Path) -> None:
    """Print `{"read", "extra_mb"}`."""
    store = await open_store(f"sqlite:///{database}")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    summary = await imports.run([bundle], Defaults("kaspersky", Label.GREEN), store)
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    await store.close()
    print(json.dumps({"read": summary.read, "extra_mb": (after - before) / 1024}))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2])))
