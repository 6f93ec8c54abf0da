"""The sandbox's Web API, called by the real slack_sdk client over HTTP."""

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox import Sandbox

LONG = {"type": "section", "text": {"type": "plain_text", "text": "x" * 3001}}
FINE = {"type": "section", "text": {"type": "mrkdwn", "text": "fine"}}


@pytest.fixture
def client(sandbox: Sandbox) -> AsyncWebClient:
    return AsyncWebClient(token=sandbox.bot_token, base_url=sandbox.api_url, retry_handlers=[])


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def refused(call: Any) -> Any:
    """The answer that goes with a refusal."""
    with pytest.raises(SlackApiError) as caught:
        await call
    return caught.value.response


async def test_the_token_tells_whose_bot_it_is(client: AsyncWebClient) -> None:
    who = await client.auth_test()
    assert (who["team_id"], who["user_id"], who["bot_id"]) == ("T0HOST", "U0LIAISON", "B0LIAISON")


@pytest.mark.parametrize(
    ("headers", "error"),
    [
        ({}, "not_authed"),
        ({"Authorization": "Bearer xoxb-guessed"}, "invalid_auth"),
        ({"Authorization": "Bearer {app}"}, "not_allowed_token_type"),
    ],
)
async def test_a_wrong_token_is_refused(
    sandbox: Sandbox, http: aiohttp.ClientSession, headers: dict[str, str], error: str
) -> None:
    sent = {key: value.format(app=sandbox.app_token) for key, value in headers.items()}
    async with http.post(f"{sandbox.api_url}auth.test", headers=sent) as answer:
        assert (await answer.json())["error"] == error


async def test_a_token_in_a_json_body_does_not_count(sandbox: Sandbox, http: aiohttp.ClientSession) -> None:
    body = {"token": sandbox.bot_token}
    async with http.post(f"{sandbox.api_url}auth.test", json=body) as answer:
        assert (await answer.json())["error"] == "not_authed"
    async with http.post(f"{sandbox.api_url}auth.test", data=body) as answer:
        assert (await answer.json())["ok"] is True


async def test_a_body_that_is_no_json_object_is_refused(
    sandbox: Sandbox, http: aiohttp.ClientSession
) -> None:
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {sandbox.bot_token}"}
    for body, error in [("{", "invalid_json"), ("[]", "json_not_object")]:
        async with http.post(f"{sandbox.api_url}auth.test", data=body, headers=headers) as answer:
            assert (await answer.json())["error"] == error


async def test_an_unknown_method_is_refused(client: AsyncWebClient) -> None:
    assert (await refused(client.api_call("chat.shout")))["error"] == "unknown_method"


async def test_a_missing_scope_is_named() -> None:
    narrow = Sandbox(scopes=frozenset({"chat:write"}))
    await narrow.start()
    client = AsyncWebClient(token=narrow.bot_token, base_url=narrow.api_url)
    answer = await refused(client.users_info(user="U0ANA"))
    assert (answer["error"], answer["needed"]) == ("missing_scope", "users:read")
    assert (await refused(client.conversations_info(channel="C0KASP")))["needed"] == "groups:read"
    await narrow.stop()


# --- people and channels ---------------------------------------------------------------------------


async def test_users_info_tells_home_and_kind(sandbox: Sandbox, client: AsyncWebClient) -> None:
    users = {user: (await client.users_info(user=user))["user"] for user in sandbox.workspace.users}
    assert users["U0ANA"]["tz"] == "Asia/Singapore"
    assert "is_stranger" not in users["U0ANA"]
    assert users["U0GUEST"]["is_ultra_restricted"] is True
    assert users["U0LIAISON"]["is_bot"] is True
    assert (users["U0KIRA"]["team_id"], users["U0KIRA"]["is_stranger"]) == ("T0KASP", False)
    assert users["U0NINA"]["is_stranger"] is True
    assert users["U0BEA"]["enterprise_user"]["enterprise_id"] == "E0BUREAU"
    assert (await refused(client.users_info(user="U0NOBODY")))["error"] == "user_not_found"


async def test_conversations_info_lists_every_reader(client: AsyncWebClient) -> None:
    info = (await client.conversations_info(channel="C0ALL"))["channel"]
    assert info["shared_team_ids"] == ["T0HOST", "T0KASP", "T0TREND"]
    assert info["connected_team_ids"] == ["T0KASP", "T0TREND"]
    assert info["internal_team_ids"] == ["T0HOST"]
    assert (info["conversation_host_id"], info["context_team_id"]) == ("T0HOST", "T0HOST")
    assert info["is_ext_shared"] is info["is_private"] is True
    assert info["is_pending_ext_shared"] is info["is_org_shared"] is info["is_frozen"] is False
    assert info["pending_connected_team_ids"] == info["connected_limited_team_ids"] == []
    assert info["num_members"] == 5


async def test_a_channel_of_one_organisation_is_not_shared(client: AsyncWebClient) -> None:
    info = (await client.conversations_info(channel="C0HOST"))["channel"]
    assert info["is_ext_shared"] is False
    assert info["shared_team_ids"] == ["T0HOST"]


async def test_a_private_channel_without_the_bot_does_not_exist_for_it(
    sandbox: Sandbox, client: AsyncWebClient
) -> None:
    await sandbox.leave("U0LIAISON", "C0KASP")
    await sandbox.leave("U0LIAISON", "C0GUEST")
    assert (await refused(client.conversations_info(channel="C0KASP")))["error"] == "channel_not_found"
    assert (await client.conversations_info(channel="C0GUEST"))["channel"]["is_member"] is False
    answer = await refused(client.chat_postMessage(channel="C0GUEST", text="x"))
    assert answer["error"] == "not_in_channel"


async def test_members_come_in_pages(sandbox: Sandbox, client: AsyncWebClient) -> None:
    members: list[str] = []
    async for page in await client.conversations_members(channel="C0ALL", limit=2):
        assert len(page["members"]) <= 2
        members += page["members"]
    assert members == sandbox.workspace.channel("C0ALL").members
    assert (await refused(client.conversations_members(channel="C0ALL", cursor="?")))[
        "error"
    ] == "invalid_cursor"
    assert (await refused(client.conversations_members(channel="C0ALL", limit=0)))["error"] == "invalid_limit"


async def test_a_direct_conversation_is_opened_once(client: AsyncWebClient) -> None:
    first = await client.conversations_open(users="U0KIRA")
    again = await client.conversations_open(users="U0KIRA", return_im=True)
    assert first["channel"]["id"] == again["channel"]["id"]
    info = (await client.conversations_info(channel=first["channel"]["id"]))["channel"]
    assert (info["is_im"], info["user"]) == (True, "U0KIRA")


@pytest.mark.parametrize(
    ("users", "error"),
    [("U0NINA", "user_not_visible"), ("U0LIAISON", "cannot_dm_bot"), ("U0NOBODY", "user_not_found")],
)
async def test_a_direct_conversation_needs_somebody_it_may_write_to(
    client: AsyncWebClient, users: str, error: str
) -> None:
    assert (await refused(client.conversations_open(users=users)))["error"] == error


async def test_a_group_counts_the_organisations_of_its_members(client: AsyncWebClient) -> None:
    group = (await client.conversations_open(users="U0KIRA,U0TOMO"))["channel"]["id"]
    info = (await client.conversations_info(channel=group))["channel"]
    assert info["is_mpim"] is info["is_ext_shared"] is True
    assert sorted(info["connected_team_ids"]) == ["T0KASP", "T0TREND"]


# --- messages --------------------------------------------------------------------------------------


async def test_a_post_is_seen_by_every_member(sandbox: Sandbox, client: AsyncWebClient) -> None:
    posted = await client.chat_postMessage(channel="C0KASP", text="hello", blocks=[FINE])
    for reader in ("U0ANA", "U0KIRA"):
        (seen,) = sandbox.seen_by(reader, "C0KASP")
        assert (seen.ts, seen.text, seen.user) == (posted["ts"], "hello", "U0LIAISON")
    assert posted["message"]["bot_id"] == "B0LIAISON"


async def test_form_and_json_bodies_mean_the_same(sandbox: Sandbox, http: aiohttp.ClientSession) -> None:
    headers = {"Authorization": f"Bearer {sandbox.bot_token}"}
    url = f"{sandbox.api_url}chat.postMessage"
    async with http.post(
        url, data={"channel": "C0KASP", "blocks": '[{"type": "divider"}]'}, headers=headers
    ) as one:
        assert (await one.json())["ok"] is True
    async with http.post(
        url, json={"channel": "C0KASP", "blocks": [{"type": "divider"}]}, headers=headers
    ) as two:
        assert (await two.json())["ok"] is True
    first, second = sandbox.seen_by("U0ANA", "C0KASP")
    assert [block["type"] for block in first.blocks] == [block["type"] for block in second.blocks]


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"channel": "C0NOWHERE", "text": "x"}, "channel_not_found"),
        ({"channel": "U0NINA", "text": "x"}, "channel_not_found"),
        ({"channel": "C0KASP"}, "no_text"),
        ({"channel": "C0KASP", "blocks": "not json"}, "invalid_blocks_format"),
        ({"channel": "C0KASP", "blocks": [LONG]}, "invalid_blocks"),
        ({"channel": "C0KASP", "text": "x", "thread_ts": "1.000001"}, "cannot_reply_to_message"),
        ({"channel": "C0KASP", "text": "x", "metadata": {"event_type": 3}}, "invalid_metadata_format"),
        ({"text": "x"}, "invalid_arguments"),
    ],
)
async def test_a_post_that_slack_would_refuse_is_refused(
    sandbox: Sandbox, client: AsyncWebClient, arguments: dict[str, Any], error: str
) -> None:
    answer = await refused(client.api_call("chat.postMessage", json=arguments))
    assert answer["error"] == error
    assert sandbox.seen_by("U0ANA", "C0KASP") == []


async def test_refused_blocks_come_with_the_reason(client: AsyncWebClient) -> None:
    answer = await refused(client.chat_postMessage(channel="C0KASP", text="x", blocks=[LONG]))
    assert "at most 3000" in answer["response_metadata"]["messages"][0]


async def test_text_is_cut_at_forty_thousand_characters(sandbox: Sandbox, client: AsyncWebClient) -> None:
    await client.chat_postMessage(channel="C0KASP", text="x" * 40_001)
    assert len(sandbox.seen_by("U0ANA", "C0KASP")[0].text) == 40_000


async def test_an_ephemeral_is_seen_by_one(sandbox: Sandbox, client: AsyncWebClient) -> None:
    posted = await client.chat_postEphemeral(channel="C0KASP", user="U0KIRA", text="for you")
    assert [m.text for m in sandbox.seen_by("U0KIRA", "C0KASP")] == ["for you"]
    assert sandbox.seen_by("U0ANA", "C0KASP") == []
    assert (await client.conversations_history(channel="C0KASP"))["messages"] == []
    for call in (client.chat_update, client.chat_delete):
        answer = await refused(call(channel="C0KASP", ts=posted["message_ts"], text="changed"))
        assert answer["error"] == "message_not_found"
    answer = await refused(client.chat_postEphemeral(channel="C0KASP", user="U0TOMO", text="x"))
    assert answer["error"] == "user_not_in_channel"


async def test_an_update_without_blocks_takes_them_away(sandbox: Sandbox, client: AsyncWebClient) -> None:
    posted = await client.chat_postMessage(channel="C0KASP", text="before", blocks=[FINE])
    await client.chat_update(channel="C0KASP", ts=posted["ts"], text="after")
    (seen,) = sandbox.seen_by("U0ANA", "C0KASP")
    assert (seen.text, seen.blocks, seen.edited) == ("after", (), True)


async def test_only_own_messages_can_be_changed(sandbox: Sandbox, client: AsyncWebClient) -> None:
    ts = await sandbox.say("U0ANA", "C0KASP", "mine")
    answer = await refused(client.chat_update(channel="C0KASP", ts=ts, text="yours"))
    assert answer["error"] == "cant_update_message"
    assert (await refused(client.chat_delete(channel="C0KASP", ts=ts)))["error"] == "cant_delete_message"


async def test_a_deleted_message_is_gone(sandbox: Sandbox, client: AsyncWebClient) -> None:
    posted = await client.chat_postMessage(channel="C0KASP", text="oops")
    await client.chat_delete(channel="C0KASP", ts=posted["ts"])
    assert sandbox.seen_by("U0KIRA", "C0KASP") == []


async def test_history_is_newest_first_and_without_replies(client: AsyncWebClient) -> None:
    metadata = {"event_type": "digest", "event_payload": {"nonce": "n1"}}
    first = await client.chat_postMessage(channel="C0KASP", text="first", metadata=metadata)
    second = await client.chat_postMessage(channel="C0KASP", text="second")
    reply = await client.chat_postMessage(channel="C0KASP", text="reply", thread_ts=first["ts"])

    plain = (await client.conversations_history(channel="C0KASP"))["messages"]
    rich = (await client.conversations_history(channel="C0KASP", include_all_metadata=True))["messages"]
    later = (await client.conversations_history(channel="C0KASP", oldest=first["ts"]))["messages"]

    assert [m["text"] for m in plain] == ["second", "first"]
    assert "metadata" not in plain[1]
    assert rich[1]["metadata"] == metadata
    assert (plain[1]["reply_count"], plain[1]["latest_reply"]) == (1, reply["ts"])
    assert [m["ts"] for m in later] == [second["ts"]]


async def test_history_comes_in_pages_and_for_members_with_the_scope_only(sandbox: Sandbox) -> None:
    narrow = Sandbox(scopes=frozenset({"chat:write", "channels:history"}))
    await narrow.start()
    client = AsyncWebClient(token=narrow.bot_token, base_url=narrow.api_url, retry_handlers=[])
    for number in range(5):
        await client.chat_postMessage(channel="C0GUEST", text=str(number))

    pages = [
        [message["text"] for message in page["messages"]]
        async for page in await client.conversations_history(channel="C0GUEST", limit=2)
    ]
    assert pages == [["4", "3"], ["2", "1"], ["0"]]
    narrow.workspace.channel("C0GUEST").archived = True
    assert (await client.conversations_history(channel="C0GUEST"))["messages"]
    answer = await refused(client.conversations_history(channel="C0KASP"))
    assert (answer["error"], answer["needed"]) == ("missing_scope", "groups:history")
    await narrow.leave("U0LIAISON", "C0GUEST")
    assert (await refused(client.conversations_history(channel="C0GUEST")))["error"] == "not_in_channel"
    await narrow.stop()


async def test_an_update_keeps_the_metadata_unless_it_brings_some(
    sandbox: Sandbox, client: AsyncWebClient
) -> None:
    metadata = {"event_type": "digest", "event_payload": {"nonce": "n1"}}
    posted = await client.chat_postMessage(channel="C0KASP", text="before", metadata=metadata)
    await client.chat_update(channel="C0KASP", ts=posted["ts"], text="after")

    assert sandbox.seen_by("U0ANA", "C0KASP")[0].metadata == metadata


@pytest.mark.parametrize("size", [1_000, 20_000])
async def test_metadata_has_a_limit(client: AsyncWebClient, size: int) -> None:
    metadata = {"event_type": "digest", "event_payload": {"nonce": "x" * size}}
    call = client.chat_postMessage(channel="C0KASP", text="x", metadata=metadata)
    if size == 1_000:
        assert (await call)["ok"]
    else:
        assert (await refused(call))["error"] == "metadata_too_large"


async def test_replies_start_with_their_parent(client: AsyncWebClient) -> None:
    parent = await client.chat_postMessage(channel="C0KASP", text="parent")
    reply = await client.chat_postMessage(channel="C0KASP", text="reply", thread_ts=parent["ts"])
    thread = (await client.conversations_replies(channel="C0KASP", ts=parent["ts"]))["messages"]
    assert [m["text"] for m in thread] == ["parent", "reply"]
    alone = (await client.conversations_replies(channel="C0KASP", ts=reply["ts"]))["messages"]
    assert [m["text"] for m in alone] == ["reply"]
    answer = await refused(client.conversations_replies(channel="C0KASP", ts="1.000001"))
    assert answer["error"] == "thread_not_found"


async def test_a_permalink_opens_the_page_at_the_message(
    sandbox: Sandbox, client: AsyncWebClient, http: aiohttp.ClientSession
) -> None:
    posted = await client.chat_postMessage(channel="C0KASP", text="here")
    link = (await client.chat_getPermalink(channel="C0KASP", message_ts=posted["ts"]))["permalink"]
    assert link == f"{sandbox.url}/archives/C0KASP/p{posted['ts'].replace('.', '')}"
    async with http.get(link, allow_redirects=False) as answer:
        assert answer.headers["Location"].startswith("/#C0KASP/p")


async def test_an_uploaded_file_is_read_in_the_channel(sandbox: Sandbox, client: AsyncWebClient) -> None:
    await client.files_upload_v2(
        channel="C0KASP", filename="details.txt", content="192[.]0[.]2[.]7", initial_comment="Details"
    )
    (seen,) = sandbox.seen_by("U0KIRA", "C0KASP")
    assert (seen.text, seen.files[0].name, seen.files[0].text) == (
        "Details",
        "details.txt",
        "192[.]0[.]2[.]7",
    )
    assert "192[.]0[.]2[.]7" in seen.readable


async def test_a_file_must_be_what_was_announced(
    sandbox: Sandbox, client: AsyncWebClient, http: aiohttp.ClientSession
) -> None:
    announced = await client.files_getUploadURLExternal(filename="a.txt", length=3)
    async with http.post(announced["upload_url"], data=b"four") as answer:
        assert (answer.status, await answer.text()) == (400, "file_update_failed")
    unsent = client.files_completeUploadExternal(files=[{"id": announced["file_id"]}], channel_id="C0KASP")
    assert (await refused(unsent))["error"] == "file_not_found"


async def test_a_file_is_completed_once(
    sandbox: Sandbox, client: AsyncWebClient, http: aiohttp.ClientSession
) -> None:
    announced = await client.files_getUploadURLExternal(filename="a.txt", length=4)
    async with http.post(announced["upload_url"], data=b"four"):
        pass
    files = [{"id": announced["file_id"], "title": "a"}]
    await client.files_completeUploadExternal(files=files, channel_id="C0KASP")
    again = client.files_completeUploadExternal(files=files, channel_id="C0KASP")
    assert (await refused(again))["error"] == "file_not_found"
    assert len(sandbox.seen_by("U0KIRA", "C0KASP")) == 1


async def test_a_deleted_file_is_gone_from_its_message(sandbox: Sandbox, client: AsyncWebClient) -> None:
    parent = await client.chat_postMessage(channel="C0KASP", text="parent")
    uploaded = await client.files_upload_v2(
        channel="C0KASP", thread_ts=parent["ts"], filename="a.txt", content="x", initial_comment="all of it"
    )
    file = uploaded["files"][0]["id"]
    thread = (await client.conversations_replies(channel="C0KASP", ts=parent["ts"]))["messages"]
    assert [each["id"] for each in thread[1]["files"]] == [file]

    await client.files_delete(file=file)
    (_, seen) = sandbox.seen_by("U0KIRA", "C0KASP")
    assert (seen.text, seen.files) == ("all of it", ())
    assert (await refused(client.files_delete(file=file)))["error"] == "file_not_found"


async def test_every_call_is_recorded_without_its_token(sandbox: Sandbox, client: AsyncWebClient) -> None:
    await client.chat_postMessage(channel="C0KASP", text="hello")
    await refused(client.chat_postMessage(channel="C0NOWHERE", text="hello"))
    good, bad = sandbox.calls
    assert (good.method, good.arguments["text"], good.error) == ("chat.postMessage", "hello", None)
    assert bad.error == "channel_not_found"
    assert sandbox.bot_token not in repr(sandbox.calls)
