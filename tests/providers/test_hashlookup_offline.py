"""CIRCL hashlookup offline: known files are recognised without anybody being asked."""

import asyncio
import hashlib
import shutil
from pathlib import Path

import pytest

from bot.errors import ConfigError
from bot.findings import Outcome
from bot.indicators import Indicator, Kind
from bot.providers.hashlookup_offline import HashlookupOffline
from bot.providers.options import Options
from bot.providers.spec import NoAnswerError
from bot.tlp import Label
from bot.verdicts import Verdict
from tests.providers.replies import SAMPLES, assert_bounded

FILE = SAMPLES / "hashlookup" / "known-files.bloom"


def sha1(text: str) -> Indicator:
    return Indicator(Kind.SHA1, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest())


KNOWN = sha1("known file 0")


async def test_a_known_file_is_recognised_but_not_vouched_for() -> None:
    source = HashlookupOffline(Options(file=FILE))
    await source.open()

    report = await source.ask(KNOWN)
    await source.close()

    assert report is not None
    assert_bounded(report)
    assert report.verdict is Verdict.UNKNOWN
    assert report.facts == (
        ("known file", "in the collection of CIRCL hashlookup, good or bad"),
        ("wrong by chance", "for 0.1 % of unknown files"),
    )


async def test_an_unknown_file_is_no_report() -> None:
    source = HashlookupOffline(Options(file=FILE))
    await source.open()

    assert await source.ask(sha1("other file 0")) is None
    await source.close()


async def test_many_questions_at_once_do_not_mix() -> None:
    source = HashlookupOffline(Options(file=FILE))
    await source.open()

    asked = [sha1(f"{word} file {number}") for number in range(100) for word in ("known", "other")]
    reports = await asyncio.gather(*map(source.ask, asked))
    await source.close()

    assert [report is not None for report in reports] == [True, False] * 100


async def test_it_says_which_setting_is_missing() -> None:
    with pytest.raises(ConfigError, match=r'hashlookup-offline.*file = "'):
        await HashlookupOffline(Options()).open()


async def test_it_says_which_file_is_wrong(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"absent\.bloom"):
        await HashlookupOffline(Options(file=tmp_path / "absent.bloom")).open()


async def test_a_file_that_is_cut_off_meanwhile_is_an_error_and_no_absence(tmp_path: Path) -> None:
    path = tmp_path / "known.bloom"
    shutil.copyfile(FILE, path)
    source = HashlookupOffline(Options(file=path))
    await source.open()
    path.write_bytes(b"")

    with pytest.raises(NoAnswerError) as caught:
        await source.ask(KNOWN)
    await source.close()

    assert caught.value.outcome is Outcome.UNAVAILABLE


async def test_nobody_answers_before_it_is_open_or_after_it_is_closed() -> None:
    source = HashlookupOffline(Options(file=FILE))
    await source.close()

    with pytest.raises(NoAnswerError):
        await source.ask(KNOWN)
    await source.open()
    await source.close()
    with pytest.raises(NoAnswerError):
        await source.ask(KNOWN)


def test_it_may_be_asked_about_everything_because_nothing_leaves() -> None:
    spec = HashlookupOffline(Options()).spec

    assert (spec.asks_nobody, spec.ceiling, spec.publishes) == (True, Label.RED, False)
    assert spec.kinds == {Kind.SHA1}
    assert spec.name == "hashlookup-offline"
