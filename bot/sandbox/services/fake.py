"""A fake service: a strict server on a loopback port that knows a little and notes every mistake."""

import asyncio
import secrets
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import ClassVar

from aiohttp import web

from bot.sandbox.services import delivery
from bot.sandbox.services.asked import Answer, Call, Json, Question, Refused, page
from bot.sandbox.services.troubles import Trouble, rewritten

MINUTE = 60.0
_USUAL_HEADERS = frozenset(
    {
        *("host", "user-agent", "accept", "accept-encoding", "connection"),
        *("content-type", "content-length", "transfer-encoding"),
    }
)
_MAX_QUESTION = 100_000  # bytes


class Fake:
    """One service. Set `trouble`, `latency`, `records`; look at `calls` and `mistakes`."""

    name: ClassVar[str]
    title: ClassVar[str]
    key_header: ClassVar[str | None] = None
    key_scheme: ClassVar[str] = ""  # what stands before the key: "Bearer "
    more_headers: ClassVar[frozenset[str]] = frozenset()  # lower case, that the service documents
    protocol: ClassVar[frozenset[str]] = frozenset()  # fields whose texts are the service's own
    quota: ClassVar[Answer] = page("429 Too Many Requests")
    no_key: ClassVar[Answer] = Answer(401)
    wrong_key: ClassVar[Answer] = Answer(401)
    unavailable: ClassVar[Answer] = Answer(503, {"error": "Service temporarily unavailable"})

    def __init__(
        self,
        records: Mapping[str, Json] | None = None,
        *,
        per_minute: int | None = None,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        self.key = f"canary-{self.name}-{secrets.token_urlsafe(24)}"
        self.records: dict[str, Json] = dict(records or {})
        self.per_minute = per_minute
        self.latency = 0.0  # seconds before every answer
        self.trouble: Trouble | None = None
        self.retry_after: int | None = None
        self.slow_seconds = 2.0
        self.drip_seconds = 0.2
        self.elsewhere = ""  # where a redirect leads
        self.calls: list[Call] = []
        self.mistakes: list[str] = []
        self.changed: Callable[[], object] = lambda: None  # told after each question
        self.url = ""
        self._timer = timer
        self._asked_at: deque[float] = deque()
        self._stopping = asyncio.Event()
        self._runner: web.AppRunner | None = None

    # --- what each service says in its own way ---------------------------------------------------------

    def asked(self, question: Question) -> str:
        """The value asked about. Raises Refused."""
        raise NotImplementedError

    def tell(self, value: str, question: Question) -> Answer:
        """What the service knows about it."""
        raise NotImplementedError

    # --- starting and stopping -------------------------------------------------------------------------

    async def start(self) -> None:
        """Listen on a free loopback port."""
        app = web.Application(client_max_size=_MAX_QUESTION)
        app.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1, handler_cancellation=True)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        """Cut what hangs and release the port."""
        self._stopping.set()
        if self._runner is not None:
            await self._runner.cleanup()

    # --- answering -------------------------------------------------------------------------------------

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        question = Question(
            request.method,
            request.path,
            request.query,
            request.headers,
            request.headers.get("Content-Type", ""),
            await request.read(),
        )
        answer = self._answer(question)
        self.changed()
        if self.latency:
            await asyncio.sleep(self.latency)
        return await self._deliver(request, answer)

    def _answer(self, question: Question) -> Answer:
        value = ""
        try:
            self._check(question)
            value = self.asked(question)
            answer = self.tell(value, question)
        except Refused as refusal:
            self.mistakes.append(f"{self.name}: {refusal.words}")
            answer = refusal.answer
        names = frozenset(name.lower() for name in question.headers)
        self.calls.append(Call(question.method, question.path, names, value))
        return answer

    def _check(self, question: Question) -> None:
        """Whether the question may be asked at all. Raises Refused."""
        known = _USUAL_HEADERS | self.more_headers | {(self.key_header or "host").lower()}
        strange = sorted({name.lower() for name in question.headers} - known)
        if strange:
            raise Refused(Answer(400), f"unexpected headers: {', '.join(strange)}")
        if self.key in f"{question.path}?{question.query}":
            raise Refused(self.wrong_key, "the key stands in the address")
        self._check_key(question)
        if self._is_too_often():
            raise Refused(self._with_retry(self.quota), f"asked more than {self.per_minute} times a minute")

    def _check_key(self, question: Question) -> None:
        if self.key_header is None:
            return
        given = question.headers.getall(self.key_header, [])
        if not given:
            raise Refused(self.no_key, f"no {self.key_header}")
        if given != [f"{self.key_scheme}{self.key}"]:
            raise Refused(self.wrong_key, f"a wrong {self.key_header}")

    def _is_too_often(self) -> bool:
        now = self._timer()
        while self._asked_at and self._asked_at[0] <= now - MINUTE:
            self._asked_at.popleft()
        if self.per_minute is not None and len(self._asked_at) >= self.per_minute:
            return True
        self._asked_at.append(now)
        return False

    # --- going wrong -----------------------------------------------------------------------------------

    async def _deliver(self, request: web.Request, answer: Answer) -> web.StreamResponse:
        answer = self._instead(request) or rewritten(self.trouble, answer, self.protocol)
        match self.trouble:
            case Trouble.SLOW:
                await asyncio.sleep(self.slow_seconds)
            case Trouble.HUNG:
                await self._stopping.wait()
            case Trouble.DRIP:
                return await delivery.drip(request, answer, self.drip_seconds)
            case Trouble.CUT_OFF:
                return await delivery.cut_off(request, answer)
            case Trouble.RESET:
                delivery.hang_up(request)
        return delivery.whole(answer)

    def _instead(self, request: web.Request) -> Answer | None:
        """What is said in the place of an answer."""
        match self.trouble:
            case Trouble.QUOTA:
                return self._with_retry(self.quota)
            case Trouble.AUTH:
                return self.wrong_key
            case Trouble.SERVER_ERROR:
                return page("500 Internal Server Error")
            case Trouble.UNAVAILABLE_JSON:
                return self._with_retry(self.unavailable)
            case Trouble.EMPTY_204:
                return Answer(204)
            case Trouble.HTML:
                return delivery.careless_page(request)
            case Trouble.REDIRECT:
                return Answer(307, headers={"Location": f"{self.elsewhere}{request.rel_url}"})
        return None

    def _with_retry(self, answer: Answer) -> Answer:
        if self.retry_after is None:
            return answer
        return replace(answer, headers={**answer.headers, "Retry-After": str(self.retry_after)})
