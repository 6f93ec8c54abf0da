"""What the sandbox sends to an app, how it is signed, when it is sent again."""

import json
import time
from urllib.parse import parse_qs

import pytest
from slack_sdk.signature import SignatureVerifier

from bot.sandbox import Attempt, Fault, Sandbox, Timing
from tests.sandbox.parts import MENTION, button
from tests.sandbox.stub_app import Status, StubApp, answering, sleeping


async def test_every_delivery_is_signed(sandbox: Sandbox, app: StubApp) -> None:
    await app.client.chat_postMessage(channel="C0KASP", text="x", blocks=[button()])
    await sandbox.slash("U0ANA", "C0KASP", "lookup ünïcode & 100 %")
    await sandbox.say("U0ANA", "C0KASP", MENTION)
    await sandbox.click("U0ANA", "C0KASP", sandbox.seen_by("U0ANA", "C0KASP")[0].ts, "more")
    await sandbox.settled()
    assert len(app.bodies) == 3
    assert app.all_genuine
    assert app.headers[0]["content-type"] == "application/x-www-form-urlencoded"


async def test_a_signature_covers_the_exact_bytes(sandbox: Sandbox, app: StubApp) -> None:
    delivery = await sandbox.slash("U0ANA", "C0KASP", "help")
    verifier = SignatureVerifier(sandbox.signing_secret)
    (sent,) = delivery.attempts
    assert verifier.is_valid_request(sent.raw, sent.headers)
    assert not verifier.is_valid_request(sent.raw + b" ", sent.headers)
    assert not SignatureVerifier("another secret").is_valid_request(sent.raw, sent.headers)


async def test_the_address_of_an_app_is_verified_by_a_challenge(sandbox: Sandbox, app: StubApp) -> None:
    assert await sandbox.verify()
    sandbox.connect("http://127.0.0.1:9/slack/events")
    assert not await sandbox.verify()


# --- slash commands --------------------------------------------------------------------------------


async def test_a_slash_command_has_slacks_fields(sandbox: Sandbox, app: StubApp) -> None:
    await sandbox.slash("U0ANA", "C0KASP", "lookup http://evil.com <b> & more")
    (form,) = app.bodies
    assert form["command"] == "/intel"
    assert form["text"] == "lookup <http://evil.com> &lt;b&gt; &amp; more"
    assert (form["team_id"], form["channel_id"], form["user_id"]) == ("T0HOST", "C0KASP", "U0ANA")
    assert form["channel_name"] == "privategroup"
    assert form["response_url"].startswith(sandbox.url)
    assert form["trigger_id"]


@pytest.mark.parametrize(
    "answer", ["hello", {"text": "hello"}, {"text": "hello", "response_type": "ephemeral"}]
)
async def test_the_acknowledgement_is_shown_to_the_asker_only(
    sandbox: Sandbox, app: StubApp, answer: str | dict[str, str]
) -> None:
    app.on_command = answering(answer)
    delivery = await sandbox.slash("U0ANA", "C0KASP", "help")
    assert (delivery.text, delivery.error) == ("hello", None)
    assert sandbox.seen_by("U0ANA", "C0KASP")[0].ephemeral
    assert sandbox.seen_by("U0KIRA", "C0KASP") == []


async def test_an_empty_acknowledgement_shows_nothing(sandbox: Sandbox, app: StubApp) -> None:
    delivery = await sandbox.slash("U0ANA", "C0KASP", "help")
    assert delivery.acknowledged
    assert delivery.shown == sandbox.seen_by("U0ANA", "C0KASP") == []


@pytest.mark.parametrize("words", [{"text": "found it"}, {}])
async def test_in_channel_shows_everyone_what_was_typed(
    sandbox: Sandbox, app: StubApp, words: dict[str, str]
) -> None:
    app.on_command = answering({"response_type": "in_channel", **words})
    await sandbox.slash("U0ANA", "C0KASP", "lookup victim.example")
    seen = [(message.user, message.text) for message in sandbox.seen_by("U0KIRA", "C0KASP")]
    answered = [("U0LIAISON", "found it")] if words else []
    assert seen == [("U0ANA", "/intel lookup victim.example"), *answered]


async def test_a_late_acknowledgement_is_a_timeout_and_not_repeated(sandbox: Sandbox, app: StubApp) -> None:
    app.on_command = sleeping(5)
    delivery = await sandbox.slash("U0ANA", "C0KASP", "help")
    assert delivery.error == "operation_timeout"
    assert delivery.text == "/intel failed with the error “operation_timeout”"
    assert len(app.bodies) == 1


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Status(500), "dispatch_failed"),
        ({"blocks": [{"type": "no such block"}]}, "invalid_command_response"),
    ],
)
async def test_a_bad_answer_is_told_to_the_asker(
    sandbox: Sandbox, app: StubApp, answer: Status | dict[str, object], error: str
) -> None:
    app.on_command = answering(answer)
    delivery = await sandbox.slash("U0ANA", "C0KASP", "help")
    assert (delivery.error, len(delivery.attempts)) == (error, 1)
    assert error in delivery.text


async def test_without_an_app_a_command_fails(sandbox: Sandbox) -> None:
    assert (await sandbox.slash("U0ANA", "C0KASP", "help")).error == "dispatch_failed"


# --- events ----------------------------------------------------------------------------------------


async def test_a_mention_reaches_the_app_once(sandbox: Sandbox, app: StubApp) -> None:
    ts = await sandbox.say("U0ANA", "C0KASP", MENTION)
    await sandbox.settled()
    (envelope,) = app.bodies
    event = envelope["event"]
    assert (event["type"], event["user"], event["channel"], event["ts"]) == (
        "app_mention",
        "U0ANA",
        "C0KASP",
        ts,
    )
    assert event["text"] == "<@U0LIAISON> lookup 192.0.2.7"
    assert envelope["authorizations"][0] == {
        "enterprise_id": None,
        "team_id": "T0HOST",
        "user_id": "U0LIAISON",
        "is_bot": True,
        "is_enterprise_install": False,
    }


@pytest.mark.parametrize("text", ["good morning", "<@U0OPS> look", "U0LIAISON"])
async def test_other_words_are_not_the_apps_business(sandbox: Sandbox, app: StubApp, text: str) -> None:
    await sandbox.say("U0ANA", "C0KASP", text)
    await sandbox.settled()
    assert app.bodies == []


async def test_a_mention_where_the_bot_is_not_is_not_delivered(sandbox: Sandbox, app: StubApp) -> None:
    await sandbox.leave("U0LIAISON", "C0HOST")
    await sandbox.say("U0ANA", "C0HOST", MENTION)
    await sandbox.settled()
    assert app.bodies == []


async def test_a_direct_message_is_a_message_event_and_no_mention(sandbox: Sandbox, app: StubApp) -> None:
    direct = sandbox.open_dm("U0KIRA")
    await sandbox.say("U0KIRA", direct, MENTION)
    await sandbox.settled()
    (envelope,) = app.bodies
    assert (envelope["event"]["type"], envelope["event"]["channel_type"]) == ("message", "im")


async def test_a_reply_carries_its_thread(sandbox: Sandbox, app: StubApp) -> None:
    parent = await sandbox.say("U0ANA", "C0KASP", "look at this")
    reply = await sandbox.say("U0KIRA", "C0KASP", "yes", thread_ts=parent)
    await sandbox.say("U0KIRA", "C0KASP", MENTION, thread_ts=reply)
    await sandbox.settled()
    (envelope,) = app.bodies
    assert (envelope["event"]["thread_ts"], envelope["event"]["parent_user_id"]) == (parent, "U0ANA")


async def test_an_event_is_sent_again_until_it_is_taken(sandbox: Sandbox, app: StubApp) -> None:
    app.on_event = answering(Status(503))
    await sandbox.say("U0ANA", "C0KASP", MENTION)
    await sandbox.settled()
    retries = [(h.get("x-slack-retry-num"), h.get("x-slack-retry-reason")) for h in app.headers]
    assert retries == [(None, None), ("1", "http_error"), ("2", "http_error"), ("3", "http_error")]
    assert len({body["event_id"] for body in app.bodies}) == 1
    assert app.all_genuine


async def test_an_event_that_is_taken_late_comes_again() -> None:
    impatient = Sandbox(timing=Timing(ack=0.1, retries=(0.0,)))
    await impatient.start()
    app = StubApp(impatient)
    impatient.connect(await app.start())
    app.on_event = sleeping(0.3)
    await impatient.say("U0ANA", "C0KASP", MENTION)
    await impatient.settled()
    assert [h.get("x-slack-retry-reason") for h in app.headers] == [None, "http_timeout"]
    await app.stop()
    await impatient.stop()


async def test_an_app_can_stop_the_retries(sandbox: Sandbox, app: StubApp) -> None:
    app.on_event = answering(Status(500, {"X-Slack-No-Retry": "1"}))
    await sandbox.say("U0ANA", "C0KASP", MENTION)
    await sandbox.settled()
    assert len(app.bodies) == 1


async def test_an_app_that_is_away_is_tried_again(sandbox: Sandbox) -> None:
    sandbox.connect("http://127.0.0.1:9/slack/events")
    await sandbox.say("U0ANA", "C0KASP", MENTION)
    await sandbox.settled()
    assert [attempt.reason for attempt in sandbox.deliveries[0].attempts] == ["connection_failed"] * 4


# --- clicks ----------------------------------------------------------------------------------------


async def test_a_click_carries_the_message_and_the_value(sandbox: Sandbox, app: StubApp) -> None:
    posted = await app.client.chat_postMessage(channel="C0KASP", text="x", blocks=[button()])
    await sandbox.click("U0KIRA", "C0KASP", posted["ts"], "more")
    (payload,) = app.bodies
    assert (payload["type"], payload["user"]["id"], payload["channel"]["id"]) == (
        "block_actions",
        "U0KIRA",
        "C0KASP",
    )
    (action,) = payload["actions"]
    assert (action["action_id"], action["block_id"], action["value"]) == ("more", "b1", "v1")
    assert payload["message"]["ts"] == payload["container"]["message_ts"] == posted["ts"]
    assert payload["container"]["is_ephemeral"] is False


async def test_a_click_in_an_ephemeral_has_no_message(sandbox: Sandbox, app: StubApp) -> None:
    posted = await app.client.chat_postEphemeral(channel="C0KASP", user="U0ANA", text="x", blocks=[button()])
    await sandbox.click("U0ANA", "C0KASP", posted["message_ts"], "more")
    (payload,) = app.bodies
    assert payload["container"]["is_ephemeral"] is True
    assert "message" not in payload
    assert payload["response_url"]


# --- faults ----------------------------------------------------------------------------------------


async def test_a_delivery_whose_answer_is_lost_comes_twice(sandbox: Sandbox, app: StubApp) -> None:
    sandbox.faults.add(Fault("delivery", "drop_after_accept"))
    await sandbox.say("U0ANA", "C0KASP", MENTION)
    await sandbox.settled()
    assert [h.get("x-slack-retry-reason") for h in app.headers] == [None, "http_timeout"]


async def test_a_delivery_that_fails_on_the_way_never_arrives(sandbox: Sandbox, app: StubApp) -> None:
    sandbox.faults.add(Fault("delivery", "error_500"))
    assert (await sandbox.slash("U0ANA", "C0KASP", "help")).error == "dispatch_failed"
    assert app.bodies == []


async def test_a_slow_delivery_arrives_later(sandbox: Sandbox, app: StubApp) -> None:
    sandbox.faults.add(Fault("delivery", "slow", seconds=0.2))
    before = time.monotonic()
    assert (await sandbox.slash("U0ANA", "C0KASP", "help")).acknowledged
    assert time.monotonic() - before >= 0.2


@pytest.mark.parametrize(("method", "kind"), [("chat.postMessage", "explode"), ("delivery", "rate_limited")])
def test_a_fault_that_cannot_happen_is_refused(method: str, kind: str) -> None:
    with pytest.raises(ValueError, match=r"fault is one of|happens to calls"):
        Fault(method, kind)


async def test_settled_says_what_is_under_way(sandbox: Sandbox, app: StubApp) -> None:
    sandbox.faults.add(Fault("delivery", "slow", seconds=0.3))
    await sandbox.say("U0ANA", "C0KASP", MENTION)
    with pytest.raises(TimeoutError, match="1 deliveries and 0 calls"):
        await sandbox.settled(timeout=0.1)
    await sandbox.settled()


@pytest.mark.parametrize(
    ("body", "answer"),
    [(b"", None), (b'{"a": 1}', {"a": 1}), (b"words", "words"), (b"[1]", "[1]"), (b"\xff", "\ufffd")],
)
def test_an_answer_is_an_object_or_words(body: bytes, answer: object) -> None:
    assert Attempt(reason=None, body=body).answer() == answer


def test_the_form_is_what_a_form_parser_reads() -> None:
    from bot.sandbox.deliveries import COMMAND, INTERACTIVE, Delivery, encoded

    raw, _ = encoded(Delivery(kind=COMMAND, payload={"text": "a&b=c é"}))
    assert parse_qs(raw.decode()) == {"text": ["a&b=c é"]}
    raw, _ = encoded(Delivery(kind=INTERACTIVE, payload={"a": "é&"}))
    assert json.loads(parse_qs(raw.decode())["payload"][0]) == {"a": "é&"}
