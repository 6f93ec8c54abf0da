"""Modals: opening, filling in, what an app answers to a submission."""

from typing import Any

import pytest
from slack_sdk.errors import SlackApiError

from bot.sandbox import Sandbox, SlackError
from tests.sandbox.parts import button, modal
from tests.sandbox.stub_app import Body, Status, StubApp, answering


async def opened(sandbox: Sandbox, app: StubApp, user: str = "U0ANA", **more: Any) -> str:
    """Open a modal by a click; give its id."""
    posted = await app.client.chat_postMessage(channel="C0KASP", text="x", blocks=[button()])
    await sandbox.click(user, "C0KASP", posted["ts"], "more")
    view = await app.client.views_open(trigger_id=app.bodies[-1]["trigger_id"], view=modal(**more))
    return str(view["view"]["id"])


async def test_a_submission_carries_what_is_filled_in(sandbox: Sandbox, app: StubApp) -> None:
    view = await opened(sandbox, app)
    delivery = await sandbox.submit("U0ANA", view, {"note": "hello"})
    payload = app.bodies[-1]
    assert delivery.error is None
    assert payload["type"] == "view_submission"
    assert payload["view"]["private_metadata"] == "opaque"
    values = payload["view"]["state"]["values"]
    assert values["b-note"]["note"] == {"type": "plain_text_input", "value": "hello"}
    assert values["b-label"]["label"]["selected_option"]["value"] == "amber"
    assert sandbox.views_of("U0ANA") == []


async def test_a_choice_replaces_the_initial_one(sandbox: Sandbox, app: StubApp) -> None:
    view = await opened(sandbox, app)
    await sandbox.submit("U0ANA", view, {"b-note": "hello", "label": "green"})
    assert (
        app.bodies[-1]["view"]["state"]["values"]["b-label"]["label"]["selected_option"]["value"] == "green"
    )


@pytest.mark.parametrize(
    ("values", "sentence"), [({}, "complete this required field"), ({"note": "x" * 21}, "at most 20")]
)
async def test_slacks_own_form_refuses_first(
    sandbox: Sandbox, app: StubApp, values: dict[str, str], sentence: str
) -> None:
    view = await opened(sandbox, app)
    before = len(app.bodies)
    delivery = await sandbox.submit("U0ANA", view, values)
    assert delivery.error == "input_refused"
    assert sentence in sandbox.views_of("U0ANA")[0].errors["b-note"]
    assert len(app.bodies) == before


async def test_a_field_or_choice_that_is_not_there_cannot_be_filled_in(
    sandbox: Sandbox, app: StubApp
) -> None:
    view = await opened(sandbox, app)
    with pytest.raises(SlackError, match="unknown_field"):
        await sandbox.submit("U0ANA", view, {"notes": "x"})
    with pytest.raises(SlackError, match="option_not_found"):
        await sandbox.submit("U0ANA", view, {"note": "x", "label": "purple"})
    with pytest.raises(SlackError, match="view_not_found"):
        await sandbox.submit("U0OPS", view, {"note": "x"})


async def test_a_submission_by_an_external_member_names_their_team(sandbox: Sandbox, app: StubApp) -> None:
    view = await opened(sandbox, app, user="U0KIRA")
    await sandbox.submit("U0KIRA", view, {"note": "x"})
    payload = app.bodies[-1]
    assert (payload["team"]["id"], payload["user"]["team_id"]) == ("T0KASP", "T0KASP")
    assert payload["view"]["app_installed_team_id"] == "T0HOST"


async def test_an_app_can_mark_mistakes(sandbox: Sandbox, app: StubApp) -> None:
    view = await opened(sandbox, app)
    app.on_interactive = answering({"response_action": "errors", "errors": {"b-note": "Too secret."}})
    await sandbox.submit("U0ANA", view, {"note": "x"})
    assert sandbox.views_of("U0ANA")[0].errors == {"b-note": "Too secret."}


async def test_mistakes_must_name_a_block_of_the_modal(sandbox: Sandbox, app: StubApp) -> None:
    view = await opened(sandbox, app)
    app.on_interactive = answering({"response_action": "errors", "errors": {"nowhere": "?"}})
    assert (await sandbox.submit("U0ANA", view, {"note": "x"})).error == "invalid_response_action"


@pytest.mark.parametrize(
    ("answer", "titles"),
    [
        ({"response_action": "update", "view": modal("Changed")}, ["Changed"]),
        ({"response_action": "push", "view": modal("On top")}, ["Share", "On top"]),
        ({"response_action": "clear"}, []),
    ],
)
async def test_an_app_can_show_another_modal(
    sandbox: Sandbox, app: StubApp, answer: Body, titles: list[str]
) -> None:
    view = await opened(sandbox, app)
    app.on_interactive = answering(answer)
    await sandbox.submit("U0ANA", view, {"note": "x"})
    assert [each.view["title"]["text"] for each in sandbox.views_of("U0ANA")] == titles


async def test_a_failed_submission_leaves_the_modal_open(sandbox: Sandbox, app: StubApp) -> None:
    view = await opened(sandbox, app)
    app.on_interactive = answering(Status(500))
    assert (await sandbox.submit("U0ANA", view, {"note": "x"})).error == "dispatch_failed"
    assert len(sandbox.views_of("U0ANA")) == 1


async def test_a_choice_in_an_open_modal_is_told_at_once(sandbox: Sandbox, app: StubApp) -> None:
    view = await opened(sandbox, app)
    await sandbox.choose("U0ANA", view, "label", "green")
    payload = app.bodies[-1]
    assert (payload["type"], payload["container"]) == ("block_actions", {"type": "view", "view_id": view})
    assert payload["actions"][0]["selected_option"]["value"] == "green"


async def test_an_update_needs_the_current_hash(sandbox: Sandbox, app: StubApp) -> None:
    view = await opened(sandbox, app)
    current = sandbox.views_of("U0ANA")[0].hash
    await app.client.views_update(view_id=view, hash=current, view=modal("Newer"))
    for arguments, error in [
        ({"view_id": view, "hash": current}, "hash_conflict"),
        ({"view_id": "V0"}, "not_found"),
    ]:
        with pytest.raises(SlackApiError, match=error):
            await app.client.views_update(view=modal(), **arguments)
    assert sandbox.views_of("U0ANA")[0].view["title"]["text"] == "Newer"


async def test_a_view_that_slack_would_refuse_is_refused(sandbox: Sandbox, app: StubApp) -> None:
    await sandbox.slash("U0ANA", "C0KASP", "help")
    with pytest.raises(SlackApiError) as caught:
        await app.client.views_open(trigger_id=app.bodies[-1]["trigger_id"], view=modal("x" * 25))
    assert caught.value.response["error"] == "invalid_arguments"
    assert "view.title" in caught.value.response["response_metadata"]["messages"][0]


async def test_closing_is_told_only_to_who_asked(sandbox: Sandbox, app: StubApp) -> None:
    quiet = await opened(sandbox, app)
    before = len(app.bodies)
    assert await sandbox.close("U0ANA", quiet) is None
    assert len(app.bodies) == before
    told = await opened(sandbox, app, notify_on_close=True)
    await sandbox.close("U0ANA", told)
    assert app.bodies[-1]["type"] == "view_closed"


async def test_only_what_is_there_can_be_clicked(sandbox: Sandbox, app: StubApp) -> None:
    posted = await app.client.chat_postEphemeral(channel="C0KASP", user="U0ANA", text="x", blocks=[button()])
    with pytest.raises(SlackError, match="action_not_found"):
        await sandbox.click("U0ANA", "C0KASP", posted["message_ts"], "other")
    with pytest.raises(SlackError, match="message_not_found"):
        await sandbox.click("U0KIRA", "C0KASP", posted["message_ts"], "more")
    with pytest.raises(SlackError, match="not_in_channel"):
        await sandbox.click("U0TOMO", "C0KASP", posted["message_ts"], "more")
