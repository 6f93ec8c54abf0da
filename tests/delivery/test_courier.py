"""One delivery through all that may happen to it."""

from dataclasses import replace
from datetime import timedelta
from itertools import count
from pathlib import Path

import pytest

from bot.deliveries import SETTLE_SECONDS, State
from bot.delivery.alerts import Trouble
from bot.delivery.posting import (
    FilesRefusedError,
    LockedOutError,
    PerhapsTakenError,
    RateLimitedError,
    RefusedError,
    UneditableError,
)
from bot.sharing import Audience, Reach
from tests.delivery.stage import CHANNEL, NOT_TAKEN, T0, Stage, Words, fails, staged

OTHERS = Audience(reach=Reach.CHANNEL, orgs=frozenset({"igci", "kaspersky", "trendmicro"}))


async def test_a_delivery_is_posted_once_and_kept_in_the_ledger(stage: Stage) -> None:
    await stage.begin()

    await stage.try_once()

    done = await stage.last()
    [message] = stage.channel.standing
    [post] = await stage.store.posts(channel=CHANNEL)
    assert (done.state, done.ts, done.message, done.error) == (State.DONE, message.ts, "", "")
    assert (post.ts, post.readers, post.period) == (message.ts, ("igci", "kaspersky"), T0.isoformat())
    assert post.items
    assert await stage.try_once() == 0


async def test_parts_and_files_follow_beneath_it_in_order(long_stage: Stage) -> None:
    await long_stage.begin()

    await long_stage.try_once()

    [main] = long_stage.channel.main()
    readers = "for igci,kaspersky"
    assert main.text == f"0 {readers}"
    assert [each.text for each in long_stage.channel.beneath()] == [f"1 {readers}", f"2 {readers}", "file"]
    assert {each.thread for each in long_stage.channel.beneath()} == {main.ts}
    posts = await long_stage.store.posts(channel=CHANNEL)
    assert {post.ts for post in posts} == {each.ts for each in long_stage.channel.standing}
    assert [post.files for post in posts if post.files] == [(long_stage.channel.beneath()[-1].ts,)]


async def test_nothing_new_is_not_said(stage: Stage) -> None:
    stage.writing = Words(is_empty=True)
    await stage.begin()

    await stage.try_once()

    assert (await stage.last()).state is State.EMPTY
    assert stage.channel.requests == ["readers"]


async def test_nothing_new_is_said_where_that_is_wanted(stage: Stage) -> None:
    stage.writing = Words(is_empty=True)
    await stage.begin(say_nothing_new=True)

    await stage.try_once()

    assert len(stage.channel.main()) == 1


@pytest.mark.parametrize(
    "fault", [NOT_TAKEN, RateLimitedError(40), PerhapsTakenError("gone"), "lost", ValueError("ours")]
)
@pytest.mark.parametrize("times", [1, 3])
@pytest.mark.parametrize("on", ["post", "attach"])
async def test_whatever_breaks_everything_stands_there_once(
    long_stage: Stage, fault: str | Exception, times: int, on: str
) -> None:
    long_stage.channel.fault = fails(times, fault, on)
    await long_stage.begin()

    done = await long_stage.carry_on()

    assert done.state is State.DONE
    assert len(long_stage.channel.main()) == 1
    assert len(long_stage.channel.beneath()) == 3
    assert not long_stage.heard.alerts


async def test_what_may_have_arrived_is_looked_for_and_not_before_it_has_settled(stage: Stage) -> None:
    stage.channel.fault = fails(1, "lost")
    await stage.begin()
    await stage.try_once()
    assert (await stage.last()).state is State.SENDING

    stage.clock.pass_by(SETTLE_SECONDS - 1)
    too_early = await stage.try_once()
    stage.clock.pass_by(1)
    await stage.try_once()

    assert too_early == 0
    assert (await stage.last()).state is State.DONE
    assert stage.channel.requests.count("post") == 1


async def test_what_arrives_long_after_it_was_sent_again_is_deleted(stage: Stage) -> None:
    stage.channel.fault = fails(1, "late")
    await stage.begin()
    await stage.try_once()
    stage.clock.pass_by(SETTLE_SECONDS)
    stage.channel.fault = lambda name: stage.channel.arrive() if name == "post" else None

    await stage.try_once()

    done = await stage.last()
    assert done.state is State.DONE
    assert [each.ts for each in stage.channel.main()] == [done.ts]


async def test_a_duplicate_that_cannot_be_deleted_is_told_to_operators(stage: Stage) -> None:
    stage.channel.fault = fails(1, "late")
    await stage.begin()
    await stage.try_once()
    stage.clock.pass_by(SETTLE_SECONDS)
    stage.channel.arrive()
    stage.channel.under_way = []
    stage.channel.standing.append(replace(stage.channel.standing[0], ts="1999999999.000001"))
    stage.channel.fault = fails(1, UneditableError("cant_delete_message"), "withdraw")

    await stage.try_once()

    assert (await stage.last()).state is State.DONE
    assert [alert.trouble for alert in stage.heard.alerts] == [Trouble.DUPLICATE]


async def test_without_a_look_nothing_is_sent_again(stage: Stage) -> None:
    stage.channel.fault = fails(1, "lost")
    stage.channel.lets_look = False
    await stage.begin()

    ended = await stage.carry_on()

    assert (ended.state, ended.error) == (State.UNCERTAIN, "HistoryRefusedError: missing_scope")
    assert [alert.trouble for alert in stage.heard.alerts] == [Trouble.UNCERTAIN]
    assert len(stage.channel.main()) == 1


@pytest.mark.parametrize("code", ["channel_not_found", "is_archived", "restricted_action"])
async def test_a_refusal_for_good_is_parked_and_told(stage: Stage, code: str) -> None:
    stage.channel.fault = fails(1, RefusedError(code))
    await stage.begin()

    await stage.try_once()

    parked = await stage.last()
    assert (parked.state, parked.error) == (State.PARKED, f"RefusedError: {code}")
    assert [alert.trouble for alert in stage.heard.alerts] == [Trouble.PARKED]
    assert CHANNEL in str(stage.heard.alerts[0])


async def test_a_revoked_token_drops_nothing(stage: Stage) -> None:
    stage.channel.fault = fails(5, LockedOutError("token_revoked"))
    await stage.begin()

    done = await stage.carry_on()

    assert done.state is State.DONE
    assert {alert.trouble for alert in stage.heard.alerts} == {Trouble.LOCKED_OUT}


async def test_patience_is_as_long_as_slack_asks_for(stage: Stage) -> None:
    stage.channel.fault = fails(1, RateLimitedError(1_000))
    await stage.begin()
    await stage.try_once()

    stage.clock.pass_by(999)
    too_early = await stage.try_once()
    stage.clock.pass_by(60)
    await stage.try_once()

    assert too_early == 0
    assert (await stage.last()).state is State.DONE


@pytest.mark.parametrize(
    ("fault", "state"), [(NOT_TAKEN, State.PARKED), (PerhapsTakenError("gone"), State.UNCERTAIN)]
)
async def test_every_retry_ends_after_a_day(stage: Stage, fault: Exception, state: State) -> None:
    stage.channel.fault = lambda name: fault if name in ("post", "find") else None
    await stage.begin()

    ended = await stage.carry_on(hours=48)

    assert ended.state is state
    assert timedelta(hours=24) <= stage.clock() - T0 < timedelta(hours=25)
    assert len(stage.channel.requests) < 300
    assert len(stage.heard.alerts) == 1


async def test_what_waited_through_a_long_outage_is_still_delivered(stage: Stage) -> None:
    await stage.begin()
    stage.channel.fault = fails(1, NOT_TAKEN)
    await stage.try_once()
    stage.clock.pass_by(3 * 86_400)

    assert (await stage.carry_on()).state is State.DONE


async def test_where_no_file_can_be_put_words_stand(long_stage: Stage) -> None:
    long_stage.channel.fault = fails(9, FilesRefusedError("file_uploads_disabled"), "attach")
    await long_stage.begin()

    await long_stage.try_once()

    assert (await long_stage.last()).state is State.DONE
    assert [each.text for each in long_stage.channel.beneath()][-1] == "instead"


async def test_it_is_written_anew_for_readers_who_came_meanwhile(stage: Stage) -> None:
    await stage.begin()
    stage.channel.fault = fails(1, NOT_TAKEN)
    await stage.try_once()
    stage.channel.readers_now = OTHERS

    await stage.carry_on()

    assert [each.text for each in stage.channel.main()] == ["0 for igci,kaspersky,trendmicro"]


async def test_parts_that_are_left_are_written_anew_too(long_stage: Stage) -> None:
    await long_stage.begin()
    left = fails(1, NOT_TAKEN)
    long_stage.channel.fault = lambda name: left(name) if len(long_stage.channel.standing) == 2 else None
    await long_stage.try_once()
    long_stage.channel.readers_now = OTHERS

    done = await long_stage.carry_on()

    old, new = "for igci,kaspersky", "for igci,kaspersky,trendmicro"
    assert done.state is State.DONE
    texts = [each.text for each in long_stage.channel.standing]
    assert texts == [f"0 {old}", f"1 {old}", f"1 {new}", f"2 {new}", "file"]


async def test_readers_that_change_all_the_time_make_it_wait(stage: Stage) -> None:
    await stage.begin()
    numbers = count()

    def change() -> None:
        stage.channel.readers_now = replace(OTHERS, orgs=frozenset({f"org-{next(numbers)}"}))

    stage.writing.then = change

    await stage.try_once()

    waiting = await stage.last()
    assert (waiting.state, waiting.error) == (State.COMPILED, "ReadersChangedError")
    assert waiting.not_before is not None
    assert not stage.channel.standing


async def test_who_was_overtaken_takes_back_what_it_sent(stage: Stage) -> None:
    """A process that slept longer than its lease and the settle time, in the very middle of a post."""
    await stage.begin()

    async def nap() -> None:
        stage.clock.pass_by(1_000)
        await stage.carry_on()
        assert len(stage.channel.main()) == 1

    stage.channel.nap = nap

    await stage.try_once()

    done = await stage.last()
    assert [each.ts for each in stage.channel.main()] == [done.ts]
    assert "withdraw" in stage.channel.requests


async def test_a_file_that_arrives_long_after_it_was_sent_again_is_deleted(tmp_path: Path) -> None:
    async with staged(tmp_path, files=2) as stage:
        stage.channel.fault = fails(1, "late", "attach")
        await stage.begin()
        await stage.try_once()
        stage.clock.pass_by(SETTLE_SECONDS)
        stage.channel.fault = lambda name: stage.channel.arrive() if name == "attach" else None

        await stage.try_once()

        files = {each.ts for each in stage.channel.beneath() if each.is_file}
        posts = await stage.store.posts(channel=CHANNEL)
        assert (await stage.last()).state is State.DONE
        assert len(files) == 2
        assert {post.ts for post in posts if post.files} == files
        assert "withdraw_file" in stage.channel.requests
        assert "withdraw" not in stage.channel.requests


async def test_what_may_stand_there_twice_is_told_where_nobody_may_look_any_more(stage: Stage) -> None:
    stage.channel.fault = fails(1, "late")
    await stage.begin()
    await stage.try_once()
    stage.clock.pass_by(SETTLE_SECONDS)
    stage.channel.fault = lambda name: setattr(stage.channel, "lets_look", False) if name == "post" else None

    await stage.try_once()

    assert (await stage.last()).state is State.DONE
    assert [alert.trouble for alert in stage.heard.alerts] == [Trouble.PERHAPS_TWICE]
