"""Forms: the modal that sets up a digest or summary, and what was filled in there as words. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import time

from bot.chat import Form
from bot.errors import UsageError
from bot.layout import Block, Footnote, Heading, Words, blocks
from bot.schedules import HOURS, At, Days, Every, Schedule, zone_named
from bot.subscribing import choices_in_words, parse
from bot.subscriptions import Attach, Filters, Purpose, Subscription
from bot.tlp import Label

FORM_VIEW = "form_view"  # callback id
_NO_FILE = "none"
_EVERY_MORNING = At(Days.DAILY, time(8))
_LONGEST = 2_000  # characters of a field, as of a command
_HINT = "Times are local ones and follow clock changes. The same can be typed: “{purpose} on …”."


def form_view(form: Form, *, private_metadata: str) -> Block:
    """A modal with a field for each choice, filled in as it is set now."""
    return {
        "type": "modal",
        "callback_id": FORM_VIEW,
        "title": _plain(f"Set up the {form.purpose}"),
        "submit": _plain("Save"),
        "close": _plain("Cancel"),
        "private_metadata": private_metadata,
        "blocks": [*_heading(form.purpose), *_fields(form)],
    }


def in_words(filled: Mapping[str, str], purpose: Purpose) -> tuple[str, dict[str, str]]:
    """What to type behind `digest on` for the same, and what is wrong, by field."""
    when, zone = filled.get("when", ""), filled.get("zone", "")
    at = "" if when.startswith("every") else filled.get("time", "")
    kinds, attach, also = (filled.get(name, "").strip() for name in ("kinds", "attach", "also"))
    words = {
        "time": f"{when} {at}",
        "zone": f"tz {zone}",
        "kinds": f"kinds {kinds}" if kinds else "",
        "attach": f"attach {attach}" if attach not in ("", _NO_FILE) else "",
        "also": also,
    }
    wrong = {
        name: told for name, each in words.items() if each and (told := _mistake(name, each, zone, purpose))
    }
    said = " ".join(filter(None, words.values()))
    if not wrong and (told := _mistake("", said, zone, purpose)):  # each is right, but not all together
        wrong = {"also" if also else "time": told}
    return said, wrong


def filled_in(state: object) -> dict[str, str]:
    """The fields of `view.state.values` as Slack sends it; anything odd counts as left empty."""
    values = state.get("values") if isinstance(state, Mapping) else None
    found: dict[str, str] = {}
    for block_id, actions in values.items() if isinstance(values, Mapping) else ():
        for entry in actions.values() if isinstance(actions, Mapping) else ():
            found[str(block_id)] = _value(entry)
    return found


def _value(entry: object) -> str:
    if not isinstance(entry, Mapping):
        return ""
    option = entry.get("selected_option")
    value = option.get("value") if isinstance(option, Mapping) else entry.get("value")
    return value if isinstance(value, str) else ""


def _mistake(field: str, words: str, zone: str, purpose: Purpose) -> str:
    try:
        if field == "zone":
            zone_named(zone)
        else:
            parse(words, channel="", purpose=purpose, default_zone="UTC")
    except UsageError as error:
        return str(error)
    return ""


def _heading(purpose: Purpose) -> tuple[Block, ...]:
    hint = Words(_HINT.format(purpose=purpose))
    return blocks([Heading(Words(f"{Label.GREEN} · {purpose} of this channel")), Footnote(hint)])


def _fields(form: Form) -> Iterator[Block]:
    schedule = form.current.schedule if form.current else Schedule(_EVERY_MORNING, form.zone)
    at = schedule.when if isinstance(schedule.when, At) else _EVERY_MORNING
    when = str(schedule.when if isinstance(schedule.when, Every) else at.days)
    yield _input("when", "When", _menu("when", _whens(form.purpose), when))
    hint = "" if form.purpose is Purpose.SUMMARY else "Not used by “every … h”."
    yield _input("time", "Time of day", _text("time", f"{at.time:%H:%M}"), hint=hint)
    yield _input("zone", "Time zone", _text("zone", schedule.zone))
    if form.purpose is Purpose.DIGEST:
        yield from _choices(form.current)


def _whens(purpose: Purpose) -> tuple[str, ...]:
    intervals = () if purpose is Purpose.SUMMARY else tuple(str(Every(hours)) for hours in HOURS)
    return (*Days, *intervals)


def _choices(current: Subscription | None) -> Iterator[Block]:
    kinds = ", ".join(sorted(current.filters.kinds)) if current else ""
    yield _input(
        "kinds", "Kinds", _text("kinds", kinds), optional=True, hint="For example: domain, url. Empty: all."
    )
    attach = current.attach.value if current and current.attach else _NO_FILE
    yield _input("attach", "The full list as a file", _menu("attach", (_NO_FILE, *Attach), attach))
    also = choices_in_words(_others(current)) if current else ""
    hint = "For example: families emotet, qakbot sources kaspersky min-confidence 50 say-nothing-new"
    yield _input("also", "Families, sources and more", _text("also", also), optional=True, hint=hint)


def _others(current: Subscription) -> Subscription:
    """What has no field of its own."""
    return replace(current, attach=None, filters=replace(current.filters, kinds=Filters().kinds))


# --- Block Kit -----------------------------------------------------------------------------------------


def _input(name: str, label: str, element: Block, *, optional: bool = False, hint: str = "") -> Block:
    more: Block = {"hint": _plain(hint)} if hint else {}
    return {
        "type": "input",
        "block_id": name,
        "label": _plain(label),
        "element": element,
        "optional": optional,
        **more,
    }


def _text(name: str, value: str) -> Block:
    more: Block = {"initial_value": value} if value else {}
    return {"type": "plain_text_input", "action_id": name, "max_length": _LONGEST, **more}


def _menu(name: str, values: Iterable[str], initial: str) -> Block:
    options: list[Block] = [{"text": _plain(value), "value": value} for value in map(str, values)]
    [first] = [option for option in options if option["value"] == initial]
    return {"type": "static_select", "action_id": name, "options": options, "initial_option": first}


def _plain(text: str) -> Block:
    return {"type": "plain_text", "text": text}
