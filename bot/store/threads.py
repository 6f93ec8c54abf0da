"""A thread that owns one connection, and calls that share its turns: the event loop never waits for it."""

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

from bot.errors import BotError, UnavailableError
from bot.store.engine import Connection, Engine, LostError

MOST_IN_A_TURN = 500
PATIENCE_SECONDS = 30.0  # how long work waits for a database that is gone; a failover takes 20
LOG = logging.getLogger("bot.store")

_PAUSES = [0.0, 0.05, 0.1, 0.2, 0.4, *[0.5] * 100]  # seconds before each new try
_GONE = "The store does not answer; nothing of this was stored. Try again in a minute."
UNKNOWN = "The store was lost in this moment: nobody knows whether it was done. Look before you try again."

T = TypeVar("T")
Question = TypeVar("Question")
Answer = TypeVar("Answer")


class Desk:
    """One thread with one connection; what it is given to do is done in that order.

    Where a connection is lost, work is done anew on another one, until it has waited long enough.
    """

    def __init__(self, engine: Engine, role: str, patience: float = PATIENCE_SECONDS) -> None:
        self._engine, self._role, self._patience = engine, role, patience
        self._executor = ThreadPoolExecutor(1, thread_name_prefix=f"store-{role}")
        self._connection: Connection | None = None
        self._closed = False
        self._closing = threading.Event()
        self.is_lost = False  # from the loss of a connection until there is another one

    def do(self, work: Callable[[Connection], T], *, once: bool = False) -> asyncio.Future[T]:
        """What the work returns. The future raises BotError.

        `once`: it must not be done again while nobody knows whether it was done.
        """
        if self._closed:
            raise UnavailableError("The store is closed; try again after the restart.")
        until = time.monotonic() + self._patience
        return asyncio.get_running_loop().run_in_executor(self._executor, self._work, work, until, once)

    async def close(self) -> None:
        """Finish what was given, then close the connection; a second time does nothing."""
        if self._closed:
            return
        self._closed = True
        self._closing.set()
        await asyncio.get_running_loop().run_in_executor(self._executor, self._close)
        self._executor.shutdown(wait=False)

    def _work(self, work: Callable[[Connection], T], until: float, once: bool) -> T:
        in_doubt = False
        with self._engine.in_our_words():
            for pause in _PAUSES:
                if self._connection is None and time.monotonic() > until:
                    break  # it waited behind others, who found none
                try:
                    if self._connection is None:
                        self._connection = self._engine.connect(self._role)
                        self.is_lost = False
                    return work(self._connection)
                except LostError as lost:
                    self.is_lost = True
                    self._close()
                    in_doubt = in_doubt or lost.in_doubt
                if once and in_doubt:
                    raise UnavailableError(UNKNOWN)
                if time.monotonic() + pause > until or self._closing.wait(pause):
                    break
        LOG.warning("the store's %s finds no database", self._role)
        raise UnavailableError(UNKNOWN if in_doubt else _GONE)

    def _close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


class Turns(Generic[Question, Answer]):
    """Questions that arrive while the desk is busy are answered together in its next turn.

    Waking a thread costs ten times a warm lookup; shared, it costs next to nothing. `once` as in `Desk.do`.
    """

    def __init__(
        self,
        desk: Desk,
        answer: Callable[[Connection, Sequence[Question]], Sequence[Answer | BotError]],
        *,
        once: bool = False,
    ) -> None:
        self._desk = desk
        self._answer = answer
        self._once = once
        self._waiting: list[tuple[Question, asyncio.Future[Answer]]] = []
        self._running = False

    async def ask(self, question: Question) -> Answer:
        """The answer to one question. Raises BotError."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Answer] = loop.create_future()
        self._waiting.append((question, future))
        if not self._running:
            self._running = True
            loop.call_soon(self._start)  # whoever else is about to ask now comes along
        return await future

    def _start(self) -> None:
        turn, self._waiting = self._waiting[:MOST_IN_A_TURN], self._waiting[MOST_IN_A_TURN:]
        questions = [question for question, _ in turn]
        futures = [future for _, future in turn]
        try:
            answers = self._desk.do(lambda connection: self._answer(connection, questions), once=self._once)
        except BotError as error:
            self._deliver(futures, [error] * len(futures))
        else:
            answers.add_done_callback(lambda done: self._finish(futures, done))

    def _finish(
        self, futures: Sequence[asyncio.Future[Answer]], done: asyncio.Future[Sequence[Answer | BotError]]
    ) -> None:
        error = done.exception()
        self._deliver(futures, done.result() if error is None else [error] * len(futures))

    def _deliver(
        self, futures: Sequence[asyncio.Future[Answer]], answers: Sequence[Answer | BaseException]
    ) -> None:
        for future, answer in zip(futures, answers, strict=True):
            if future.done():  # cancelled while it waited
                continue
            if isinstance(answer, BaseException):
                future.set_exception(answer)
            else:
                future.set_result(answer)
        self._running = bool(self._waiting)
        if self._running:
            self._start()
