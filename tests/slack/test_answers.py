"""The same question, asked by different people in different places."""

from tests.slack.conftest import Stage

AMBER, GREEN = "kaspersky-amber-family", "trendmicro-green-family"


async def test_a_slash_command_answers_for_the_asker_alone(stage: Stage) -> None:
    answer = await stage.answer("U0ANA", "C0TREND")

    assert AMBER in answer
    assert GREEN in answer
    assert stage.sandbox.seen_by("U0TOMO", "C0TREND") == []
