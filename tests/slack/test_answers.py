"""The same question, asked by different people in different places, over real HTTP."""

import json
from itertools import combinations

import pytest

from bot.sandbox import payloads
from bot.sandbox.faults import Fault
from bot.sandbox.sandbox import Sandbox
from bot.slack.listen import typed
from bot.tlp import Label
from tests.oracle import unlabelled, unsafe
from tests.slack.conftest import ASK, HASH, MakeStage, Stage, claim

AMBER, GREEN = "kaspersky-amber-family", "trendmicro-green-family"


async def test_a_slash_command_answers_for_the_asker_alone(stage: Stage) -> None:
    answer = await stage.answer("U0ANA", "C0TREND")

    assert AMBER in answer
    assert GREEN in answer
    assert stage.sandbox.seen_by("U0TOMO", "C0TREND") == []


async def test_a_quick_answer_comes_with_the_acknowledgement(stage: Stage) -> None:
    delivery = await stage.sandbox.slash("U0ANA", "C0TREND", ASK)

    assert AMBER in delivery.shown[0].readable
    assert stage.calls("response_url") == []


async def test_partners_are_answered_by_direct_message(stage: Stage) -> None:
    kira, tomo = await stage.direct("U0KIRA"), await stage.direct("U0TOMO")

    assert AMBER in kira
    assert AMBER not in tomo
    assert GREEN in tomo


async def test_a_mention_is_answered_in_its_thread(stage: Stage) -> None:
    parent = await stage.sandbox.say("U0TOMO", "C0ALL", "look")
    await stage.sandbox.say("U0TOMO", "C0ALL", f"<@U0LIAISON> {ASK}", thread_ts=parent)
    await stage.sandbox.settled()

    assert [m.thread_ts for m in stage.sandbox.seen_by("U0KIRA", "C0ALL") if m.user == "U0LIAISON"] == [
        parent
    ]


async def test_a_mention_in_a_direct_message_is_answered_once(stage: Stage) -> None:
    answer = await stage.direct("U0KIRA", f"<@U0LIAISON> {ASK}")

    assert answer.count("TLP:AMBER · 🔴") == 2  # one message: its text and its blocks
    assert len(stage.calls("chat.postMessage")) == 1


@pytest.mark.parametrize("text", ["help", "who", "status", "recent 7d", "lookup", "", "loopup x", HASH])
async def test_every_command_answers_everywhere(stage: Stage, text: str) -> None:
    answers = [
        await stage.answer("U0ANA", "C0KASP", text),
        await stage.mention("U0KIRA", "C0KASP", text),
        await stage.direct("U0TOMO", text),
    ]

    assert [answer[:4] for answer in answers] == ["TLP:"] * 3, answers


async def test_red_reaches_its_named_person_in_an_ephemeral_answer_only(make_stage: MakeStage) -> None:
    red = claim(label=Label.RED, persons=frozenset(("U0ANA",)))
    async with make_stage(red) as stage:
        assert "red-family" in await stage.answer("U0ANA", "C0HOST")
        assert "red-family" not in await stage.answer("U0OPS", "C0HOST")
        assert "red-family" not in await stage.direct("U0ANA")
        assert "red-family" not in await stage.mention("U0ANA", "C0HOST")


async def test_bots_edits_and_liaison_itself_are_not_answered(stage: Stage) -> None:
    conversation = stage.sandbox.open_dm("U0KIRA")
    for odd in (
        {"bot_id": "B1"},
        {"subtype": "message_changed"},
        {"edited": {"ts": "1"}},
        {"user": "U0LIAISON"},
    ):
        event = {
            "type": "message",
            "channel_type": "im",
            "channel": conversation,
            "user": "U0KIRA",
            "text": ASK,
        }
        await _deliver(stage.sandbox, {**event, "ts": "1.1", **odd})

    assert stage.calls("chat.postMessage") == []


@pytest.mark.parametrize(
    ("kind", "channel", "more"),
    [
        pytest.param("app_mention", "D0KIRA", {}, id="a mention in a direct message"),
        pytest.param("message", "C0KASP", {"channel_type": "channel"}, id="a message in a channel"),
        pytest.param("message", "C0KASP", {"channel_type": "mpim"}, id="a message in a group"),
    ],
)
async def test_only_mentions_in_channels_and_direct_messages_are_answered(
    stage: Stage, kind: str, channel: str, more: dict[str, str]
) -> None:
    text = f"<@U0LIAISON> {ASK}"
    event = {"type": kind, "channel": channel, "user": "U0KIRA", "text": text, "ts": "1.1"}
    await _deliver(stage.sandbox, {**event, **more})

    assert stage.calls("chat.postMessage") == []


async def _deliver(sandbox: Sandbox, inner: dict[str, object]) -> None:
    sandbox._event("message.im", payloads.event(sandbox.workspace, dict(inner), channel=None))
    await sandbox.settled()


# --- hidden is absent ----------------------------------------------------------------------------------

_QUESTIONS = (ASK, "recent 30d", f"{HASH} 198.51.100.7", "who", "status", "help")


async def test_hidden_and_absent_are_the_same_bytes_and_the_same_calls(make_stage: MakeStage) -> None:
    hidden = (claim(label=Label.AMBER), claim(source="igci", label=Label.AMBER_STRICT, family="secret"))
    told = []
    for assertions in (hidden, ()):
        async with make_stage(*assertions) as stage:
            told.append(await _everything_tomo_gets(stage))

    assert told[0] == told[1]
    assert len(told[0]) > 3 * len(_QUESTIONS)


async def _everything_tomo_gets(stage: Stage) -> list[str]:
    """All calls that the bot made, as JSON, with the times of the sandbox taken out."""
    for text in _QUESTIONS:
        await stage.direct("U0TOMO", text)
        await stage.mention("U0TOMO", "C0TREND", text)
    stamps = {m.ts for channel in stage.sandbox.workspace.channels.values() for m in channel.messages}
    calls = [f"{call.method} {json.dumps(call.arguments, sort_keys=True)}" for call in stage.sandbox.calls]
    return [_without(call, stamps) for call in calls]


def _without(call: str, stamps: set[str]) -> str:
    for stamp in stamps:
        call = call.replace(stamp, "ts")
    return call


async def test_whatever_is_sent_is_labelled_and_safe(make_stage: MakeStage) -> None:
    hostile = "<!channel> <http://evil.example|ok> *x* `y` \u202e www.evil.example"
    told = claim(family=hostile, context=hostile, tags=(hostile,))
    async with make_stage(told) as stage:
        for text in (*_QUESTIONS, hostile, f"lookup {hostile}", f"recent {hostile}"):
            await stage.answer("U0ANA", "C0KASP", text)
            await stage.mention("U0KIRA", "C0KASP", text)
            await stage.direct("U0KIRA", text)
        sent = [call.arguments for call in stage.calls("chat.postMessage")]
        sent += [d.attempts[0].answer() for d in stage.sandbox.deliveries if d.kind == "command"]

        assert [problem for message in sent for problem in unsafe(message) + unlabelled(message)] == []
        assert all(call["unfurl_links"] is False for call in sent if "channel" in call)
        assert len(sent) == 27


async def test_different_people_get_different_answers(stage: Stage) -> None:
    answers = [await stage.direct(user) for user in ("U0ANA", "U0KIRA", "U0TOMO")]

    assert all(one != other for one, other in combinations(answers, 2))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("<@U0LIAISON> who", "who"),
        ("<@U0LIAISON|liaison>: who", "who"),
        ("hello <@U0LIAISON> who", "who"),
        ("who <@U0LIAISON>", "who"),
        ("<@U0ANA> <@U0LIAISON>, lookup <@U0LIAISON>", "lookup <@U0LIAISON>"),
        ("who", "who"),
        ("<@U0LIAISON>", ""),
        ("<@U0OTHER> who", "<@U0OTHER> who"),
    ],
)
def test_what_stands_behind_its_name_is_said_to_liaison(text: str, said: str) -> None:
    assert typed({"text": text}, "U0LIAISON") == said


async def test_one_failure_of_slack_is_not_felt(stage: Stage) -> None:
    for method in ("users.info", "conversations.info", "conversations.members"):
        stage.sandbox.faults.add(Fault(method, "error_500"))

    assert GREEN in await stage.mention("U0TOMO", "C0TREND")
