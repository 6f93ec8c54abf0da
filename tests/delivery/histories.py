"""Histories of posts of all kinds: digests, summaries, answers in channels and in direct messages.

Every step runs on a real store with the real couriers, ledger and corrections; a process may end between any
two calls, and another goes on.
"""

import inspect
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import msgspec

from bot.assertions import Assertion
from bot.blocks import render
from bot.chat import Actor, Recent
from bot.delivery.compiler import Compiler
from bot.delivery.courier import Errand, Means
from bot.errors import BotError
from bot.schedules import parse
from bot.services import Services
from bot.sharing import Audience, Reach, clear, may_release
from bot.slack import outbox
from bot.slack.ledger import Ledger
from bot.slack.outbox import Letter, ReadersChangedError
from bot.subscriptions import Purpose, Subscription
from bot.tlp import Label
from tests.delivery.board import HOST, OTHER, OWN, Board, Standing, claim, indicator, names, registry
from tests.delivery.mending import Scene
from tests.delivery.stage import Heard, Killed

CHANNELS, DIRECT = (HOST, OTHER), "D0TREND"
NUMBERS = range(1, 7)
SOURCES = ("kaspersky", "trendmicro", "igci")
LEASE = 240.0

Step = tuple[object, ...]


class Mortal:
    """Anything whose calls end with the process that made them."""

    def __init__(self, real: Any, life: "Life") -> None:
        self._real, self._life = real, life

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._real, name)
        if not inspect.iscoroutinefunction(real):
            return real

        async def call(*arguments: Any, **named: Any) -> Any:
            self._life.pass_by()
            try:
                return await real(*arguments, **named)
            finally:
                self._life.pass_by()

        return call


@dataclass
class Life:
    """Of one process: so many moments before and after calls; without a number it has no end."""

    left: int | None = None

    def pass_by(self) -> None:
        if self.left is not None:
            self.left -= 1
            if self.left < 0:
                raise Killed


class Answers(outbox.Outbox):
    """The board as the outbox of answers."""

    def __init__(self, board: Board) -> None:
        self._board = board

    async def post(self, conversation: str, letter: Letter, *, thread: str = "", nonce: str = "") -> str:
        await self._board.readers(conversation)
        self._look(conversation, letter)
        new = Standing(conversation, "", nonce, thread, letter.message.text, names(letter.message))
        self._board._place(new)
        return new.ts

    async def post_direct(
        self, conversation: str, actor: Actor, letter: Letter, *, thread: str = "", nonce: str = ""
    ) -> str:
        return await self.post(conversation, letter, thread=thread, nonce=nonce)

    async def change_direct(self, conversation: str, ts: str, actor: Actor, letter: Letter) -> None:
        await self._board.readers(conversation)
        self._look(conversation, letter)
        for there in self._board.at(conversation):
            if there.ts == ts:
                there.text, there.names = letter.message.text, names(letter.message)
                self._board.accepted(there)

    def _look(self, conversation: str, letter: Letter) -> None:
        now = self._board.readers_now[conversation]
        if letter.audience is None or letter.audience.orgs != now.orgs:
            raise ReadersChangedError


@dataclass(frozen=True)
class Seen:
    """What could be read in a message, and by whom."""

    channel: str
    ts: str
    names: frozenset[int]
    orgs: frozenset[str]
    is_correction: bool


class History:
    """One sequence of steps."""

    def __init__(self, scene: Scene) -> None:
        self.scene, self.seen = scene, list[Seen]()
        self.wished = list[tuple[str, int]]()  # messages that must not show that any more
        self.corrected = 0
        self._moments = list[Sequence[Assertion]]()  # the claims before each step
        scene.board.accepted = self._see
        scene.board.readers_now[DIRECT] = Audience(
            reach=Reach.DM, orgs=frozenset({"trendmicro"}), persons=frozenset({"U0TOMO"})
        )
        self._direct: tuple[str, Ledger] | None = None
        self._begin(Life())

    def _begin(self, life: Life) -> None:
        """A process starts with what is in the store."""
        scene = self.scene
        self.store: Any = Mortal(scene.store, life)
        board: Any = Mortal(scene.board, life)
        scene.restart(store=self.store, posting=board)
        compiler = Compiler(self.store, registry(), clock=scene.clock)
        self._means = Means(
            store=self.store,
            posting=board,
            writing=compiler,
            alerts=Heard(),
            clock=scene.clock,
            jitter=lambda: 1.0,
        )
        services = Services(self.store, registry(), scene.clock)
        answers: Any = Mortal(Answers(scene.board), life)
        self._ledger = Ledger(services, answers)
        self._direct = None

    async def take(self, step: Step) -> None:
        """Do it; whoever is killed is followed by another."""
        self._moments.append(await self._claims())
        if step[0] == "kill":
            self._begin(Life(int(str(step[1]))))
            return
        try:
            await self._take(step)
        except Killed:
            self._begin(Life())
        except BotError:
            pass  # whoever asked is told to ask again

    async def end(self) -> None:
        """Nothing more happens, and time passes."""
        self._begin(Life())
        for _ in range(24):
            await self._carry()
            while await self.scene.corrections.round():
                pass
            self.scene.clock.pass_by(61)

    async def _take(self, step: Step) -> None:
        if not await self._posted(step):
            await self._happened(step)

    async def _posted(self, step: Step) -> bool:
        match step:
            case ("digest" | "summary" as purpose, str(channel)):
                await self._deliver(channel, Purpose(purpose))
            case ("mention", str(channel)):
                await self._ledger.post(channel, *await self._answer(channel), thread="1.000001")
            case ("direct",):
                letter, reply = await self._answer(DIRECT)
                ts = await self._ledger.post_direct(DIRECT, Actor("U0TOMO", ""), letter, reply)
                self._direct = ts, self._ledger
            case ("grow",):
                ts, ledger = self._direct or ("", self._ledger)
                await ledger.change_direct(DIRECT, ts, Actor("U0TOMO", ""), *await self._answer(DIRECT))
            case _:
                return False
        return True

    async def _happened(self, step: Step) -> None:
        match step:
            case ("correct",):
                await self.scene.corrections.round()
            case ("wait", int(seconds)):
                self.scene.clock.pass_by(seconds)
            case ("add", list(numbers), Label() as label):
                await self.scene.store.add([claim(each, SOURCES[each % 3], label) for each in numbers])
            case ("join" | "leave" as what, str(channel), str(org)):
                board = self.scene.board
                (board.joins if what == "join" else board.leaves)(channel, org)
                self.scene.corrections.readers_changed(channel)
            case ("move", str(org)):  # the one reader of the direct conversation works for somebody else now
                direct = self.scene.board.readers_now[DIRECT]
                self.scene.board.readers_now[DIRECT] = replace(direct, orgs=frozenset({org}))
            case ("retract", int(number)):
                await self.scene.corrections.retract([indicator(number)], source=None, by="U0OPS")
                self.wished += [(each.ts, number) for each in self.seen if not each.is_correction]
            case (str(what), int(number), *more):
                await self._mark(what, number, *more)

    async def _answer(self, conversation: str) -> tuple[Letter, Recent]:
        """All that these readers may see."""
        audience = replace(self.scene.board.readers_now[conversation], read_at=self.scene.clock())
        claims = await self._claims()
        cleared = clear(claims, audience, registry().world(self.scene.clock()))
        reply = Recent(period="24h", cleared=cleared, more=False)
        return Letter(render(reply), audience), reply

    async def _claims(self) -> Sequence[Assertion]:
        return await self.scene.store.lookup([indicator(number) for number in NUMBERS])

    async def _mark(self, what: str, number: int, *more: object) -> None:
        known = await self.scene.store.lookup([indicator(number)])
        marking: dict[str, object] = {"revoked": True}
        if what == "label":
            marking = {"label": more[0]}
        elif what == "exclude":
            marking = {"never_to": frozenset(more)}
        for one in known:
            await self.scene.store.remark(msgspec.structs.replace(one, **marking))

    async def _deliver(self, channel: str, purpose: Purpose) -> None:
        """What is new is due now."""
        store, now = self.scene.store, self.scene.clock()
        known = [each for each in await store.subscriptions(channel) if each.subscription.purpose is purpose]
        if not known:
            schedule = parse("daily 08:00", "UTC")
            subscription = Subscription(channel=channel, purpose=purpose, schedule=schedule)
            await store.subscribe(subscription, next_at=now)
            known = [
                each for each in await store.subscriptions(channel) if each.subscription.purpose is purpose
            ]
        next_at = max(now, known[0].next_at) + timedelta(seconds=1)
        await store.begin_delivery(known[0], period=now.isoformat(), next_at=next_at)
        await self._carry()

    async def _carry(self) -> None:
        at, owner = self.scene.clock(), f"owner {self.scene.clock().timestamp()}"
        for delivery in await self.store.lease_deliveries(owner, at=at, seconds=LEASE, most=9):
            until = at + timedelta(seconds=LEASE / 2)
            await Errand(self._means, delivery, owner=owner, until=until).run()

    # --- looking ---------------------------------------------------------------------------------------

    def _see(self, there: Standing) -> None:
        orgs = self.scene.board.readers_now[there.channel].orgs
        title = there.text.splitlines()[0]
        is_correction = "correct" in title or "taken back" in title
        self.seen.append(Seen(there.channel, there.ts, there.names, orgs, is_correction))

    async def leaks(self) -> list[object]:
        """What stands there and may not be read by those who read it now."""
        found: list[object] = []
        world = registry().world(self.scene.clock())
        claims = {one.indicator: one for one in await self._claims()}
        for there in self.scene.board.standing:
            audience = self.scene.board.readers_now[there.channel]
            shown = [claims[indicator(number)] for number in there.names & set(NUMBERS)]
            found += [(there, one) for one in shown if not may_release(one, audience, world).release]
            found += [
                (there, number) for ts, number in self.wished if ts == there.ts and number in there.names
            ]
            written = next((each.orgs for each in self.seen if each.ts == there.ts), frozenset())
            if _tells_figures(there):
                others = audience.orgs - written
                found += [(there, org) for org in others if not self._might_read(org, audience, written)]
        return found

    def _might_read(self, org: str, audience: Audience, written: frozenset[str]) -> bool:
        """Whether at some moment all that these could read was for that organisation, too."""
        world = registry().world(self.scene.clock())
        then, joined = replace(audience, orgs=written), replace(audience, orgs=written | {org})
        return any(
            all(
                may_release(one, joined, world).release
                for one in claims
                if may_release(one, then, world).release
            )
            for claims in self._moments
            if claims
        )

    def untold(self) -> list[Seen]:
        """What others than the host could read and can no more, of which operators did not hear."""
        stands = {each.ts: each.names for each in self.scene.board.standing}
        gone = [
            each
            for each in self.seen
            if each.names - stands.get(each.ts, frozenset())
            and not each.is_correction
            and each.orgs != {"igci"}
        ]
        self.corrected = len(gone)
        return [each for each in gone if not any(_tells(words, each) for words in self.scene.told)]


def _tells_figures(there: Standing) -> bool:
    title = there.text.splitlines()[0]
    return "summary:" in title or "new reports a day" in title


def _tells(words: str, seen: Seen) -> bool:
    readers = words.partition("could read it:")[2]
    return f" {seen.channel} " in words and all(org in readers for org in seen.orgs)


__all__ = ["CHANNELS", "NUMBERS", "OWN", "History", "Step"]
