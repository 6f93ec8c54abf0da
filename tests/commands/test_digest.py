"""digest sets what a channel gets by itself; operators may anywhere, stewards where their own people read."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import msgspec
import pytest

from bot.chat import Actor, Notice, Preview, Surface
from bot.deliveries import State
from bot.digests import Digest
from bot.services import Services
from bot.sharing import UNKNOWN, Audience, Reach
from bot.subscribing import in_words
from bot.subscriptions import Purpose
from bot.tlp import Label
from commands import answer
from tests.commands.asking import HOST, KASPERSKY, NOW, STRANGER, TREND, ask, channel, claim, reply, said
from tests.commands.conftest import Clock
from tests.commands.steering import CHANNEL, NAMED, OPERATOR, STEWARD, Writer, purposes

WITH_KASPERSKY = channel("kaspersky")
ON = "digest on weekdays 08:00 kinds domain attach csv"


@pytest.fixture
def named(services: Services) -> Services:
    """The world where somebody may set digests."""
    return replace(services, registry=NAMED, digests=Writer(services))


async def words(services: Services, place: str = CHANNEL) -> list[str]:
    return [in_words(each.subscription) for each in await services.store.subscriptions(place)]


async def ended(services: Services, state: State) -> None:
    """A courier brings the delivery that is due to an end."""
    [due] = await services.store.lease_deliveries("courier", at=NOW, seconds=60, most=1)
    await services.store.put_delivery(msgspec.structs.replace(due, state=state), owner="courier")


# --- on and off ----------------------------------------------------------------------------------------


async def test_on_sets_it_and_says_what_was_set(named: Services) -> None:
    lines = await said(named, ON, by=OPERATOR)

    assert lines == [
        "TLP:GREEN · digest is on",
        "When: Monday to Friday at 08:00, Asia/Singapore time.",
        "About: domain.",
        "The full list comes as a CSV file.",
        "Next: Tue 2026-11-24 08:00 Asia/Singapore time.",  # now it is Monday 11:00 there
        "It begins with what is stored from now on.",
    ]
    [subscribed] = await named.store.subscriptions(CHANNEL)
    assert in_words(subscribed.subscription) == "weekdays 08:00 tz Asia/Singapore kinds domain attach csv"
    assert subscribed.subscription.set_by == "U0OPER"
    assert subscribed.next_at == NOW + timedelta(hours=21)


async def test_on_again_replaces_it_and_keeps_what_is_not_delivered_yet(named: Services) -> None:
    await said(named, ON, by=OPERATOR)
    await named.store.add([claim()])

    lines = await said(named, "digest on\nevery 6h", by=OPERATOR)

    assert lines[-1] == "Next: Mon 2026-11-23 14:00 Asia/Singapore time."
    [subscribed] = await named.store.subscriptions(CHANNEL)
    assert in_words(subscribed.subscription) == "every 6h tz Asia/Singapore"
    assert subscribed.since == 0


async def test_names_arrive_as_slack_escapes_them(named: Services) -> None:
    await said(named, "digest on families R&amp;D", by=OPERATOR)

    assert await words(named) == ["daily 08:00 tz Asia/Singapore families r&d"]


async def test_off_ends_it(named: Services) -> None:
    await said(named, ON, by=OPERATOR)

    assert "What was due before is still delivered." in await said(named, "digest off", by=OPERATOR)
    assert await purposes(named) == []
    assert "There was no digest here." in await said(named, "digest off", by=OPERATOR)


async def test_a_summary_is_another_matter(named: Services) -> None:
    await said(named, ON, by=OPERATOR)
    await said(named, "summary on", by=OPERATOR)

    await said(named, "digest off", by=OPERATOR)

    assert await purposes(named) == [Purpose.SUMMARY]


@pytest.mark.parametrize("surface", [Surface.SLASH, Surface.MENTION, Surface.BUTTON])
async def test_it_works_wherever_a_channel_is(named: Services, surface: Surface) -> None:
    await said(named, ON, by=STEWARD, surface=surface, where=WITH_KASPERSKY)

    assert await purposes(named) == [Purpose.DIGEST]


@pytest.mark.parametrize("text", [ON, "digest off", "digest", "digest preview", "digest now"])
@pytest.mark.parametrize("by", [OPERATOR, STEWARD])
async def test_a_direct_message_has_no_digest(named: Services, text: str, by: Actor) -> None:
    assert await said(named, text, by=by, surface=Surface.DM) == [
        "TLP:CLEAR · that did not work",
        "A digest belongs to a channel: say that in the channel that is to get it.",
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "digest of",
            "“of” is not understood behind “digest”. Did you mean “digest off”? Write “on”, “off”,",
        ),
        (
            "digest xyzzy",
            "“xyzzy” is not understood behind “digest”. Write “on”, “off”, “show”, “preview” or",
        ),
        ("digest on dayly 08:00", "Did you mean “daily”?"),
        ("digest now", "No digest is set up in this channel."),
        ("digest preview", "No digest is set up in this channel."),
    ],
)
async def test_a_mistake_is_explained(named: Services, text: str, told: str) -> None:
    assert told in "\n".join(await said(named, text, by=OPERATOR))


# --- who may -------------------------------------------------------------------------------------------

SETTING = (ON, "digest off", "digest now", "digest set-up")
MAY = (
    (OPERATOR, WITH_KASPERSKY),
    (OPERATOR, channel("trendmicro")),
    (STEWARD, WITH_KASPERSKY),
    (STEWARD, channel("kaspersky", "trendmicro", UNKNOWN)),
)
MAY_NOT = (
    (STEWARD, channel("trendmicro")),  # another's channel
    (HOST, WITH_KASPERSKY),  # no operator
    (KASPERSKY, WITH_KASPERSKY),  # no steward
    (replace(OPERATOR, teams=frozenset()), WITH_KASPERSKY),  # Slack did not say of which team
    (replace(STEWARD, teams=frozenset({"T0OTHER"})), WITH_KASPERSKY),  # the same id in another team
    (replace(STEWARD, is_confirmed=False), WITH_KASPERSKY),
    (replace(STEWARD, org=UNKNOWN), WITH_KASPERSKY),
    (STRANGER, channel(UNKNOWN)),
    (Actor("U0OLD", "lapsed", teams=frozenset({"T0LAP"})), channel("lapsed")),  # its agreement has ended
)


@pytest.mark.parametrize("text", SETTING)
@pytest.mark.parametrize(("by", "where"), MAY)
async def test_operators_and_stewards_may(named: Services, text: str, by: Actor, where: Audience) -> None:
    await said(named, ON, by=OPERATOR)

    assert "did not work" not in (await said(named, text, by=by, where=where))[0]


@pytest.mark.parametrize("text", SETTING)
@pytest.mark.parametrize("surface", [Surface.SLASH, Surface.MENTION, Surface.BUTTON])
@pytest.mark.parametrize(("by", "where"), MAY_NOT)
async def test_others_may_not_and_change_nothing(
    named: Services, text: str, surface: Surface, by: Actor, where: Audience
) -> None:
    await said(named, ON, by=OPERATOR)
    before = await named.store.subscriptions()

    lines = await said(named, text, by=by, surface=surface, where=where)

    assert lines[0] == "TLP:CLEAR · that did not work"
    assert await named.store.subscriptions() == before
    assert await named.store.deliveries() == []


async def test_where_slack_does_not_tell_of_readers_the_advice_is_to_invite_liaison(named: Services) -> None:
    nobody_known = Audience(reach=Reach.CHANNEL, orgs=frozenset({UNKNOWN}), fresh=False)

    assert await said(named, ON, by=OPERATOR, where=nobody_known) == [
        "TLP:CLEAR · that did not work",
        "Slack does not say who reads this channel: invite Liaison into it first.",
    ]
    assert await purposes(named) == []


async def test_nobody_sets_a_cap(named: Services) -> None:
    lines = await said(named, "digest on cap TLP:AMBER", by=STEWARD)

    assert "is its cap, which only the host sets" in lines[1]
    assert await purposes(named) == []


# --- show ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("by", [HOST, KASPERSKY, TREND, OPERATOR])
async def test_every_reader_may_know_what_the_channel_gets(named: Services, by: Actor) -> None:
    await said(named, ON, by=OPERATOR)

    for text in ("digest", "digest show"):
        lines = await said(named, text, by=by)
        assert lines[0] == "TLP:GREEN · digest of this channel"
        assert "Next: Tue 2026-11-24 08:00 Asia/Singapore time." in lines


@pytest.mark.parametrize(
    ("state", "told"),
    [
        (State.DUE, "One is on its way."),
        (State.DONE, "Delivered last: Mon 2026-11-23 11:00 Asia/Singapore time."),
        (State.EMPTY, "At Mon 2026-11-23 11:00 Asia/Singapore time nothing was new, so nothing was posted."),
        (
            State.UNCERTAIN,
            "It is not sure whether the one of Mon 2026-11-23 11:00 Asia/Singapore time arrived",
        ),
        (
            State.PARKED,
            "The one of Mon 2026-11-23 11:00 Asia/Singapore time could not be delivered; an operator",
        ),
        (
            State.DROPPED,
            "The one of Mon 2026-11-23 11:00 Asia/Singapore time was not delivered; an operator let it go.",
        ),
    ],
)
async def test_show_tells_how_the_last_one_ended(named: Services, state: State, told: str) -> None:
    await said(named, ON, by=OPERATOR)
    await said(named, "digest now", by=OPERATOR)
    if state is not State.DUE:
        await ended(named, state)

    assert told in "\n".join(await said(named, "digest show", by=KASPERSKY))


async def test_what_another_channel_gets_is_not_told(named: Services) -> None:
    empty = await said(named, "digest", by=KASPERSKY)
    elsewhere = replace(ask("digest on families hidden", by=OPERATOR), conversation="C0OTHER")
    await answer(elsewhere, named)
    await answer(replace(elsewhere, text="digest now"), named)

    assert len(await words(named, "C0OTHER")) == 1
    assert await said(named, "digest", by=KASPERSKY) == empty


@pytest.mark.parametrize("more", [{"fresh": False}, {"pending_invite": True}, {"public": True}])
async def test_settings_are_not_told_where_somebody_unknown_may_read_along(
    named: Services, more: dict[str, bool]
) -> None:
    await said(named, "digest on families emotet", by=OPERATOR)

    lines = await said(
        named, "digest", by=KASPERSKY, surface=Surface.MENTION, where=channel("kaspersky", **more)
    )

    assert lines == [
        "TLP:CLEAR · digest of this channel",
        "Who reads along here is not sure, so the settings are told in private only.",
    ]


async def offers(services: Services, text: str, by: Actor, surface: Surface) -> Sequence[str]:
    notice = await reply(services, text, by=by, surface=surface)
    assert isinstance(notice, Notice)
    return [offer.text for offer in notice.offers]


@pytest.mark.parametrize(
    ("by", "surface", "is_on", "offered"),
    [
        (OPERATOR, Surface.SLASH, False, ["digest set-up"]),
        (HOST, Surface.SLASH, False, []),
        (KASPERSKY, Surface.MENTION, False, ["digest set-up"]),  # others may press it, and are judged then
        (OPERATOR, Surface.SLASH, True, ["digest preview", "digest set-up"]),
        (HOST, Surface.SLASH, True, ["digest preview"]),
    ],
)
async def test_a_form_is_offered_to_whom_it_helps(
    named: Services, by: Actor, surface: Surface, is_on: bool, offered: list[str]
) -> None:
    if is_on:
        await said(named, ON, by=OPERATOR)

    assert await offers(named, "digest", by, surface) == offered


async def test_a_form_is_filled_in_with_what_is_set(named: Services) -> None:
    await said(named, ON, by=OPERATOR)

    notice = await reply(named, "digest set-up", by=STEWARD, surface=Surface.BUTTON)

    assert isinstance(notice, Notice)
    assert notice.form is not None
    assert notice.form.current is not None
    assert in_words(notice.form.current) == "weekdays 08:00 tz Asia/Singapore kinds domain attach csv"
    assert notice.form.zone == "Asia/Singapore"


# --- preview -------------------------------------------------------------------------------------------


async def test_a_preview_holds_what_all_readers_may_see_and_is_for_one(named: Services) -> None:
    await said(named, "digest on", by=OPERATOR)
    for_one = claim(
        source="igci", family="for one", label=Label.AMBER, addressed_to=frozenset({"trendmicro"})
    )
    await named.store.add([claim(), for_one])

    preview = await reply(named, "digest preview", by=TREND)

    assert isinstance(preview, Preview)
    assert isinstance(preview.told, Digest)
    assert [shown.family for shown in preview.told.listed] == [None]
    assert preview.audience == channel("kaspersky", "trendmicro")
    assert isinstance(named.digests, Writer)
    [(_, readers, viewer)] = named.digests.asked
    assert readers == preview.audience
    assert viewer.persons == {"U0TREND"}


async def test_before_others_a_preview_is_offered_only(named: Services) -> None:
    await said(named, "digest on", by=OPERATOR)
    await named.store.add([claim()])

    assert await said(named, "digest preview", by=KASPERSKY, surface=Surface.MENTION) == [
        "TLP:CLEAR · preview",
        "A preview is for you alone.",
    ]
    assert await offers(named, "digest preview", KASPERSKY, Surface.MENTION) == ["digest preview"]


@pytest.mark.parametrize(
    ("by", "where"),
    [
        (TREND, WITH_KASPERSKY),
        (STRANGER, channel(UNKNOWN)),
        (replace(KASPERSKY, is_confirmed=False), WITH_KASPERSKY),
    ],
)
async def test_who_does_not_read_the_channel_gets_no_preview(
    named: Services, by: Actor, where: Audience
) -> None:
    await said(named, "digest on", by=OPERATOR)

    assert "did not work" in (await said(named, "digest preview", by=by, where=where))[0]
    assert isinstance(named.digests, Writer)
    assert named.digests.asked == []


async def test_a_preview_moves_nothing(named: Services) -> None:
    await said(named, "digest on", by=OPERATOR)
    before = await named.store.subscriptions()

    await said(named, "digest preview", by=OPERATOR)

    assert await named.store.subscriptions() == before
    assert await named.store.deliveries() == []


# --- now -----------------------------------------------------------------------------------------------


async def test_now_begins_a_delivery_and_leaves_the_schedule(named: Services) -> None:
    await said(named, ON, by=OPERATOR)
    [before] = await named.store.subscriptions()
    await named.store.add([claim()])

    lines = await said(named, "digest now", by=STEWARD)

    assert lines[1] == "It comes within a minute. If nothing is new, nothing is posted."
    [delivery] = await named.store.deliveries()
    assert (delivery.state, delivery.since, delivery.upto) == (State.DUE, 0, 1)
    assert delivery.period == "2026-11-23T03:00:00+00:00"
    [after] = await named.store.subscriptions()
    assert (after.since, after.next_at) == (1, before.next_at)


async def test_now_again_waits_a_minute(named: Services, clock: Clock) -> None:
    await said(named, ON, by=OPERATOR)
    await said(named, "digest now", by=OPERATOR)

    assert "less than a minute ago" in (await said(named, "digest now", by=STEWARD))[1]
    assert len(await named.store.deliveries()) == 1

    clock.now += timedelta(seconds=61)
    await said(named, "digest now", by=OPERATOR)
    assert len(await named.store.deliveries()) == 2
