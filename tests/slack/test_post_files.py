"""Files beneath posts, and what became of them."""

from datetime import timedelta

import pytest

from bot.sandbox import Fault
from bot.slack.calls import (
    NotTakenError,
    PerhapsTakenError,
    RateLimitedError,
    TokenRefusedError,
)
from bot.slack.outbox import ReadersChangedError
from bot.slack.posts import (
    MAX_FILE_BYTES,
    FilesRefusedError,
    Posts,
    UneditableError,
)
from tests.slack.conftest import Stage
from tests.slack.posting import HERE, hurried, letter_for, post


@pytest.fixture
def posts(stage: Stage) -> Posts:
    return hurried(stage)


@pytest.fixture
async def parent(posts: Posts) -> str:
    return await post(posts, "n1")


async def test_a_file_stands_beneath_its_post(stage: Stage, posts: Posts, parent: str) -> None:
    before = stage.clock() - timedelta(seconds=5)
    file = await posts.attach(
        HERE, "all.csv", b"kind,value\n", await letter_for(posts, "all of it"), thread=parent
    )

    [_, message] = stage.sandbox.seen_by("U0KIRA", HERE)
    assert (message.thread_ts, message.files[0].text) == (parent, "kind,value\n")
    assert "all of it" in message.text
    assert await posts.find_attached(HERE, "all.csv", oldest=before, thread=parent) == [file]
    assert await posts.find_attached(HERE, "none.csv", oldest=before, thread=parent) == []


async def test_a_deleted_file_is_gone_and_twice_does_no_harm(stage: Stage, posts: Posts, parent: str) -> None:
    file = await posts.attach(HERE, "all.csv", b"x", await letter_for(posts), thread=parent)
    await posts.delete_file(file)
    await posts.delete_file(file)

    assert all(not message.files for message in stage.sandbox.seen_by("U0KIRA", HERE))
    stage.sandbox.faults.add(Fault("files.delete", "refused", code="cant_delete_file"))
    with pytest.raises(UneditableError):
        await posts.delete_file(file)


async def test_readers_who_join_during_the_upload_get_no_file(
    stage: Stage, posts: Posts, parent: str
) -> None:
    async def join() -> None:
        assert stage.calls("upload")
        await stage.sandbox.invite("T0TREND", HERE)

    letter = await letter_for(posts)
    with pytest.raises(ReadersChangedError):
        await posts.attach(HERE, "all.csv", b"x", letter, thread=parent, starting=join)

    assert stage.calls("files.completeUploadExternal") == []


@pytest.mark.parametrize(
    ("method", "code"),
    [
        ("files.getUploadURLExternal", "missing_scope"),
        ("files.getUploadURLExternal", "file_uploads_disabled"),
        ("files.completeUploadExternal", "slack_connect_file_upload_sharing_blocked"),
        ("files.completeUploadExternal", "blocked_file_type"),
    ],
)
async def test_a_workspace_that_takes_no_files_is_told_apart(
    stage: Stage, posts: Posts, parent: str, method: str, code: str
) -> None:
    stage.sandbox.faults.add(Fault(method, "refused", code=code))
    with pytest.raises(FilesRefusedError) as caught:
        await posts.attach(HERE, "all.csv", b"x", await letter_for(posts), thread=parent)
    assert caught.value.code == code


@pytest.mark.parametrize("size", [0, MAX_FILE_BYTES + 1])
async def test_empty_and_huge_files_are_refused_unsent(
    stage: Stage, posts: Posts, parent: str, size: int
) -> None:
    with pytest.raises(FilesRefusedError):
        await posts.attach(HERE, "all.csv", b"x" * size, await letter_for(posts), thread=parent)
    assert stage.calls("files.getUploadURLExternal") == []


@pytest.mark.parametrize(
    ("method", "kind", "expected", "stands"),
    [
        ("files.getUploadURLExternal", "drop_after_accept", NotTakenError, 0),
        ("files.getUploadURLExternal", "rate_limited", RateLimitedError, 0),
        ("files.getUploadURLExternal", "token_revoked", TokenRefusedError, 0),
        ("upload", "error_500", NotTakenError, 0),
        ("upload", "drop_after_accept", NotTakenError, 0),
        ("files.completeUploadExternal", "drop_after_accept", PerhapsTakenError, 1),
        ("files.completeUploadExternal", "error_500", PerhapsTakenError, 0),
        ("files.completeUploadExternal", "rate_limited", RateLimitedError, 0),
    ],
)
async def test_what_became_of_a_file_is_told_as_for_posts(
    stage: Stage, posts: Posts, parent: str, method: str, kind: str, expected: type[Exception], stands: int
) -> None:
    stage.sandbox.faults.add(Fault(method, kind, times=2))  # aiohttp asks twice where that does no harm
    with pytest.raises(expected):
        await posts.attach(HERE, "all.csv", b"x", await letter_for(posts), thread=parent)

    before = stage.clock() - timedelta(seconds=60)
    assert len(await posts.find_attached(HERE, "all.csv", oldest=before, thread=parent)) == stands
