"""The sandbox as one object: start it, connect an app, act as people, look at what they see."""

import asyncio
import ipaddress
import secrets
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TypeVar

from aiohttp import web

from bot.sandbox.acting import EVENTS, Acting
from bot.sandbox.cast import Cast, demo_cast
from bot.sandbox.deliveries import Courier, Delivery, Timing
from bot.sandbox.faults import Faults
from bot.sandbox.page import Page
from bot.sandbox.rates import Rates
from bot.sandbox.server import application
from bot.sandbox.services import Fakes
from bot.sandbox.socket_mode import Sockets
from bot.sandbox.tickets import ResponseUrls, Triggers
from bot.sandbox.web_api import SCOPES, Recorded, WebApi
from bot.sandbox.workspace import Message, View, Workspace, utc_now

Found = TypeVar("Found")
QUIET_SECONDS = 0.05  # nothing may begin for so long before `settled` believes it


class Sandbox(Acting):
    """A local Slack with several organisations and shared channels."""

    def __init__(
        self,
        cast: Cast | None = None,
        clock: Callable[[], datetime] = utc_now,
        *,
        timing: Timing = Timing(),  # noqa: B008 - a frozen value
        scopes: frozenset[str] = SCOPES,
        events: frozenset[str] = EVENTS,
        commands: frozenset[str] = frozenset({"/intel"}),
        strict_rates: bool = False,
    ) -> None:
        cast = cast or demo_cast()
        self.signing_secret = secrets.token_hex(16)
        self.bot_token = f"xoxb-sandbox-{secrets.token_urlsafe(18)}"
        self.app_token = f"xapp-sandbox-{secrets.token_urlsafe(18)}"
        self.faults = Faults()
        self.drains: list[Callable[[], Awaitable[object]]] = []  # the app's own "finish what is under way"
        self.sockets = Sockets(cast.app_id)
        workspace = Workspace(cast, clock)
        triggers = Triggers(clock, timing.trigger)
        response_urls = ResponseUrls(workspace, timing.response_url)
        courier = Courier(
            secret=self.signing_secret, clock=clock, timing=timing, faults=self.faults, socket=self.sockets
        )
        super().__init__(
            workspace=workspace,
            courier=courier,
            triggers=triggers,
            response_urls=response_urls,
            commands=commands,
            events=events,
        )
        self._api = WebApi(
            workspace=workspace,
            triggers=triggers,
            response_urls=response_urls,
            sockets=self.sockets,
            faults=self.faults,
            tokens=(self.bot_token, self.app_token),
            scopes=scopes,
        )
        self._api.rates = Rates(clock) if strict_rates else None
        self._page = Page(self)
        self._runner: web.AppRunner | None = None

    # --- starting and stopping -------------------------------------------------------------------------

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        """Listen on a loopback address; port 0 takes a free one. Raises OSError when the port is in use."""
        if host != "localhost" and not ipaddress.ip_address(host).is_loopback:
            raise ValueError(f"The sandbox has no passwords, so it listens on loopback only, not on {host}.")
        app = application(self._api, self.sockets, self._page)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, host, port).start()
        except OSError:
            await self._runner.cleanup()
            raise
        actual = self._runner.addresses[0][1]
        self.url = f"http://{f'[{host}]' if ':' in host else host}:{actual}"
        self._api.base_url = self.url

    async def stop(self) -> None:
        """Hang up and release the port."""
        self._page.stop()
        await self._courier.close()
        await self.sockets.close()
        if self._runner is not None:
            await self._runner.cleanup()

    @property
    def api_url(self) -> str:
        """The base of the Web API, for `AsyncWebClient(base_url=...)`."""
        return f"{self.url}/api/"

    def connect(self, request_url: str) -> None:
        """Say where the app takes deliveries; without it a Socket Mode client gets them."""
        self._courier.request_url = request_url

    def show(self, fakes: Fakes) -> None:
        """Put these external services on the page's panel."""
        self._page.fakes = fakes
        fakes.watch(self.workspace.touch)

    def watch_calls(self, called: Callable[[Recorded], object]) -> None:
        """Have it told of each call of the app from now on."""
        self._api.called = called

    async def verify(self) -> bool:
        """Check the app's address with a challenge, as Slack does when it is entered."""
        return await self._courier.verify(secrets.token_hex(16))

    # --- looking ---------------------------------------------------------------------------------------

    @property
    def calls(self) -> list[Recorded]:
        """Every call of the app, the oldest first."""
        return self._api.calls

    @property
    def deliveries(self) -> list[Delivery]:
        """Everything that was sent to the app, the oldest first."""
        return self._courier.deliveries

    def seen_by(self, user: str, channel: str) -> list[Message]:
        """What a person can read there, ephemerals for them included, oldest first."""
        return self.workspace.seen_by(user, channel)

    def views_of(self, user: str) -> list[View]:
        """The modals a person has open, the uppermost last."""
        return self.workspace.views_of(user)

    async def until(self, condition: Callable[[], Found], seconds: float = 5.0) -> Found:
        """Wait until the condition gives something true; give it. Raises TimeoutError."""
        async with asyncio.timeout(seconds):
            while not (found := condition()):
                await self.workspace.change()
        return found

    async def settled(self, timeout: float = 5.0) -> None:  # noqa: ASYNC109 - the name that callers know
        """Wait until deliveries, the app's calls and its `drains` are finished. Raises TimeoutError."""
        try:
            async with asyncio.timeout(timeout):
                while not await self._quiet():
                    pass
        except TimeoutError:
            under_way = f"{self._courier.busy} deliveries and {self._api.in_flight} calls are under way"
            raise TimeoutError(f"Not settled after {timeout} s: {under_way}.") from None

    async def _quiet(self) -> bool:
        before = self._activity()
        await asyncio.sleep(QUIET_SECONDS)
        for drain in self.drains:  # after the pause: what began in it must not go unnoticed
            await drain()
        return not self._courier.busy and not self._api.in_flight and before == self._activity()

    def _activity(self) -> tuple[int, int, int]:
        return self.workspace.revision, self._api.served, len(self.deliveries)
