"""A thread that owns one connection, and calls that share its turns: the event loop never waits for it."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

from bot.errors import BotError, UnavailableError
from bot.store.engine import Connection, Engine

MOST_IN_A_TURN = 500

T = TypeVar("T")
Question = TypeVar("Question")
Answer = TypeVar("Answer")


class Desk:
    """One thread with one connection; what it is given to do is done in that order."""

    def __init__(self, engine: Engine, role: str) -> None:
        self._engine, self._role = engine, role
        self._executor = ThreadPoolExecutor(1, thread_name_prefix=f"store-{role}")
        self._connection: Connection | None = None
        self._closed = False

    def do(self, work: Callable[[Connection], T]) -> asyncio.Future[T]:
        """What the work returns. The future raises BotError."""
        if self._closed:
            raise UnavailableError("The store is closed; try again after the restart.")
        return asyncio.get_running_loop().run_in_executor(self._executor, self._work, work)

    async def close(self) -> None:
        """Finish what was given, then close the connection; a second time does nothing."""
        if self._closed:
            return
        self._closed = True
        await asyncio.get_running_loop().run_in_executor(self._executor, self._close)
        self._executor.shutdown(wait=False)

    def _work(self, work: Callable[[Connection], T]) -> T:
        with self._engine.in_our_words():
            if self._connection is None:
                self._connection = self._engine.connect(self._role)
            return work(self._connection)

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()


class Turns(Generic[Question, Answer]):
    """Questions that arrive while the desk is busy are answered together in its next turn.

    Waking a thread costs ten times a warm lookup; shared, it costs next to nothing.
    """

    def __init__(
        self,
        desk: Desk,
        answer: Callable[[Connection, Sequence[Question]], Sequence[Answer | BotError]],
    ) -> None:
        self._desk = desk
        self._answer = answer
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
            answers = self._desk.do(lambda connection: self._answer(connection, questions))
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
