"""Marked posts: once, and only for those they were cleared for."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.sandbox import Fault
from bot.slack import posts as module
from bot.slack.calls import (
    NotTakenError,
    PerhapsTakenError,
    RateLimitedError,
    RefusedError,
    TokenRefusedError,
)
from bot.slack.outbox import EVENT_TYPE, Letter, ReadersChangedError
from bot.slack.posts import (
    MAX_AGE_SECONDS,
    Posts,
)
from bot.tlp import Label
from tests.slack.conftest import Stage
from tests.slack.posting import HERE, hurried, letter_for, post


@pytest.fixture
def posts(stage: Stage) -> Posts:
    return hurried(stage)


def _stands(stage: Stage) -> list[str]:
    return [message.text for message in stage.sandbox.seen_by("U0ANA", HERE)]


async def test_a_post_carries_its_nonce_and_nothing_else(stage: Stage, posts: Posts) -> None:
    ts = await post(posts, "n1")

    [message] = stage.sandbox.seen_by("U0KIRA", HERE)
    assert (message.ts, message.metadata) == (
        ts,
        {"event_type": EVENT_TYPE, "event_payload": {"nonce": "n1"}},
    )
    [call] = stage.calls("chat.postMessage")
    assert (call.arguments["unfurl_links"], call.arguments["unfurl_media"]) == (False, False)


async def test_readers_who_joined_since_it_was_written_read_nothing(stage: Stage, posts: Posts) -> None:
    letter = await letter_for(posts)
    await stage.sandbox.invite("T0TREND", HERE)
    await stage.sandbox.accept("T0TREND", HERE)
    with pytest.raises(ReadersChangedError):
        await posts.post_marked(HERE, letter, nonce="n1")

    assert stage.calls("chat.postMessage") == []


async def test_readers_who_join_while_it_waits_read_nothing(stage: Stage, posts: Posts) -> None:
    async def join() -> None:
        await stage.sandbox.invite("T0TREND", HERE)

    letter = await letter_for(posts)
    with pytest.raises(ReadersChangedError):
        await posts.post_marked(HERE, letter, nonce="n1", starting=join)

    assert stage.calls("chat.postMessage") == []


async def test_words_beneath_a_post_that_follow_it_closely_need_no_look_of_their_own(
    stage: Stage, posts: Posts
) -> None:
    letter = await letter_for(posts)
    ts = await posts.post_marked(HERE, letter, nonce="n1")
    looks = len(stage.calls("conversations.info"))
    for number in range(3):
        await posts.post_marked(HERE, letter, nonce=f"beneath{number}", thread=ts)
    below = len(stage.calls("conversations.info")) - looks
    await posts.post_marked(HERE, letter, nonce="n2")

    assert below == 0
    assert len(stage.calls("conversations.info")) == looks + 1


async def test_once_a_change_was_heard_of_words_beneath_a_post_have_a_look_again(
    stage: Stage, posts: Posts
) -> None:
    letter = await letter_for(posts)
    ts = await posts.post_marked(HERE, letter, nonce="n1")
    await stage.sandbox.invite("T0TREND", HERE)
    await stage.sandbox.accept("T0TREND", HERE)
    await stage.sandbox.settled()

    with pytest.raises(ReadersChangedError):
        await posts.post_marked(HERE, letter, nonce="beneath", thread=ts)


async def test_some_time_later_words_beneath_a_post_have_a_look_again(
    stage: Stage, posts: Posts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BENEATH_SECONDS", 0.0)
    letter = await letter_for(posts)
    ts = await posts.post_marked(HERE, letter, nonce="n1")
    await stage.sandbox.invite("T0TREND", HERE)  # of which Slack tells nothing

    with pytest.raises(ReadersChangedError):
        await posts.post_marked(HERE, letter, nonce="beneath", thread=ts)


async def test_what_was_cleared_long_ago_is_not_said(stage: Stage, posts: Posts) -> None:
    letter = await letter_for(posts)
    stage.clock.ahead += timedelta(seconds=MAX_AGE_SECONDS + 1)
    with pytest.raises(ReadersChangedError):
        await posts.post_marked(HERE, letter, nonce="n1")


async def test_another_cap_is_another_audience(stage: Stage, posts: Posts) -> None:
    letter = await letter_for(posts)
    assert letter.audience is not None
    wider = Letter(letter.message, replace(letter.audience, cap=Label.RED))
    with pytest.raises(ReadersChangedError):
        await posts.post_marked(HERE, wider, nonce="n1")


async def test_it_is_written_down_before_it_is_sent(stage: Stage, posts: Posts) -> None:
    seen: list[int] = []

    async def write_down() -> None:
        seen.append(len(stage.calls("chat.postMessage")))

    await posts.post_marked(HERE, await letter_for(posts), nonce="n1", starting=write_down)
    assert (seen, len(_stands(stage))) == ([0], 1)


async def test_what_cannot_be_written_down_is_not_sent(stage: Stage, posts: Posts) -> None:
    async def fail() -> None:
        raise RuntimeError("somebody else has it")

    with pytest.raises(RuntimeError):
        await posts.post_marked(HERE, await letter_for(posts), nonce="n1", starting=fail)
    assert stage.calls("chat.postMessage") == []


@pytest.mark.parametrize(
    ("kind", "expected", "stands"),
    [
        ("drop_after_accept", PerhapsTakenError, 1),
        ("lost_reply", PerhapsTakenError, 1),
        ("drop_before", PerhapsTakenError, 0),
        ("error_500", PerhapsTakenError, 0),
        ("rate_limited", RateLimitedError, 0),
        ("token_revoked", TokenRefusedError, 0),
    ],
)
async def test_a_post_is_never_tried_twice(
    stage: Stage,
    posts: Posts,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
    expected: type[Exception],
    stands: int,
) -> None:
    monkeypatch.setattr(module, "POST_SECONDS", 0.3)
    letter = await letter_for(posts)
    stage.sandbox.faults.add(Fault("chat.postMessage", kind, seconds=1))
    with pytest.raises(expected):
        await posts.post_marked(HERE, letter, nonce="n1")

    assert len(_stands(stage)) == stands
    assert len(stage.calls("chat.postMessage")) == 1


@pytest.mark.parametrize(
    ("method", "kind", "expected"),
    [
        ("conversations.info", "error_500", NotTakenError),
        ("conversations.members", "drop_before", NotTakenError),
        ("conversations.info", "rate_limited", RateLimitedError),
        ("conversations.info", "token_revoked", TokenRefusedError),
    ],
)
async def test_without_a_last_look_nothing_is_sent(
    stage: Stage, posts: Posts, method: str, kind: str, expected: type[Exception]
) -> None:
    letter = await letter_for(posts)
    stage.sandbox.faults.add(Fault(method, kind, times=9, seconds=60))
    with pytest.raises(expected):
        await posts.post_marked(HERE, letter, nonce="n1")

    assert stage.calls("chat.postMessage") == []


async def test_a_look_that_takes_too_long_ends(
    stage: Stage, posts: Posts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LOOK_SECONDS", 0.1)
    stage.sandbox.faults.add(Fault("conversations.info", "slow", seconds=0.3))
    with pytest.raises(NotTakenError):
        await posts.readers(HERE)


async def test_a_channel_that_is_gone_is_refused_and_not_guessed_about(stage: Stage, posts: Posts) -> None:
    letter = await letter_for(posts)
    await stage.sandbox.leave("U0LIAISON", HERE)
    for sending in (posts.readers(HERE), posts.post_marked(HERE, letter, nonce="n1")):
        with pytest.raises(RefusedError) as caught:
            await sending
        assert caught.value.code == "channel_not_found"


async def test_an_archived_channel_refuses(stage: Stage, posts: Posts) -> None:
    letter = await letter_for(posts)
    stage.sandbox.workspace.channel(HERE).archived = True
    with pytest.raises(RefusedError) as caught:
        await posts.post_marked(HERE, letter, nonce="n1")

    assert caught.value.code == "is_archived"


async def test_people_are_answered_while_posts_wait_for_their_turn(stage: Stage) -> None:
    posts = stage.bot.connection.posts
    letter = await letter_for(posts)
    waiting = [asyncio.ensure_future(posts.post_marked(HERE, letter, nonce=f"n{n}")) for n in range(20)]
    await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)

    assert "trendmicro-green-family" in await stage.answer("U0ANA", HERE)
    assert len(stage.calls("chat.postMessage")) < 5
    for each in waiting:
        each.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
