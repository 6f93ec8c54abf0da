"""Clock: the time of a simulated day, the same in all processes, as fast as the machine can follow.

Processors do not hurry. Where a day's minute asks more of them than they can do in the moment that it lasts,
bots would be late because of the machine; so whoever governs the clock slows it down until they can follow.
"""

import asyncio
import mmap
import struct
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

from bot.tempo import Alarm, Tempo

SLICE_SECONDS = 0.05  # real ones; for so long a change of speed may go unnoticed by who waits
LOOK_SECONDS = 0.5  # real ones, between two changes of speed
BUSY, IDLE = 0.9, 0.7  # of one processor, that a process wants: above and below, the speed changes
SLOWER, FASTER = 0.7, 1.12
BEFORE_SECONDS, STANDING = 5.0, 0.001  # before the day, and the speed while everything starts
SLOWEST = 1.0  # nobody can say that the machine was too slow at real time
_FORM = struct.Struct("dddd")  # real seconds and the day's at the last change, speed, and their sum


@dataclass(frozen=True)
class Clock:
    """`path` holds how fast the day passes; `begins` is its first moment."""

    path: Path
    begins: datetime

    def __call__(self) -> datetime:
        """The day's time."""
        return self.begins + timedelta(seconds=self.timer())

    def timer(self) -> float:
        """The day's seconds; below 0 before it begins."""
        real, day, speed = self._read()
        return day + (time.monotonic() - real) * speed

    @property
    def speed(self) -> float:
        """How much faster than real time it passes now."""
        return self._read()[2]

    def later(self, seconds: float, then: Callable[[], None]) -> Alarm:
        """Do something after so many of its seconds."""
        return _Later(self, self.timer() + seconds, then)

    async def rest(self, seconds: float) -> None:
        """Wait for so many of its seconds."""
        until = self.timer() + seconds
        await asyncio.sleep(0)
        while (left := until - self.timer()) > 0:  # noqa: ASYNC110 - a speed is no event
            await asyncio.sleep(min(left / self.speed, SLICE_SECONDS))

    @property
    def tempo(self) -> Tempo:
        """For everything that takes one."""
        return Tempo(self.timer, self.later, self.rest)

    def start(self) -> None:
        """Let everybody read it: the day is about to begin, and all but stands still until it does."""
        self.path.write_bytes(_pack(time.monotonic(), -BEFORE_SECONDS, STANDING))

    def begin(self, speed: float) -> None:
        """Let the day begin now."""
        _memory(self.path)[: _FORM.size] = _pack(time.monotonic(), 0.0, speed)

    def change(self, speed: float) -> None:
        """Go on at another speed."""
        now, day = time.monotonic(), self.timer()
        _memory(self.path)[: _FORM.size] = _pack(now, day, speed)

    def _read(self) -> tuple[float, float, float]:
        memory = _memory(self.path)
        while True:
            real, day, speed, check = _FORM.unpack(memory[: _FORM.size])
            if check == real + day + speed:  # else somebody is writing it right now
                return real, day, speed


class _Later:
    """An alarm on a clock whose speed changes."""

    def __init__(self, clock: Clock, until: float, then: Callable[[], None]) -> None:
        self._clock, self._until, self._then = clock, until, then
        self._handle: asyncio.TimerHandle | None = None
        self._wait()

    def cancel(self) -> None:
        """Let it not happen."""
        if self._handle is not None:
            self._handle.cancel()

    def _wait(self) -> None:
        left = max(0.0, (self._until - self._clock.timer()) / self._clock.speed)
        loop = asyncio.get_running_loop()
        self._handle = loop.call_later(min(left, SLICE_SECONDS), self._come)

    def _come(self) -> None:
        if self._clock.timer() >= self._until:
            self._then()
        else:
            self._wait()


class Governor:
    """Sets the speed by how much of a processor the busiest process wants, waiting for one included."""

    def __init__(
        self,
        clock: Clock,
        *,
        most: float,
        least: float = SLOWEST,
        processes: Callable[[], Iterable[int]],
    ) -> None:
        self._clock, self._most, self._least, self._processes = clock, most, least, processes
        self._before: dict[int, int] = {}
        self._looked_at = time.monotonic()
        self._holds = 0
        self.slowest = most

    def hold(self) -> None:
        """Let the day pass at real time, until all who wanted that let go."""
        self._holds += 1
        self._clock.change(SLOWEST)

    def let_go(self) -> None:
        """Hurry again, little by little."""
        self._holds -= 1

    def look(self, *, most: float | None = None) -> None:
        """Change the speed if that is due; `most` is all that is wanted for the moment."""
        now = time.monotonic()
        if self._holds or now - self._looked_at < LOOK_SECONDS:
            return
        wants = {process: _wanted(process) for process in self._processes()}
        busiest = max((wants[each] - self._before.get(each, wants[each]) for each in wants), default=0)
        share = busiest / 1e9 / (now - self._looked_at)
        self._before, self._looked_at = wants, now
        speed, most = self._clock.speed, min(self._most, most or self._most)
        if share > BUSY:
            self._put(max(self._least, min(speed * SLOWER, most)))
        elif speed > most:
            self._put(most)
        elif share < IDLE and speed < most:
            self._put(min(most, speed * FASTER))

    def _put(self, speed: float) -> None:
        self._clock.change(speed)
        self.slowest = min(self.slowest, speed)


def _wanted(process: int) -> int:
    """Nanoseconds that it ran or waited for a processor since it began; 0 where nobody counts them.

    https://docs.kernel.org/scheduler/sched-stats.html
    """
    wanted = 0
    for thread in Path(f"/proc/{process}/task").glob("*/schedstat"):
        with suppress(OSError, ValueError):  # a thread that ended meanwhile
            ran, waited = thread.read_text(encoding="ascii").split()[:2]
            wanted += int(ran) + int(waited)
    return wanted


def _pack(real: float, day: float, speed: float) -> bytes:
    return _FORM.pack(real, day, speed, real + day + speed)


@cache
def _memory(path: Path) -> mmap.mmap:
    with path.open("r+b") as file:
        return mmap.mmap(file.fileno(), _FORM.size)
