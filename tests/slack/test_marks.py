"""Posts are found again by their nonces, or it is told that nobody may look."""

from datetime import timedelta

import pytest

from bot.errors import BotError
from bot.manifest import EVENTS, SCOPES
from bot.sandbox import Fault, Sandbox, Weather
from bot.slack import posts as module
from bot.slack.calls import (
    PerhapsTakenError,
    RateLimitedError,
    RefusedError,
    TokenRefusedError,
)
from bot.slack.outbox import EVENT_TYPE, Letter
from bot.slack.posts import (
    HistoryRefusedError,
    Posts,
)
from tests.slack.conftest import MakeStage, Stage
from tests.slack.posting import HERE, hurried, letter_for, post


@pytest.fixture
def posts(stage: Stage) -> Posts:
    return hurried(stage)


async def test_a_post_is_found_by_its_nonce(stage: Stage, posts: Posts) -> None:
    before = stage.clock() - timedelta(seconds=5)
    first, other, again = [await post(posts, nonce) for nonce in ("n1", "n2", "n1")]

    assert await posts.find_marked(HERE, "n1", oldest=before) == [first, again]
    assert await posts.find_marked(HERE, "n2", oldest=before) == [other]
    assert await posts.find_marked(HERE, "n3", oldest=before) == []
    assert await posts.find_marked(HERE, "n1", oldest=stage.clock() + timedelta(seconds=5)) == []


async def test_replies_are_found_in_their_thread_only(stage: Stage, posts: Posts) -> None:
    before = stage.clock() - timedelta(seconds=5)
    parent = await post(posts, "n1")
    part = await post(posts, "n1-1", thread=parent)

    assert await posts.find_marked(HERE, "n1-1", oldest=before) == []
    assert await posts.find_marked(HERE, "n1-1", oldest=before, thread=parent) == [part]


async def test_it_is_found_behind_much_talk(
    stage: Stage, posts: Posts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PAGE", 3)
    before = stage.clock() - timedelta(seconds=5)
    ts = await post(posts, "n1")
    for number in range(10):
        await stage.sandbox.say("U0KIRA", HERE, f"talk {number}")

    assert await posts.find_marked(HERE, "n1", oldest=before) == [ts]
    assert len(stage.calls("conversations.history")) == 4
    monkeypatch.setattr(module, "MAX_PAGES", 2)
    with pytest.raises(HistoryRefusedError) as caught:
        await posts.find_marked(HERE, "n1", oldest=before)
    assert caught.value.code == "too_much_history"


async def test_somebody_elses_nonce_is_not_ours(stage: Stage, posts: Posts) -> None:
    before = stage.clock() - timedelta(seconds=5)
    metadata = {"event_type": EVENT_TYPE, "event_payload": {"nonce": "n1"}}
    stage.sandbox.workspace.post(HERE, "U0KIRA", "forged", metadata=metadata)
    for odd in (
        {"event_type": "other", "event_payload": {"nonce": "n1"}},
        {"event_type": EVENT_TYPE, "event_payload": "n1"},
    ):
        stage.sandbox.workspace.post(HERE, "U0LIAISON", "odd", metadata=odd)

    assert await posts.find_marked(HERE, "n1", oldest=before) == []


@pytest.mark.parametrize("thread", ["", "1.000001"])
async def test_history_that_is_refused_is_told(stage: Stage, posts: Posts, thread: str) -> None:
    for code in ("missing_scope", "not_in_channel", "access_denied"):
        for method in ("conversations.history", "conversations.replies"):
            stage.sandbox.faults.add(Fault(method, "refused", code=code))
        with pytest.raises(HistoryRefusedError) as caught:
            await posts.find_marked(HERE, "n1", oldest=stage.clock(), thread=thread)
        assert caught.value.code == code
        stage.sandbox.faults.clear()


async def test_without_the_scope_history_is_refused(make_stage: MakeStage) -> None:
    scopes = frozenset(SCOPES) - {"groups:history", "channels:history"}
    async with make_stage(sandbox=Sandbox(scopes=scopes, events=frozenset(EVENTS))) as stage:
        posts = hurried(stage)
        await post(posts, "n1")
        with pytest.raises(HistoryRefusedError) as caught:
            await posts.find_marked(HERE, "n1", oldest=stage.clock())

    assert caught.value.code == "missing_scope"


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("error_500", PerhapsTakenError),
        ("rate_limited", RateLimitedError),
        ("token_revoked", TokenRefusedError),
    ],
)
async def test_history_that_fails_today_is_not_refused(
    stage: Stage, posts: Posts, kind: str, expected: type[Exception]
) -> None:
    stage.sandbox.faults.add(Fault("conversations.history", kind))
    with pytest.raises(expected) as caught:
        await posts.find_marked(HERE, "n1", oldest=stage.clock())
    assert not isinstance(caught.value, HistoryRefusedError)


async def test_in_any_weather_it_is_told_truly_what_became_of_a_post(
    stage: Stage, posts: Posts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "POST_SECONDS", 0.1)
    before, letter = stage.clock() - timedelta(seconds=5), await letter_for(posts)
    stage.sandbox.faults.weather = Weather(
        7,
        {**dict.fromkeys(UNCLEAR, 0.08), "refused:is_archived": 0.05, "token_revoked": 0.05},
        methods=frozenset({"chat.postMessage"}),
        seconds=0.2,
    )
    told = {f"n{number}": await _told(posts, letter, f"n{number}") for number in range(120)}
    stage.sandbox.faults.clear()
    await stage.sandbox.settled()

    assert {type(outcome) for outcome in told.values()} == {
        *(str, PerhapsTakenError, RefusedError, TokenRefusedError)
    }
    for nonce, outcome in told.items():
        found = await posts.find_marked(HERE, nonce, oldest=before)
        assert found == [outcome] if isinstance(outcome, str) else len(found) <= 1
        assert not found or not isinstance(outcome, RefusedError)


UNCLEAR = ("drop_before", "drop_after_accept", "lost_reply", "slow", "error_500", "refused:fatal_error")


async def _told(posts: Posts, letter: Letter, nonce: str) -> str | BotError:
    """The `ts` of a post, or why there is none."""
    try:
        return await posts.post_marked(HERE, letter, nonce=nonce)
    except BotError as error:
        return error
