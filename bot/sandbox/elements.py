"""Buttons, menus and input fields in blocks: finding them, and what Slack says about a choice."""

from collections.abc import Iterator, Mapping, Sequence

from bot.sandbox.workspace import Json, SlackError

_TEXT = ("plain_text_input", "email_text_input", "number_input", "url_text_input")
_ONE_OPTION = ("static_select", "radio_buttons", "overflow")
_OPTIONS = ("multi_static_select", "checkboxes")
# kind of element -> the key of its choice; `initial_...` is derived from it
_PLAIN = {
    "conversations_select": "selected_conversation",
    "channels_select": "selected_channel",
    "users_select": "selected_user",
    "datepicker": "selected_date",
    "timepicker": "selected_time",
    "multi_conversations_select": "selected_conversations",
    "multi_channels_select": "selected_channels",
    "multi_users_select": "selected_users",
}
Choice = str | Sequence[str]


def interactive(blocks: Sequence[Json]) -> Iterator[tuple[str, Json]]:
    """Every element that a person can use, with the id of its block."""
    for block in blocks:
        block_id = str(block.get("block_id", ""))
        if block.get("type") in ("actions", "context_actions"):
            yield from ((block_id, element) for element in block.get("elements", ()))
        elif block.get("type") == "section" and "accessory" in block:
            yield block_id, block["accessory"]
        elif block.get("type") == "input":
            yield block_id, block["element"]


def find(blocks: Sequence[Json], action_id: str, block_id: str | None = None) -> tuple[str, Json]:
    """The element of that action_id; raises SlackError action_not_found when nothing like it can be used."""
    for found_in, element in interactive(blocks):
        if element.get("action_id") == action_id and block_id in (None, found_in):
            return found_in, element
    raise SlackError("action_not_found")


def action(block_id: str, element: Json, choice: Choice | None) -> Json:
    """What stands in `actions` of a payload."""
    done: Json = {"type": element["type"], "action_id": element["action_id"], "block_id": block_id}
    if element["type"] == "button":
        return {
            **done,
            "text": element["text"],
            **{k: element[k] for k in ("value", "style") if k in element},
        }
    return {**done, **(_chosen(element, choice) if choice is not None else {})}


def values(blocks: Sequence[Json], choices: Mapping[str, Choice]) -> Json:
    """`state.values`: what is filled in, by block and action; keys of `choices` are block_ids or action_ids.

    Raises SlackError unknown_field, option_not_found.
    """
    state: Json = {}
    known: set[str] = set()
    for block_id, element in interactive(blocks):
        if element["type"] == "button":
            continue
        action_id = element["action_id"]
        known |= {block_id, action_id}
        choice = choices.get(action_id, choices.get(block_id))
        chosen = _initial(element) if choice is None else _chosen(element, choice)
        state.setdefault(block_id, {})[action_id] = {"type": element["type"], **chosen}
    if unknown := sorted(set(choices) - known):
        raise SlackError("unknown_field", fields=unknown)
    return state


def mistakes(blocks: Sequence[Json], state: Json) -> Json:
    """What Slack's own form refuses before it asks the app: block_id -> sentence."""
    found: Json = {}
    for block in blocks:
        if block.get("type") != "input":
            continue
        element = block["element"]
        entry = state[block["block_id"]][element["action_id"]]
        chosen = next((value for key, value in entry.items() if key != "type"), None)
        if not chosen and not block.get("optional", False):
            found[block["block_id"]] = "Please complete this required field."
        elif isinstance(chosen, str) and len(chosen) > element.get("max_length", 3000):
            found[block["block_id"]] = (
                f"This is too long: at most {element.get('max_length', 3000)} characters."
            )
    return found


def _chosen(element: Json, choice: Choice) -> Json:
    kind = element["type"]
    if kind in _TEXT:
        return {"value": choice}
    if kind in _ONE_OPTION:
        return {"selected_option": _option(element, str(choice))}
    if kind in _OPTIONS:
        wanted = [choice] if isinstance(choice, str) else choice
        return {"selected_options": [_option(element, each) for each in wanted]}
    if kind in _PLAIN:
        return {_PLAIN[kind]: choice}
    raise SlackError("unknown_element", type=kind)


def _initial(element: Json) -> Json:
    kind = element["type"]
    if kind in _TEXT:
        return {"value": element.get("initial_value")}
    if kind in _ONE_OPTION:
        return {"selected_option": element.get("initial_option")}
    if kind in _OPTIONS:
        return {"selected_options": element.get("initial_options", [])}
    key = _PLAIN[kind]
    return {key: element.get(key.replace("selected", "initial"))}


def _option(element: Json, value: str) -> Json:
    groups = element.get("option_groups") or [{"options": element.get("options", ())}]
    for option in (option for group in groups for option in group["options"]):
        if option["value"] == value:
            return dict(option)
    raise SlackError("option_not_found", value=value)
