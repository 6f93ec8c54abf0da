"""Connection: everything that talks to one Slack, put together."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from aiohttp import web
from slack_bolt.async_app import AsyncApp

from bot.chat import Answer
from bot.errors import ConfigError
from bot.services import Services, Store, require_writes
from bot.settings import SlackSettings
from bot.slack.answering import Answering
from bot.slack.audience import Audiences
from bot.slack.bolt import bolt_app, receiver, who_am_i
from bot.slack.calls import WebApi, open_client, quieten_sdk
from bot.slack.growing import Growing, Pause
from bot.slack.identity import People
from bot.slack.interactions import Interactions
from bot.slack.keeping import Keeping, Question, random_token
from bot.slack.ledger import Ledger
from bot.slack.listen import Listeners, Parts
from bot.slack.outbox import Outbox
from bot.slack.posts import Paces, Posts
from bot.slack.seen import Seen
from bot.slack.verify import Verifier, door
from bot.slack.work import Work
from bot.tempo import REAL, Tempo


@dataclass(frozen=True)
class Connection:
    """One Slack, its Bolt app and the work under way; made by `connect`."""

    slack: WebApi
    app: AsyncApp
    work: Work
    settings: SlackSettings
    services: Services
    audiences: Audiences
    posts: Posts
    outbox: Outbox
    seen: Seen
    tempo: Tempo

    def http_handler(self) -> Callable[[web.Request], Awaitable[web.Response]]:
        """The handler of what Slack sends over HTTP. Raises ConfigError without a signing secret."""
        if self.settings.signing_secret is None:
            raise ConfigError(["SLACK_SIGNING_SECRET: is needed to take requests over HTTP"])
        verifier = Verifier(self.settings.signing_secret, seen=self.seen, clock=self.services.clock)
        return door(verifier, receiver(self.app))

    async def close(self) -> int:
        """Finish what is under way; gives the number of answers that had to be cut off."""
        cut_off = await self.work.drain()
        if self.slack.client.session is not None:
            await self.slack.client.session.close()
        return cut_off


async def connect(
    settings: SlackSettings,
    services: Services,
    answer: Answer,
    *,
    token: Callable[[], str] = random_token,
    pause: Pause = asyncio.sleep,
    tempo: Tempo = REAL,
) -> Connection:
    """Say hello to Slack and register every listener. `token` names what buttons refer to.

    `pause` waits that many seconds between two states of an answer; `tempo` is that of all limits and of
    how long something is remembered.

    Raises ConfigError if Slack refuses the token, UnavailableError if it does not answer.
    """
    quieten_sdk()
    slack = WebApi(open_client(settings.bot_token.value, settings.api_url), rest=tempo.rest)
    try:
        identity = await who_am_i(slack)
    except BaseException:
        await slack.client.session.close()  # type: ignore[union-attr]  # open_client made it
        raise
    seen = Seen(services.store, timer=tempo.timer)
    app = bolt_app(identity, seen, base_url=settings.api_url)
    parts = _parts(slack, services, answer, str(identity.get("user_id", "")), token, pause, tempo)
    Listeners(parts).register(app)
    Interactions(parts).register(app)
    posts = Posts(
        slack,
        parts.audiences,
        own_user=parts.own_user,
        clock=services.clock,
        paces=Paces.kept(tempo, services.store),
    )
    return Connection(
        slack, app, parts.work, settings, services, parts.audiences, posts, parts.outbox, seen, tempo
    )


def former_channels(store: Store) -> Callable[[str], Awaitable[Sequence[str]]]:
    """The ids that a channel had before; without them its cap is not known, so an old answer will not do."""

    async def former(channel: str) -> Sequence[str]:
        require_writes(store)
        return await store.former_channels(channel)

    return former


def _parts(
    slack: WebApi,
    services: Services,
    answer: Answer,
    own_user: str,
    token: Callable[[], str],
    pause: Pause,
    tempo: Tempo,
) -> Parts:
    people = People(slack, services.registry, timer=tempo.timer)
    audiences = Audiences(
        slack,
        people,
        services.registry,
        clock=services.clock,
        own_user=own_user,
        timer=tempo.timer,
        former=former_channels(services.store),
    )
    questions = Keeping(services.store, Question, token=token)
    work = Work()
    outbox = Outbox(slack, audiences, people, clock=services.clock)
    return Parts(
        answering=Answering(answer, services, questions),
        people=people,
        audiences=audiences,
        outbox=outbox,
        ledger=Ledger(services, outbox),
        work=work,
        growing=Growing(work.hurry, pause),
        own_user=own_user,
    )
