"""The benchmark of extraction judges by its own means, names what fails, and asks for a real corpus."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from bot.__main__ import cli
from bot.bench.adversarial import Timing
from bot.bench.extract import Result
from bot.bench.structure import Fault, fault, readable
from bot.errors import UsageError
from bot.indicators import Indicator, Kind

MD5 = "d41d8cd98f00b204e9800998ecf8427e"


@pytest.mark.parametrize(
    ("kind", "value", "text", "expected"),
    [
        (Kind.DOMAIN, "invoice.zip", "open invoice.zip", Fault.FILE_NAME),
        (Kind.DOMAIN, "evil.com", "evil.com.exe", Fault.FRAGMENT),
        (Kind.EMAIL, "maila@b.com", "mail a[@]b[.]com", Fault.GARBLED),
        (Kind.IPV4, "1.2.3.4", "version 1.2.3.4", Fault.VERSION),
        (Kind.MD5, MD5, f"x{MD5}", Fault.FRAGMENT),
        (Kind.DOMAIN, "evil.zip", "evil[.]zip", None),
        (Kind.URL, "http://xn--e1afmkfd.xn--p1ai/a", "hxxp://пример[.]рф/a", None),
    ],
)
def test_the_judge_of_the_benchmark_sees_faults(
    kind: Kind, value: str, text: str, expected: Fault | None
) -> None:
    assert fault(Indicator(kind, value), text, readable(text)) == expected


def test_every_missed_bar_of_the_benchmark_is_named() -> None:
    slow = Timing("form", short_seconds=1.0, long_seconds=99.0)
    result = Result(
        files=1,
        expected=10,
        missing=("a.txt: domain evil.example",),
        found=10,
        faults=("a.txt: domain evil.zip: file name",),
        hard_cases=10,
        failed_cases=("one",),
        megabytes_per_second={"liaison": 2.0, "peer": 1.0},
        hostile_forms=1,
        hostile=(slow,),
    )

    assert [sentence.partition(" ")[0] for sentence in result.missed_bars] == [
        "recall",
        "structural",
        "hard",
        "speed",
        "hostile",
        "hostile",
    ]


def test_a_directory_without_a_corpus_is_refused(tmp_path: Path) -> None:
    result = CliRunner().invoke(cli, ["bench", "extract", "--no-peers", str(tmp_path)])

    assert isinstance(result.exception, UsageError)
    assert "give the directory of the corpus" in str(result.exception)
