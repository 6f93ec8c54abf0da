"""Processes: what a benchmark measures against runs beside it, not within it."""

import asyncio
import multiprocessing
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection as Pipe
from typing import Any

from bot.errors import UnavailableError

START_SECONDS = 60.0


@contextmanager
def process(serve: Callable[..., Awaitable[None]], *arguments: object) -> Iterator[tuple[Pipe, Any]]:
    """Run `serve(pipe, *arguments)` in its own process for as long as the block runs.

    Gives our end of the pipe and the first thing that was sent through it; sends None at the end.
    """
    methods = multiprocessing.get_context("fork")
    ours, theirs = methods.Pipe()
    process = methods.Process(target=_run, args=(serve, theirs, *arguments), daemon=True)
    process.start()
    try:
        if not ours.poll(START_SECONDS):
            raise UnavailableError("A server of the benchmark did not start in time; try again.")
        yield ours, ours.recv()
    finally:
        ours.send(None)
        process.join(START_SECONDS)
        if process.is_alive():
            process.kill()


def _run(serve: Callable[..., Awaitable[None]], pipe: Pipe, *arguments: object) -> None:
    async def main() -> None:
        await serve(pipe, *arguments)

    asyncio.run(main())
