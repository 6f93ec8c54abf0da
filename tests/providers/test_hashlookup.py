"""CIRCL hashlookup: it vouches for files, unless somebody knows them as malicious."""

from typing import Any

import pytest
from hypothesis import given

from bot.findings import Outcome
from bot.indicators import Indicator, Kind
from bot.providers.hashlookup import BASE_URL, Hashlookup
from bot.providers.options import Options
from bot.tlp import Label
from bot.verdicts import Verdict
from tests.providers.replies import (
    FAULTS,
    HOSTILE,
    JSON,
    failure,
    mutilated,
    published,
    read,
    reply,
    sample,
    survives,
)

SERVICE = Hashlookup(Options())
GOOD, PRODUCT, BAD = (sample("hashlookup", case) for case in ("known-good", "product", "known-malicious"))
ASKED = Indicator(Kind.SHA256, GOOD["SHA-256"].lower())
MD5 = Indicator(Kind.MD5, GOOD["MD5"].lower())
SHA1 = Indicator(Kind.SHA1, GOOD["SHA-1"].lower())


@pytest.mark.parametrize(
    ("asked", "path"),
    [
        (MD5, f"/lookup/md5/{MD5.value}"),
        (SHA1, f"/lookup/sha1/{SHA1.value}"),
        (ASKED, f"/lookup/sha256/{ASKED.value}"),
    ],
)
def test_a_hash_is_asked_for_under_its_kind(asked: Indicator, path: str) -> None:
    request = SERVICE.request(asked)

    assert (request.method, request.path, request.form, request.json) == ("GET", path, None, None)


@pytest.mark.parametrize("asked", [MD5, SHA1, ASKED])
def test_a_trusted_file_is_benign(asked: Indicator) -> None:
    report = read(SERVICE, asked, GOOD)

    assert (report.verdict, report.score, report.link) == (Verdict.BENIGN, "trust 100", None)
    assert dict(report.facts) == {
        "file name": "./usr/share/doc/example/copyright",
        "size": "1234 bytes",
        "packages with this file": "6559",
        "database": "nsrl_legacy",
        "source": "snap:example_1",
    }


def test_known_malicious_beats_trust() -> None:
    report = read(SERVICE, MD5, BAD)

    assert (report.verdict, report.score) == (Verdict.SUSPICIOUS, "trust 100")
    assert report.facts[0] == ("known as malicious by", "malware.example")


@pytest.mark.parametrize("named", [True, 1, ["malware.example"], {"by": "malware.example"}, "\x00"])
def test_known_malicious_counts_in_any_shape(named: object) -> None:
    report = read(SERVICE, ASKED, {**GOOD, "KnownMalicious": named})

    assert report.verdict is Verdict.SUSPICIOUS
    assert report.facts[0][0] == "known as malicious by"


@pytest.mark.parametrize(
    ("trust", "verdict"),
    [
        (100, Verdict.BENIGN),
        (51, Verdict.BENIGN),
        ("51", Verdict.BENIGN),
        (50, Verdict.UNKNOWN),
        (0, Verdict.UNKNOWN),
        (-1, Verdict.UNKNOWN),
        (101, Verdict.UNKNOWN),
        (None, Verdict.UNKNOWN),
        ("very", Verdict.UNKNOWN),
        (True, Verdict.UNKNOWN),
        ([100], Verdict.UNKNOWN),
    ],
)
def test_only_a_plain_trust_above_fifty_vouches(trust: object, verdict: Verdict) -> None:
    assert read(SERVICE, ASKED, {**GOOD, "hashlookup:trust": trust}).verdict is verdict


def test_a_record_without_trust_vouches_for_nothing() -> None:
    report = read(SERVICE, MD5, PRODUCT)

    assert (report.verdict, report.score) == (Verdict.UNKNOWN, None)
    assert dict(report.facts) == {
        "file name": "example.resources.manifest",
        "size": "2520 bytes",
        "product": "Cumulative Update for Example OS",
        "product version": "1709",
        "system": "Example OS",
    }


def test_an_unknown_hash_is_no_report() -> None:
    assert SERVICE.read(ASKED, reply(sample("hashlookup", "not-found"), 404)) is None


@pytest.mark.parametrize("fault", FAULTS)
def test_no_fault_is_taken_for_absence(fault: str) -> None:
    got, expected = FAULTS[fault]

    assert failure(SERVICE, ASKED, got) == expected


@pytest.mark.parametrize(
    "record",
    [
        {**GOOD, "SHA-256": "0" * 64},
        {"hashlookup:trust": 100},
        {"hashlookup:trust": 100, "SHA-256": None, "MD5": "no", "SHA-1": 7},
        {"message": "Non existing SHA-256"},
    ],
)
def test_a_record_of_another_file_vouches_for_nothing(record: dict[str, Any]) -> None:
    assert failure(SERVICE, ASKED, reply(record))[0] is Outcome.BAD_ANSWER


def test_a_record_that_holds_only_other_hashes_is_of_the_file() -> None:
    assert read(SERVICE, ASKED, PRODUCT | {"hashlookup:trust": 60}).verdict is Verdict.BENIGN


def test_hostile_texts_stay_small() -> None:
    hostile: dict[str, Any] = {**dict.fromkeys(GOOD | PRODUCT | BAD, HOSTILE), "MD5": GOOD["MD5"]}
    nested = {"ProductCode": {"ProductName": HOSTILE}, "OpSystemCode": [HOSTILE]}

    assert read(SERVICE, MD5, {**hostile, **nested}).verdict is Verdict.SUSPICIOUS


@given(mutilated(GOOD), mutilated(PRODUCT))
def test_a_mutilated_answer_gives_a_bounded_report_or_an_error(good: object, product: object) -> None:
    survives(SERVICE, ASKED, good)
    survives(SERVICE, MD5, product)


@given(JSON)
def test_anything_else_does_too(answer: object) -> None:
    survives(SERVICE, ASKED, answer)
    survives(SERVICE, ASKED, answer, 404)


def test_its_questions_count_as_published_and_only_what_is_clear_is_asked() -> None:
    assert SERVICE.spec.ceiling is Label.CLEAR
    assert SERVICE.spec.audience.active
    assert SERVICE.spec.audience.orgs == {"hashlookup", "circl"}
    assert Hashlookup(Options(ceiling=Label.GREEN)).spec.ceiling is Label.GREEN
    assert BASE_URL.startswith("https://")


@pytest.mark.parametrize(
    ("name", "verdict"),
    [
        ("hashlookup-known-good.json", Verdict.BENIGN),
        ("hashlookup-known-malicious-trust100.json", Verdict.SUSPICIOUS),
        ("hashlookup-circl-docs-md5.json", Verdict.UNKNOWN),
    ],
)
def test_answers_as_published_are_read(name: str, verdict: Verdict) -> None:
    answer = published(name)

    assert read(SERVICE, Indicator(Kind.MD5, answer["MD5"].lower()), answer).verdict is verdict


def test_a_published_not_found_is_absence() -> None:
    assert SERVICE.read(ASKED, reply(published("hashlookup-notfound-404.json"), 404)) is None
