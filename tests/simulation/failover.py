"""A day on PostgreSQL whose primary crashes and whose standby takes over, with real servers.

    python -m tests.simulation.failover --organisations 60 --channels 200 --hours 3

prints what `liaison simulate` prints, and fails as it does.
"""

import argparse
import asyncio
import sys
import time
from pathlib import Path

import commands
from bot.simulation.day import Means, play
from bot.simulation.script import BEGINS, script
from tests.postgres.cluster import Ground
from tests.postgres.pair import Pair

LEASE_SECONDS = 4.0  # between the crash and the promotion, as with somebody who watches


def run(given: argparse.Namespace) -> int:
    """Play it; gives the exit code."""
    made = script(
        seed=given.seed,
        organisations=given.organisations,
        channels=given.channels,
        hours=given.hours,
        questions=given.questions,
        assertions=given.assertions,
        kills=given.kills,
        begins=BEGINS.replace(hour=given.begins),
    )
    with Ground() as ground:
        pair = Pair.start(ground)

        async def crash_and_promote() -> None:
            await asyncio.to_thread(pair.primary.crash)
            await asyncio.sleep(LEASE_SECONDS)
            await asyncio.to_thread(pair.promote)
            await asyncio.to_thread(pair.go_on_alone)

        means = Means(
            answer=commands.answer,
            store=pair.url,
            speed=given.speed,
            folder=given.folder,
            failover=crash_and_promote,
            say=lambda words: print(time.strftime("%H:%M:%S"), words, file=sys.stderr, flush=True),
        )
        found = play(made, means)
        print(found)
        pair.primary.stop()
    return int(found.is_failed)


if __name__ == "__main__":
    reader = argparse.ArgumentParser(description=__doc__)
    reader.add_argument("--organisations", type=int, default=60)
    reader.add_argument("--channels", type=int, default=200)
    reader.add_argument("--hours", type=float, default=3.0)
    reader.add_argument("--begins", type=int, default=4)
    reader.add_argument("--questions", type=int, default=500)
    reader.add_argument("--assertions", type=int, default=2_000)
    reader.add_argument("--kills", type=int, default=1)
    reader.add_argument("--seed", type=int, default=7)
    reader.add_argument("--speed", type=float, default=120.0)
    reader.add_argument("--folder", type=Path)
    sys.exit(run(reader.parse_args()))
