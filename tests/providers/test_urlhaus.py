"""URLhaus: payloads are malware, addresses while they serve it, hosts never for what others put there."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given

from bot.findings import Outcome
from bot.indicators import Indicator, Kind
from bot.providers.options import Options
from bot.providers.urlhaus import BASE_URL, URLhaus
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

SERVICE = URLhaus(Options(key=Secret("an-invented-key")))
PAYLOAD, URL, HOST = (sample("urlhaus", case) for case in ("payload", "url", "host"))
FILE = Indicator(Kind.SHA256, PAYLOAD["sha256_hash"])
ADDRESS = Indicator(Kind.URL, URL["url"])
NAME = Indicator(Kind.DOMAIN, HOST["host"])
KNOWN = [(FILE, PAYLOAD), (ADDRESS, URL), (NAME, HOST)]


@pytest.mark.parametrize(
    ("asked", "path", "form"),
    [
        (FILE, "/v1/payload/", {"sha256_hash": FILE.value}),
        (Indicator(Kind.MD5, "ab" * 16), "/v1/payload/", {"md5_hash": "ab" * 16}),
        (ADDRESS, "/v1/url/", {"url": ADDRESS.value}),
        (Indicator(Kind.URL, "http://example.org"), "/v1/url/", {"url": "http://example.org/"}),
        (Indicator(Kind.URL, "example.org/a"), "/v1/url/", {"url": "http://example.org/a"}),
        (NAME, "/v1/host/", {"host": "files.example.org"}),
        (Indicator(Kind.IPV4, "192.0.2.1"), "/v1/host/", {"host": "192.0.2.1"}),
    ],
)
def test_each_kind_has_its_own_question(asked: Indicator, path: str, form: dict[str, str]) -> None:
    request = SERVICE.request(asked)

    assert (request.method, request.path, request.form, request.query) == ("POST", path, form, {})
    assert request.headers == {"Auth-Key": "an-invented-key"}


@pytest.mark.parametrize("kind", [Kind.MD5, Kind.SHA256])
def test_a_payload_is_malicious(kind: Kind) -> None:
    report = read(SERVICE, Indicator(kind, PAYLOAD[f"{kind}_hash"]), PAYLOAD)

    assert (report.verdict, report.family) == (Verdict.MALICIOUS, "ExampleLoader")
    assert report.first_seen == datetime(2026, 1, 19, 13, 59, 6, tzinfo=UTC)
    assert report.last_seen == datetime(2026, 1, 19, 14, 48, 8, tzinfo=UTC)
    assert report.link is None
    assert dict(report.facts) == {
        "type": "exe",
        "size": "241664 bytes",
        "file names": "PAY1.doc",
        "addresses": "3",
        "found at": "http://files.example.org/pay.doc",
        "VirusTotal, as URLhaus gives it": "17 / 69",
    }


def test_an_address_that_serves_malware_is_malicious() -> None:
    report = read(SERVICE, ADDRESS, URL)

    assert (report.verdict, report.score, report.family) == (Verdict.MALICIOUS, "online", None)
    assert report.first_seen == datetime(2026, 1, 19, 1, 33, 26, tzinfo=UTC)
    assert dict(report.facts) == {
        "threat": "malware_download",
        "tags": "exampleloader, epoch1",
        "Spamhaus DBL": "abused_legit_malware",
        "SURBL": "listed",
        "payloads": FILE.value,
        "reporter": "invented_reporter",
    }


@pytest.mark.parametrize(
    ("asked", "listed"),
    [
        ("files.example.org/a", "http://files.example.org/a"),
        ("http://files.example.org", "http://files.example.org/"),
        ("http://files.example.org/a", "http://FILES.example.org/a"),
    ],
)
def test_an_address_is_found_however_it_is_written(asked: str, listed: str) -> None:
    assert read(SERVICE, Indicator(Kind.URL, asked), {**URL, "url": listed}).verdict is Verdict.MALICIOUS


@pytest.mark.parametrize("status", ["offline", "unknown", "", None, ["online"], "ONLINE!", True])
def test_an_address_that_served_malware_is_suspicious(status: object) -> None:
    assert read(SERVICE, ADDRESS, {**URL, "url_status": status}).verdict is Verdict.SUSPICIOUS


def test_the_family_of_an_address_is_that_of_a_payload() -> None:
    payloads = [{"signature": None}, None, {"signature": "ExampleLoader"}]

    assert read(SERVICE, ADDRESS, {**URL, "payloads": payloads}).family == "ExampleLoader"


def test_a_host_is_suspicious_while_something_is_online_there() -> None:
    report = read(SERVICE, NAME, HOST)

    assert (report.verdict, report.score) == (Verdict.SUSPICIOUS, "1 online")
    assert report.first_seen == datetime(2026, 1, 15, 7, 9, 1, tzinfo=UTC)
    assert report.last_seen == datetime(2026, 1, 19, 1, 33, 26, tzinfo=UTC)
    assert dict(report.facts) == {
        "addresses that spread malware": "120",
        "online now": "1",
        "tags": "exampleloader",
        "Spamhaus DBL": "abused_legit_malware",
        "SURBL": "not listed",
    }


def test_however_much_a_host_serves_it_is_not_condemned() -> None:
    crowded = {**HOST, "url_count": "5000", "urls": [{"url_status": "online"}] * 5000}

    assert read(SERVICE, NAME, crowded).verdict is Verdict.SUSPICIOUS


@pytest.mark.parametrize("urls", [[], None, [{"url_status": "offline"}], [{}], "online"])
def test_a_host_where_nothing_is_online_is_unknown(urls: object) -> None:
    assert read(SERVICE, NAME, {**HOST, "urls": urls}).verdict is Verdict.UNKNOWN


@pytest.mark.parametrize("status", ["no_results", "invalid_url", "invalid_host"])
def test_what_is_not_listed_is_no_report(status: str) -> None:
    assert SERVICE.read(ADDRESS, reply({"query_status": status})) is None


@pytest.mark.parametrize(("asked", "answer"), KNOWN)
@pytest.mark.parametrize("other", ["", None, 7, ["x"], "http://other.example/", "ab" * 16, "ab" * 32])
def test_an_answer_about_something_else_is_none(
    asked: Indicator, answer: dict[str, Any], other: object
) -> None:
    name = {Kind.SHA256: "sha256_hash", Kind.URL: "url"}.get(asked.kind, "host")

    assert failure(SERVICE, asked, reply({**answer, name: other}))[0] is Outcome.BAD_ANSWER


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("asked", [FILE, ADDRESS, NAME])
def test_no_fault_is_taken_for_absence(asked: Indicator, fault: str) -> None:
    got, expected = FAULTS[fault]

    assert failure(SERVICE, asked, got) == expected


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        ("invalid_sha256", Outcome.BAD_ANSWER),
        ("http_post_expected", Outcome.BAD_ANSWER),
        ("unknown_auth_key", Outcome.AUTH),
        (None, Outcome.BAD_ANSWER),
        ({}, Outcome.BAD_ANSWER),
    ],
)
def test_other_query_statuses_are_errors(status: object, outcome: Outcome) -> None:
    assert failure(SERVICE, FILE, reply({**PAYLOAD, "query_status": status})) == (outcome, None)


@pytest.mark.parametrize(("asked", "answer"), KNOWN)
def test_hostile_texts_stay_small(asked: Indicator, answer: dict[str, Any]) -> None:
    name = {Kind.SHA256: "sha256_hash", Kind.URL: "url"}.get(asked.kind, "host")
    kept = {"query_status": "ok", name: answer[name]}
    place = {"url": HOSTILE, "filename": HOSTILE, "signature": HOSTILE, "tags": [HOSTILE] * 9}
    hostile: dict[str, Any] = dict.fromkeys(answer, HOSTILE)

    report = read(SERVICE, asked, {**hostile, **kept, "urls": [place] * 9, "payloads": [place] * 9})

    assert (report.first_seen, report.last_seen) == (None, None)


@pytest.mark.parametrize(("asked", "answer"), KNOWN)
def test_fields_may_be_null(asked: Indicator, answer: dict[str, Any]) -> None:
    needed = ("query_status", "sha256_hash", "url", "host")

    report = read(SERVICE, asked, {name: answer[name] if name in needed else None for name in answer})

    assert (report.family, report.first_seen, report.last_seen) == (None, None, None)


@given(mutilated(PAYLOAD), mutilated(URL), mutilated(HOST))
def test_a_mutilated_answer_gives_a_bounded_report_or_an_error(
    payload: object, url: object, host: object
) -> None:
    survives(SERVICE, FILE, payload)
    survives(SERVICE, ADDRESS, url)
    survives(SERVICE, NAME, host)


@given(JSON)
def test_anything_else_does_too(answer: object) -> None:
    for asked, _ in KNOWN:
        survives(SERVICE, asked, answer)


def test_it_may_be_asked_about_what_is_green_at_most() -> None:
    assert SERVICE.spec.ceiling is Label.GREEN
    assert SERVICE.spec.audience.orgs == {"urlhaus", "abusech", "spamhaus"}
    assert BASE_URL.startswith("https://")


def test_real_answers_are_read() -> None:
    payload, url = published("urlhaus-payload-found.json"), published("urlhaus-url-found.json")

    file = read(SERVICE, Indicator(Kind.SHA256, payload["sha256_hash"]), payload)
    address = read(SERVICE, Indicator(Kind.URL, url["url"]), url)

    assert (file.verdict, address.verdict) == (Verdict.MALICIOUS, Verdict.MALICIOUS)
    assert SERVICE.read(FILE, reply(published("urlhaus-payload-notfound.json"))) is None
