"""A sandbox in a process of its own, which outlives the bots that are killed beside it.

with own_sandbox() as slack:
    ...  # start a bot with slack.api_url, slack.bot_token, slack.signing_secret, and kill it
    slack.posted("C0KASP")
"""

import asyncio
import multiprocessing
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection as Pipe
from typing import Any

from bot.sandbox.faults import Fault, Weather
from bot.sandbox.sandbox import Sandbox
from bot.sandbox.workspace import Message

START_SECONDS = 30.0
ANSWER_SECONDS = 30.0


@dataclass(frozen=True)
class Posted:
    """A message of the bot that stands in a channel now."""

    ts: str
    nonce: str  # "" without one
    text: str
    thread: str
    edited: bool
    files: tuple[str, ...]  # their names


class Alone:
    """The sandbox in the other process; every method asks it and waits for the answer.

    The app, too, must be in another process than this one, which does nothing else while it waits.
    """

    def __init__(self, pipe: Pipe) -> None:
        self._pipe = pipe
        self.url, self.api_url, *secrets = self._answer(START_SECONDS)
        self.bot_token, self.app_token, self.signing_secret = secrets

    def connect(self, request_url: str) -> None:
        """Say where the app takes deliveries."""
        self._ask("connect", request_url)

    def add(self, fault: Fault) -> None:
        """Switch a fault on."""
        self._ask("add", fault)

    def forecast(self, weather: Weather | None) -> None:
        """Let faults happen at random from now on, or no longer."""
        self._ask("forecast", weather)

    def clear(self) -> None:
        """Switch all faults off."""
        self._ask("clear")

    def act(self, name: str, *arguments: str) -> Any:
        """Let people do something: the name of a method of `Acting`, for example accept."""
        return self._ask("act", name, arguments)

    def posted(self, channel: str) -> list[Posted]:
        """What the bot said in a channel and still stands there, oldest first, replies included."""
        return list(self._ask("posted", channel))

    def seen_by(self, user: str, channel: str) -> list[str]:
        """Everything a person could read there now, a text for each message."""
        return list(self._ask("seen_by", user, channel))

    def calls(self) -> Mapping[str, int]:
        """How often each method was called."""
        return dict(self._ask("calls"))

    def limited(self) -> Mapping[str, int]:
        """How often each method was called too often, so that Slack refused it."""
        return dict(self._ask("calls", "ratelimited"))

    def _ask(self, name: str, *arguments: object) -> Any:
        self._pipe.send((name, arguments))
        return self._answer(ANSWER_SECONDS)

    def _answer(self, seconds: float) -> Any:
        if not self._pipe.poll(seconds):
            raise TimeoutError(f"The sandbox did not answer within {seconds:.0f} s.")
        answer = self._pipe.recv()
        if isinstance(answer, Exception):
            raise answer
        return answer


@contextmanager
def own_sandbox(**options: Any) -> Iterator[Alone]:
    """Start a sandbox, with what `Sandbox` takes, in a process for as long as the block runs."""
    methods = multiprocessing.get_context("spawn")  # it shares nothing with this process or its threads
    ours, theirs = methods.Pipe()
    process = methods.Process(target=_run, args=(theirs, options), daemon=True)
    process.start()
    theirs.close()
    try:
        yield Alone(ours)
    finally:
        ours.close()  # that ends it, as does the end of this process
        process.join(ANSWER_SECONDS)
        if process.is_alive():
            process.kill()
            process.join()


# --- in the other process ------------------------------------------------------------------------------


def _run(pipe: Pipe, options: Mapping[str, Any]) -> None:
    asyncio.run(_serve(pipe, Sandbox(**options)))


async def _serve(pipe: Pipe, sandbox: Sandbox) -> None:
    await sandbox.start()
    pipe.send((sandbox.url, sandbox.api_url, sandbox.bot_token, sandbox.app_token, sandbox.signing_secret))
    loop = asyncio.get_running_loop()
    while True:
        try:
            name, arguments = await loop.run_in_executor(None, pipe.recv)
        except EOFError:
            break
        pipe.send(await _obey(sandbox, name, arguments))
    await sandbox.stop()


async def _obey(sandbox: Sandbox, name: str, arguments: tuple[Any, ...]) -> object:
    """Do it; what goes wrong is told, not raised."""
    try:
        match name:
            case "act":
                method, rest = arguments
                done = getattr(sandbox, method)(*rest)
                return _told(await done if asyncio.iscoroutine(done) else done)
            case "add":
                sandbox.faults.add(*arguments)
            case "clear":
                sandbox.faults.clear()
            case "connect":
                sandbox.connect(*arguments)
            case "forecast":
                [sandbox.faults.weather] = arguments
            case "posted":
                messages = sandbox.workspace.channel(*arguments).messages
                return [_posted(each) for each in messages if _is_post(sandbox, each)]
            case "seen_by":
                return [message.readable for message in sandbox.seen_by(*arguments)]
            case "calls":
                calls = (call for call in sandbox.calls if not arguments or call.error in arguments)
                return Counter(call.method for call in calls)
        return None
    except Exception as error:  # noqa: BLE001 - whoever asked raises it
        return error


def _told(value: object) -> object:
    """Deliveries stay where they are; words travel."""
    return value if isinstance(value, str | bool | None) else None


def _is_post(sandbox: Sandbox, message: Message) -> bool:
    return message.user == sandbox.workspace.cast.bot and not message.ephemeral


def _posted(message: Message) -> Posted:
    payload = (message.metadata or {}).get("event_payload", {})
    return Posted(
        ts=message.ts,
        nonce=str(payload.get("nonce", "")),
        text=message.text,
        thread=message.thread_ts or "",
        edited=message.edited,
        files=tuple(file.name for file in message.files),
    )
