"""ThreatFox: its own confidence decides, and only entries of exactly the value that was asked for count."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given

from bot.findings import Outcome
from bot.indicators import Indicator, Kind
from bot.providers.options import Options
from bot.providers.threatfox import BASE_URL, ThreatFox
from bot.secret import Secret
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

SERVICE = ThreatFox(Options(key=Secret("an-invented-key")))
ADDRESS = sample("threatfox", "address")
SAMPLE = sample("threatfox", "sample")
ASKED = Indicator(Kind.IPV4, "192.0.2.104")
FILE = Indicator(Kind.SHA256, "ab" * 32)


def entries(*values: object, **more: Any) -> dict[str, Any]:
    return {"query_status": "ok", "data": [{"ioc": one, "confidence_level": 100, **more} for one in values]}


@pytest.mark.parametrize(
    ("asked", "question"),
    [
        (FILE, {"query": "search_hash", "hash": FILE.value}),
        (Indicator(Kind.MD5, "ab" * 16), {"query": "search_hash", "hash": "ab" * 16}),
        (ASKED, {"query": "search_ioc", "search_term": "192.0.2.104"}),
        (
            Indicator(Kind.DOMAIN, "c2.example.org"),
            {"query": "search_ioc", "search_term": "c2.example.org"},
        ),
        (
            Indicator(Kind.URL, "http://example.org/a?b=c&d"),
            {"query": "search_ioc", "search_term": "http://example.org/a?b=c&d"},
        ),
    ],
)
def test_samples_and_entries_are_different_questions(asked: Indicator, question: dict[str, str]) -> None:
    request = SERVICE.request(asked)

    assert (request.method, request.path) == ("POST", "/api/v1/")
    assert request.json == question
    assert request.headers == {"Auth-Key": "an-invented-key"}


def test_an_address_is_found_under_all_its_ports() -> None:
    report = read(SERVICE, ASKED, ADDRESS)

    assert (report.verdict, report.score, report.family) == (
        Verdict.MALICIOUS,
        "confidence 75",
        "Example Strike",
    )
    assert report.first_seen == datetime(2026, 1, 2, tzinfo=UTC)
    assert report.last_seen == datetime(2026, 2, 1, 10, tzinfo=UTC)
    assert report.link is None
    assert dict(report.facts) == {
        "threat": "Indicator that identifies a botnet command&control server (C&C)",
        "listed as": "192.0.2.104:443, 192.0.2.104:8080",
        "also called": "Exemplar,SAMPLER",
        "reporter": "invented_reporter",
    }


def test_a_sample_brings_the_servers_it_talks_to() -> None:
    report = read(SERVICE, FILE, SAMPLE)

    assert (report.verdict, report.family) == (Verdict.MALICIOUS, "Example RAT")
    assert dict(report.facts)["talks to"] == "c2.example.org"


@pytest.mark.parametrize(
    ("confidence", "verdict", "score"),
    [
        (100, Verdict.MALICIOUS, "confidence 100"),
        (75, Verdict.MALICIOUS, "confidence 75"),
        ("75", Verdict.MALICIOUS, "confidence 75"),
        (74, Verdict.SUSPICIOUS, "confidence 74"),
        (50, Verdict.SUSPICIOUS, "confidence 50"),
        (49, Verdict.UNKNOWN, "confidence 49"),
        (0, Verdict.UNKNOWN, "confidence 0"),
        (101, Verdict.UNKNOWN, "confidence 0"),
        (-1, Verdict.UNKNOWN, "confidence 0"),
        (None, Verdict.UNKNOWN, "confidence 0"),
        ("high", Verdict.UNKNOWN, "confidence 0"),
        (True, Verdict.UNKNOWN, "confidence 0"),
    ],
)
def test_its_own_confidence_decides(confidence: object, verdict: Verdict, score: str) -> None:
    report = read(SERVICE, ASKED, entries("192.0.2.104:443", confidence_level=confidence))

    assert (report.verdict, report.score) == (verdict, score)


@pytest.mark.parametrize(
    ("kind", "value", "entry"),
    [
        (Kind.IPV4, "192.0.2.1", "192.0.2.1"),
        (Kind.IPV4, "192.0.2.1", "192.0.2.1:65535"),
        (Kind.DOMAIN, "example.org", "example.org"),
        (Kind.DOMAIN, "example.org", "Example.ORG"),
        (Kind.URL, "http://example.org/A", "http://EXAMPLE.org/A"),
        (Kind.URL, "http://example.org", "http://example.org/"),
        (Kind.URL, "example.org/a", "https://example.org/a"),
    ],
)
def test_the_same_value_counts_however_it_is_written(kind: Kind, value: str, entry: str) -> None:
    assert read(SERVICE, Indicator(kind, value), entries(entry)).verdict is Verdict.MALICIOUS


@pytest.mark.parametrize(
    ("kind", "value", "entry"),
    [
        (Kind.IPV4, "192.0.2.1", "192.0.2.10:443"),
        (Kind.IPV4, "192.0.2.1", "192.0.2.1:"),
        (Kind.IPV4, "192.0.2.1", "192.0.2.1:443/a"),
        (Kind.IPV4, "192.0.2.1", "http://192.0.2.1/"),
        (Kind.DOMAIN, "example.org", "c2.example.org"),
        (Kind.DOMAIN, "example.org", "example.org.example.com"),
        (Kind.DOMAIN, "example.org", "http://example.org/a"),
        (Kind.URL, "http://example.org/a", "http://example.org/ab"),
        (Kind.URL, "http://example.org/a", "http://example.org/A"),
        (Kind.URL, "http://example.org", "example.org"),
        (Kind.URL, "http://example.org/a", "https://example.org/a"),
        (Kind.URL, "example.org/a", "https://example.org/a/b"),
        (Kind.URL, "example.org/a", "https://"),
        (Kind.DOMAIN, "example.org", None),
        (Kind.DOMAIN, "example.org", ["example.org"]),
    ],
)
def test_a_part_of_another_value_does_not_count(kind: Kind, value: str, entry: object) -> None:
    assert SERVICE.read(Indicator(kind, value), reply(entries(entry))) is None


@pytest.mark.parametrize("status", ["no_result", "illegal_search_term"])
def test_what_is_not_listed_is_no_report(status: str) -> None:
    assert SERVICE.read(ASKED, reply({"query_status": status, "data": "a sentence"})) is None


@pytest.mark.parametrize("data", [None, "a sentence", {}, 7])
def test_a_good_answer_without_a_list_cannot_be_read(data: object) -> None:
    assert failure(SERVICE, ASKED, reply({"query_status": "ok", "data": data}))[0] is Outcome.BAD_ANSWER


@pytest.mark.parametrize("fault", FAULTS)
def test_no_fault_is_taken_for_absence(fault: str) -> None:
    got, expected = FAULTS[fault]

    assert failure(SERVICE, ASKED, got) == expected


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        ("illegl_hash", Outcome.BAD_ANSWER),
        ("illegal_hash", Outcome.BAD_ANSWER),
        ("unknown_operation", Outcome.BAD_ANSWER),
        ("no_api_key", Outcome.AUTH),
        ("unknown_auth_key", Outcome.AUTH),
        (None, Outcome.BAD_ANSWER),
        ([], Outcome.BAD_ANSWER),
    ],
)
def test_other_query_statuses_are_errors(status: object, outcome: Outcome) -> None:
    assert failure(SERVICE, FILE, reply({**SAMPLE, "query_status": status})) == (outcome, None)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (True, "yes"),
        ("True", "yes"),
        ("true", "yes"),
        (False, None),
        ("False", None),
        (None, None),
        ([], None),
    ],
)
def test_a_site_that_was_broken_into_is_called_so(value: object, said: str | None) -> None:
    report = read(SERVICE, ASKED, entries("192.0.2.104:443", is_compromised=value))

    assert dict(report.facts).get("compromised site") == said


def test_hostile_texts_stay_small() -> None:
    hostile = dict.fromkeys(SAMPLE["data"][0], HOSTILE)

    report = read(SERVICE, FILE, {"query_status": "ok", "data": [hostile] * 100})

    assert report.verdict is Verdict.UNKNOWN


@given(mutilated(ADDRESS))
def test_a_mutilated_answer_gives_a_bounded_report_or_an_error(answer: object) -> None:
    survives(SERVICE, ASKED, answer)
    survives(SERVICE, FILE, answer)


@given(JSON)
def test_anything_else_does_too(answer: object) -> None:
    for asked in (ASKED, FILE, Indicator(Kind.URL, "http://example.org/a")):
        survives(SERVICE, asked, answer)
        survives(SERVICE, asked, {"query_status": "ok", "data": [answer, {"ioc": answer}]})


def test_it_may_be_asked_about_what_is_green_at_most() -> None:
    assert SERVICE.spec.ceiling is Label.GREEN
    assert SERVICE.spec.audience.orgs == {"threatfox", "abusech", "spamhaus"}
    assert BASE_URL.startswith("https://")


def test_a_documented_answer_is_read() -> None:
    answer = published("threatfox-search_ioc-found.json")
    address = answer["data"][0]["ioc"].partition(":")[0]

    report = read(SERVICE, Indicator(Kind.IPV4, address), answer)

    assert (report.verdict, report.family) == (Verdict.MALICIOUS, "Cobalt Strike")
    assert SERVICE.read(ASKED, reply(published("threatfox-search-noresult.json"))) is None
