"""Day: plays a script with real bots against the sandbox, and has it judged."""

import asyncio
import tempfile
import time
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from bot import config, imports
from bot.chat import Answer
from bot.errors import UnavailableError
from bot.feeds.parsed import Defaults
from bot.organisations import Registry
from bot.schedules import next_after
from bot.schedules import parse as schedule
from bot.services import Store
from bot.simulation import paper
from bot.simulation.clock import Clock, Governor
from bot.simulation.judge import Verdict, judge
from bot.simulation.mornings import dues
from bot.simulation.played import Arrived, Heard, Play
from bot.simulation.replica import Orders, Replica
from bot.simulation.report import Report, report
from bot.simulation.stage import Stage, stage
from bot.simulation.world import Batch, Kill, Script
from bot.store import open_store
from bot.subscriptions import Attach, Purpose, Subscription

ROUND_SECONDS = 0.1  # real ones, between two looks at what comes next
MEMORY_SECONDS = 300.0  # of the day, between two looks at memory
WATCHED, SOON = timedelta(minutes=6), timedelta(minutes=1)  # after so many were due, and before
WATCHED_SPEED, MANY = 20.0, 8
FAILOVER = 0.7  # of the day, when the store's primary dies
TAKEN_UP_SECONDS = 10.0  # real ones, for everybody to find the new one
AGAIN_SECONDS = 1.0  # real ones, until a source sends again what was not taken
TRIES = 120
TOLD_SECONDS = 10.0  # real ones, between two words about how far it is
CHUNK = 2_000

Say = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Means:
    """How a day is played. `store` is an address, or "" for a file; `folder` keeps what is left.

    `failover` lets the store's primary die and its standby take over, once.
    """

    answer: Answer
    replicas: int = 2
    speed: float = 120.0  # at most; see `bot.simulation.clock`
    store: str = ""
    least_speed: float = 1.0  # however slow the machine is; what is late may be so because of it then
    folder: Path | None = None
    with_services: bool = True
    failover: Callable[[], Awaitable[None]] | None = None
    afterwards: timedelta = timedelta(minutes=50)  # for what was due at last, and for corrections
    say: Say = lambda _: None


@dataclass
class _Log:
    """What the director sees for itself."""

    batches: list[Arrived] = field(default_factory=list)
    memory: defaultdict[datetime, dict[int, int]] = field(default_factory=lambda: defaultdict(dict))
    slowest: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Performed:
    """What was heard on the stage and seen behind it."""

    heard: Heard
    batches: list[Arrived]
    memory: Mapping[datetime, Mapping[int, int]]
    seconds: float  # real ones
    slowest: float  # speed of the clock


def play(script: Script, means: Means) -> Report:
    """Play it from beginning to end and judge it. Raises UnavailableError when the machine cannot."""
    performed = perform(script, means)
    means.say("Judging.")
    return report(
        script,
        performed.heard,
        judged(script, performed),
        memory=performed.memory,
        seconds=performed.seconds,
        speed=(means.speed, performed.slowest),
    )


def judged(script: Script, performed: Performed) -> Verdict:
    """What the judge says about it."""
    heard = performed.heard
    return judge(
        script,
        Play(told=heard.told, standing=heard.standing, asked=heard.asked, batches=performed.batches),
    )


def perform(script: Script, means: Means) -> Performed:
    """Play it with real bots; raises UnavailableError when the machine cannot."""
    began = time.monotonic()
    with _folder(means.folder) as folder:
        (folder / "liaison.toml").write_text(paper.settings(script), encoding="utf-8")
        registry = config.load(folder / "liaison.toml")
        url = means.store or f"sqlite:///{folder}/liaison.db"
        means.say("Storing what is known already.")
        asyncio.run(_prepare(script, url, registry))
        clock = Clock(folder / "clock", script.begins)
        clock.start()
        with stage(script, clock, with_services=means.with_services) as scene, ExitStack() as stack:
            replicas = [
                Replica(
                    Orders(
                        number=number,
                        config=folder / "liaison.toml",
                        store=url,
                        opened=scene.opened,
                        clock=clock,
                        log=folder / f"replica-{number}.log",
                        answer=means.answer,
                    )
                )
                for number in range(means.replicas)
            ]
            for replica in replicas:
                stack.callback(replica.stop)
            with ThreadPoolExecutor() as pool:  # each takes a second or two
                for number, port in enumerate(pool.map(Replica.begin, replicas)):
                    scene.put(number, port)
            log = asyncio.run(_Director(script, means, scene, replicas, clock, registry, url).direct())
            for replica in replicas:
                replica.stop()
            heard = scene.heard()
    return Performed(
        heard=heard,
        batches=log.batches,
        memory=log.memory,
        seconds=time.monotonic() - began,
        slowest=log.slowest,
    )


@contextmanager
def _folder(given: Path | None) -> Iterator[Path]:
    if given is not None:
        given.mkdir(parents=True, exist_ok=True)
        yield given
        return
    with tempfile.TemporaryDirectory(prefix="liaison-day-") as name:
        yield Path(name)


async def _prepare(script: Script, url: str, registry: Registry) -> None:
    """What was stored before, then what channels are to get."""
    store = await open_store(url, lambda: script.begins - timedelta(days=2))
    if await store.head():
        await store.close()
        raise UnavailableError("That store is not empty; name an empty one with --store.")
    for batch in script.stored:
        await _import(store, registry, batch)
    for one in script.subscribed:
        when = schedule(one.words, "UTC")
        subscription = Subscription(
            channel=one.room,
            purpose=Purpose(one.purpose),
            schedule=when,
            attach=Attach(one.attach) if one.attach else None,
        )
        await store.subscribe(subscription, next_at=next_after(when, script.begins))
    await store.close()


async def _import(store: Store, registry: Registry, batch: Batch) -> None:
    """As `liaison import` does it."""
    source = registry.organisation(batch.source)
    with tempfile.NamedTemporaryFile(suffix=".jsonl") as file:
        file.write(paper.lines(batch))
        file.flush()
        defaults = Defaults(batch.source, source.default_label) if source else Defaults(batch.source)
        summary = await imports.run([Path(file.name)], defaults, store)
    if summary.rejected:
        raise UnavailableError(f"What a source sends was not taken: {summary.rejected[0].reason}.")


class _Director:
    """Has sources send, replicas die, and memory measured, until everything is over."""

    def __init__(
        self,
        script: Script,
        means: Means,
        scene: Stage,
        replicas: list[Replica],
        clock: Clock,
        registry: Registry,
        url: str,
    ) -> None:
        self._script, self._means, self._scene = script, means, scene
        self._replicas, self._clock, self._registry, self._url = replicas, clock, registry, url
        self._log = _Log()
        self._measured_at = -MEMORY_SECONDS
        self._told_at = time.monotonic()
        moments = Counter(due for one in script.subscribed for due in dues(one, script.begins, script.ends))
        self._dues = sorted(due for due, number in moments.items() if number >= MANY)
        self._governor = Governor(clock, most=means.speed, least=means.least_speed, processes=self._processes)

    def _processes(self) -> list[int]:
        numbers = (self._scene.process, *(replica.process for replica in self._replicas))
        return [number for number in numbers if number is not None]

    async def direct(self) -> _Log:
        store = await open_store(self._url, self._clock)
        try:
            self._clock.begin(self._means.speed)
            self._scene.play()
            killing = asyncio.gather(self._kill_all(), self._fail_over())
            batches = list(self._script.batches)
            while self._goes_on(batches):
                if batches and batches[0].at <= self._clock():
                    await self._send(store, batches.pop(0))
                self._governor.look(most=self._most())
                self._look()
                await asyncio.sleep(ROUND_SECONDS)
            await killing
        finally:
            await store.close()
        self._log.slowest = self._governor.slowest
        return self._log

    def _goes_on(self, batches: list[Batch]) -> bool:
        if batches or self._clock() < self._script.ends + self._means.afterwards:
            return True
        return not self._scene.is_over()

    def _most(self) -> float:
        """No hurry while much is due: a second of ours must not be minutes of theirs."""
        since = self._clock() - WATCHED
        place = bisect_left(self._dues, since)
        is_watched = place < len(self._dues) and self._dues[place] <= self._clock() + SOON
        return min(self._means.speed, WATCHED_SPEED) if is_watched else self._means.speed

    async def _send(self, store: Store, batch: Batch) -> None:
        begun = self._clock()
        for number in range(TRIES):
            try:
                await _import(store, self._registry, batch)
                break
            except UnavailableError:
                if number + 1 == TRIES:
                    raise
                await asyncio.sleep(AGAIN_SECONDS)
        self._log.batches.append(Arrived(begun=begun, done=self._clock()))

    async def _kill_all(self) -> None:
        for kill in sorted(self._script.kills, key=lambda one: one.at):
            await self._kill(kill)

    async def _kill(self, kill: Kill) -> None:
        number = kill.replica % len(self._replicas)
        await self._until(kill.at)
        self._means.say(f"{self._clock():%H:%M} replica {number} is killed.")
        self._replicas[number].kill()
        await self._until(kill.back_at)
        with self._at_real_time():
            port = await asyncio.to_thread(self._replicas[number].begin)
        self._scene.put(number, port)
        self._means.say(f"{self._clock():%H:%M} replica {number} is back.")

    async def _fail_over(self) -> None:
        if self._means.failover is None:
            return
        await self._until(self._script.begins + FAILOVER * (self._script.ends - self._script.begins))
        self._means.say(f"{self._clock():%H:%M} the store's primary dies.")
        with self._at_real_time():
            await self._means.failover()
            await asyncio.sleep(TAKEN_UP_SECONDS)
        self._means.say(f"{self._clock():%H:%M} the store has another primary.")

    @contextmanager
    def _at_real_time(self) -> Iterator[None]:
        """For what takes as long as it takes, however fast the day passes."""
        self._governor.hold()
        try:
            yield
        finally:
            self._governor.let_go()

    async def _until(self, moment: datetime) -> None:
        await self._clock.rest(max(0.0, (moment - self._clock()).total_seconds()))

    def _look(self) -> None:
        if (now := self._clock.timer()) - self._measured_at >= MEMORY_SECONDS:
            self._measured_at = now
            hour = self._clock().replace(minute=0, second=0, microsecond=0)
            for number, replica in enumerate(self._replicas):
                most = self._log.memory[hour].get(number, 0)
                self._log.memory[hour][number] = max(most, replica.memory())
        if time.monotonic() - self._told_at >= TOLD_SECONDS:
            self._told_at = time.monotonic()
            self._means.say(f"{self._clock():%d %H:%M} {self._scene.progress()}, {self._clock.speed:.0f}x")
