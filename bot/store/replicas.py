"""What replicas share of their own affairs, in the turns of the store's two threads."""

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial

from bot.errors import BotError
from bot.leases import Lease
from bot.store import keeping, leasing, renaming, rows, turning
from bot.store.engine import Connection
from bot.store.threads import Desk, Turns
from bot.turns import Lane, Turn

Forget = Callable[[Connection, int], None]


class Replicas:
    """Kept texts, turns and leases; what is over is deleted after every so many that come."""

    def __init__(
        self, writer: Desk, reader: Desk, clock: Callable[[], datetime], *, most_kept: int = keeping.MOST
    ) -> None:
        self._writer, self._reader, self._clock = writer, reader, clock
        self._keeping = Turns(writer, self._keep)
        self._finding = Turns(reader, self._find)
        self._turning = Turns(writer, self._turn)
        self._leasing = Turns(writer, self._settle)
        self._looking = Turns(reader, self._look)
        self._forget_kept = _Now(keeping.FORGET_EVERY, partial(keeping.forget, most=most_kept))
        self._forget_turns = _Now(turning.FORGET_EVERY, turning.forget)
        self._forget_leases = _Now(leasing.FORGET_EVERY, leasing.forget)

    async def keep(self, token: str, body: str, seconds: float) -> None:
        await self._keeping.ask(keeping.kept(token, body, seconds))

    async def kept(self, token: str) -> str | None:
        return await self._finding.ask(keeping.digest(token))

    async def take_kept(self, token: str) -> str | None:
        take = partial(keeping.take, token=keeping.digest(token), now=self._now())
        return await self._writer.do(take, once=True)

    async def take_turn(self, lane: Lane, channel: str) -> Turn:
        return await self._turning.ask(turning.checked(lane, channel))

    async def hold_turns(self, lane: Lane, channel: str, seconds: float) -> None:
        wanted = turning.checked(lane, channel)
        await self._writer.do(partial(turning.hold, wanted=wanted, seconds=seconds, now=self._now()))

    async def take_lease(self, name: str, owner: str, seconds: float) -> Lease:
        return await self._leasing.ask(leasing.checked(leasing.Wish(name, owner, seconds)))

    async def lease(self, name: str) -> Lease:
        return await self._looking.ask(name)

    async def end_lease(self, name: str, owner: str, note: str, seconds: float) -> None:
        wish = leasing.Wish(name, owner, seconds, is_end=True, note=note)
        await self._leasing.ask(leasing.checked(wish))

    async def former_channels(self, channel: str) -> list[str]:
        return await self._reader.do(partial(renaming.former, channel=channel))

    def _now(self) -> int:
        return rows.micros(self._clock())

    def _keep(self, connection: Connection, values: Sequence[keeping.Kept]) -> list[BotError | None]:
        now = self._now()
        self._forget_kept.count(connection, len(values), now)
        return keeping.keep(connection, values, now)

    def _find(self, connection: Connection, tokens: Sequence[bytes]) -> Sequence[str | BotError | None]:
        return keeping.find(connection, tokens, self._now())

    def _turn(self, connection: Connection, wanted: Sequence[turning.Wanted]) -> list[Turn | BotError]:
        now = self._now()
        self._forget_turns.count(connection, len(wanted), now)
        return turning.take(connection, wanted, now)

    def _settle(self, connection: Connection, wishes: Sequence[leasing.Wish]) -> list[Lease | BotError]:
        now = self._now()
        self._forget_leases.count(connection, len(wishes), now)
        return leasing.settle(connection, wishes, now)

    def _look(self, connection: Connection, names: Sequence[str]) -> list[Lease | BotError]:
        return leasing.look(connection, names, self._now())


class _Now:
    """Does something every so many times; in the writer's thread alone."""

    def __init__(self, every: int, forget: Forget) -> None:
        self._every, self._forget, self._count = every, forget, 0

    def count(self, connection: Connection, number: int, now: int) -> None:
        self._count += number
        if self._count >= self._every:
            self._count = 0
            self._forget(connection, now)
