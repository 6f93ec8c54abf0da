"""Bots to be killed: real couriers and corrections on a store in a file, beside a sandbox's process.

Each is started by a line of JSON on standard input, says every step that it takes, and is killed at one of
them or after a while if that was ordered. One process imports everything once and forks a bot for each line.
"""

import asyncio
import mmap
import os
import signal
import struct
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from bot.blocks import render
from bot.chat import Recent
from bot.deliveries import ENDED, Delivery, Post
from bot.delivery.alerts import Alert
from bot.delivery.books import PENDING
from bot.delivery.compiler import Compiler
from bot.delivery.corrections import READ_UPTO, Corrections
from bot.delivery.courier import Means
from bot.delivery.office import Office
from bot.delivery.through_slack import ThroughSlack
from bot.indicators import Indicator, Kind
from bot.services import Services
from bot.sharing import Audience, Reach, clear
from bot.slack import posts as slack_posts
from bot.slack.audience import Audiences, alone
from bot.slack.calls import WebApi, open_client, quieten_sdk
from bot.slack.identity import People
from bot.slack.ledger import Ledger
from bot.slack.outbox import Letter, Outbox
from bot.slack.pace import Pace
from bot.slack.posts import Paces, Posts
from bot.store.sqlite import SqliteStore
from tests.slack.conftest import registry

OWN_USER, READER = "U0LIAISON", "U0KIRA"
IDLE_SECONDS = 10.0  # pass on the bot's clock whenever it has nothing to do
NAP_SECONDS = 0.002
DEADLINE_SECONDS = 60.0  # for all that a bot has to do
PATIENCE_SECONDS = 0.3  # in the place of POST_SECONDS, so that a reply that comes late is lost

Result = TypeVar("Result")


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What a bot is to do."""

    path: str  # of its store
    api_url: str
    token: str
    die_before: str = ""  # name of a step
    die_after: str = ""
    life: float | None = None  # seconds until it is killed, wherever it is
    linger: float = 0.0  # seconds of its clock that it works at least
    retract: str = ""  # a domain that the host wishes taken back
    answer: str = ""  # a domain that somebody asks about in a channel, and then in a direct message
    channel: str = ""  # where that is


class Clock:
    """UTC in a file beside the store, which a bot moves on while it is idle; goes on after a kill."""

    def __init__(self, store: Path) -> None:
        path = store.with_suffix(".clock")
        if not path.exists():
            path.write_bytes(struct.pack("d", 0.0))
        with path.open("r+b") as file:
            self._kept = mmap.mmap(file.fileno(), 8)

    def __call__(self) -> datetime:
        [ahead] = struct.unpack_from("d", self._kept)
        return datetime.now(UTC) + timedelta(seconds=ahead)

    def pass_by(self, seconds: float) -> None:
        [ahead] = struct.unpack_from("d", self._kept)
        struct.pack_into("d", self._kept, 0, ahead + seconds)


class Steps:
    """Names every step; at the one that was ordered the process is killed."""

    def __init__(self, order: Order) -> None:
        self._order, self._count = order, Counter[str]()

    async def take(self, name: str, work: Callable[[], Awaitable[Result]]) -> Result:
        self._count[name] += 1
        step = f"{name} ({self._count[name]})"
        _say(f"step {step}")
        _die_if(step == self._order.die_before)
        try:
            return await work()
        finally:
            _die_if(step == self._order.die_after)


class WatchedStore:
    """A store whose writes are steps."""

    def __init__(self, store: Any, steps: Steps) -> None:
        self._store, self._steps = store, steps

    def __getattr__(self, method: str) -> Any:
        real = getattr(self._store, method)
        if method not in _WRITES:
            return real

        async def call(*arguments: Any, **named: Any) -> Any:
            name = _WRITES[method](*arguments)
            return await self._steps.take(name, lambda: real(*arguments, **named))

        return call


class WatchedApi(WebApi):
    """Slack's Web API whose calls are steps."""

    def __init__(self, client: Any, steps: Steps) -> None:
        super().__init__(client)
        self._steps = steps

    async def once(self, method: str, *, seconds: float, **arguments: Any) -> Mapping[str, Any]:
        """One request."""

        def ask() -> Awaitable[Mapping[str, Any]]:
            return super(WatchedApi, self).once(method, seconds=seconds, **arguments)

        if method in ("conversations.members", "users.info"):
            return await ask()
        is_reply = bool(arguments.get("json", {}).get("thread_ts"))
        return await self._steps.take(f"{method}{' beneath' if is_reply else ''}", ask)

    async def upload(self, url: str, content: bytes) -> None:
        """The content of a file."""
        await self._steps.take("upload", lambda: super(WatchedApi, self).upload(url, content))


class _Heard:
    """Alerts for the operators."""

    async def tell(self, alert: Alert) -> None:
        _say(f"alert {alert}")


def _delivery_step(delivery: Delivery) -> str:
    part = f", {delivery.parts} beneath" if delivery.parts else ""
    return f"keep {delivery.state}{part}{', under way' if delivery.started_at else ''}"


def _post_step(post: Post) -> str:
    notes = post.amending.notes if post.amending else ()
    busy = ", being changed" if post.busy_until else ""
    under_way = ", note under way" if any(note.started_at for note in notes) else ""
    said = f", {sum(note.is_said for note in notes)} of {len(notes)} notes said" if notes else ""
    return f"ledger: {post.purpose} {post.state}{said}{under_way}{busy}"


_WRITES: Mapping[str, Callable[..., str]] = {
    "begin_delivery": lambda *_: "begin",
    "lease_deliveries": lambda *_: "lease",
    "put_delivery": _delivery_step,
    "record_post": _post_step,
    "replace_post": lambda _, new: _post_step(new),
    "set_mark": lambda name, _: f"mark {name.split()[0]}",
}


async def _work(order: Order) -> None:
    path, steps = Path(order.path), Steps(order)
    clock = Clock(path)
    sqlite = SqliteStore(path, clock)
    await sqlite.open()
    store: Any = WatchedStore(sqlite, steps)
    slack = _Slack(order, steps, clock)
    posting = slack.posting
    writing = Compiler(store, registry({}), clock=clock)
    means = Means(store=store, posting=posting, writing=writing, alerts=_Heard(), clock=clock)
    office = Office(means)
    corrections = Corrections(store, registry({}), clock=clock)
    corrections.equip(posting, _told)
    if order.retract:
        wished = [Indicator(Kind.DOMAIN, order.retract)]
        await steps.take("retract", lambda: corrections.retract(wished, source=None, by="U0OPS"))
        _say("wished")
    if order.answer:
        await _answer(order, store, clock, slack)
        _say("answered")
    until = clock() + timedelta(seconds=order.linger)
    while clock() < until or not await _is_finished(sqlite):
        is_busy = bool(await office.round()) | await corrections.round()
        if not is_busy:
            clock.pass_by(IDLE_SECONDS)
        await asyncio.sleep(NAP_SECONDS)
    _say("finished")


class _Slack:
    """Slack at full speed, with little patience."""

    def __init__(self, order: Order, steps: Steps, clock: Clock) -> None:
        quieten_sdk()
        slack_posts.POST_SECONDS = PATIENCE_SECONDS
        slack = WatchedApi(open_client(order.token, order.api_url), steps)
        self.people = People(slack, registry({}))
        self.audiences = Audiences(slack, self.people, registry({}), clock=clock, own_user=OWN_USER)
        look, post, update, delete = (Pace(per_second=1e6, channel_seconds=0) for _ in range(4))
        paces = Paces(look=look, post=post, update=update, delete=delete)
        posts = Posts(slack, self.audiences, own_user=OWN_USER, clock=clock, paces=paces)
        self.posting = ThroughSlack(posts)
        self.outbox = Outbox(slack, self.audiences, self.people, clock=clock)


async def _answer(order: Order, store: Any, clock: Clock, slack: _Slack) -> None:
    """Somebody asks about a domain where others read along, and in private; both answers stay."""
    services = Services(store, registry({}), clock)
    ledger, about = Ledger(services, slack.outbox), Indicator(Kind.DOMAIN, order.answer)

    async def answered(readers: Audience) -> tuple[Letter, Recent]:
        cleared = clear(await store.lookup([about]), readers, services.registry.world(clock()))
        reply = Recent(period="24h", cleared=cleared, more=False)
        return Letter(render(reply), readers), reply

    letter, reply = await answered(await slack.audiences.of_conversation(order.channel))
    await ledger.post(order.channel, letter, reply)
    asker = await slack.people.actor(READER)
    letter, reply = await answered(alone(Reach.DM, asker, clock()))
    conversation = await slack.outbox.open_direct(asker)
    ts = await ledger.post_direct(conversation, asker, letter, reply)
    await ledger.change_direct(conversation, ts, asker, letter, reply)


async def _told(_: str) -> None:
    """The host's operators."""
    _say("told")


async def _is_finished(store: SqliteStore) -> bool:
    """Whether everything that was due is delivered, and everything that was changed is amended."""
    deliveries, posts = await store.deliveries(), await store.posts()
    is_read = not await store.changes(after=await store.mark(READ_UPTO))
    are_amended = all(post.state not in PENDING and post.amending is None for post in posts)
    return bool(deliveries) and is_read and are_amended and all(each.state in ENDED for each in deliveries)


def _die_if(is_there: bool) -> None:
    if is_there:
        os.kill(os.getpid(), signal.SIGKILL)


def _say(words: str) -> None:
    os.write(1, f"{words}\n".encode())


def _serve(order: Order) -> None:
    code = 1
    try:
        asyncio.run(asyncio.wait_for(_work(order), DEADLINE_SECONDS))
        code = 0
    finally:
        os._exit(code)


def _let_live(order: Order) -> None:
    """Start a bot and wait for its end."""
    child = os.fork()
    if child == 0:
        _serve(order)
    if order.life is not None:
        time.sleep(order.life)
        os.kill(child, signal.SIGKILL)  # nobody has waited for it yet: the number is its own, alive or dead
    os.waitpid(child, 0)


if __name__ == "__main__":
    for line in sys.stdin:
        _let_live(msgspec.json.decode(line, type=Order))
        _say("over")
