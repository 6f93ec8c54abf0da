"""Real published feeds: all that they say and nothing that they do not."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from bot.feeds import csv_file, misp, stix, text
from bot.indicators import Indicator, Kind
from tests.feeds.reading import Parser, taken

CORPUS = Path(__file__).parents[3] / "shared" / "corpus"
pytestmark = pytest.mark.skipif(not CORPUS.is_dir(), reason="needs ../shared/corpus")

PARSERS: dict[str, Parser] = {
    "STIX": stix.parse,
    "MISP": misp.parse,
    "CSV": csv_file.parse,
    "text list": text.parse,
    "hash-list": text.parse,
}
# Where the truth is wrong, judged one by one (file -> what it misses, what it should not have).
WRONG = {
    # `http://.../DOVIDNIK - (2018).zip` is an attribute of type url; the truth drops URLs with blanks.
    "eset/sednit/2019-05-23_Zebrocy.json": (("url", "45.124.132.127/DOVIDNIK%20-%20(2018).zip"), None),
    # `malware-sample` is a file name and an MD5, as `filename|md5` is.
    "pymisp/HTML_event.json": (("md5", "2f7059d7b1dda3080e391d99788fff18"), None),
    # The file says fxp34lig..., a name; the truth took it for a defanged "ftp".
    "mvt/coruna.stix2": (("domain", "fxp34lig1xtahno.xyz"), ("domain", "ftp34lig1xtahno.xyz")),
}


def key(indicator: Indicator) -> tuple[str, str]:
    """As in expected.json: URLs without their scheme."""
    scheme_less = indicator.value.rpartition("://")[2] if indicator.kind is Kind.URL else indicator.value
    return indicator.kind.value, scheme_less


def complete() -> dict[str, dict[str, Any]]:
    """Files of which every indicator is known."""
    expected = json.loads((CORPUS / "expected.json").read_text())
    return {
        path: truth for path, truth in expected.items() if truth["complete"] and truth["expected"] is not None
    }


def parser(truth: dict[str, Any]) -> Parser:
    return next(parse for word, parse in PARSERS.items() if word in truth["format"])


def test_every_indicator_of_the_complete_files_is_read_and_no_other() -> None:
    differences: dict[str, tuple[set[tuple[str, str]], set[tuple[str, str]]]] = {}
    found_of, total = Counter[str](), Counter[str]()
    for path, truth in complete().items():
        read = taken(parser(truth), (CORPUS / path).read_bytes())
        assert not any(assertion.quarantined for assertion in read), path
        found = {key(assertion.indicator) for assertion in read}
        expected = {(kind, value) for kind, value in truth["expected"]}
        total[truth["format"]] += len(expected)
        found_of[truth["format"]] += len(expected & found)
        if found != expected:
            differences[path] = (found - expected, expected - found)
    assert differences == {path: ({more}, {less} if less else set()) for path, (more, less) in WRONG.items()}
    assert sum(total.values()) > 16_000
    assert sum(found_of.values()) >= 0.999 * sum(total.values())
    for kind_of_file, number in total.items():
        assert found_of[kind_of_file] >= 0.998 * number, kind_of_file
