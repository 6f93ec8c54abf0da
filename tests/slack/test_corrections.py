"""Posts are corrected and withdrawn, or it is told that they cannot be any more."""

from datetime import timedelta

import pytest

from bot.blocks import render
from bot.chat import Notice
from bot.sandbox import Fault
from bot.slack.calls import (
    PerhapsTakenError,
    RateLimitedError,
    RefusedError,
)
from bot.slack.outbox import Letter, ReadersChangedError
from bot.slack.posts import (
    Posts,
    UneditableError,
)
from tests.slack.conftest import Stage
from tests.slack.posting import HERE, hurried, letter_for, post


@pytest.fixture
def posts(stage: Stage) -> Posts:
    return hurried(stage)


def _stands(stage: Stage) -> list[str]:
    return [message.text for message in stage.sandbox.seen_by("U0ANA", HERE)]


async def test_a_correction_takes_the_place_of_the_words_and_keeps_the_nonce(
    stage: Stage, posts: Posts
) -> None:
    before = stage.clock() - timedelta(seconds=5)
    ts = await post(posts, "n1", "wrong")
    await posts.correct(HERE, ts, await letter_for(posts, "right"))

    [message] = stage.sandbox.seen_by("U0KIRA", HERE)
    assert "right" in message.readable
    assert "wrong" not in message.readable
    assert await posts.find_marked(HERE, "n1", oldest=before) == [ts]


async def test_a_correction_has_its_last_look_too(stage: Stage, posts: Posts) -> None:
    ts, letter = await post(posts, "n1"), await letter_for(posts, "changed")
    await stage.sandbox.invite("T0TREND", HERE)
    with pytest.raises(ReadersChangedError):
        await posts.correct(HERE, ts, letter)

    assert stage.calls("chat.update") == []


async def test_words_of_ours_need_no_look_at_readers(stage: Stage, posts: Posts) -> None:
    ts = await post(posts, "n1")
    looks = len(stage.calls("conversations.info"))
    await posts.correct(HERE, ts, Letter(render(Notice(title="withdrawn")), None))

    assert len(stage.calls("conversations.info")) == looks


async def test_withdrawing_twice_does_no_harm(stage: Stage, posts: Posts) -> None:
    ts = await post(posts, "n1")
    await posts.withdraw(HERE, ts)
    await posts.withdraw(HERE, ts)

    assert _stands(stage) == []


@pytest.mark.parametrize("code", ["edit_window_closed", "message_not_found", "cant_update_message"])
async def test_what_cannot_be_corrected_any_more_is_told(stage: Stage, posts: Posts, code: str) -> None:
    stage.sandbox.faults.add(Fault("chat.update", "refused", code=code))
    with pytest.raises(UneditableError) as caught:
        await posts.correct(HERE, "1.000001", await letter_for(posts))
    assert caught.value.code == code


@pytest.mark.parametrize("code", ["cant_delete_message", "compliance_exports_prevent_deletion"])
async def test_what_cannot_be_withdrawn_is_told(stage: Stage, posts: Posts, code: str) -> None:
    stage.sandbox.faults.add(Fault("chat.delete", "refused", code=code))
    with pytest.raises(UneditableError) as caught:
        await posts.withdraw(HERE, "1.000001")
    assert caught.value.code == code


async def test_the_words_of_others_cannot_be_touched(stage: Stage, posts: Posts) -> None:
    ts = await stage.sandbox.say("U0KIRA", HERE, "mine")
    with pytest.raises(UneditableError):
        await posts.correct(HERE, ts, await letter_for(posts))
    with pytest.raises(UneditableError):
        await posts.withdraw(HERE, ts)


@pytest.mark.parametrize("method", ["chat.update", "chat.delete"])
@pytest.mark.parametrize(
    ("kind", "code", "expected"),
    [
        ("drop_after_accept", "", PerhapsTakenError),
        ("error_500", "", PerhapsTakenError),
        ("rate_limited", "", RateLimitedError),
        ("refused", "is_archived", RefusedError),
    ],
)
async def test_other_troubles_are_told_as_for_posts(
    stage: Stage, posts: Posts, method: str, kind: str, code: str, expected: type[Exception]
) -> None:
    ts, letter = await post(posts, "n1"), await letter_for(posts)
    stage.sandbox.faults.add(Fault(method, kind, code=code))
    with pytest.raises(expected) as caught:
        await (posts.correct(HERE, ts, letter) if method == "chat.update" else posts.withdraw(HERE, ts))

    assert type(caught.value) is expected
    assert len(stage.calls(method)) == 1


async def test_patience_that_slack_asks_for_is_had_by_all_posts_there(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    posts = stage.bot.connection.posts
    letter = await letter_for(posts)
    stage.sandbox.faults.add(Fault("chat.postMessage", "rate_limited", seconds=60))
    for _ in range(2):
        with pytest.raises(RateLimitedError) as caught:
            await posts.post_marked(HERE, letter, nonce="n1")
        assert caught.value.seconds == pytest.approx(60, abs=5)

    assert len(stage.calls("chat.postMessage")) == 1
    other = await letter_for(posts, channel="C0ALL")
    assert await posts.post_marked("C0ALL", other, nonce="n2")
