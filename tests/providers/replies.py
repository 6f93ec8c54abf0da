"""Replies of services for tests: samples, faults that every service must survive, and mutilated answers."""

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import strategies as st

from bot.findings import MAX_FACTS, Outcome, Report
from bot.indicators import Indicator
from bot.providers.fields import MAX_TEXT
from bot.providers.remote import Reply, Service
from bot.providers.spec import NoAnswerError

SAMPLES = Path(__file__).parents[1] / "samples" / "providers"
PUBLISHED = Path(__file__).parents[3] / "shared" / "samples"

HOSTILE = "<!channel> *x* `y` http://evil.example/ \u202e\x00\n| =cmd() " + "A" * 2_000


def sample(name: str, case: str) -> dict[str, Any]:
    value: dict[str, Any] = json.loads((SAMPLES / name / f"{case}.json").read_text(encoding="utf-8"))
    return value


def published(name: str) -> dict[str, Any]:
    """One of the answers in a folder beside the project, some of which may not be copied into it."""
    path = PUBLISHED / name
    if not path.exists():
        pytest.skip("needs ../shared/samples")
    value: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return value


def reply(value: object, status: int = 200) -> Reply:
    return Reply(status, {"content-type": "application/json"}, json.dumps(value).encode())


def read(service: Service, indicator: Indicator, value: object, status: int = 200) -> Report:
    """The report of an answer that holds one."""
    report = service.read(indicator, reply(value, status))
    assert report is not None
    assert_bounded(report)
    return report


def failure(service: Service, indicator: Indicator, got: Reply) -> tuple[Outcome, float | None]:
    """How an answer without a report fails; the error itself tells nothing but that."""
    with pytest.raises(NoAnswerError) as caught:
        service.read(indicator, got)
    assert str(caught.value) == caught.value.outcome.value
    return caught.value.outcome, caught.value.again_in


FAULTS = {
    "429": (Reply(429, {"retry-after": "30"}, b"slow down"), (Outcome.QUOTA, 30.0)),
    "429 without a time": (Reply(429, {}, b""), (Outcome.QUOTA, None)),
    "401": (Reply(401, {}, b'{"error": "Unauthorized"}'), (Outcome.AUTH, None)),
    "403": (Reply(403, {}, b"<html>"), (Outcome.AUTH, None)),
    "500": (Reply(500, {}, b"<html>oops</html>"), (Outcome.UNAVAILABLE, None)),
    "503": (Reply(503, {"retry-after": "9"}, b"{}"), (Outcome.UNAVAILABLE, 9.0)),
    "204": (Reply(204, {}, b""), (Outcome.UNAVAILABLE, None)),
    "302": (Reply(302, {"location": "https://evil.example/"}, b""), (Outcome.BAD_ANSWER, None)),
    "400": (Reply(400, {}, b'{"message": "malformed"}'), (Outcome.BAD_ANSWER, None)),
    "404 with HTML": (Reply(404, {}, b"<html>no such page</html>"), (Outcome.BAD_ANSWER, None)),
    "404 without a word": (Reply(404, {}, b"{}"), (Outcome.BAD_ANSWER, None)),
    "200 with HTML": (
        Reply(200, {"content-type": "text/html"}, b"<html>hi</html>"),
        (Outcome.BAD_ANSWER, None),
    ),
    "200 with nothing": (Reply(200, {}, b""), (Outcome.BAD_ANSWER, None)),
    "200 with half an answer": (Reply(200, {}, b'{"query_status": "ok", "da'), (Outcome.BAD_ANSWER, None)),
    "200 with a list": (Reply(200, {}, b"[]"), (Outcome.BAD_ANSWER, None)),
    "200 with an empty object": (Reply(200, {}, b"{}"), (Outcome.BAD_ANSWER, None)),
    "200 that is not UTF-8": (Reply(200, {}, b'{"query_status": "\xff"}'), (Outcome.BAD_ANSWER, None)),
    "200 that is deep": (Reply(200, {}, b'{"a":' + b"[" * 100_000), (Outcome.BAD_ANSWER, None)),
}


def assert_bounded(report: Report) -> None:
    """Whatever was sent, a report is small, sendable, and can be kept."""
    texts = [report.score, report.family, *(part for fact in report.facts for part in fact)]
    for text in texts:
        assert text is None or 0 < len(text) <= MAX_TEXT
        assert text is None or not any(sign in text for sign in "\x00\n")
    assert len(report.facts) <= MAX_FACTS
    assert msgspec.json.decode(msgspec.json.encode(report), type=Report) == report


JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4),
    max_leaves=8,
)


def mutilated(answer: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """The answer with some values, at any depth, replaced by anything or gone."""
    places = list(_places(answer))
    change = st.tuples(st.sampled_from(places), st.just(None) | st.just(HOSTILE) | JSON, st.booleans())
    return st.lists(change, min_size=1, max_size=5).map(lambda changes: _changed(answer, changes))


def _places(value: Any, path: tuple[Any, ...] = ()) -> Any:
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in pairs:
        yield (*path, key)
        yield from _places(inner, (*path, key))


def _changed(answer: dict[str, Any], changes: list[tuple[tuple[Any, ...], Any, bool]]) -> dict[str, Any]:
    changed = deepcopy(answer)
    for (*path, last), value, goes in changes:
        place: Any = changed
        try:
            for key in path:
                place = place[key]
            if goes:
                del place[last]
            else:
                place[last] = value
        except (KeyError, IndexError, TypeError):
            continue  # an earlier change has taken that place away
    return changed


def survives(service: Service, indicator: Indicator, value: object, status: int = 200) -> None:
    """An answer of any shape gives a bounded report, nothing, or NoAnswerError."""
    try:
        report = service.read(indicator, reply(value, status))
    except NoAnswerError:
        return
    if report is not None:
        assert_bounded(report)
