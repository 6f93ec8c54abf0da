"""Block Kit as we use it: every rule and limit of Slack that a payload of ours must keep.

https://docs.slack.dev/reference/block-kit, checked strictly: what we never use is refused, too.
Pure: the sandbox answers with it as Slack would, and the outbox asks it about every message. Paths are put
together on the way back from a problem, so that what is sound costs little.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Literal

Surface = Literal["message", "modal", "home"]
Problem = tuple[str, str]  # the path from the value to what is wrong, and a sentence about it
Check = Callable[[object], Sequence[Problem]]

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


_UNSENDABLE = re.compile("[\0\ud800-\udfff]")


def problems(blocks: Sequence[Mapping[str, object]], *, surface: Surface = "message") -> list[str]:
    """Everything Slack would refuse in these blocks, a sentence each with its JSON path; empty if none."""
    return _told("blocks", _BLOCKS_ON[surface](blocks))


def message_problems(message: Mapping[str, object]) -> list[str]:
    """The same for a message: its `text` (which must be there: it is the notification) and `blocks`."""
    found = _told("text", _FALLBACK(message.get("text")))
    if "blocks" in message:
        found += _told("blocks", _BLOCKS_ON["message"](message["blocks"]))
    return found


def view_problems(view: Mapping[str, object]) -> list[str]:
    """The same for a modal or home view."""
    surface: Surface = "home" if view.get("type") == "home" else "modal"
    found = _told("view", (_MODAL if surface == "modal" else _HOME)(view))
    blocks = view.get("blocks")
    found += _told("view.blocks", _BLOCKS_ON[surface](blocks))
    if "submit" not in view and isinstance(blocks, _ARRAY) and "input" in map(_type_of, blocks):
        found.append("view.submit: must be there, since the view has input blocks.")
    return found


def length(text: str) -> int:
    """Characters as JavaScript counts them, which is never fewer than Slack does."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def _told(root: str, found: Sequence[Problem]) -> list[str]:
    return [f"{root}{path}: {sentence}" for path, sentence in found]


# --- what a value may be -------------------------------------------------------------------------------

_SOUND: Sequence[Problem] = ()
_ARRAY = (list, tuple)


def _wrong(sentence: str) -> list[Problem]:
    """A problem of the value itself."""
    return [("", sentence)]


def _below(step: str, found: Sequence[Problem]) -> list[Problem]:
    """The problems of a part, seen from the whole."""
    return [(step + path, sentence) for path, sentence in found]


def _text(maximum: int) -> Check:
    def check(value: object) -> Sequence[Problem]:
        if not isinstance(value, str):
            return _wrong("must be a string.")
        if not value or value.isspace():
            return _wrong("must not be empty.")
        if _UNSENDABLE.search(value):
            return _wrong("holds a character that cannot be sent (NUL or half of a surrogate pair).")
        if length(value) > maximum:
            return _wrong(f"has {length(value)} characters, at most {maximum} are allowed.")
        return _SOUND

    return check


def _inline(value: object) -> Sequence[Problem]:
    """A piece of running text: a single space or line break is a piece, nothing at all is not."""
    return _FALLBACK("x" if isinstance(value, str) and value.isspace() else value)


def _boolean(value: object) -> Sequence[Problem]:
    return _SOUND if isinstance(value, bool) else _wrong("must be true or false.")


def _whole(low: int, high: int) -> Check:
    def check(value: object) -> Sequence[Problem]:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            return _wrong(f"must be a whole number from {low} to {high}.")
        return _SOUND

    return check


def _one_of(*words: str) -> Check:
    def check(value: object) -> Sequence[Problem]:
        return _SOUND if value in words else _wrong(f"must be one of {', '.join(words)}.")

    return check


def _array(item: Check, low: int, high: int) -> Check:
    def check(value: object) -> Sequence[Problem]:
        if not isinstance(value, _ARRAY):
            return _wrong("must be an array.")
        found: list[Problem] = []
        if not low <= len(value) <= high:
            found += _wrong(f"has {len(value)} items, from {low} to {high} are allowed.")
        for number, each in enumerate(value):
            if wrong := item(each):
                found += _below(f"[{number}]", wrong)
        return found

    return check


def _object(required: Mapping[str, Check], optional: Mapping[str, Check] | None = None) -> Check:
    known = {**required, **(optional or {})}

    def check(value: object) -> Sequence[Problem]:
        if not isinstance(value, dict):
            return _wrong("must be an object.")
        found: list[Problem] = [(f".{key}", "is missing.") for key in required if key not in value]
        for key, each in value.items():
            if key in known:
                if wrong := known[key](each):
                    found += _below(f".{key}", wrong)
            elif key != "type":
                found.append((f".{key}", "is not a key Slack knows here."))
        return found

    return check


def _typed(**types: Check) -> Check:
    """An object whose `type` says which check it must pass."""

    def check(value: object) -> Sequence[Problem]:
        kind = _type_of(value)
        if kind in types:
            return types[kind](value)
        return _wrong(f"must be an object of type {' or '.join(types)}, not {kind or 'none'}.")

    return check


def _type_of(value: object) -> str:
    kind = value.get("type") if isinstance(value, dict) else None
    return kind if isinstance(kind, str) else ""


_FALLBACK = _text(MAX_TEXT)

# --- text objects and elements -------------------------------------------------------------------------


def _plain(maximum: int) -> Check:
    return _typed(plain_text=_object({"text": _text(maximum)}, {"emoji": _boolean}))


def _words(maximum: int) -> Check:
    return _typed(
        plain_text=_plain(maximum), mrkdwn=_object({"text": _text(maximum)}, {"verbatim": _boolean})
    )


_ID = _text(255)
_URL = _text(3_000)
_CONFIRM = _object(
    {"title": _plain(100), "text": _words(300), "confirm": _plain(30), "deny": _plain(30)},
    {"style": _one_of("primary", "danger")},
)
_BUTTON = _object(
    {"text": _plain(MAX_BUTTON), "action_id": _ID},
    {
        "value": _text(2_000),
        "url": _URL,
        "style": _one_of("primary", "danger"),
        "confirm": _CONFIRM,
        "accessibility_label": _text(75),
    },
)
_OPTION = _object({"text": _plain(75), "value": _text(150)}, {"description": _plain(75)})
_SELECT = _object(
    {"action_id": _ID, "options": _array(_OPTION, 1, 100)},
    {"placeholder": _plain(150), "initial_option": _OPTION},
)
_CONVERSATIONS = _object(
    {"action_id": _ID},
    {
        "placeholder": _plain(150),
        "initial_conversation": _ID,
        "default_to_current_conversation": _boolean,
        "response_url_enabled": _boolean,
    },
)
_TEXT_INPUT = _object(
    {"action_id": _ID},
    {
        "placeholder": _plain(150),
        "initial_value": _text(3_000),
        "multiline": _boolean,
        "min_length": _whole(0, 3_000),
        "max_length": _whole(1, 3_000),
    },
)

# --- rich text -----------------------------------------------------------------------------------------

_STYLE = _object({}, dict.fromkeys(("bold", "italic", "strike", "code", "underline"), _boolean))
_RICH_WORDS = _object({"text": _inline}, {"style": _STYLE})
_RICH_LINK = _object({"url": _URL}, {"text": _inline, "style": _STYLE, "unsafe": _boolean})
_RICH_ELEMENT = _typed(
    text=_RICH_WORDS,
    link=_RICH_LINK,
    date=_object(
        {"timestamp": _whole(1, 253_402_300_799), "format": _text(255)},
        {"fallback": _text(255), "url": _URL, "style": _STYLE},
    ),
    emoji=_object({"name": _text(100)}, {"unicode": _text(100), "style": _STYLE}),
    user=_object({"user_id": _ID}, {"style": _STYLE}),
    channel=_object({"channel_id": _ID}, {"style": _STYLE}),
    usergroup=_object({"usergroup_id": _ID}, {"style": _STYLE}),
    broadcast=_object({"range": _one_of("here", "channel", "everyone")}),
)
_RICH_SECTION = _object({"elements": _array(_RICH_ELEMENT, 1, 1_000)})
_BORDER = {"border": _whole(0, 1)}
_RICH_TEXT = _object(
    {
        "elements": _array(
            _typed(
                rich_text_section=_RICH_SECTION,
                rich_text_quote=_object({"elements": _array(_RICH_ELEMENT, 1, 1_000)}, _BORDER),
                rich_text_preformatted=_object(
                    {"elements": _array(_typed(text=_RICH_WORDS, link=_RICH_LINK), 1, 1_000)}, _BORDER
                ),
                rich_text_list=_object(
                    {
                        "style": _one_of("bullet", "ordered"),
                        "elements": _array(_typed(rich_text_section=_RICH_SECTION), 1, 1_000),
                    },
                    {"indent": _whole(0, 8), "offset": _whole(0, 1_000), **_BORDER},
                ),
            ),
            1,
            100,
        )
    },
    {"block_id": _ID},
)

# --- blocks --------------------------------------------------------------------------------------------


_SECTION = _object(
    {},
    {
        "text": _words(MAX_SECTION),
        "fields": _array(_words(MAX_FIELD), 1, 10),
        "accessory": _typed(button=_BUTTON, static_select=_SELECT),
        "block_id": _ID,
    },
)
_CELL = _typed(raw_text=_object({"text": _text(MAX_TABLE_CHARACTERS)}), rich_text=_RICH_TEXT)
_COLUMN = _object({}, {"align": _one_of("left", "center", "right"), "is_wrapped": _boolean})
_TABLE = _object(
    {"rows": _array(_array(_CELL, 1, MAX_TABLE_CELLS), 1, MAX_TABLE_ROWS)},
    {"column_settings": _array(_COLUMN, 0, MAX_TABLE_CELLS), "block_id": _ID},
)


def _section(value: object) -> Sequence[Problem]:
    found = _SECTION(value)
    if isinstance(value, dict) and not value.keys() & {"text", "fields"}:
        return [*found, *_wrong("needs text or fields.")]
    return found


def _table(value: object) -> Sequence[Problem]:
    found = [*_TABLE(value)]
    rows = value.get("rows") if isinstance(value, dict) else None
    if isinstance(rows, _ARRAY):
        widths = {len(row) for row in rows if isinstance(row, _ARRAY)}
        if len(widths) > 1:
            sentence = f"have {min(widths)} to {max(widths)} cells, all must have the same number."
            found.append((".rows", sentence))
        if (total := _characters(rows)) > MAX_TABLE_CHARACTERS:
            found.append((".rows", _too_many(total, MAX_TABLE_CHARACTERS)))
    return found


def _too_many(characters: int, maximum: int) -> str:
    return f"have {characters} characters, at most {maximum} are allowed."


_BLOCKS = {
    "header": _object({"text": _plain(MAX_HEADER)}, {"block_id": _ID}),
    "section": _section,
    "divider": _object({}, {"block_id": _ID}),
    "context": _object({"elements": _array(_words(MAX_SECTION), 1, 10)}, {"block_id": _ID}),
    "actions": _object(
        {
            "elements": _array(
                _typed(button=_BUTTON, static_select=_SELECT, conversations_select=_CONVERSATIONS), 1, 25
            )
        },
        {"block_id": _ID},
    ),
    "rich_text": _RICH_TEXT,
}
_INPUT = _object(
    {
        "label": _plain(2_000),
        "element": _typed(
            plain_text_input=_TEXT_INPUT, static_select=_SELECT, conversations_select=_CONVERSATIONS
        ),
    },
    {"hint": _plain(2_000), "optional": _boolean, "dispatch_action": _boolean, "block_id": _ID},
)
# https://docs.slack.dev/reference/block-kit/blocks/table-block (messages only); our inputs are in modals.
_ON_SURFACE = {
    "message": _typed(**_BLOCKS, table=_table),
    "modal": _typed(**_BLOCKS, input=_INPUT),
    "home": _typed(**_BLOCKS),
}


def _blocks(surface: Surface) -> Check:
    each = _array(_ON_SURFACE[surface], 1, MAX_BLOCKS[surface])

    def check(value: object) -> Sequence[Problem]:
        found = [*each(value)]
        if isinstance(value, _ARRAY):
            found += _repeated(value, "block_id")
            found += _repeated(_elements(value), "action_id")
            if sum(_type_of(block) == "table" for block in value) > 1:
                found += _wrong("a message may hold one table only.")
        if surface == "message" and (total := _characters(value)) > MAX_MESSAGE_CHARACTERS:
            found += _wrong(_too_many(total, MAX_MESSAGE_CHARACTERS))
        return found

    return check


_BLOCKS_ON: dict[Surface, Check] = {surface: _blocks(surface) for surface in ("message", "modal", "home")}


def _elements(blocks: Sequence[object]) -> list[object]:
    """What can be clicked or filled in, of all blocks."""
    found: list[object] = []
    for block in blocks:
        if isinstance(block, dict):
            found += block["elements"] if isinstance(block.get("elements"), _ARRAY) else []
            found += [block.get("element"), block.get("accessory")]
    return found


def _repeated(values: Sequence[object], key: str) -> list[Problem]:
    ids = [value[key] for value in values if isinstance(value, dict) and isinstance(value.get(key), str)]
    if len(ids) == len(set(ids)):
        return []
    repeated = sorted({each for each in ids if ids.count(each) > 1})
    return [("", f"the {key} {each!r} is used more than once.") for each in repeated]


_COUNTED = ("text", "fallback")


def _characters(value: object) -> int:
    """Characters of all text inside, fallbacks of dates included."""
    total, waiting = 0, [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, dict):
            for key, inner in each.items():
                if not isinstance(inner, str):
                    waiting.append(inner)
                elif key in _COUNTED:
                    total += length(inner)
        elif isinstance(each, _ARRAY):
            waiting += each
    return total


_VIEW = {"private_metadata": _text(MAX_METADATA), "callback_id": _ID, "external_id": _ID}
_HOME = _object({"blocks": lambda _: _SOUND}, _VIEW)
_MODAL = _object(
    {"title": _plain(MAX_TITLE), "blocks": lambda _: _SOUND},
    {
        **_VIEW,
        "submit": _plain(MAX_TITLE),
        "close": _plain(MAX_TITLE),
        "clear_on_close": _boolean,
        "notify_on_close": _boolean,
    },
)
