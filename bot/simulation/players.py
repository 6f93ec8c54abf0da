"""Players: people of the script who ask, wait for an answer, and ask again when none comes."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Coroutine, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from bot.sandbox import Fault, Message, Sandbox, SlackError, Weather
from bot.sandbox.services import Fakes, Trouble
from bot.simulation import world
from bot.simulation.clock import Clock
from bot.simulation.played import Asked
from bot.simulation.transcript import Transcript
from bot.simulation.world import BOT, Move, Question, Script

TRIES = 4
PATIENCE_SECONDS = 20.0  # real ones, until somebody asks again
AGAIN_SECONDS = 45.0  # of the day, before somebody asks again who was refused
LATE_SECONDS = 0.4  # real ones, by which Slack's answers come late during its incident
LIMITED_SECONDS = 30.0  # Retry-After while everything is limited
ERRORS = {"error_500": 0.10, "lost_reply": 0.05, "drop_after_accept": 0.05, "rate_limited": 0.05}
METHODS = frozenset(
    (
        *("chat.postMessage", "chat.update", "chat.delete", "conversations.info", "conversations.members"),
        *("conversations.history", "users.info", "files.getUploadURLExternal", "upload"),
        *("files.completeUploadExternal", "response_url"),
    )
)
_UNFINISHED = ("Looking…",)
_POLITE = ("try again", "ask again", "slow down", "in a minute", "busy", "failed with the error")


Part = Callable[[], Coroutine[object, object, None]]


@dataclass
class _Wait:
    began: float
    answered: asyncio.Future[str] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Players:
    """Everybody in the script; `asked` holds what became of each question."""

    def __init__(
        self,
        sandbox: Sandbox,
        fakes: Fakes | None,
        transcript: Transcript,
        script: Script,
        clock: Clock,
    ) -> None:
        self._sandbox, self._fakes, self._transcript = sandbox, fakes, transcript
        self._script, self._clock = script, clock
        self.asked: dict[int, Asked] = {}
        self._waiting: dict[tuple[str, str], _Wait] = {}
        self._busy: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)  # nobody asks twice at once
        transcript.watchers.append(self._heard)

    async def play(self) -> None:
        """All of it, each at its moment; ends when the last question is answered or given up."""
        under_way: set[asyncio.Task[None]] = set()
        for at, part in sorted(self._parts(), key=lambda one: one[0]):
            await self._clock.rest(max(0.0, (at - self._clock()).total_seconds()))
            task = asyncio.ensure_future(part())
            under_way.add(task)
            task.add_done_callback(under_way.discard)
        await asyncio.gather(*under_way)

    def _parts(self) -> Iterator[tuple[datetime, Part]]:
        script = self._script
        yield from ((one.at, partial(self._ask, one)) for one in script.questions)
        yield from ((one.at, partial(self._move, one)) for one in script.moves)
        yield from ((one.at, partial(self._begin, one)) for one in script.troubles)
        yield from ((one.until, partial(self._end, one)) for one in script.troubles)

    # --- asking ----------------------------------------------------------------------------------------

    async def _ask(self, question: Question) -> None:
        async with self._busy[question.user]:
            await self._ask_until_answered(question)

    async def _ask_until_answered(self, question: Question) -> None:
        at, refusals = self._clock(), 0
        for number in range(TRIES):
            began = time.monotonic()
            with suppress(SlackError):  # whoever left a channel meanwhile asks nothing there
                answer = await self._ask_once(question)
                if answer and not _is_refusal(answer):
                    self.asked[question.number] = Asked(
                        number=question.number,
                        at=at,
                        seconds=time.monotonic() - began,
                        refusals=refusals,
                        tries=number + 1,
                    )
                    return
                refusals += bool(answer)
            if number + 1 < TRIES:
                await self._clock.rest(AGAIN_SECONDS)
        self.asked[question.number] = Asked(
            number=question.number, at=at, seconds=None, refusals=refusals, tries=TRIES
        )

    async def _ask_once(self, question: Question) -> str:
        """What was answered at last; "" if nothing was."""
        text = f"{question.verb} {' '.join(question.values)}"
        wait = _Wait(time.monotonic())
        match question.surface:
            case "slash":
                key = (question.user, question.room)
                self._waiting[key] = wait
                await self._sandbox.slash(question.user, question.room, text)
            case "mention":
                ts = await self._sandbox.say(question.user, question.room, f"<@{BOT}> {text}")
                key = (question.room, ts)
                self._waiting[key] = wait
            case _:
                direct = self._sandbox.open_dm(question.user)
                key = ("", direct)
                self._waiting[key] = wait
                await self._sandbox.say(question.user, direct, text)
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                return await wait.answered
        except TimeoutError:
            return ""
        finally:
            self._waiting.pop(key, None)

    def _heard(self, message: Message) -> None:
        """Whether somebody waits for that."""
        if message.user != BOT and not message.note:
            return
        keys = (
            (message.only_for or "", message.channel),
            (message.channel, message.thread_ts or ""),
        )
        for key in keys:
            wait = self._waiting.get(key)
            is_whole = not any(word in message.text for word in _UNFINISHED)
            if wait is not None and is_whole and not wait.answered.done():
                wait.answered.set_result(message.text)

    # --- the rest --------------------------------------------------------------------------------------

    async def _move(self, move: Move) -> None:
        """What cannot be done any more is left."""
        with suppress(SlackError, ValueError):
            await getattr(self._sandbox, move.act)(move.who, move.room)
        self._transcript.note_readers(move.room)

    async def _begin(self, trouble: world.Trouble) -> None:
        faults = self._sandbox.faults
        match trouble.what:
            case "provider" if self._fakes is not None:
                self._fakes.virustotal.trouble = Trouble.HUNG
            case "errors":
                faults.weather = Weather(self._script.seed, ERRORS, methods=METHODS, seconds=LATE_SECONDS)
            case "limits":
                for method in METHODS - {"upload", "response_url"}:
                    faults.add(Fault(method, "rate_limited", times=10_000, seconds=LIMITED_SECONDS))

    async def _end(self, trouble: world.Trouble) -> None:
        if trouble.what == "provider" and self._fakes is not None:
            self._fakes.virustotal.trouble = None
        else:
            self._sandbox.faults.clear()


def _is_refusal(answer: str) -> bool:
    return any(word in answer for word in _POLITE)
