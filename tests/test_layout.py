"""Text is made safe in one place: whatever comes in, nothing hidden, live or too long goes out."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.blockkit import problems
from bot.checks import length
from bot.layout import (
    MAX_PAGE,
    Bullets,
    Footnote,
    Heading,
    Line,
    Paragraph,
    Part,
    Quote,
    Table,
    When,
    Words,
    blocks,
    clean,
    joined,
    pages,
    plain,
    when,
    words,
)
from tests.hostile import texts
from tests.oracle import unsafe

parts = st.one_of(
    texts.map(lambda text: Paragraph(((words(text), Words(" "), words(text, "code")),))),
    texts.map(lambda text: Quote(words(text, at_most=2_000))),
    texts.map(lambda text: Footnote(words(text))),
    st.lists(texts, min_size=1, max_size=30).map(
        lambda items: Bullets(tuple((words(item),) for item in items))
    ),
    st.lists(texts, min_size=1, max_size=30).map(
        lambda items: Table(
            (words("a"), words("b")), tuple(((words(item),), (words("x"),)) for item in items)
        )
    ),
)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\u202eb\u200bc\u2066d", "abcd"),
        ("a\0b\x1b[31mc", "ab[31mc"),
        ("one\n two\r\n\tthree\u2028four", "one two three four"),
        ("e\u0301", "é"),
        ("x" + "\u0301" * 40, "x" + "\u0301" * 3),
        ("a\ud800b", "ab"),
        ("\u3164\u115f", ""),
        ("  spaced  ", "spaced"),
    ],
)
def test_text_becomes_one_visible_line(text: str, shown: str) -> None:
    assert clean(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("http://evil.example/a", "hxxp://evil[.]example/a"),
        ("evil\u200b.example", "evil[.]example"),
        ("", "–"),
        ("\u200b", "–"),
        ("abcdefghijklmnopqrstuvwxyz", "abcdefghijklmno…"),
        ("x evil.example and more", "x evil[.]exampl…"),
        ("😀" * 20, "😀" * 7 + "…"),
    ],
)
def test_words_are_defanged_and_fit(text: str, shown: str) -> None:
    at_most = 40 if "http" in text else 16
    assert words(text, at_most=at_most).text == shown


@given(text=texts, at_most=st.integers(1, 60))
def test_words_are_safe_and_never_too_long(text: str, at_most: int) -> None:
    shown = words(text, at_most=at_most).text
    assert 1 <= length(shown) <= at_most
    assert unsafe([shown]) == []


def test_a_huge_text_is_cut_quickly() -> None:
    assert length(words("<&.com\u200b" * 200_000, at_most=300).text) <= 300


def test_a_time_is_shown_in_the_zone_of_the_reader() -> None:
    moment = when(datetime(2026, 11, 21, 8, 30, tzinfo=UTC))
    assert moment == When(1795249800, "2026-11-21 08:30 UTC")
    assert plain([Paragraph(((moment,),))], at_most=100) == (
        "<!date^1795249800^{date_num} {time}|2026-11-21 08:30 UTC>"
    )


def test_a_time_before_slack_can_count_is_written_out() -> None:
    assert when(datetime(1969, 12, 31, 23, 59, tzinfo=UTC)) == Words("1969-12-31 23:59 UTC")


def test_plain_text_is_cut_between_lines_and_says_so() -> None:
    lines = tuple((words(f"line {number} & more"),) for number in range(9))
    assert plain([Bullets(lines)], at_most=59) == (
        "• line 0 &amp; more\n• line 1 &amp; more\n… 7 more lines in the message itself"
    )


def test_plain_text_says_the_same_as_the_blocks() -> None:
    row: tuple[Line, ...] = ((words("a"),), (words("b", "code"), Words(" "), words("c")))
    shown: list[Part] = [
        Heading(words("T")),
        Quote(words("q")),
        Table((words("A"), words("B")), (row,)),
        Footnote(words("f")),
    ]
    assert plain(shown, at_most=100) == "T\n“q”\n• a · b c\nf"
    assert [block["type"] for block in blocks(shown)] == ["header", "rich_text", "table", "context"]
    assert [block["type"] for block in blocks(shown, tables=False)][2] == "rich_text"


def test_runs_of_pieces_are_joined_without_the_empty_ones() -> None:
    assert joined([(), (words("a"),), (), (words("b"),)]) == (Words("a"), Words(" · "), Words("b"))


@given(shown=st.lists(parts, min_size=1, max_size=12))
def test_every_page_fits_into_a_message(shown: list[Part]) -> None:
    for page in pages(shown):
        built = blocks(page)
        assert problems(built) == []
        assert unsafe({"text": plain(page, at_most=3_800), "blocks": built}) == []


@given(shown=st.lists(parts, min_size=1, max_size=12))
def test_pages_lose_nothing(shown: list[Part]) -> None:
    everything = plain(shown, at_most=10**9)
    assert "\n".join(plain(page, at_most=10**9) for page in pages(shown)) == everything


def test_long_tables_and_lists_are_cut_into_pages() -> None:
    rows: tuple[tuple[Line, ...], ...] = tuple(((words(f"{number} " + "x" * 200),),) for number in range(500))
    cut = list(pages([Table((words("head"),), rows)]))
    assert sum(len(part.rows) for page in cut for part in page if isinstance(part, Table)) == 500
    assert all(length(plain(page, at_most=10**9)) <= MAX_PAGE for page in cut)
