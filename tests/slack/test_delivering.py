"""Digests and summaries reach their channels in the sandbox: each gets what its readers may see, once."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from bot.deliveries import ENDED, FIGURES, Delivery, State
from bot.delivery.compiler import Compiler
from bot.delivery.courier import Means
from bot.delivery.office import Office
from bot.delivery.opening import operator_alerts
from bot.delivery.through_slack import ThroughSlack
from bot.organisations import Member
from bot.schedules import parse
from bot.subscriptions import Purpose, Subscription
from bot.tlp import Label
from tests.slack.conftest import MakeStage, Stage, claim, registry
from tests.slack.posting import hurried

DUE = datetime(2026, 1, 5, 8, tzinfo=UTC)


def office_of(stage: Stage) -> Office:
    """A second office beside the one of the running bot, whose rounds a test can wait for."""
    services = stage.bot.connection.services
    means = Means(
        store=stage.store,
        posting=ThroughSlack(hurried(stage)),
        writing=Compiler(stage.store, services.registry, clock=stage.clock),
        alerts=operator_alerts(stage.bot.connection),
        clock=stage.clock,
    )
    return Office(means)


async def due(stage: Stage, channel: str, purpose: Purpose = Purpose.DIGEST) -> None:
    subscription = Subscription(channel=channel, purpose=purpose, schedule=parse("daily 08:00", "UTC"))
    await stage.store.subscribe(subscription, next_at=DUE)


async def delivered(stage: Stage) -> list[Delivery]:
    """Everything that was due, at its end."""
    office = office_of(stage)
    await office.round()
    while any(each.state not in ENDED for each in await stage.store.deliveries()):
        await office.send()
        await office.idle()
    await office.close()
    return await stage.store.deliveries()


def read(stage: Stage, user: str, channel: str) -> str:
    return "\n".join(message.readable for message in stage.sandbox.seen_by(user, channel))


def values(first: int, number: int) -> list[str]:
    return [f"{n:064x}" for n in range(first, first + number)]


async def test_each_channel_gets_a_digest_of_what_its_readers_may_see(make_stage: MakeStage) -> None:
    async with make_stage() as stage:
        for channel in ("C0KASP", "C0TREND"):
            await due(stage, channel)
        amber, green, strict = values(10, 3)
        await stage.store.add(
            [
                claim(amber, source="kaspersky", label=Label.AMBER, addressed_to=frozenset()),
                claim(green, source="trendmicro", label=Label.GREEN),
                claim(strict, source="trendmicro", label=Label.AMBER_STRICT),
            ]
        )

        ended = await delivered(stage)

        assert {each.state for each in ended} == {State.DONE}
        kaspersky, trend = read(stage, "U0KIRA", "C0KASP"), read(stage, "U0TOMO", "C0TREND")
        assert amber in kaspersky
        assert green in kaspersky
        assert strict not in kaspersky + trend
        assert green in trend
        assert amber not in trend


async def test_many_rows_come_as_a_file_and_are_in_the_ledger(make_stage: MakeStage) -> None:
    async with make_stage() as stage:
        await due(stage, "C0KASP")
        await stage.store.add([claim(each, source="trendmicro") for each in values(1_000, 300)])

        [ended] = await delivered(stage)

        posts = await stage.store.posts(channel="C0KASP")
        assert ended.state is State.DONE
        assert [len(post.items) for post in posts if post.files] == [300]
        [first] = [post for post in posts if not post.files and not post.thread]
        assert [item.source for item in first.items] == ["trendmicro"] * 10 + [FIGURES]
        assert stage.calls("files.completeUploadExternal")


async def test_a_summary_is_posted_with_its_chart(make_stage: MakeStage) -> None:
    async with make_stage(claim()) as stage:
        await due(stage, "C0TREND", Purpose.SUMMARY)

        [ended] = await delivered(stage)

        assert ended.state is State.DONE
        assert "summary" in read(stage, "U0TOMO", "C0TREND")
        assert [post.files for post in await stage.store.posts(channel="C0TREND") if post.files]


async def test_nothing_new_is_not_posted(make_stage: MakeStage) -> None:
    async with make_stage(claim()) as stage:
        await due(stage, "C0KASP")

        [ended] = await delivered(stage)

        assert ended.state is State.EMPTY
        assert not stage.calls("chat.postMessage")


async def test_an_archived_channel_is_parked_and_an_operator_hears_of_it(make_stage: MakeStage) -> None:
    known = registry()
    host = replace(known.host, stewards=frozenset({Member("U0OPS", "T0HOST")}))
    async with make_stage(organisations=replace(known, host=host)) as stage:
        await due(stage, "C0GONE")
        await stage.store.add([claim(values(1, 1)[0])])

        [ended] = await delivered(stage)

        assert ended.state is State.PARKED
        [told] = stage.calls("chat.postMessage")
        assert "C0GONE" in str(told.arguments)


async def test_a_digest_tells_what_was_withdrawn_since(make_stage: MakeStage) -> None:
    async with make_stage() as stage:
        await due(stage, "C0KASP")
        one, two = values(50, 2)
        await stage.store.add([claim(one, source="kaspersky"), claim(two, source="trendmicro")])
        await delivered(stage)
        await stage.store.add([claim(one, source="kaspersky", revoked=True)])
        [subscribed] = await stage.store.subscriptions()
        period = (DUE + timedelta(days=1)).isoformat()
        await stage.store.begin_delivery(subscribed, period=period, next_at=subscribed.next_at)

        latest, *_ = await delivered(stage)

        assert latest.state is State.DONE
        assert "What changed" in read(stage, "U0KIRA", "C0KASP")
