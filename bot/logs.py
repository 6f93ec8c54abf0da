"""Logs: one line an event, without indicators, names or secrets."""

import json
import logging
import secrets
import time
from typing import TextIO

_FOREIGN = ("slack_sdk", "slack_bolt", "aiohttp", "asyncio", "psycopg")


def configure(stream: TextIO, *, as_json: bool) -> None:
    """Send everything from INFO on to the stream, as JSON or plain lines."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(_Line(as_json=as_json))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    for name in _FOREIGN:
        logging.getLogger(name).setLevel(logging.WARNING)


def log_mistake(log: logging.Logger, error: BaseException) -> str:
    """Log where it happened, never what was said, for the text of an error may hold an indicator or a key.

    Gives the number of the entry.
    """
    number = secrets.token_hex(4)
    places, trace = [], error.__traceback__
    while trace is not None:
        places.append(f"{trace.tb_frame.f_code.co_filename.rpartition('/')[2]}:{trace.tb_lineno}")
        trace = trace.tb_next
    log.error("error %s: %s at %s", number, type(error).__name__, " > ".join(places[-8:]))
    return number


class _Line(logging.Formatter):
    """Time, level, logger, words. Of other libraries only the place: their words may quote what was said."""

    def __init__(self, *, as_json: bool) -> None:
        super().__init__()
        self._as_json = as_json

    def format(self, record: logging.LogRecord) -> str:
        when = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(record.created))
        words = self._words(record)
        if self._as_json:
            return json.dumps(
                {"time": when, "level": record.levelname, "logger": record.name, "message": words}
            )
        return f"{when} {record.levelname} {record.name} {json.dumps(words, ensure_ascii=False)[1:-1]}"

    def _words(self, record: logging.LogRecord) -> str:
        if record.name.split(".")[0] in _FOREIGN:
            return f"a message at {record.module}:{record.lineno}"
        kind = record.exc_info[0] if record.exc_info else None
        return f"{record.getMessage()} ({kind.__name__})" if kind else record.getMessage()
