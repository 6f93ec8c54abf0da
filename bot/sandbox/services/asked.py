"""What a fake service is asked and what it answers, before either meets the network."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from multidict import CIMultiDictProxy, MultiMapping

Json = dict[str, Any]
JSON = "application/json"


@dataclass(frozen=True)
class Question:
    """A request as it came; `path` is decoded, `query` too."""

    method: str
    path: str
    query: MultiMapping[str]
    headers: CIMultiDictProxy[str]
    content_type: str
    body: bytes

    def only(self, *allowed: str) -> None:
        """Refuse parameters in the address that the service does not document."""
        unknown = sorted(set(self.query) - set(allowed))
        if unknown:
            raise Refused(Answer(400), f"unknown parameters in the address: {', '.join(unknown)}")


@dataclass(frozen=True)
class Answer:
    """A status and a body: JSON, a text, or bytes as they are; None for none."""

    status: int = 200
    body: Json | str | bytes | None = None
    content_type: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def payload(self) -> bytes:
        """The body as bytes."""
        if isinstance(self.body, bytes):
            return self.body
        if self.body is None:
            return b""
        return (self.body if isinstance(self.body, str) else json.dumps(self.body)).encode()


class Refused(Exception):  # noqa: N818 - what the service does, not what went wrong here
    """A question that the service would not take; `words` say what was wrong with it."""

    def __init__(self, answer: Answer, words: str) -> None:
        super().__init__(words)
        self.answer, self.words = answer, words


@dataclass(frozen=True)
class Call:
    """A question that a fake got, for tests to look at."""

    method: str
    path: str
    headers: frozenset[str]  # names in lower case
    value: str  # what was asked about; "" if the question was refused before that was known


def page(title: str) -> Answer:
    """What the web server in front of a service says."""
    words = f"<html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>"
    return Answer(int(title.split(maxsplit=1)[0]), words, "text/html")
