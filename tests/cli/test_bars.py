"""A benchmark ends with what it missed, and says so if that was nothing."""

from bot.cli.bars import ms, verdict


def test_what_was_missed_is_named_below_the_figures() -> None:
    assert verdict(["too slow", "too late"], width=10) == ["MISSED    too slow", "MISSED    too late"]


def test_that_nothing_was_missed_is_said() -> None:
    assert verdict([]) == ["every bar holds"]


def test_times_are_written_in_milliseconds() -> None:
    assert ms(0.01234) == "12.3 ms"
