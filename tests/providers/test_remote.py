"""What every remote service's answer goes through: nothing in it may keep everybody else waiting."""

import time

import pytest

from bot.findings import Outcome
from bot.providers.remote import MAX_BODY, MAX_PARTS, Reply, decoded, refuse_errors
from bot.providers.spec import NoAnswerError

MANY = MAX_BODY // 4


@pytest.mark.parametrize(
    "body",
    [
        b'{"a":[' + b"{}," * MANY + b"{}]}",
        b"{" + b",".join(b'"%d":{}' % number for number in range(MAX_PARTS + 1)) + b"}",
        b'{"a":' * MANY,
        b"[" * MAX_BODY,
        b'{"a":' + b"9" * 5_000 + b"}",
    ],
    ids=["many", "keys", "deep", "open", "number"],
)
def test_an_answer_of_countless_parts_is_refused_before_it_costs_time(body: bytes) -> None:
    start = time.process_time()
    with pytest.raises(NoAnswerError) as refused:
        decoded(Reply(200, {}, body))

    assert refused.value.outcome is Outcome.BAD_ANSWER
    assert time.process_time() - start < 0.05


def test_a_long_answer_is_read() -> None:
    entries = b'{"tags":["a"]},' * (MAX_PARTS // 2 - 3) + b"{}"

    assert len(decoded(Reply(200, {}, b'{"data":[' + entries + b"]}"))["data"]) == MAX_PARTS // 2 - 2


@pytest.mark.parametrize("status", [400, 413, 414, 422, 401, 405, 500, 302, 429])
def test_a_refused_question_is_told_from_a_service_in_trouble(status: int) -> None:
    with pytest.raises(NoAnswerError) as refused:
        refuse_errors(Reply(status, {}, b""))

    assert refused.value.of_question == (status in (400, 413, 414, 422))
