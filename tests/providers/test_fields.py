"""Fields of answers: whatever a service sends becomes one bounded value or nothing."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.findings import MAX_FACTS
from bot.providers.fields import (
    MAX_TEXT,
    facts,
    hexadecimal,
    items,
    listed,
    mapping,
    moment,
    number,
    objects,
    text,
    unix_moment,
)

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=500),
    lambda inner: st.lists(inner, max_size=9) | st.dictionaries(st.text(), inner, max_size=9),
)


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ("Agent Tesla", "Agent Tesla"),
        ("  two\nlines\tand\x00 a bell\x07 ", "two lines and a bell"),
        ("\u2028\x85half \ud83d", "half"),
        ("<!channel> *bold* & ünïcødé", "<!channel> *bold* & ünïcødé"),
        (472064, "472064"),
        (1.5, "1.5"),
        (10**300, None),
        (float("nan"), None),
        (float("inf"), None),
        (True, None),
        ("", None),
        (" \n ", None),
        (None, None),
        (["a"], None),
        ({"a": "b"}, None),
    ],
)
def test_a_text_is_one_line_without_controls(value: object, read: str | None) -> None:
    assert text(value) == read


def test_a_long_text_is_cut_and_says_so() -> None:
    assert text("x" * 1_000_000) == "x" * (MAX_TEXT - 1) + "…"
    assert text("x" * 11, at_most=10) == "xxxxxxxxx…"
    assert text("x" * 10, at_most=10) == "x" * 10


@pytest.mark.parametrize(
    ("value", "read"),
    [
        (7, 7),
        ("2342", 2342),
        (" 75 ", 75),
        (-3, -3),
        ("-3", -3),
        (75.0, 75),
        (75.5, None),
        ("75.5", None),
        ("1e3", None),
        ("٧", None),
        (True, None),
        (None, None),
        (float("nan"), None),
        (10**30, None),
        ("9" * 5000, None),
        ("", None),
        ([7], None),
    ],
)
def test_a_number_is_whole_and_not_huge(value: object, read: int | None) -> None:
    assert number(value) == read


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ("2020-02-13 11:55:46", datetime(2020, 2, 13, 11, 55, 46, tzinfo=UTC)),
        ("2020-02-13 11:55:46 UTC", datetime(2020, 2, 13, 11, 55, 46, tzinfo=UTC)),
        ("2020-02-13T11:55Z", datetime(2020, 2, 13, 11, 55, tzinfo=UTC)),
        ("2020-02-13T11:55:46.123456789Z", datetime(2020, 2, 13, 11, 55, 46, 123456, tzinfo=UTC)),
        ("2020-02-13T11:55:46.1Z", datetime(2020, 2, 13, 11, 55, 46, 100000, tzinfo=UTC)),
        ("2020-02-13T11:55:46+02:00", datetime(2020, 2, 13, 9, 55, 46, tzinfo=UTC)),
        (" 2020-02-13 ", datetime(2020, 2, 13, tzinfo=UTC)),
        ("2020-02-31 00:00:00", None),
        ("2020-02-13 25:00:00", None),
        ("2020-02-13 11:55:46+99:00", None),
        ("0001-01-01T00:00:00+23:59", None),
        ("9999-12-31T23:59:59-23:59", None),
        ("1970-01-01 00:00:00", None),
        ("20200213", None),
        ("yesterday", None),
        ("", None),
        (None, None),
        (1581594946, None),
        (["2020-02-13"], None),
    ],
)
def test_a_moment_is_read_however_it_is_written(value: object, read: datetime | None) -> None:
    assert moment(value) == read


@pytest.mark.parametrize(
    ("value", "read"),
    [
        (1581594946, datetime(2020, 2, 13, 11, 55, 46, tzinfo=UTC)),
        ("1581594946", datetime(2020, 2, 13, 11, 55, 46, tzinfo=UTC)),
        ("1581594946.5", datetime(2020, 2, 13, 11, 55, 46, 500000, tzinfo=UTC)),
        (0, None),
        (-1, None),
        (10**300, None),
        (1e300, None),
        (float("nan"), None),
        (True, None),
        ("soon", None),
        (None, None),
    ],
)
def test_seconds_since_1970_are_a_moment(value: object, read: datetime | None) -> None:
    assert unix_moment(value) == read


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ("AB" * 32, "ab" * 32),
        ("ab" * 31, None),
        ("ab" * 31 + "g1", None),
        ("ab" * 31 + "/.", None),
        ("ab" * 31 + "a\n", None),
        ("１" * 64, None),
        (None, None),
        (["ab" * 32], None),
    ],
)
def test_hexadecimal_digits_are_counted(value: object, read: str | None) -> None:
    assert hexadecimal(value, 64) == read


def test_objects_and_lists_are_what_they_should_be_or_empty() -> None:
    assert mapping({"a": 1}) == {"a": 1}
    assert mapping("no") == mapping(None) == mapping([{}]) == {}
    assert items([1, 2, 3], at_most=2) == [1, 2]
    assert items("no") == items({"a": 1}) == items(None) == []
    assert objects([{"a": 1}, None, "b", {"c": 2}, {"d": 3}], at_most=4) == [{"a": 1}, {"c": 2}]


@pytest.mark.parametrize(
    ("values", "read"),
    [
        (["a", "b"], "a, b"),
        (["a", "a", None, {}, "b"], "a, b"),
        (list("abcdefg"), "a, b, c, d, e and 2 more"),
        ([], None),
        ([None], None),
    ],
)
def test_several_texts_are_listed_as_one(values: list[Any], read: str | None) -> None:
    assert listed(values) == read


def test_facts_that_are_unknown_are_left_out_and_never_too_many() -> None:
    assert facts(("type", "exe"), ("size", None)) == (("type", "exe"),)
    assert len(facts(*[("name", str(each)) for each in range(100)])) == MAX_FACTS


@given(ANYTHING)
def test_nothing_that_is_sent_raises_or_is_long(value: object) -> None:
    for read in (text(value), listed(items(value)), listed([value])):
        assert read is None or 0 < len(read) <= MAX_TEXT
    assert (number(value) or 0) < 10**15
    for time in (moment(value), unix_moment(value)):
        assert time is None or time.utcoffset() == UTC.utcoffset(None)
    hexadecimal(value, 64), mapping(value), objects(value)
