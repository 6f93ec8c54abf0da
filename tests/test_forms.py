"""The form that sets up a digest: what it shows, what is filled in means, and where a mistake is told."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.blockkit import view_problems
from bot.chat import Form
from bot.errors import UsageError
from bot.forms import filled_in, form_view, in_words
from bot.sandbox import elements
from bot.subscribing import parse
from bot.subscriptions import Purpose, Subscription
from tests.oracle import unlabelled
from tests.test_subscribing import subscriptions

EMPTY = {"when": "daily", "time": "08:00", "zone": "UTC"}


def digest(text: str, purpose: Purpose = Purpose.DIGEST) -> Subscription:
    return parse(text, channel="C0KASP", purpose=purpose, default_zone="UTC")


def view(current: Subscription | None, purpose: Purpose = Purpose.DIGEST) -> dict[str, Any]:
    return dict(form_view(Form(purpose=purpose, current=current, zone="UTC"), private_metadata="token"))


def submitted(shown: Mapping[str, Any], **choices: str) -> dict[str, str]:
    """What Slack sends when these fields are filled in and the others are left as they are."""
    return filled_in({"values": elements.values(shown["blocks"], choices)})


@given(subscriptions)
def test_slack_takes_the_form_and_nothing_changed_is_nothing_changed(current: Subscription) -> None:
    shown = view(current)

    words, wrong = in_words(submitted(shown), Purpose.DIGEST)

    assert view_problems(shown) == []
    assert wrong == {}
    assert digest(words) == current


def test_a_new_one_begins_with_every_morning_in_the_zone_of_the_host() -> None:
    shown = dict(
        form_view(Form(purpose=Purpose.DIGEST, current=None, zone="Asia/Singapore"), private_metadata="x")
    )

    assert in_words(submitted(shown), Purpose.DIGEST) == ("daily 08:00 tz Asia/Singapore", {})


@pytest.mark.parametrize("purpose", Purpose)
def test_it_starts_with_its_label(purpose: Purpose) -> None:
    assert unlabelled(view(None, purpose)) == []


@pytest.mark.parametrize(
    ("choices", "meant"),
    [
        ({"when": "every 6h"}, "every 6h"),
        ({"when": "weekly mon", "time": "7:30", "zone": "singapore"}, "weekly mon 07:30 tz singapore"),
        ({"kinds": "domain, urls", "attach": "csv"}, "daily 08:00 kinds domain url attach csv"),
        ({"also": "families emotet say-nothing-new"}, "daily 08:00 families emotet say-nothing-new"),
    ],
)
def test_what_is_filled_in_means_the_same_as_typed(choices: dict[str, str], meant: str) -> None:
    words, wrong = in_words(submitted(view(None), **choices), Purpose.DIGEST)

    assert wrong == {}
    assert digest(words) == digest(meant)


@pytest.mark.parametrize(
    ("choices", "field", "told"),
    [
        ({"time": "25:00"}, "time", "from 00:00 to 23:59"),
        ({"zone": "Asia/Singapor"}, "zone", "Did you mean Asia/Singapore?"),
        ({"kinds": "domian"}, "kinds", "Did you mean “domain”?"),
        ({"also": "familys emotet"}, "also", "Did you mean “family”?"),
        ({"also": "weekly mon 08:00"}, "also", "on top of the same before"),
        ({"also": "cap TLP:RED"}, "also", "only the host sets"),
    ],
)
def test_a_mistake_is_told_at_its_field(choices: dict[str, str], field: str, told: str) -> None:
    _, wrong = in_words(submitted(view(None), **choices), Purpose.DIGEST)

    assert wrong.keys() == {field}
    assert told in wrong[field]


def test_a_summary_has_no_intervals_and_no_filters() -> None:
    shown = view(None, Purpose.SUMMARY)

    fields = [block["block_id"] for block in shown["blocks"] if block["type"] == "input"]
    assert fields == ["when", "time", "zone"]
    assert "every 6h" not in str(shown)
    assert in_words(submitted(shown), Purpose.SUMMARY) == ("daily 08:00 tz UTC", {})


@pytest.mark.parametrize(
    "state",
    [
        None,
        {"values": []},
        {"values": {"when": "daily"}},
        {"values": {"when": {"when": 7}}},
        {"values": {"when": {"when": {"selected_option": "daily", "value": 3}}}},
    ],
)
def test_odd_answers_count_as_empty(state: object) -> None:
    assert set(filled_in(state).values()) <= {""}


texts = st.text(max_size=30) | st.sampled_from(["daily", "every 6h", "kinds", "csv", "none", "tz", '"'])


@given(st.fixed_dictionaries(dict.fromkeys(("when", "time", "zone", "kinds", "attach", "also"), texts)))
def test_whatever_is_filled_in_is_understood_or_told_at_a_field(filled: dict[str, str]) -> None:
    words, wrong = in_words(filled, Purpose.DIGEST)

    assert wrong.keys() <= {"time", "zone", "kinds", "attach", "also"}
    if not wrong:
        assert is_understood(words)


def is_understood(words: str) -> bool:
    try:
        digest(words)
    except UsageError:
        return False
    return True
