"""Whichever replica Slack asks, it knows what the others know: what is asked once is answered once."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from bot.sandbox.sandbox import Sandbox
from bot.sandbox.workspace import Message, View
from bot.services import Store
from bot.store import open_store
from bot.tlp import Label
from tests.replicas.fleet import Fleet, Order, fleet
from tests.slack.conftest import ASK, HASH, claim, strict_sandbox

SECONDS = 20.0
CALM_SECONDS = 0.3  # in which a second answer would come
MANY = " ".join(f"{number:064x}" for number in range(60))


class Stage:
    """Two replicas, and the sandbox in this process."""

    def __init__(self, sandbox: Sandbox, replicas: Fleet, store: Store) -> None:
        self.sandbox, self.replicas, self.store = sandbox, replicas, store

    def balance(self, number: int) -> None:
        """From now on Slack reaches that one."""
        self.sandbox.connect(self.replicas.alive[number].url)

    def said(self, channel: str) -> list[Message]:
        """What the bot said there for all to read."""
        messages = self.sandbox.workspace.channel(channel).messages
        return [each for each in messages if each.user == "U0LIAISON" and not each.ephemeral]

    async def seen(self, channel: str, number: int) -> list[Message]:
        """The same as soon as there are so many, and a moment later."""
        async with asyncio.timeout(SECONDS):
            while len(self.said(channel)) < number:  # noqa: ASYNC110 - other processes say nothing here
                await asyncio.sleep(0.01)
        await asyncio.sleep(CALM_SECONDS)
        return self.said(channel)

    async def view(self, user: str = "U0ANA", *, besides: str = "") -> View:
        """The window that somebody has open, as soon as there is one that says something else."""
        async with asyncio.timeout(SECONDS):
            while not (found := self._views(user, besides)):  # noqa: ASYNC110 - as above
                await asyncio.sleep(0.01)
        return found[-1]

    def _views(self, user: str, besides: str) -> list[View]:
        return [each for each in self.sandbox.views_of(user) if _words(each) != besides]


def _words(view: View) -> str:
    return json.dumps(view.view, ensure_ascii=False)


@asynccontextmanager
async def staged(folder: Path, *, by_socket: bool = False) -> AsyncIterator[Stage]:
    sandbox = strict_sandbox()
    url = f"sqlite:///{folder}/store.db"
    store = await open_store(url)
    await store.add([claim(label=Label.AMBER), claim(source="trendmicro")])
    await sandbox.start()
    order = Order(
        store=url,
        api_url=sandbox.api_url,
        bot_token=sandbox.bot_token,
        signing_secret="" if by_socket else sandbox.signing_secret,
        app_token=sandbox.app_token if by_socket else "",
    )
    replicas = fleet(order, 2)
    made = await asyncio.to_thread(replicas.__enter__)  # they ask the sandbox, which is in this thread
    try:
        yield Stage(sandbox, made, store)
    finally:
        await asyncio.to_thread(replicas.__exit__, None, None, None)
        await store.close()
        await sandbox.stop()


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with staged(tmp_path) as made:
        made.balance(0)
        yield made


async def test_a_button_works_at_the_other_replica(stage: Stage) -> None:
    await stage.store.add([claim(value) for value in MANY.split()])
    answer = (await stage.sandbox.slash("U0ANA", "C0KASP", f"lookup {MANY}")).shown[0]

    stage.balance(1)
    await stage.sandbox.click("U0ANA", "C0KASP", answer.ts, "details")
    first = await stage.view()
    stage.balance(0)
    await stage.sandbox.choose("U0ANA", first.id, "next_page")

    assert "details 2 of" in _words(await stage.view(besides=_words(first)))


async def test_an_answer_is_shared_by_whichever_replicas_are_asked(stage: Stage) -> None:
    answer = (await stage.sandbox.slash("U0ANA", "C0KASP", ASK)).shown[0]
    stage.balance(1)
    await stage.sandbox.click("U0ANA", "C0KASP", answer.ts, "share")
    view = await stage.view()

    stage.balance(0)
    await stage.sandbox.submit("U0ANA", view.id, {})

    [post] = await stage.seen("C0KASP", 1)
    assert HASH in post.readable


async def test_a_button_works_after_the_replica_that_made_it_was_killed(stage: Stage) -> None:
    answer = (await stage.sandbox.slash("U0ANA", "C0KASP", f"lookup {HASH} {MANY}")).shown[0]

    await asyncio.to_thread(stage.replicas.kill, stage.replicas.alive[0])
    stage.balance(0)
    await stage.sandbox.click("U0ANA", "C0KASP", answer.ts, "details")

    assert "details 1 of" in _words(await stage.view())


async def test_an_event_that_reaches_both_is_answered_once(stage: Stage) -> None:
    await stage.sandbox.say("U0KIRA", "C0KASP", f"<@U0LIAISON> {ASK}")
    await stage.seen("C0KASP", 1)
    [attempt] = next(each.attempts for each in stage.sandbox.deliveries if each.kind == "event")
    other = stage.replicas.alive[1].url
    retried = attempt.headers | {"X-Slack-Retry-Num": "1", "X-Slack-Retry-Reason": "http_timeout"}

    async with aiohttp.ClientSession() as session:
        replayed = [
            (await session.post(other, data=attempt.raw, headers=each)).status
            for each in (attempt.headers, retried)
        ]

    assert replayed == [401, 200]
    assert len(await stage.seen("C0KASP", 1)) == 1


async def test_an_event_sent_to_both_at_once_is_answered_once(stage: Stage) -> None:
    courier = stage.sandbox._courier
    stage.sandbox.connect("http://127.0.0.1:9/nobody")  # no replica is reached at first
    await stage.sandbox.say("U0KIRA", "C0KASP", f"<@U0LIAISON> {ASK}")
    [event] = [each for each in stage.sandbox.deliveries if each.kind == "event"]

    tries = []
    for replica in stage.replicas.alive:
        stage.sandbox.connect(replica.url)
        tries.append(asyncio.ensure_future(courier._post(event, (1, "connection_failed"))))
        await asyncio.sleep(0)
    answered = await asyncio.gather(*tries)

    assert [each.status for each in answered] == [200, 200]
    assert len(await stage.seen("C0KASP", 1)) == 1


async def test_socket_mode_with_two_connections_answers_what_comes_twice_once(tmp_path: Path) -> None:
    async with staged(tmp_path, by_socket=True) as stage:
        slash = await stage.sandbox.slash("U0ANA", "C0KASP", ASK)
        await stage.sandbox.say("U0KIRA", "C0KASP", f"<@U0LIAISON> {ASK}")
        await stage.seen("C0KASP", 1)

        again = [
            await stage.sandbox.sockets.send(each, (1, "timeout"), 3.0)
            for each in stage.sandbox.deliveries
            for _ in range(2)  # once to each
        ]

        assert "family" in slash.shown[0].readable
        assert [each.body for each in again] == [b""] * len(again)
        assert len(await stage.seen("C0KASP", 1)) == 1


async def test_what_a_source_revokes_is_taken_back_once_whichever_replica_said_it(stage: Stage) -> None:
    for number in range(2):
        stage.balance(number)
        await stage.sandbox.say("U0KIRA", "C0KASP", f"<@U0LIAISON> {ASK}")
        await stage.seen("C0KASP", number + 1)

    await stage.store.add([claim(source="trendmicro", revoked=True), claim(label=Label.AMBER, revoked=True)])

    said = await stage.seen("C0KASP", 4)  # two answers and a note for each
    async with asyncio.timeout(SECONDS):
        while sum("withdrawn" in each.readable for each in stage.said("C0KASP")) < 2:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.01)
    notes = [each.thread_ts for each in said if "· correction" in each.readable]
    assert len(said) == 4
    assert len(notes) == len(set(notes)) == 2


async def test_a_channel_with_a_new_id_keeps_its_cap_at_every_replica(stage: Stage) -> None:
    red = claim("1f" * 32, source="kaspersky", label=Label.AMBER)
    await stage.store.add([red])
    shown = (await _mentioned(stage, 0, "C0KASP", "1f" * 32))[-1]
    assert "kaspersky-amber" in shown.readable

    await stage.store.channel_renamed("C0TREND", "C0KASP")  # whose cap is the default, TLP:GREEN

    for number in range(2):
        answers = await _mentioned(stage, number, "C0KASP", "1f" * 32)
        assert "kaspersky-amber" not in answers[-1].readable


async def _mentioned(stage: Stage, number: int, channel: str, value: str) -> list[Message]:
    stage.balance(number)
    before = len(stage.said(channel))
    await stage.sandbox.say("U0KIRA", channel, f"<@U0LIAISON> lookup {value}")
    return await stage.seen(channel, before + 1)
