"""What was typed finds its command; mistakes are answered with what to type instead."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.blockkit import message_problems
from bot.blocks import render
from bot.chat import Command, Notice, mistake
from bot.delivery.compiler import Compiler
from bot.errors import UnavailableError, UsageError
from bot.services import Services
from bot.subscriptions import Purpose
from commands import ALL, choose
from tests.commands.asking import reply, said
from tests.commands.steering import NAMED, OPERATOR, Ledger
from tests.hostile import texts
from tests.oracle import unlabelled, unsafe


@pytest.mark.parametrize(
    ("text", "verb", "rest"),
    [
        ("lookup c2.example.org", "lookup", "c2.example.org"),
        ("LOOKUP: c2.example.org", "lookup", "c2.example.org"),
        ("lookup\nc2.example.org\nb.example", "lookup", "c2.example.org\nb.example"),
        ("c2.example.org", "lookup", "c2.example.org"),
        (
            "hxxp://c2[.]example[.]org/a and 198.51.100[.]7",
            "lookup",
            "hxxp://c2[.]example[.]org/a and 198.51.100[.]7",
        ),
        (
            "check 44d88612fea8a8f36de82e1278abb02f please",
            "lookup",
            "check 44d88612fea8a8f36de82e1278abb02f please",
        ),
        ("status.example.org", "lookup", "status.example.org"),
        ("  recent   7d domain ", "recent", "7d domain"),
        ("who?", "who", ""),
        ("*help*", "help", ""),
        ("", "help", ""),
        (" \n", "help", ""),
    ],
)
def test_typed_text_finds_its_command(text: str, verb: str, rest: str) -> None:
    command, behind = choose(text)
    assert (command.verb, behind) == (verb, rest)


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("recnt 24h", "Did you mean “recent”?"),
        ("looup", "Did you mean “lookup”?"),
        (
            "abracadabra",
            "The commands are lookup, enrich, recent, digest, summary, retract, who, status, help.",
        ),
    ],
)
def test_an_unknown_verb_is_answered_with_the_nearest(text: str, advice: str) -> None:
    with pytest.raises(UsageError, match="There is no command") as caught:
        choose(text)
    assert advice in str(caught.value)


async def test_a_mistake_is_an_answer(services: Services) -> None:
    assert await said(services, "recnt") == [
        "TLP:CLEAR · that did not work",
        "There is no command “recnt”. Did you mean “recent”? Indicators alone are looked up.",
    ]


def test_an_error_of_several_lines_is_a_list() -> None:
    assert [row.text for row in mistake(UnavailableError("one\ntwo")).rows] == ["one", "two"]


@given(text=texts)
def test_whatever_is_typed_as_a_verb_is_answered_safely(text: str) -> None:
    try:
        choose(text)
    except UsageError as error:
        message = render(mistake(error))
        payload = {"text": message.text, "blocks": message.blocks}
        assert message_problems(payload) + unsafe(payload) + unlabelled(payload) == []


@pytest.mark.parametrize("command", ALL, ids=lambda command: command.verb)
def test_every_command_tells_how_it_is_used(command: Command) -> None:
    assert command.usage.split()[0] == command.verb
    assert command.summary
    assert all(choose(example)[0] is command for example in command.examples)
    assert command.examples


@pytest.mark.parametrize("example", [example for command in ALL for example in command.examples])
async def test_every_example_works(services: Services, example: str) -> None:
    """For somebody who may, where a digest and a summary are set up."""
    compiler = Compiler(services.store, NAMED, clock=services.clock)
    complete = replace(services, registry=NAMED, digests=compiler, corrections=Ledger(posts=1))
    for verb in Purpose:
        await reply(complete, f"{verb} on", by=OPERATOR)

    answer = await reply(complete, example, by=OPERATOR)

    assert not isinstance(answer, Notice) or answer.title != "that did not work"


@given(verb=st.sampled_from([command.verb for command in ALL]), rest=texts)
def test_a_known_verb_is_never_taken_for_something_else(verb: str, rest: str) -> None:
    assert choose(f"{verb} {rest}")[0].verb == verb
