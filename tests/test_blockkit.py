"""The validator refuses what Slack refuses, and nothing we send."""

from collections.abc import Mapping
from typing import Any

import pytest

from bot.blockkit import message_problems, problems, view_problems
from bot.checks import length

Block = dict[str, Any]


def plain(text: str) -> Block:
    return {"type": "plain_text", "text": text}


def header(text: str = "TLP:CLEAR", **more: object) -> Block:
    return {"type": "header", "text": plain(text), **more}


def section(**more: object) -> Block:
    return {"type": "section", **more}


def context(elements: list[Block]) -> Block:
    return {"type": "context", "elements": elements}


def actions(*elements: Block) -> Block:
    return {"type": "actions", "elements": list(elements)}


def button(action: str = "a", **more: object) -> Block:
    return {"type": "button", "action_id": action, "text": plain("Share"), **more}


def rich(*elements: Block, kind: str = "rich_text_section") -> Block:
    return {"type": "rich_text", "elements": [{"type": kind, "elements": list(elements)}]}


def text(words: str = "x", **more: object) -> Block:
    return {"type": "text", "text": words, **more}


def bullets(*lines: Block) -> Block:
    return {
        "type": "rich_text",
        "elements": [{"type": "rich_text_list", "style": "bullet", "elements": list(lines)}],
    }


def table(rows: int = 1, cells: int = 1, words: str = "x") -> Block:
    row = [{"type": "raw_text", "text": words}] * cells
    return {"type": "table", "rows": [row] * rows}


def field(**more: object) -> Block:
    return {
        "type": "input",
        "label": plain("Why"),
        "element": {"type": "plain_text_input", "action_id": "why", **more},
    }


def modal(**more: object) -> Block:
    return {"type": "modal", "title": plain("Details"), "blocks": [header()], **more}


ACCEPTED: list[Block] = [
    header("x" * 150),
    section(text=plain("x" * 3000)),
    section(text={"type": "mrkdwn", "text": "x", "verbatim": True}, accessory=button(), block_id="b" * 255),
    section(fields=[plain("x" * 200)] * 10),
    {"type": "divider"},
    context([plain("x")] * 10),
    actions(button(value="v" * 2000, style="primary", url="https://example.org")),
    actions(*(button(str(number)) for number in range(25))),
    rich(text(style={"bold": True, "code": False}), text("\n"), text(" ")),
    rich({"type": "date", "timestamp": 1, "format": "{date_num}", "fallback": "long ago"}),
    rich({"type": "user", "user_id": "U0ANNA"}, {"type": "link", "url": "https://example.org"}),
    rich(text(), kind="rich_text_quote"),
    rich(text(), kind="rich_text_preformatted"),
    bullets({"type": "rich_text_section", "elements": [text()]}),
    table(rows=100, cells=20),
    table(rows=100, words="x" * 100),
    {"type": "table", "rows": [[rich(text())]], "column_settings": [{"is_wrapped": True, "align": "right"}]},
]

REFUSED: list[tuple[Block, str]] = [
    (header("x" * 151), "blocks[0].text.text: has 151 characters, at most 150 are allowed."),
    (header(""), "blocks[0].text.text: must not be empty."),
    (header(" \n"), "blocks[0].text.text: must not be empty."),
    (header("\0x"), "blocks[0].text.text: holds a character that cannot be sent"),
    (header("\ud800"), "blocks[0].text.text: holds a character that cannot be sent"),
    (header(colour="red"), "blocks[0].colour: is not a key Slack knows here."),
    (header(block_id="b" * 256), "blocks[0].block_id: has 256 characters"),
    ({"type": "header"}, "blocks[0].text: is missing."),
    ({"type": "header", "text": {"type": "mrkdwn", "text": "x"}}, "must be an object of type plain_text"),
    ({"type": "header", "text": {**plain("x"), "emoji": 1}}, "blocks[0].text.emoji: must be true or false."),
    ({"type": "image", "image_url": "https://example.org"}, "blocks[0]: must be an object of type"),
    ({"type": ["header"]}, "blocks[0]: must be an object of type"),
    ({}, "not none."),
    (section(), "blocks[0]: needs text or fields."),
    (section(text=plain("x" * 3001)), "blocks[0].text.text: has 3001 characters"),
    (section(fields=[]), "blocks[0].fields: has 0 items"),
    (section(fields=[plain("x")] * 11), "blocks[0].fields: has 11 items"),
    (section(fields=[plain("x" * 2001)]), "blocks[0].fields[0].text: has 2001 characters"),
    (section(text="x"), "blocks[0].text: must be an object of type"),
    (context([plain("x")] * 11), "blocks[0].elements: has 11 items"),
    (context([]), "blocks[0].elements: has 0 items"),
    (actions(*(button(str(number)) for number in range(26))), "blocks[0].elements: has 26 items"),
    (actions(button(value="v" * 2001)), "value: has 2001 characters"),
    (actions(button(url="u" * 3001)), "url: has 3001 characters"),
    (actions(button(style="green")), "style: must be one of primary, danger."),
    (actions(button("a" * 256)), "action_id: has 256 characters"),
    (actions(button(text=plain("x" * 76))), "text.text: has 76 characters"),
    (actions(button(), button()), "blocks: the action_id 'a' is used more than once."),
    (actions(text()), "must be an object of type button"),
    (rich(text("")), "blocks[0].elements[0].elements[0].text: must not be empty."),
    (rich(text(style={"blink": True})), "style.blink: is not a key"),
    (rich(), "blocks[0].elements[0].elements: has 0 items"),
    (rich({"type": "image"}), "must be an object of type text"),
    (rich({"type": "date", "timestamp": 0, "format": "x"}), "timestamp: must be a whole number from 1"),
    (rich({"type": "date", "timestamp": True, "format": "x"}), "timestamp: must be a whole number"),
    (rich({"type": "date", "timestamp": 1.5, "format": "x"}), "timestamp: must be a whole number"),
    (
        rich({"type": "user", "user_id": "U0ANNA"}, kind="rich_text_preformatted"),
        "must be an object of type text or link, not user.",
    ),
    (bullets(text()), "must be an object of type rich_text_section"),
    ({"type": "rich_text", "elements": "x"}, "blocks[0].elements: must be an array."),
    ({"type": "rich_text", "elements": [text()]}, "must be an object of type rich_text_section"),
    (table(rows=101), "blocks[0].rows: has 101 items"),
    (table(cells=21), "blocks[0].rows[0]: has 21 items"),
    (table(words=""), "blocks[0].rows[0][0].text: must not be empty."),
    (table(rows=100, words="x" * 101), "blocks[0].rows: have 10100 characters, at most 10000 are allowed."),
    (table(rows=100, words="x" * 99 + "😀"), "blocks[0].rows: have 10100 characters"),
    (
        {"type": "table", "rows": [[rich(text("x" * 5001))], [rich(text("x" * 5000))]]},
        "blocks[0].rows: have 10001 characters",
    ),
    ({"type": "table", "rows": [*table()["rows"], *table(cells=2)["rows"]]}, "all must have the same number"),
    ({"type": "table", "rows": [[plain("x")]]}, "must be an object of type raw_text or rich_text"),
    ({"type": "table", "rows": [], "caption": "x"}, "blocks[0].caption: is not a key"),
    (field(), "blocks[0]: must be an object of type"),
]


@pytest.mark.parametrize("block", ACCEPTED)
def test_what_slack_takes_has_no_problems(block: Block) -> None:
    assert problems([block]) == []


@pytest.mark.parametrize(("block", "problem"), REFUSED)
def test_what_slack_refuses_is_told_with_its_place(block: Block, problem: str) -> None:
    assert any(problem in each for each in problems([block])), problems([block])


def test_a_modal_takes_inputs_but_no_tables() -> None:
    assert problems([field(multiline=True, max_length=3000)], surface="modal") == []
    assert problems([table()], surface="modal") != []


@pytest.mark.parametrize(
    ("blocks", "surface", "problem"),
    [
        ([header()] * 51, "message", "blocks: has 51 items, from 1 to 50 are allowed."),
        ([header()] * 101, "modal", "blocks: has 101 items"),
        ([header()] * 101, "home", "blocks: has 101 items"),
        ([], "message", "blocks: has 0 items"),
        ([header(block_id="b"), header(block_id="b")], "message", "the block_id 'b' is used more than once."),
        ([actions(button()), section(text=plain("x"), accessory=button())], "message", "the action_id 'a'"),
        ([table(), table()], "message", "a message may hold one table only."),
        ([section(text=plain("x" * 2600))] * 4, "message", "blocks: have 10400 characters"),
    ],
)
def test_what_slack_refuses_of_several_blocks(blocks: list[Block], surface: Any, problem: str) -> None:
    assert any(problem in each for each in problems(blocks, surface=surface))


def test_the_most_blocks_are_accepted() -> None:
    assert problems([header()] * 50) == []
    assert problems([header()] * 100, surface="modal") == []


@pytest.mark.parametrize(
    ("message", "is_fine"),
    [
        ({"text": "x" * 40_000}, True),
        ({"text": "x" * 40_001}, False),
        ({"text": ""}, False),
        ({"blocks": [header()]}, False),
        ({"text": "x", "blocks": [header()]}, True),
        ({"text": "x", "blocks": []}, False),
        ({"text": "x", "blocks": None}, False),
    ],
)
def test_a_message_needs_text_and_sound_blocks(message: Mapping[str, object], is_fine: bool) -> None:
    assert (message_problems(message) == []) is is_fine


@pytest.mark.parametrize(
    ("view", "problem"),
    [
        (modal(title=plain("x" * 25)), "view.title.text: has 25 characters"),
        (modal(submit=plain("x" * 25)), "view.submit.text: has 25 characters"),
        (modal(private_metadata="x" * 3001), "view.private_metadata: has 3001 characters"),
        (modal(callback_id="x" * 256), "view.callback_id: has 256 characters"),
        (modal(blocks=[field()]), "view.submit: must be there, since the view has input blocks."),
        (modal(blocks=[header("")]), "view.blocks[0].text.text: must not be empty."),
        (modal(blocks=None), "view.blocks: must be an array."),
        (modal(color="red"), "view.color: is not a key"),
        ({"type": "modal", "blocks": [header()]}, "view.title: is missing."),
        ({"type": "home", "title": plain("x"), "blocks": [header()]}, "view.title: is not a key"),
    ],
)
def test_what_slack_refuses_of_a_view(view: Block, problem: str) -> None:
    assert any(problem in each for each in view_problems(view)), view_problems(view)


@pytest.mark.parametrize(
    "view",
    [
        modal(),
        modal(private_metadata="x" * 3000, callback_id="c", close=plain("x" * 24), clear_on_close=True),
        modal(blocks=[field()], submit=plain("Send")),
        {"type": "home", "blocks": [header()]},
    ],
)
def test_a_sound_view_has_no_problems(view: Block) -> None:
    assert view_problems(view) == []


def test_characters_count_as_in_javascript() -> None:
    assert length("a😀é") == 4
