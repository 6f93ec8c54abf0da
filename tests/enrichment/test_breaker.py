"""When a service is left alone, and for how long."""

from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.enrichment.breaker import LONGEST_SECONDS, MOST_PATIENCE, Breaker, Refusal
from bot.findings import Outcome
from tests.enrichment.parts import Hands

FAILING = [Outcome.TIMEOUT, Outcome.UNAVAILABLE, Outcome.BAD_ANSWER]


def breaker(jitter: float = 0.0) -> tuple[Breaker, Hands]:
    hands = Hands()
    return Breaker(hands.time, lambda: jitter), hands


def end(breaker: Breaker, outcome: Outcome | None, again_in: float | None = None) -> None:
    breaker.end(breaker.begin(), outcome, again_in)


def opened(jitter: float = 0.0) -> tuple[Breaker, Hands]:
    one, hands = breaker(jitter)
    for _ in range(5):
        end(one, Outcome.TIMEOUT)
    return one, hands


@pytest.mark.parametrize("outcome", FAILING)
def test_five_failures_in_a_row_end_the_questions_for_a_while(outcome: Outcome) -> None:
    one, hands = breaker()

    for _ in range(4):
        end(one, outcome)
    assert one.refusal() is None
    end(one, outcome)

    assert one.refusal() == Refusal(Outcome.UNAVAILABLE, 15.0)
    hands.advance(14.0)
    assert one.refusal() == Refusal(Outcome.UNAVAILABLE, 1.0)
    hands.advance(1.0)
    assert one.refusal() is None


@pytest.mark.parametrize("outcome", [Outcome.FOUND, Outcome.NOT_FOUND])
def test_an_answer_ends_a_row_of_failures(outcome: Outcome) -> None:
    one, _ = breaker()

    for _ in range(3):
        for _ in range(4):
            end(one, Outcome.TIMEOUT)
        end(one, outcome)

    assert one.refusal() is None


def test_after_a_pause_one_call_tries_and_the_others_wait_for_it() -> None:
    one, hands = opened()
    hands.advance(15.0)

    trial = one.begin()
    assert one.refusal() == Refusal(Outcome.UNAVAILABLE, 0.0)
    one.end(trial, Outcome.FOUND)

    assert one.refusal() is None
    one.begin()
    assert one.refusal() is None


def test_a_trial_that_was_not_made_leaves_room_for_another() -> None:
    one, hands = opened()
    hands.advance(15.0)

    end(one, None)

    assert one.refusal() is None


def test_pauses_double_up_to_ten_minutes_and_begin_anew_after_an_answer() -> None:
    one, hands = opened()
    pauses = []

    for _ in range(8):
        refusal = one.refusal()
        assert refusal is not None
        pauses.append(refusal.seconds)
        hands.advance(refusal.seconds)
        end(one, Outcome.BAD_ANSWER)
    hands.advance(600.0)
    end(one, Outcome.FOUND)
    for _ in range(5):
        end(one, Outcome.TIMEOUT)

    assert pauses == [15.0, 30.0, 60.0, 120.0, 240.0, 480.0, 600.0, 600.0]
    assert one.refusal() == Refusal(Outcome.UNAVAILABLE, 15.0)


def test_pauses_differ_a_little_and_are_never_longer() -> None:
    one, _ = opened(jitter=1.0)

    assert one.refusal() == Refusal(Outcome.UNAVAILABLE, 12.0)


def test_a_refused_key_is_not_tried_again_for_ten_minutes() -> None:
    one, hands = breaker()

    end(one, Outcome.AUTH)

    assert one.refusal() == Refusal(Outcome.AUTH, 600.0)
    hands.advance(600.0)
    one.begin()
    assert one.refusal() == Refusal(Outcome.AUTH, 0.0)


@pytest.mark.parametrize(
    ("again_in", "seconds"),
    [(None, 60.0), (7.0, 7.0), (0.0, 1.0), (-5.0, 1.0), (1e9, MOST_PATIENCE), (inf, 60.0), (nan, 60.0)],
)
def test_a_service_that_wants_patience_gets_it_and_then_all_questions(
    again_in: float | None, seconds: float
) -> None:
    one, hands = breaker()

    end(one, Outcome.QUOTA, again_in)

    assert one.refusal() == Refusal(Outcome.QUOTA, seconds)
    hands.advance(seconds)
    one.begin()
    assert one.refusal() is None


def test_retry_after_of_a_service_that_is_down_is_obeyed_at_once() -> None:
    one, _ = breaker()

    end(one, Outcome.UNAVAILABLE, 120.0)

    assert one.refusal() == Refusal(Outcome.UNAVAILABLE, 120.0)


def test_calls_from_before_the_pause_neither_lengthen_nor_end_it() -> None:
    one, hands = breaker()
    calls = [one.begin() for _ in range(100)]

    for call in calls[:50]:
        one.end(call, Outcome.TIMEOUT)
    hands.advance(5.0)
    for call in calls[50:80]:
        one.end(call, Outcome.UNAVAILABLE)
    for call in calls[80:]:
        one.end(call, Outcome.FOUND)

    assert one.refusal() == Refusal(Outcome.UNAVAILABLE, 10.0)


def test_the_longest_of_several_requests_for_patience_counts() -> None:
    one, _ = breaker()
    calls = [one.begin() for _ in range(3)]

    for call, again_in in zip(calls, (30.0, 300.0, 10.0), strict=True):
        one.end(call, Outcome.QUOTA, again_in)

    assert one.refusal() == Refusal(Outcome.QUOTA, 300.0)


def test_a_trial_that_is_overtaken_by_bad_news_leaves_room_for_another() -> None:
    one, hands = breaker()
    old = one.begin()
    for _ in range(5):
        end(one, Outcome.TIMEOUT)
    hands.advance(15.0)

    trial = one.begin()
    one.end(old, Outcome.AUTH)
    one.end(trial, Outcome.FOUND)

    assert one.refusal() == Refusal(Outcome.AUTH, 600.0)
    hands.advance(600.0)
    assert one.refusal() is None


events = st.tuples(
    st.sampled_from(["begin", "end", "wait"]),
    st.integers(0, 5),
    st.sampled_from([None, *(outcome for outcome in Outcome if outcome is not Outcome.PENDING)]),
    st.sampled_from([None, 0.0, 10.0, 1000.0]),
)


@given(st.lists(events, max_size=60), st.floats(0, 1))
def test_whatever_happens_a_service_is_tried_again_in_the_end(
    happening: list[tuple[str, int, Outcome | None, float | None]], jitter: float
) -> None:
    one, hands = breaker(jitter)
    under_way: list[int] = []

    for what, number, outcome, again_in in happening:
        if what == "begin" and one.refusal() is None:
            under_way.append(one.begin())
        elif what == "end" and under_way:
            one.end(under_way.pop(number % len(under_way)), outcome, again_in)
        elif what == "wait":
            hands.advance(10.0**number)
    for call in under_way:
        one.end(call, None)
    hands.advance(LONGEST_SECONDS + 1000.0)

    assert one.refusal() is None


def test_questions_that_hang_while_others_are_answered_do_not_close_the_service() -> None:
    one, _ = breaker()
    hung = [one.begin() for _ in range(8)]
    end(one, Outcome.FOUND)

    for call in hung:
        one.end(call, Outcome.TIMEOUT)

    assert one.refusal() is None
