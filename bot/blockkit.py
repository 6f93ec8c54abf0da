"""Block Kit as we use it: every rule and limit of Slack that a payload of ours must keep.

https://docs.slack.dev/reference/block-kit, checked strictly: what we never use is refused, too.
Pure: the sandbox answers with it as Slack would, and the outbox asks it about every message.
"""

from collections.abc import Mapping, Sequence
from typing import Literal

from bot.checks import (
    ARRAY,
    SOUND,
    Check,
    Problem,
    a_boolean,
    a_text,
    a_whole_number,
    an_array,
    an_object,
    length,
    one_of,
    told,
    type_of,
    typed,
    wrong,
)

Surface = Literal["message", "modal", "home"]

MAX_BLOCKS = {"message": 50, "modal": 100, "home": 100}
MAX_TEXT = 40_000  # of the top-level text, where Slack cuts
MAX_SECTION = 3_000
MAX_FIELD = 2_000
MAX_HEADER = 150
MAX_BUTTON = 75
MAX_TITLE = 24  # of a modal; its buttons, too
MAX_METADATA = 3_000
MAX_TABLE_ROWS = 100
MAX_TABLE_CELLS = 20
MAX_TABLE_CHARACTERS = 10_000  # over all cells of a message
# Undocumented: Slack answers msg_blocks_too_long near 12,000 characters "with a buffer for block containers",
# and has refused 11,341. https://github.com/slackapi/bolt-js/issues/2509 and /2867
MAX_MESSAGE_CHARACTERS = 10_000


def problems(blocks: Sequence[Mapping[str, object]], *, surface: Surface = "message") -> list[str]:
    """Everything Slack would refuse in these blocks, a sentence each with its JSON path; empty if none."""
    return told("blocks", _BLOCKS_ON[surface](blocks))


def message_problems(message: Mapping[str, object]) -> list[str]:
    """The same for a message: its `text` (which must be there: it is the notification) and `blocks`."""
    found = told("text", _FALLBACK(message.get("text")))
    if "blocks" in message:
        found += told("blocks", _BLOCKS_ON["message"](message["blocks"]))
    return found


def view_problems(view: Mapping[str, object]) -> list[str]:
    """The same for a modal or home view."""
    surface: Surface = "home" if view.get("type") == "home" else "modal"
    found = told("view", (_MODAL if surface == "modal" else _HOME)(view))
    blocks = view.get("blocks")
    found += told("view.blocks", _BLOCKS_ON[surface](blocks))
    if "submit" not in view and isinstance(blocks, ARRAY) and "input" in map(type_of, blocks):
        found.append("view.submit: must be there, since the view has input blocks.")
    return found


# --- text objects and elements -------------------------------------------------------------------------

_FALLBACK = a_text(MAX_TEXT)


def _inline(value: object) -> Sequence[Problem]:
    """A piece of running text: a single space or line break is a piece, nothing at all is not."""
    return _FALLBACK("x" if isinstance(value, str) and value.isspace() else value)


def _plain(maximum: int) -> Check:
    return typed(plain_text=an_object({"text": a_text(maximum)}, {"emoji": a_boolean}))


def _words(maximum: int) -> Check:
    return typed(
        plain_text=_plain(maximum), mrkdwn=an_object({"text": a_text(maximum)}, {"verbatim": a_boolean})
    )


_ID = a_text(255)
_URL = a_text(3_000)
_CONFIRM = an_object(
    {"title": _plain(100), "text": _words(300), "confirm": _plain(30), "deny": _plain(30)},
    {"style": one_of("primary", "danger")},
)
_BUTTON = an_object(
    {"text": _plain(MAX_BUTTON), "action_id": _ID},
    {
        "value": a_text(2_000),
        "url": _URL,
        "style": one_of("primary", "danger"),
        "confirm": _CONFIRM,
        "accessibility_label": a_text(75),
    },
)
_OPTION = an_object({"text": _plain(75), "value": a_text(150)}, {"description": _plain(75)})
_SELECT = an_object(
    {"action_id": _ID, "options": an_array(_OPTION, 1, 100)},
    {"placeholder": _plain(150), "initial_option": _OPTION},
)
_CONVERSATIONS = an_object(
    {"action_id": _ID},
    {
        "placeholder": _plain(150),
        "initial_conversation": _ID,
        "default_to_current_conversation": a_boolean,
        "response_url_enabled": a_boolean,
    },
)
_TEXT_INPUT = an_object(
    {"action_id": _ID},
    {
        "placeholder": _plain(150),
        "initial_value": a_text(3_000),
        "multiline": a_boolean,
        "min_length": a_whole_number(0, 3_000),
        "max_length": a_whole_number(1, 3_000),
    },
)

# --- rich text -----------------------------------------------------------------------------------------

_STYLE = an_object({}, dict.fromkeys(("bold", "italic", "strike", "code", "underline"), a_boolean))
_RICH_WORDS = an_object({"text": _inline}, {"style": _STYLE})
_RICH_LINK = an_object({"url": _URL}, {"text": _inline, "style": _STYLE, "unsafe": a_boolean})
_RICH_ELEMENT = typed(
    text=_RICH_WORDS,
    link=_RICH_LINK,
    date=an_object(
        {"timestamp": a_whole_number(1, 253_402_300_799), "format": a_text(255)},
        {"fallback": a_text(255), "url": _URL, "style": _STYLE},
    ),
    emoji=an_object({"name": a_text(100)}, {"unicode": a_text(100), "style": _STYLE}),
    user=an_object({"user_id": _ID}, {"style": _STYLE}),
    channel=an_object({"channel_id": _ID}, {"style": _STYLE}),
    usergroup=an_object({"usergroup_id": _ID}, {"style": _STYLE}),
    broadcast=an_object({"range": one_of("here", "channel", "everyone")}),
)
_RICH_SECTION = an_object({"elements": an_array(_RICH_ELEMENT, 1, 1_000)})
_BORDER = {"border": a_whole_number(0, 1)}
_RICH_TEXT = an_object(
    {
        "elements": an_array(
            typed(
                rich_text_section=_RICH_SECTION,
                rich_text_quote=an_object({"elements": an_array(_RICH_ELEMENT, 1, 1_000)}, _BORDER),
                rich_text_preformatted=an_object(
                    {"elements": an_array(typed(text=_RICH_WORDS, link=_RICH_LINK), 1, 1_000)}, _BORDER
                ),
                rich_text_list=an_object(
                    {
                        "style": one_of("bullet", "ordered"),
                        "elements": an_array(typed(rich_text_section=_RICH_SECTION), 1, 1_000),
                    },
                    {"indent": a_whole_number(0, 8), "offset": a_whole_number(0, 1_000), **_BORDER},
                ),
            ),
            1,
            100,
        )
    },
    {"block_id": _ID},
)

# --- blocks --------------------------------------------------------------------------------------------


_SECTION = an_object(
    {},
    {
        "text": _words(MAX_SECTION),
        "fields": an_array(_words(MAX_FIELD), 1, 10),
        "accessory": typed(button=_BUTTON, static_select=_SELECT),
        "block_id": _ID,
    },
)
_CELL = typed(raw_text=an_object({"text": a_text(MAX_TABLE_CHARACTERS)}), rich_text=_RICH_TEXT)
_COLUMN = an_object({}, {"align": one_of("left", "center", "right"), "is_wrapped": a_boolean})
_TABLE = an_object(
    {"rows": an_array(an_array(_CELL, 1, MAX_TABLE_CELLS), 1, MAX_TABLE_ROWS)},
    {"column_settings": an_array(_COLUMN, 0, MAX_TABLE_CELLS), "block_id": _ID},
)


def _section(value: object) -> Sequence[Problem]:
    found = _SECTION(value)
    if isinstance(value, dict) and not value.keys() & {"text", "fields"}:
        return [*found, *wrong("needs text or fields.")]
    return found


def _table(value: object) -> Sequence[Problem]:
    found = [*_TABLE(value)]
    rows = value.get("rows") if isinstance(value, dict) else None
    if isinstance(rows, ARRAY):
        widths = {len(row) for row in rows if isinstance(row, ARRAY)}
        if len(widths) > 1:
            sentence = f"have {min(widths)} to {max(widths)} cells, all must have the same number."
            found.append((".rows", sentence))
        if (total := _characters(rows)) > MAX_TABLE_CHARACTERS:
            found.append((".rows", _too_many(total, MAX_TABLE_CHARACTERS)))
    return found


def _too_many(characters: int, maximum: int) -> str:
    return f"have {characters} characters, at most {maximum} are allowed."


_BLOCKS = {
    "header": an_object({"text": _plain(MAX_HEADER)}, {"block_id": _ID}),
    "section": _section,
    "divider": an_object({}, {"block_id": _ID}),
    "context": an_object({"elements": an_array(_words(MAX_SECTION), 1, 10)}, {"block_id": _ID}),
    "actions": an_object(
        {
            "elements": an_array(
                typed(button=_BUTTON, static_select=_SELECT, conversations_select=_CONVERSATIONS), 1, 25
            )
        },
        {"block_id": _ID},
    ),
    "rich_text": _RICH_TEXT,
}
_INPUT = an_object(
    {
        "label": _plain(2_000),
        "element": typed(
            plain_text_input=_TEXT_INPUT, static_select=_SELECT, conversations_select=_CONVERSATIONS
        ),
    },
    {"hint": _plain(2_000), "optional": a_boolean, "dispatch_action": a_boolean, "block_id": _ID},
)
# https://docs.slack.dev/reference/block-kit/blocks/table-block (messages only); our inputs are in modals.
_ON_SURFACE = {
    "message": typed(**_BLOCKS, table=_table),
    "modal": typed(**_BLOCKS, input=_INPUT),
    "home": typed(**_BLOCKS),
}


def _blocks(surface: Surface) -> Check:
    each = an_array(_ON_SURFACE[surface], 1, MAX_BLOCKS[surface])

    def check(value: object) -> Sequence[Problem]:
        found = [*each(value)]
        if isinstance(value, ARRAY):
            found += _repeated(value, "block_id")
            found += _repeated(_elements(value), "action_id")
            if sum(type_of(block) == "table" for block in value) > 1:
                found += wrong("a message may hold one table only.")
        if surface == "message" and (total := _characters(value)) > MAX_MESSAGE_CHARACTERS:
            found += wrong(_too_many(total, MAX_MESSAGE_CHARACTERS))
        return found

    return check


_BLOCKS_ON: dict[Surface, Check] = {surface: _blocks(surface) for surface in ("message", "modal", "home")}


def _elements(blocks: Sequence[object]) -> list[object]:
    """What can be clicked or filled in, of all blocks."""
    found: list[object] = []
    for block in blocks:
        if isinstance(block, dict):
            found += block["elements"] if isinstance(block.get("elements"), ARRAY) else []
            found += [block.get("element"), block.get("accessory")]
    return found


def _repeated(values: Sequence[object], key: str) -> list[Problem]:
    ids = [value[key] for value in values if isinstance(value, dict) and isinstance(value.get(key), str)]
    if len(ids) == len(set(ids)):
        return []
    repeated = sorted({each for each in ids if ids.count(each) > 1})
    return [("", f"the {key} {each!r} is used more than once.") for each in repeated]


_COUNTED = ("text", "fallback", "url")


def _characters(value: object) -> int:
    """Characters of all text inside; fallbacks of dates and addresses of links are likely counted, too."""
    total, waiting = 0, [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, dict):
            for key, inner in each.items():
                if not isinstance(inner, str):
                    waiting.append(inner)
                elif key in _COUNTED:
                    total += length(inner)
        elif isinstance(each, ARRAY):
            waiting += each
    return total


_VIEW = {"private_metadata": a_text(MAX_METADATA), "callback_id": _ID, "external_id": _ID}
_HOME = an_object({"blocks": lambda _: SOUND}, _VIEW)
_MODAL = an_object(
    {"title": _plain(MAX_TITLE), "blocks": lambda _: SOUND},
    {
        **_VIEW,
        "submit": _plain(MAX_TITLE),
        "close": _plain(MAX_TITLE),
        "clear_on_close": a_boolean,
        "notify_on_close": a_boolean,
    },
)
