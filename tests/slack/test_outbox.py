"""The last look: whatever the rest of Liaison got wrong, the outbox shows nothing to anybody else."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from bot.blocks import render
from bot.chat import Actor, Notice
from bot.sharing import Audience, Reach
from bot.slack.audience import alone
from bot.slack.calls import RefusedError, WebApi, open_client
from bot.slack.identity import People
from bot.slack.outbox import Ephemeral, Letter, Outbox, ReadersChangedError, ReplyUrl
from tests.slack.conftest import Stage, registry

ANA, TOMO = Actor("U0ANA", "igci"), Actor("U0TOMO", "trendmicro")
VIEW: dict[str, object] = {"type": "modal", "title": {"type": "plain_text", "text": "x"}, "blocks": []}


def _outbox(stage: Stage) -> Outbox:
    slack = stage.bot.connection.slack
    return Outbox(slack, None, People(slack, registry()), clock=stage.clock)  # type: ignore[arg-type]  # no channels here


async def test_an_answer_is_shown_to_nobody_but_whom_it_was_cleared_for(stage: Stage) -> None:
    letter = Letter(render(Notice(title="x")), alone(Reach.EPHEMERAL, ANA, stage.clock()))

    assert await _outbox(stage).ephemeral(ANA, letter)
    for other in (TOMO, Actor(TOMO.user, "igci")):
        with pytest.raises(ReadersChangedError):
            await _outbox(stage).ephemeral(other, letter)


@pytest.mark.parametrize(
    ("orgs", "persons", "reach"),
    [
        pytest.param({"igci"}, {"U0ANA"}, Reach.EPHEMERAL, id="another person"),
        pytest.param({"trendmicro"}, {"U0ANA"}, Reach.EPHEMERAL, id="a colleague"),
        pytest.param({"igci"}, {"U0TOMO"}, Reach.EPHEMERAL, id="somebody who changed sides"),
        pytest.param({"igci", "kaspersky"}, set(), Reach.CHANNEL, id="a channel of others"),
    ],
)
async def test_a_window_opens_for_nobody_but_whom_it_was_cleared_for(
    stage: Stage, orgs: set[str], persons: set[str], reach: Reach
) -> None:
    cleared_for = Audience(
        reach=reach, orgs=frozenset(orgs), persons=frozenset(persons), read_at=stage.clock()
    )

    with pytest.raises(ReadersChangedError):
        await _outbox(stage).open_modal("trigger", TOMO, VIEW, cleared_for)
    with pytest.raises(ReadersChangedError):
        await _outbox(stage).turn_modal("V1", TOMO, VIEW, cleared_for)
    assert stage.calls("views.open") + stage.calls("views.update") == []


async def test_an_answer_follows_no_redirect() -> None:
    async with _redirecting() as (url, caught):
        client = open_client("xoxb-x", f"{url}/api/")
        assert client.session is not None
        async with client.session:
            sending = Outbox(WebApi(client), None, None, clock=None)  # type: ignore[arg-type]  # unused
            with pytest.raises(RefusedError):
                await sending.respond(ReplyUrl(f"{url}/response/x"), Ephemeral({"text": "TLP:CLEAR"}))

    assert caught == []


@asynccontextmanager
async def _redirecting() -> AsyncIterator[tuple[str, list[str]]]:
    """A server that sends everybody on, and what arrived there."""
    caught: list[str] = []

    async def send_on(_: web.Request) -> web.Response:
        raise web.HTTPTemporaryRedirect("/elsewhere")

    async def catch(request: web.Request) -> web.Response:
        caught.append(await request.text())
        return web.Response()

    app = web.Application()
    app.add_routes([web.post("/response/x", send_on), web.post("/elsewhere", catch)])
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}", caught
    await runner.cleanup()
