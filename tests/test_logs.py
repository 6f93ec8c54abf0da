"""One event is one line, and other libraries' words, which may quote what was said, stay out."""

import io
import json
import logging
from collections.abc import Iterator

import pytest

from bot import logs


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    yield
    root.handlers[:] = before
    root.setLevel(level)


def _logged(name: str, level: int, words: str, *, as_json: bool) -> str:
    stream = io.StringIO()
    logs.configure(stream, as_json=as_json)
    logging.getLogger(name).log(level, words)
    return stream.getvalue()


@pytest.mark.parametrize("as_json", [True, False])
@pytest.mark.parametrize("words", ["plain", 'a "quote"', "two\nlines", "\x1b[31mred", "\u2028"])
def test_an_event_is_one_line(words: str, as_json: bool) -> None:
    line = _logged("bot.app", logging.INFO, words, as_json=as_json)

    assert line.count("\n") == 1
    assert "\x1b" not in line
    assert not as_json or json.loads(line)["message"] == words


@pytest.mark.parametrize(
    "name", ["slack_sdk.web.async_client", "slack_bolt.App", "aiohttp.server", "psycopg"]
)
def test_the_words_of_other_libraries_are_left_out(name: str) -> None:
    line = _logged(name, logging.ERROR, "xoxb-secret evil.example", as_json=False)

    assert "test_logs:" in line
    assert "secret" not in line
    assert "evil" not in line


def test_other_libraries_are_heard_from_warning_on() -> None:
    assert _logged("slack_sdk", logging.INFO, "request", as_json=False) == ""


def test_an_exception_shows_its_kind_only() -> None:
    stream = io.StringIO()
    logs.configure(stream, as_json=False)
    try:
        raise ValueError("evil.example")
    except ValueError:
        logging.getLogger("bot.x").exception("went wrong")

    assert "went wrong (ValueError)" in stream.getvalue()
    assert "evil" not in stream.getvalue()
