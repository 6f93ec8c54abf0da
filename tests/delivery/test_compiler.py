"""What is written for those who read a channel: all that is new for them, and nothing else."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from bot import amends
from bot.blockkit import message_problems
from bot.deliveries import Delivery, Post, State
from bot.delivery.compiler import Compiler
from bot.delivery.edition import Edition, File, Sheet, decode, encode
from bot.delivery.figures import last_end
from bot.delivery.posting import RefusedError
from bot.digests import Digest, What
from bot.indicators import Kind
from bot.schedules import parse
from bot.sharing import Audience, Reach
from bot.subscriptions import Attach, Filters, Purpose, Subscribed, Subscription
from bot.summaries import Asked, Summary
from bot.tlp import Label
from tests.delivery.stage import CHANNEL, T0, Stage, assertion, fails, indicator
from tests.delivery.test_readers import REGISTRY

KASPERSKY = Audience(reach=Reach.CHANNEL, orgs=frozenset({"igci", "kaspersky"}), cap=Label.AMBER_STRICT)
TREND = replace(KASPERSKY, orgs=frozenset({"igci", "trendmicro"}))
HOUR = timedelta(hours=1)


def compiler(stage: Stage) -> Compiler:
    return Compiler(stage.store, REGISTRY, clock=stage.clock)


def text_of(edition: Edition | None) -> str:
    assert edition is not None
    return "\n".join(each.text for each in edition.pieces if isinstance(each, Sheet)).replace("[.]", ".")


def subscribed(since: int = 0, purpose: Purpose = Purpose.DIGEST) -> Subscribed:
    schedule = parse("daily 08:00", "UTC")
    subscription = Subscription(channel=CHANNEL, purpose=purpose, schedule=schedule)
    return Subscribed(subscription=subscription, since=since, next_at=T0)


async def delivered(stage: Stage) -> None:
    """What was begun is posted and done."""
    await stage.try_once(stage.means(writing=compiler(stage)))
    assert (await stage.last()).state is State.DONE


async def test_it_holds_what_came_in_the_period_and_nothing_from_before_or_after(stage: Stage) -> None:
    await stage.store.add([assertion(1)])
    delivery = await stage.begin(claims=[assertion(2), assertion(3)])
    await stage.store.add([assertion(4)])

    text = text_of(await compiler(stage).edition(delivery, KASPERSKY))

    assert [n for n in range(1, 5) if indicator(n).value in text] == [2, 3]


async def test_each_audience_gets_its_own(stage: Stage) -> None:
    hidden = assertion(2, label=Label.AMBER_STRICT)
    delivery = await stage.begin(claims=[assertion(1), hidden])

    own = text_of(await compiler(stage).edition(delivery, KASPERSKY))
    others = text_of(await compiler(stage).edition(delivery, TREND))

    assert hidden.indicator.value in own
    assert hidden.indicator.value not in others
    assert "1 new indicator" in others


@pytest.mark.parametrize(
    ("label", "stays"),
    [(Label.GREEN, True), (Label.AMBER_STRICT, False)],
    ids=["also for them", "not for them"],
)
async def test_what_counts_more_than_it_names_is_judged_by_all_of_it_when_others_join(
    stage: Stage, label: Label, stays: bool
) -> None:
    claims = [assertion(number, source="igci") for number in range(1, 41)]
    least = assertion(41, source="igci", label=label, confidence=1, addressed_to=frozenset({"kaspersky"}))
    edition = await compiler(stage).edition(await stage.begin(claims=[*claims, least]), KASPERSKY)
    first = edition.pieces[0]
    assert least.indicator not in {item.indicator for item in first.items}

    joined = replace(KASPERSKY, orgs=KASPERSKY.orgs | {"trendmicro"})
    post = Post(
        channel=CHANNEL,
        ts="1.1",
        purpose="digest",
        posted_at=T0,
        items=first.items,
        entitled=edition.entitled,
    )
    stored = {(one.source, one.indicator): one for one in claims}
    world = REGISTRY.world(stage.clock())

    assert not amends.judge(post, stored, KASPERSKY, world).is_affected
    assert amends.judge(post, stored, joined, world).is_affected is not stays


async def test_where_nothing_may_be_seen_nothing_is_said(stage: Stage) -> None:
    delivery = await stage.begin(claims=[assertion(1, label=Label.AMBER_STRICT)])

    assert (await compiler(stage).edition(delivery, TREND)).pieces == ()


async def test_what_slack_refused_for_good_is_made_up_for_by_the_next_one(stage: Stage) -> None:
    stage.channel.fault = fails(1, RefusedError("is_archived"))
    for number in (1, 2):
        delivery = await stage.begin(claims=[assertion(number)])
        await stage.try_once(stage.means(writing=compiler(stage)))
        assert (await stage.last()).state is (State.PARKED if number == 1 else State.DONE)
        stage.clock.pass_by(3_600)

    [message] = stage.channel.main()
    assert all(indicator(number).value in message.text.replace("[.]", ".") for number in (1, 2))
    assert delivery.since == 1
    third = await stage.begin(claims=[assertion(3)])
    assert indicator(2).value not in text_of(await compiler(stage).edition(third, KASPERSKY))


async def test_filters_are_those_of_the_moment_it_was_due(stage: Stage) -> None:
    wanted = Filters(families=frozenset({"emotet"}))
    claims = [assertion(1, family="Emotet"), assertion(2, family="Other")]
    delivery = await stage.begin(claims=claims, filters=wanted)
    await stage.store.unsubscribe(CHANNEL, Purpose.DIGEST)

    edition = await compiler(stage).edition(delivery, KASPERSKY)

    assert edition is not None
    assert indicator(2).value not in text_of(edition)
    assert {item.indicator for piece in edition.pieces for item in piece.items} == {indicator(1)}


async def test_ten_thousand_rows_are_one_message_and_a_file(stage: Stage) -> None:
    delivery = await stage.begin(claims=[assertion(n, family=f"f{n % 300}") for n in range(10_000)])

    edition = await compiler(stage).edition(delivery, KASPERSKY)

    assert edition is not None
    [message, file] = edition.pieces
    assert isinstance(message, Sheet)
    assert isinstance(file, File)
    assert message_problems({"text": message.text, "blocks": list(message.blocks)}) == []
    assert file.content.count(b"example.org") >= 10_000
    assert len(file.items) == 10_000
    assert len(message.items) <= 20
    assert len(encode(edition)) < 2_000_000


async def test_an_edition_comes_back_as_it_was_kept(stage: Stage) -> None:
    delivery = await stage.begin(claims=[assertion(n) for n in range(150)], attach=Attach.STIX)

    edition = await compiler(stage).edition(delivery, replace(KASPERSKY, read_at=T0))

    assert edition is not None
    assert decode(encode(edition)) == edition


async def test_written_again_later_it_is_the_same(stage: Stage) -> None:
    delivery = await stage.begin(claims=[assertion(n) for n in range(150)])
    delivery = msgspec.structs.replace(delivery, written_at=stage.clock())
    first = await compiler(stage).edition(delivery, KASPERSKY)
    stage.clock.pass_by(3_600)

    assert await compiler(stage).edition(delivery, KASPERSKY) == first


async def test_what_was_withdrawn_or_expired_since_is_told_once(stage: Stage) -> None:
    ends = assertion(2, not_after=T0 + HOUR)
    raised = assertion(3)
    await stage.begin(claims=[assertion(1), ends, raised])
    stage.channel.readers_now = KASPERSKY
    await delivered(stage)
    await stage.store.add([assertion(1, revoked=True), assertion(3, label=Label.AMBER_STRICT)])
    told = []
    for _ in range(2):
        stage.clock.pass_by(24 * 3_600)
        last = await stage.last()
        preview = await compiler(stage).preview(subscribed(last.upto), KASPERSKY, viewer=KASPERSKY)
        assert isinstance(preview, Digest)
        told.append(dict(preview.changes))
        await stage.begin(say_nothing_new=True)
        await delivered(stage)

    assert told == [{What.REVOKED: 1, What.RAISED: 1, What.EXPIRED: 1}, {}]


async def test_a_preview_leaves_out_what_its_one_viewer_may_not_see(stage: Stage) -> None:
    both = replace(KASPERSKY, orgs=frozenset({"igci", "kaspersky"}))
    viewer = Audience(reach=Reach.EPHEMERAL, orgs=frozenset({"?UNKNOWN"}), persons=frozenset({"U0"}))
    await stage.store.add([assertion(1, label=Label.CLEAR), assertion(2)])

    told = await compiler(stage).preview(subscribed(), both, viewer=viewer)

    assert isinstance(told, Digest)
    assert [shown.indicator for shown in told.listed] == [indicator(1)]


async def test_a_summary_counts_days_by_when_reports_were_stored(stage: Stage) -> None:
    for days_ago, number in ((8, 1), (2, 3), (0, 5)):
        stage.clock.now = T0 - timedelta(days=days_ago, hours=1)
        await stage.store.add([assertion(100 * days_ago + n) for n in range(number)])
    stage.clock.now = T0

    told = await compiler(stage).preview(subscribed(purpose=Purpose.SUMMARY), KASPERSKY, viewer=KASPERSKY)

    assert isinstance(told, Summary)
    assert told.days == (0, 0, 0, 0, 0, 3, 0, 5)
    assert told.kinds == ((Kind.DOMAIN, 5),)


async def test_a_summary_counts_nothing_that_its_readers_may_not_see(stage: Stage) -> None:
    stage.clock.now = T0 - HOUR
    await stage.store.add([assertion(n, label=Label.AMBER_STRICT) for n in range(9)])
    stage.clock.now = T0

    told = await compiler(stage).preview(subscribed(purpose=Purpose.SUMMARY), TREND, viewer=TREND)

    assert isinstance(told, Summary)
    assert (told.days, told.kinds, told.sources) == ((0,) * 8, (), ())


@pytest.mark.parametrize(
    ("orgs", "told"),
    [
        ({"igci"}, Asked(12, 5)),
        ({"igci", "kaspersky"}, Asked(5, 3)),
        ({"igci", "trendmicro"}, Asked(7, 2)),
        ({"igci", "bureau"}, Asked(0, 0)),
        ({"igci", "kaspersky", "trendmicro"}, None),
    ],
)
async def test_a_summary_tells_each_organisation_of_its_own_lookups_and_the_host_of_all(
    stage: Stage, orgs: set[str], told: Asked | None
) -> None:
    count = stage.store.count_asked
    count("kaspersky", at=T0 - HOUR, asked=5, answered=3)
    count("trendmicro", at=T0 - 24 * HOUR, asked=7, answered=2)
    for at in (T0, T0 - timedelta(days=1, minutes=1)):
        count("kaspersky", at=at, asked=100, answered=100)
    readers = replace(KASPERSKY, orgs=frozenset(orgs))

    summary = await compiler(stage).preview(subscribed(purpose=Purpose.SUMMARY), readers, viewer=readers)

    assert isinstance(summary, Summary)
    assert (summary.dealings.asked if summary.dealings else None) == told


async def test_a_summary_does_not_tell_a_stranger_of_lookups(stage: Stage) -> None:
    stage.store.count_asked("kaspersky", at=T0 - HOUR, asked=5, answered=3)

    told = await compiler(stage).preview(subscribed(purpose=Purpose.SUMMARY), KASPERSKY, viewer=TREND)

    assert isinstance(told, Summary)
    assert told.dealings is None


@pytest.mark.parametrize(
    ("due", "now", "end"),
    [
        ("2026-03-02T07:30", "2026-03-02T07:31", "2026-03-02T07:30"),
        ("2026-03-02T07:30", "2026-03-05T09:00", "2026-03-05T07:30"),
        ("2026-03-02T07:30", "2026-03-05T07:29", "2026-03-04T07:30"),
        ("2026-03-27T07:30", "2026-03-30T07:00", "2026-03-30T06:30"),  # the clock in Berlin went on
        ("2026-03-27T07:30", "2026-03-30T06:45", "2026-03-30T06:30"),
        ("2026-10-24T06:30", "2026-10-26T07:00", "2026-10-25T07:30"),
        ("2026-03-02T07:30", "2026-03-01T00:00", "2026-03-02T07:30"),
    ],
)
def test_after_an_outage_the_last_whole_day_is_told(due: str, now: str, end: str) -> None:
    moments = [datetime.fromisoformat(each).replace(tzinfo=UTC) for each in (due, now, end)]

    assert last_end(moments[0], moments[1], "Europe/Berlin") == moments[2]


def test_an_unwritten_delivery_is_small() -> None:
    delivery = Delivery(channel=CHANNEL, purpose=Purpose.DIGEST, period=T0.isoformat(), since=0, upto=1)

    assert len(msgspec.json.encode(delivery)) < 1_000
