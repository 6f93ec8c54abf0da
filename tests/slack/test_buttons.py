"""Buttons and modals: whoever clicks is judged by their own organisation, and sharing looks twice."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from bot.sandbox.deliveries import Delivery
from bot.sandbox.workspace import Message, View
from bot.slack import keeping
from bot.tlp import Label
from tests.oracle import unlabelled, unsafe
from tests.slack.conftest import ASK, HASH, MakeStage, Stage, claim

MANY = " ".join(f"{number:064x}" for number in range(40))


async def _asked(stage: Stage, channel: str = "C0KASP", text: str = ASK) -> Message:
    """Ana's ephemeral answer, with its buttons."""
    delivery = await stage.sandbox.slash("U0ANA", channel, text)
    return delivery.shown[0]


async def _pressed(
    stage: Stage, channel: str, message: Message, action: str, user: str = "U0ANA"
) -> Delivery:
    delivery = await stage.sandbox.click(user, channel, message.ts, action)
    await stage.sandbox.settled()
    return delivery


def _view(stage: Stage, user: str = "U0ANA") -> View:
    [view] = stage.sandbox.views_of(user)
    return view


def _words(view: View) -> str:
    return json.dumps(view.view, ensure_ascii=False)


def _posted(stage: Stage, channel: str) -> list[Message]:
    """What everybody in a channel can read from Liaison."""
    messages = stage.sandbox.workspace.channel(channel).messages
    return [m for m in messages if m.user == "U0LIAISON" and not m.ephemeral]


async def _submitted(stage: Stage, view: View, user: str = "U0ANA") -> Delivery:
    delivery = await stage.sandbox.submit(user, view.id, {})
    await stage.sandbox.settled()
    return delivery


# --- sharing -------------------------------------------------------------------------------------------


async def test_sharing_asks_first_and_shows_readers_label_and_words(stage: Stage) -> None:
    await _pressed(stage, "C0KASP", await _asked(stage), "share")

    words = _words(_view(stage))
    assert all(each in words for each in ("Cyber Fusion Centre", "Kaspersky", "TLP:AMBER", "kaspersky-amber"))
    assert _posted(stage, "C0KASP") == []


async def test_the_preview_is_cleared_for_the_channel(stage: Stage) -> None:
    await _pressed(stage, "C0TREND", await _asked(stage, "C0TREND"), "share")

    words = _words(_view(stage))
    assert "trendmicro-green-family" in words
    assert "amber" not in words.lower().replace("tlp:amber", "")


async def test_what_was_confirmed_is_posted_and_the_ephemeral_says_so(stage: Stage) -> None:
    await _pressed(stage, "C0TREND", await _asked(stage, "C0TREND"), "share")
    await _submitted(stage, _view(stage))

    [post] = _posted(stage, "C0TREND")
    assert "trendmicro-green-family" in post.readable
    assert "kaspersky-amber-family" not in post.readable
    assert stage.sandbox.views_of("U0ANA") == []
    answer, *_, confirmation = [m for m in stage.sandbox.seen_by("U0ANA", "C0TREND") if m.ephemeral]
    assert "kaspersky-amber-family" in answer.readable  # the asker keeps it
    assert "Shared in this channel" in confirmation.readable
    assert "share" not in [e.get("action_id") for b in post.blocks for e in b.get("elements", ())]


async def test_the_details_of_a_shared_answer_lie_in_its_thread(make_stage: MakeStage) -> None:
    claims = [claim(f"{number:064x}", family=f"family-{number}") for number in range(40)]
    async with make_stage(*claims) as stage:
        await _pressed(stage, "C0TREND", await _asked(stage, "C0TREND", f"lookup {MANY}"), "share")
        await _submitted(stage, _view(stage))

        first, *rest = _posted(stage, "C0TREND")
        assert rest
        assert {message.thread_ts for message in rest} == {first.ts}
        assert all(unlabelled(call.arguments) == [] for call in stage.calls("chat.postMessage"))


async def test_details_stay_unposted_when_the_readers_change_and_the_asker_learns_what_was_posted(
    make_stage: MakeStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with make_stage(*(claim(f"{number:064x}") for number in range(40))) as stage:
        await _pressed(stage, "C0TREND", await _asked(stage, "C0TREND", f"lookup {MANY}"), "share")
        slack = stage.bot.connection.slack
        write = slack.write

        async def writing(method: str, *given: Any, **named: Any) -> Any:
            answer = await write(method, *given, **named)
            stage.sandbox.workspace.join("U0GUEST", "C0TREND")
            return answer

        monkeypatch.setattr(slack, "write", writing)
        await _submitted(stage, _view(stage))

        assert len(_posted(stage, "C0TREND")) == 1
        said = stage.sandbox.seen_by("U0ANA", "C0TREND")[-1].readable
        assert "nothing was said" not in said
        assert "shared, but not all of its details" in said


async def _new_organisation(stage: Stage) -> None:
    await stage.sandbox.invite("T0NEWCO", "C0TREND")
    await stage.sandbox.accept("T0NEWCO", "C0TREND")


async def _new_invitation(stage: Stage) -> None:
    await stage.sandbox.invite("T0NEWCO", "C0TREND")


async def _new_guest(stage: Stage) -> None:
    stage.sandbox.workspace.join("U0GUEST", "C0TREND")


async def _new_data(stage: Stage) -> None:
    await stage.store.add([claim(source="trendmicro", revoked=True)])


@pytest.mark.parametrize("change", [_new_organisation, _new_invitation, _new_guest])
async def test_other_readers_than_confirmed_are_shown_anew_and_nothing_is_posted(
    stage: Stage, change: Callable[[Stage], Awaitable[None]]
) -> None:
    await _pressed(stage, "C0TREND", await _asked(stage, "C0TREND"), "share")
    before = _words(_view(stage))
    await change(stage)

    delivery = await _submitted(stage, _view(stage))

    assert delivery.answer["response_action"] == "update"
    assert _posted(stage, "C0TREND") == []
    assert "trendmicro-green-family" in before
    assert "trendmicro-green-family" not in _words(_view(stage))


@pytest.mark.parametrize("change", [_new_organisation, _new_invitation, _new_guest])
async def test_other_readers_are_shown_anew_even_if_they_may_read_all_of_it(
    make_stage: MakeStage, change: Callable[[Stage], Awaitable[None]]
) -> None:
    async with make_stage(claim(label=Label.CLEAR, source="igci")) as stage:
        await _pressed(stage, "C0TREND", await _asked(stage, "C0TREND"), "share")
        await change(stage)

        await _submitted(stage, _view(stage))

        assert _posted(stage, "C0TREND") == []


async def test_other_words_than_confirmed_are_shown_anew(stage: Stage) -> None:
    await _pressed(stage, "C0TREND", await _asked(stage, "C0TREND"), "share")
    await _new_data(stage)

    await _submitted(stage, _view(stage))

    assert _posted(stage, "C0TREND") == []


async def test_the_new_window_can_be_confirmed(stage: Stage) -> None:
    await _pressed(stage, "C0ALL", await _asked(stage, "C0ALL"), "share")
    await stage.sandbox.disconnect("T0KASP", "C0ALL")
    await _submitted(stage, _view(stage))
    assert _posted(stage, "C0ALL") == []

    await _submitted(stage, _view(stage))

    assert "trendmicro-green-family" in _posted(stage, "C0ALL")[0].readable


async def test_a_window_is_good_for_one_post(stage: Stage) -> None:
    await _pressed(stage, "C0TREND", await _asked(stage, "C0TREND"), "share")
    view = _view(stage)
    await _submitted(stage, view)
    stage.sandbox.workspace.put_view("U0ANA", view.view, view_id=view.id)

    delivery = await _submitted(stage, view)

    assert "too old" in json.dumps(delivery.answer)
    assert len(_posted(stage, "C0TREND")) == 1


async def test_an_empty_answer_has_nothing_to_share(make_stage: MakeStage) -> None:
    async with make_stage(claim(label=Label.AMBER)) as stage:
        await _pressed(stage, "C0TREND", await _asked(stage, "C0TREND"), "share")

        assert "submit" not in _view(stage).view


# --- details -------------------------------------------------------------------------------------------


async def test_details_show_each_who_clicks_their_own_part(make_stage: MakeStage) -> None:
    claims = [claim(f"{number:064x}", family=f"green-{number}") for number in range(40)]
    claims += [
        claim(f"{number:064x}", source="igci", label=Label.AMBER, family="secret") for number in range(40)
    ]
    async with make_stage(*claims) as stage:
        await stage.mention("U0TOMO", "C0TREND", f"lookup {MANY}")
        [post] = _posted(stage, "C0TREND")

        for user in ("U0TOMO", "U0ANA"):
            await _pressed(stage, "C0TREND", post, "details", user)

        assert "secret" not in post.readable
        assert "secret" not in _words(_view(stage, "U0TOMO"))
        assert "secret" in _words(_view(stage, "U0ANA"))


async def test_pages_of_the_details_turn(make_stage: MakeStage) -> None:
    claims = [claim(f"{number:064x}", family=f"green-{number}", context="x" * 900) for number in range(40)]
    async with make_stage(*claims) as stage:
        await _pressed(stage, "C0TREND", await _asked(stage, "C0TREND", f"lookup {MANY}"), "details")
        first = _view(stage)

        await stage.sandbox.choose("U0ANA", first.id, "next_page")
        await stage.sandbox.settled()

        assert "details 1 of" in _words(first)
        assert "details 2 of" in _words(_view(stage))
        assert unsafe(_view(stage).view) == []


async def test_a_guest_sees_nothing_in_the_details_of_others(make_stage: MakeStage) -> None:
    claims = [claim(f"{number:064x}", family="green") for number in range(40)]
    async with make_stage(*claims) as stage:
        await stage.mention("U0TOMO", "C0TREND", f"lookup {MANY}")
        [post] = _posted(stage, "C0TREND")
        stage.sandbox.workspace.join("U0GUEST", "C0TREND")

        await _pressed(stage, "C0TREND", post, "details", "U0GUEST")

        assert "Family" not in _words(_view(stage, "U0GUEST"))


# --- who clicks what -----------------------------------------------------------------------------------


async def test_a_button_of_somebody_else_does_nothing(stage: Stage) -> None:
    """Forge what Slack would never send: Kira's click on Ana's token."""
    await _asked(stage)
    forged = _forged(stage, user="U0KIRA", team="T0KASP", channel="C0KASP", token="token-0", action="share")

    await stage.sandbox._interact(forged)
    await stage.sandbox.settled()

    assert stage.calls("views.open") == []


@pytest.mark.parametrize(("channel", "token"), [("C0ALL", "token-0"), ("C0KASP", "token-9"), ("C0KASP", "")])
async def test_a_token_works_only_where_it_was_given(stage: Stage, channel: str, token: str) -> None:
    await _asked(stage, "C0KASP")
    forged = _forged(stage, user="U0ANA", team="T0HOST", channel=channel, token=token, action="share")

    await stage.sandbox._interact(forged)
    await stage.sandbox.settled()

    assert stage.calls("views.open") == []


async def test_an_answer_before_all_is_shared_by_nobody_but_its_asker(stage: Stage) -> None:
    await stage.mention("U0KIRA", "C0KASP")
    forged = _forged(stage, user="U0ANA", team="T0HOST", channel="C0KASP", token="token-0", action="share")

    await stage.sandbox._interact(forged)
    await stage.sandbox.settled()

    assert stage.calls("views.open") == []


async def test_what_somebody_asked_alone_is_opened_by_nobody_else(stage: Stage) -> None:
    await _asked(stage)
    forged = _forged(stage, user="U0KIRA", team="T0KASP", channel="C0KASP", token="token-0", action="details")

    await stage.sandbox._interact(forged)
    await stage.sandbox.settled()

    assert stage.calls("views.open") == []


async def test_a_guest_of_no_known_organisation_shares_nothing(make_stage: MakeStage) -> None:
    async with make_stage(claim(label=Label.CLEAR)) as stage:
        delivery = await stage.sandbox.slash("U0GUEST", "C0GUEST", ASK)

        await _pressed(stage, "C0GUEST", delivery.shown[0], "share", "U0GUEST")

        assert stage.calls("views.open") == []
        assert "Only members" in stage.sandbox.seen_by("U0GUEST", "C0GUEST")[-1].readable


async def test_whoever_opened_the_details_of_others_turns_their_pages(make_stage: MakeStage) -> None:
    claims = [claim(f"{number:064x}", family=f"green-{number}", context="x" * 900) for number in range(40)]
    async with make_stage(*claims) as stage:
        await stage.mention("U0TOMO", "C0TREND", f"lookup {MANY}")
        await _pressed(stage, "C0TREND", _posted(stage, "C0TREND")[0], "details")

        await stage.sandbox.choose("U0ANA", _view(stage).id, "next_page")
        await stage.sandbox.settled()

        assert "details 2 of" in _words(_view(stage))


async def test_a_window_is_confirmed_by_nobody_but_who_opened_it(stage: Stage) -> None:
    await _pressed(stage, "C0KASP", await _asked(stage), "share")
    view = _view(stage).view

    stage.sandbox.workspace.put_view("U0OPS", view, view_id="V0OPS")
    delivery = await stage.sandbox.submit("U0OPS", "V0OPS", {})
    await stage.sandbox.settled()

    assert "too old" in json.dumps(delivery.answer)
    assert _posted(stage, "C0KASP") == []


async def test_pages_are_turned_by_nobody_but_who_opened_them(make_stage: MakeStage) -> None:
    claims = [claim(f"{number:064x}", family=f"green-{number}", context="x" * 900) for number in range(40)]
    async with make_stage(*claims) as stage:
        await _pressed(stage, "C0TREND", await _asked(stage, "C0TREND", f"lookup {MANY}"), "details")

        stage.sandbox.workspace.put_view("U0OPS", _view(stage).view, view_id="V0OPS")
        await stage.sandbox.choose("U0OPS", "V0OPS", "next_page")
        await stage.sandbox.settled()

        assert stage.calls("views.update") == []


async def test_a_click_under_a_false_team_shares_nothing(stage: Stage) -> None:
    await _asked(stage)
    forged = _forged(stage, user="U0ANA", team="T0KASP", channel="C0KASP", token="token-0", action="share")

    await stage.sandbox._interact(forged)
    await stage.sandbox.settled()

    assert stage.calls("views.open") == []


async def test_an_old_answer_says_that_it_is_old(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "KEPT_SECONDS", -1.0)
    message = await _asked(stage)

    await _pressed(stage, "C0KASP", message, "share")

    assert "too old" in stage.sandbox.seen_by("U0ANA", "C0KASP")[-1].readable


def _forged(stage: Stage, *, user: str, team: str, channel: str, token: str, action: str) -> dict[str, Any]:
    """A click as Slack's JSON, with whatever we like in it."""
    return {
        "type": "block_actions",
        "user": {"id": user, "team_id": team},
        "team": {"id": "T0HOST"},
        "channel": {"id": channel},
        "trigger_id": stage.sandbox._triggers.issue(user),
        "actions": [{"type": "button", "action_id": action, "block_id": "b", "value": token}],
    }


def test_the_question_in_a_token_is_not_the_tokens_text() -> None:
    assert HASH not in keeping.random_token()
    assert len({keeping.random_token() for _ in range(1000)}) == 1000
