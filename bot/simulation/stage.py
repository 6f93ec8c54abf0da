"""Stage: the process in which the sandbox, its people, external services and a load balancer live."""

import asyncio
import multiprocessing
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection as Pipe
from typing import Any

from bot.errors import UnavailableError
from bot.manifest import EVENTS_PATH
from bot.providers.options import Options
from bot.sandbox import Cast, Guest, Place, Sandbox, Team, Timing, User
from bot.sandbox.services import Fakes, start_all
from bot.secret import Secret
from bot.settings import SlackSettings
from bot.simulation.balancer import Balancer
from bot.simulation.clock import Clock
from bot.simulation.played import Heard
from bot.simulation.players import Players
from bot.simulation.transcript import Transcript
from bot.simulation.world import BOT, HOST_TEAM, Person, Script

START_SECONDS = 60.0
ANSWER_SECONDS = 120.0
RETRIES = (0.0, 2.0, 10.0)  # real seconds after which Slack sends an event again
QUESTIONS_A_MINUTE = 60  # to the one provider that counts them


@dataclass(frozen=True)
class Opened:
    """What a bot must know to work there."""

    slack: SlackSettings
    providers: dict[str, Options]


class Stage:
    """The other process; every method asks it and waits for the answer."""

    def __init__(self, pipe: Pipe) -> None:
        self._pipe = pipe
        self.process, self.opened = self._begun()

    def _begun(self) -> tuple[int, Opened]:
        process, opened = self._answer(START_SECONDS)
        return process, opened

    def put(self, replica: int, port: int | None) -> None:
        """Where that replica listens now."""
        self._ask("put", replica, port)

    def play(self) -> None:
        """Let people begin."""
        self._ask("play")

    def is_over(self) -> bool:
        """Whether everybody has done what the script says."""
        return bool(self._ask("is_over"))

    def progress(self) -> str:
        """How far it is, for whoever waits."""
        return str(self._ask("progress"))

    def heard(self) -> Heard:
        """All of it."""
        heard: Heard = self._ask("heard")
        return heard

    def _ask(self, name: str, *arguments: object) -> Any:
        self._pipe.send((name, arguments))
        return self._answer(ANSWER_SECONDS)

    def _answer(self, seconds: float) -> Any:
        if not self._pipe.poll(seconds):
            raise UnavailableError("The sandbox did not answer in time; try a lower --speed.")
        answer = self._pipe.recv()
        if isinstance(answer, Exception):
            raise answer
        return answer


@contextmanager
def stage(script: Script, clock: Clock, *, with_services: bool) -> Iterator[Stage]:
    """One for as long as the block runs."""
    methods = multiprocessing.get_context("spawn")
    ours, theirs = methods.Pipe()
    process = methods.Process(target=_run, args=(theirs, script, clock, with_services), daemon=True)
    process.start()
    theirs.close()
    try:
        yield Stage(ours)
    finally:
        ours.close()  # that ends it
        process.join(START_SECONDS)
        if process.is_alive():
            process.kill()
            process.join()


def cast(script: Script) -> Cast:
    """The script's organisations, people and channels as the sandbox knows them."""
    orgs = {party.slug: party.org for party in script.parties}
    bot = User(id=BOT, name="liaison", real_name="Liaison", team=HOST_TEAM, is_bot=True)
    return Cast(
        host=HOST_TEAM,
        bot=BOT,
        teams=tuple(
            Team(
                id=party.team,
                name=party.name,
                domain=party.slug,
                enterprise=party.enterprise or None,
                installed=party.team == HOST_TEAM,
            )
            for party in script.parties
        ),
        users=(bot, *map(_user, script.people)),
        channels=tuple(
            Place(
                id=room.id,
                name=room.name,
                host=HOST_TEAM,
                members=room.members,
                connected=tuple(orgs[slug] for slug in room.connected),
            )
            for room in script.rooms
        ),
    )


def _user(person: Person) -> User:
    name = person.user.casefold()
    return User(
        id=person.user,
        name=name,
        real_name=name,
        team=person.team,
        tz=person.zone,
        guest=Guest.MULTI_CHANNEL if person.is_guest else Guest.NO,
    )


# --- in the other process ------------------------------------------------------------------------------


def _run(pipe: Pipe, script: Script, clock: Clock, with_services: bool) -> None:
    asyncio.run(_serve(pipe, script, clock, with_services))


async def _serve(pipe: Pipe, script: Script, clock: Clock, with_services: bool) -> None:
    sandbox = Sandbox(cast(script), clock, timing=Timing(retries=RETRIES), strict_rates=True)
    transcript = Transcript(sandbox, script, clock)
    await sandbox.start()
    fakes = await start_all() if with_services else None
    for fake in (fakes.virustotal, fakes.hashlookup) if fakes else ():
        transcript.watch(fake)
    balancer = Balancer()
    sandbox.connect(f"http://127.0.0.1:{await balancer.start()}{EVENTS_PATH}")
    transcript.begin()
    players = Players(sandbox, fakes, transcript, script, clock)
    pipe.send((os.getpid(), Opened(_settings(sandbox), _providers(fakes))))
    try:
        await _obey(pipe, _Open(sandbox, transcript, balancer, players))
    finally:
        await balancer.stop()
        if fakes is not None:
            await fakes.stop()
        await sandbox.stop()


@dataclass
class _Open:
    sandbox: Sandbox
    transcript: Transcript
    balancer: Balancer
    players: Players
    playing: asyncio.Task[None] | None = None

    def do(self, name: str, arguments: tuple[Any, ...]) -> object:
        match name:
            case "put":
                self.balancer.put(*arguments)
            case "play":
                self.playing = asyncio.ensure_future(self.players.play())
            case "is_over":
                return self.playing is None or (self.playing.done() and self.playing.result() is None)
            case "progress":
                posts = sum(bool(told.nonce) for told in self.transcript.told)
                return f"{len(self.players.asked)} questions over, {posts} posts"
            case "heard":
                asked = sorted(self.players.asked.values(), key=lambda one: one.number)
                standing = self.transcript.standing()
                return Heard(self.transcript.told, standing, asked, self.transcript.calls)
        return None


async def _obey(pipe: Pipe, opened: _Open) -> None:
    loop = asyncio.get_running_loop()
    while True:
        try:
            name, arguments = await loop.run_in_executor(None, pipe.recv)
        except EOFError:
            return
        try:
            answer = opened.do(name, arguments)
        except Exception as error:  # noqa: BLE001 - whoever asked raises it
            answer = error
        pipe.send(answer)


def _settings(sandbox: Sandbox) -> SlackSettings:
    return SlackSettings(
        bot_token=Secret(sandbox.bot_token),
        signing_secret=Secret(sandbox.signing_secret),
        api_url=sandbox.api_url,
    )


def _providers(fakes: Fakes | None) -> dict[str, Options]:
    if fakes is None:
        return {}
    asked, public = fakes.virustotal, fakes.hashlookup
    return {
        "virustotal": Options(key=Secret(asked.key), url=asked.url, per_minute=QUESTIONS_A_MINUTE),
        "hashlookup": Options(url=public.url),
    }
