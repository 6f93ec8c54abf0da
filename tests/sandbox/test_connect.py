"""Slack Connect: who may do what, whose team stands where, who reads a channel."""

import dataclasses

import pytest

from bot.sandbox import Sandbox, SlackError, Team, demo_cast
from tests.sandbox.parts import MENTION, button
from tests.sandbox.stub_app import StubApp


async def info(app: StubApp, channel: str) -> dict[str, object]:
    return dict((await app.client.conversations_info(channel=channel))["channel"])


# --- slash commands --------------------------------------------------------------------------------


@pytest.mark.parametrize("user", ["U0KIRA", "U0TOMO"])
async def test_an_external_member_has_no_slash_commands(sandbox: Sandbox, app: StubApp, user: str) -> None:
    delivery = await sandbox.slash(user, "C0ALL", "lookup victim.example")
    assert delivery.error == "not_a_command"
    assert "/intel is not a valid command" in delivery.text
    assert "victim.example" not in repr(sandbox.seen_by("U0ANA", "C0ALL"))
    assert app.bodies == []


@pytest.mark.parametrize("user", ["U0ANA", "U0GUEST"])
async def test_members_and_guests_of_the_host_have_them(sandbox: Sandbox, app: StubApp, user: str) -> None:
    assert (await sandbox.slash(user, "C0GUEST", "help")).acknowledged


async def test_an_unknown_command_is_refused_for_everybody(sandbox: Sandbox, app: StubApp) -> None:
    assert (await sandbox.slash("U0ANA", "C0KASP", "", command="/poll")).error == "not_a_command"
    assert app.bodies == []


async def test_a_team_that_installed_the_app_has_them_with_its_own_team() -> None:
    cast = demo_cast()
    kaspersky = Team(id="T0KASP", name="Kaspersky", domain="kaspersky", installed=True)
    teams = tuple(kaspersky if team.id == "T0KASP" else team for team in cast.teams)
    sandbox = Sandbox(dataclasses.replace(cast, teams=teams))
    await sandbox.start()
    app = StubApp(sandbox)
    sandbox.connect(await app.start())
    await sandbox.slash("U0KIRA", "C0KASP", "help")
    assert app.bodies[0]["team_id"] == "T0KASP"
    await app.stop()
    await sandbox.stop()


# --- teams in payloads -----------------------------------------------------------------------------


async def test_a_mention_of_ours_carries_our_team(sandbox: Sandbox, app: StubApp) -> None:
    await sandbox.say("U0ANA", "C0HOST", MENTION)
    await sandbox.settled()
    (envelope,) = app.bodies
    assert (envelope["team_id"], envelope["event"]["team"]) == ("T0HOST", "T0HOST")
    assert envelope["is_ext_shared_channel"] is False


async def test_a_mention_by_an_external_member_carries_both_teams(sandbox: Sandbox, app: StubApp) -> None:
    await sandbox.say("U0KIRA", "C0KASP", MENTION)
    await sandbox.settled()
    (envelope,) = app.bodies
    assert (envelope["team_id"], envelope["context_team_id"]) == ("T0KASP", "T0HOST")
    assert (envelope["event"]["team"], envelope["event"]["user_team"]) == ("T0KASP", "T0KASP")
    assert envelope["authorizations"][0]["team_id"] == "T0HOST"
    assert envelope["is_ext_shared_channel"] is True


async def test_a_grid_member_appears_with_the_enterprise(sandbox: Sandbox, app: StubApp) -> None:
    await sandbox.invite("T0BUREAU", "C0ALL")
    await sandbox.accept("E0BUREAU", "C0ALL")
    await sandbox.say("U0BEA", "C0ALL", MENTION)
    await sandbox.settled()
    (mention,) = app.events("app_mention")
    assert mention["event"]["team"] == "T0HOST"
    assert mention["event"]["user_team"] == mention["event"]["user_profile"]["team"] == "E0BUREAU"
    (joined,) = app.events("member_joined_channel")
    assert joined["event"]["team"] == "E0BUREAU"
    assert "E0BUREAU" in str((await info(app, "C0ALL"))["connected_team_ids"])


async def test_a_click_of_an_external_member_says_so_in_user_team_id_only(
    sandbox: Sandbox, app: StubApp
) -> None:
    posted = await app.client.chat_postMessage(channel="C0KASP", text="x", blocks=[button()])
    await sandbox.click("U0KIRA", "C0KASP", posted["ts"], "more")
    (payload,) = app.bodies
    assert (payload["user"]["team_id"], payload["team"]["id"]) == ("T0KASP", "T0HOST")


# --- who reads a channel ---------------------------------------------------------------------------


async def test_an_invited_organisation_is_pending_until_it_accepts(sandbox: Sandbox, app: StubApp) -> None:
    await sandbox.invite("T0NEWCO", "C0HOST")
    pending = await info(app, "C0HOST")
    assert pending["is_pending_ext_shared"] is True
    assert pending["pending_connected_team_ids"] == pending["pending_shared"] == ["T0NEWCO"]
    assert pending["is_ext_shared"] is False

    await sandbox.accept("T0NEWCO", "C0HOST")
    await sandbox.settled()
    shared = await info(app, "C0HOST")
    assert shared["connected_team_ids"] == ["T0NEWCO"]
    assert shared["pending_connected_team_ids"] == []
    assert [body["event"]["type"] for body in app.bodies] == ["channel_shared", "member_joined_channel"]
    assert app.bodies[0]["event"]["connected_team_id"] == "T0NEWCO"
    assert app.bodies[1]["event"]["user"] == "U0NINA"


async def test_who_joins_late_reads_the_history_but_no_ephemerals(sandbox: Sandbox, app: StubApp) -> None:
    await app.client.chat_postMessage(channel="C0KASP", text="said before")
    await app.client.chat_postEphemeral(channel="C0KASP", user="U0ANA", text="for Ana")
    await sandbox.invite("T0NEWCO", "C0KASP")
    assert sandbox.seen_by("U0NINA", "C0KASP") == []
    await sandbox.accept("T0NEWCO", "C0KASP")
    assert [m.text for m in sandbox.seen_by("U0NINA", "C0KASP")] == ["said before"]
    assert (await app.client.users_info(user="U0NINA"))["user"]["is_stranger"] is False


async def test_who_is_disconnected_keeps_the_history_only(sandbox: Sandbox, app: StubApp) -> None:
    await app.client.chat_postMessage(channel="C0ALL", text="before")
    await sandbox.disconnect("T0KASP", "C0ALL")
    await app.client.chat_postMessage(channel="C0ALL", text="after")
    await sandbox.settled()
    assert [m.text for m in sandbox.seen_by("U0KIRA", "C0ALL")] == ["before"]
    (event,) = app.events("channel_unshared")
    assert event["event"]["previously_connected_team_id"] == "T0KASP"
    assert event["event"]["is_ext_shared"] is True
    assert (await info(app, "C0ALL"))["connected_team_ids"] == ["T0TREND"]
    with pytest.raises(SlackError, match="not_in_channel"):
        await sandbox.say("U0KIRA", "C0ALL", "hello?")


async def test_a_withdrawn_invitation_cannot_be_accepted(sandbox: Sandbox, app: StubApp) -> None:
    await sandbox.invite("T0NEWCO", "C0KASP")
    await sandbox.disconnect("T0NEWCO", "C0KASP")
    await sandbox.settled()
    assert app.bodies == []
    with pytest.raises(SlackError, match="invite_not_found"):
        await sandbox.accept("T0NEWCO", "C0KASP")


@pytest.mark.parametrize(
    ("team", "channel", "code"),
    [
        ("T0KASP", "C0KASP", "already_in_channel"),
        ("T0HOST", "C0KASP", "cannot_invite"),
        ("T0NOBODY", "C0KASP", "team_not_found"),
        ("T0NEWCO", "C0NOWHERE", "channel_not_found"),
    ],
)
async def test_an_invitation_that_makes_no_sense_is_refused(
    sandbox: Sandbox, team: str, channel: str, code: str
) -> None:
    with pytest.raises(SlackError, match=code):
        await sandbox.invite(team, channel)


async def test_external_people_join_only_where_they_are_connected(sandbox: Sandbox) -> None:
    with pytest.raises(SlackError, match="not_connected"):
        await sandbox.join("U0KIRA", "C0TREND")


async def test_a_guest_who_joins_is_announced(sandbox: Sandbox, app: StubApp) -> None:
    await sandbox.join("U0GUEST", "C0HOST")
    await sandbox.leave("U0GUEST", "C0HOST")
    await sandbox.settled()
    assert [body["event"]["user"] for body in app.bodies] == ["U0GUEST", "U0GUEST"]
    assert app.events("member_left_channel")


async def test_a_channel_can_change_its_id(sandbox: Sandbox, app: StubApp) -> None:
    await app.client.chat_postMessage(channel="C0KASP", text="before")
    await sandbox.change_channel_id("C0KASP", "C1KASP")
    await sandbox.settled()
    (event,) = app.events("channel_id_changed")
    assert (event["event"]["old_channel_id"], event["event"]["new_channel_id"]) == ("C0KASP", "C1KASP")
    assert sandbox.seen_by("U0KIRA", "C1KASP")[0].channel == "C1KASP"
    with pytest.raises(SlackError, match="channel_not_found"):
        sandbox.seen_by("U0KIRA", "C0KASP")


async def test_a_stranger_cannot_write_to_the_bot_nor_the_bot_to_them(sandbox: Sandbox) -> None:
    with pytest.raises(SlackError, match="user_not_visible"):
        sandbox.open_dm("U0NINA")
