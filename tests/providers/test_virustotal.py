"""VirusTotal as pure functions: how it is asked, and what its answers come to."""

from datetime import UTC, datetime

import pytest
import vt
from hypothesis import given
from hypothesis import strategies as st

from bot.findings import Outcome, Report
from bot.indicators import Indicator, Kind
from bot.providers.options import Options
from bot.providers.remote import Reply
from bot.providers.virustotal import SPEC, VirusTotal
from bot.secret import Secret
from bot.tlp import Label
from bot.verdicts import Verdict
from tests import hostile
from tests.providers.replies import JSON, failure, mutilated, published, reply, sample, survives

SHA256 = Indicator(Kind.SHA256, "2f" * 32)
IPV4 = Indicator(Kind.IPV4, "192.88.99.7")
DOMAIN = Indicator(Kind.DOMAIN, "c2.example.edu")
URL = Indicator(Kind.URL, "http://c2.example.edu/69.exe")
ABOUT = {
    "file-malicious": SHA256,
    "file-known": SHA256,
    "ipv4": IPV4,
    "domain": DOMAIN,
    "url": URL,
}
HTML = b"<html><body>Please verify that you are human</body></html>"

service = VirusTotal(Options(key=Secret("canary-key")))


def read(indicator: Indicator, answer: Reply) -> Report:
    report = service.read(indicator, answer)
    assert report is not None
    return report


def raw(body: bytes, status: int = 200, content_type: str = "application/json") -> Reply:
    return Reply(status, {"content-type": content_type}, body)


def with_counts(**counts: object) -> Reply:
    return reply({"data": {"attributes": {"last_analysis_stats": counts}}})


# How it is asked.


@pytest.mark.parametrize(
    ("kind", "value", "path"),
    [
        (Kind.MD5, "0f" * 16, "files/" + "0f" * 16),
        (Kind.SHA1, "1f" * 20, "files/" + "1f" * 20),
        (Kind.SHA256, "2f" * 32, "files/" + "2f" * 32),
        (Kind.IPV4, "192.0.2.1", "ip_addresses/192.0.2.1"),
        (Kind.IPV6, "2001:db8::1", "ip_addresses/2001:db8::1"),
        (Kind.DOMAIN, "c2.example.org", "domains/c2.example.org"),
        (Kind.DOMAIN, "../users/x?y#z", "domains/..%2Fusers%2Fx%3Fy%23z"),
        (Kind.URL, "http://c2.example.org/?a=1", "urls/aHR0cDovL2MyLmV4YW1wbGUub3JnLz9hPTE"),
    ],
)
def test_each_kind_is_asked_about_in_its_own_place(kind: Kind, value: str, path: str) -> None:
    request = service.request(Indicator(kind, value))

    assert (request.method, request.path) == ("GET", path)
    assert not request.query
    assert not request.headers
    assert request.form is request.json is None


@given(st.text(min_size=1))
def test_a_url_is_named_as_vt_py_names_it(url: str) -> None:
    assert service.request(Indicator(Kind.URL, url)).path == f"urls/{vt.url_id(url)}"


def test_only_kinds_that_it_knows_are_declared() -> None:
    assert {Kind.CIDR, Kind.EMAIL, Kind.CVE, Kind.BTC, Kind.SHA512} & SPEC.kinds == set()


def test_by_default_the_public_budget_counts_and_nothing_above_green_leaves() -> None:
    assert (SPEC.budget.per_minute, SPEC.budget.per_day, SPEC.budget.per_month) == (4, 500, 15_500)
    assert SPEC.ceiling is Label.GREEN
    assert not SPEC.publishes


def test_the_operator_changes_what_the_key_allows() -> None:
    options = Options(key=Secret("k"), per_minute=1000, ceiling=Label.AMBER)

    spec = VirusTotal(options).spec

    assert (spec.budget.per_minute, spec.budget.per_day, spec.ceiling) == (1000, 500, Label.AMBER)


# What its answers come to.


def test_a_file_that_many_engines_condemn() -> None:
    report = read(SHA256, reply(sample("virustotal", "file-malicious")))

    assert report == Report(
        verdict=Verdict.MALICIOUS,
        score="47/65",  # those that timed out, failed or cannot read it have no say
        family="trojan.invented/sample",
        first_seen=datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC),
        last_seen=datetime(2024, 3, 9, 16, 0, tzinfo=UTC),
        link=f"https://www.virustotal.com/gui/file/{SHA256.value}",
        facts=(
            ("type", "Win32 DLL"),
            ("size", "123456 bytes"),
            ("names", "invoice.dll, update.dll"),
            ("YARA rules", "Invented_Loader"),
            ("submitted", "3 times"),
            ("reputation", "-12"),
            ("votes", "4 malicious, 1 harmless"),
            ("tags", "pedll, overlay"),
            ("analysed", "2024-07-03"),
        ),
    )


def test_a_file_that_a_known_company_distributes() -> None:
    report = read(SHA256, reply(sample("virustotal", "file-known")))

    assert (report.verdict, report.score, report.family) == (Verdict.BENIGN, "0/62", None)
    assert dict(report.facts)["distributed by"] == "Example Software Ltd"
    assert dict(report.facts)["signer"] == "Example Software Ltd; Example CA"


def test_an_address() -> None:
    report = read(IPV4, reply(sample("virustotal", "ipv4")))

    assert (report.verdict, report.score, report.link) == (Verdict.SUSPICIOUS, "4/93", None)
    assert report.facts == (
        ("owner", "AS64500 EXAMPLE-AS"),
        ("network", "192.88.99.0/24"),
        ("country", "ZZ"),
        ("reputation", "1"),
        ("votes", "0 malicious, 1 harmless"),
    )


def test_a_domain() -> None:
    report = read(DOMAIN, reply(sample("virustotal", "domain")))

    assert (report.verdict, report.score, report.link) == (Verdict.SUSPICIOUS, "6/94", None)
    assert report.facts == (
        ("registrar", "Example Registrar"),
        ("registered", "2017-07-14"),
        ("popularity", "Example Rank 506742"),
        ("categories", "malware sites, news"),
        ("reputation", "-37"),
        ("votes", "2 malicious, 0 harmless"),
        ("tags", "dga"),
    )


def test_a_url() -> None:
    report = read(URL, reply(sample("virustotal", "url")))

    assert (report.verdict, report.score, report.link) == (Verdict.SUSPICIOUS, "11/93", None)
    assert dict(report.facts)["leads to"] == "http://c2.example.edu/landing"
    assert dict(report.facts)["threats"] == "C2/Invented-A"
    assert (report.first_seen, report.last_seen) == (
        datetime(2020, 9, 13, 12, 26, 40, tzinfo=UTC),
        datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC),
    )


@pytest.mark.parametrize(
    ("counts", "verdict", "score"),
    [
        ({"malicious": 5, "undetected": 60}, Verdict.MALICIOUS, "5/65"),
        ({"malicious": 4, "undetected": 60}, Verdict.SUSPICIOUS, "4/64"),
        ({"malicious": 1, "undetected": 60}, Verdict.SUSPICIOUS, "1/61"),
        ({"malicious": 0, "suspicious": 1, "undetected": 60}, Verdict.SUSPICIOUS, "0/61"),
        ({"malicious": 0, "undetected": 60, "harmless": 5}, Verdict.UNKNOWN, "0/65"),
        ({"malicious": 0, "timeout": 60}, Verdict.UNKNOWN, None),
        ({"malicious": "7", "undetected": "60"}, Verdict.MALICIOUS, "7/67"),
        ({"malicious": -7, "undetected": True}, Verdict.UNKNOWN, None),
        ({}, Verdict.UNKNOWN, None),
    ],
)
def test_how_many_engines_condemn_a_file(
    counts: dict[str, object], verdict: Verdict, score: str | None
) -> None:
    report = read(SHA256, with_counts(**counts))

    assert (report.verdict, report.score) == (verdict, score)


def test_the_number_of_engines_that_condemn_can_be_chosen() -> None:
    stricter = VirusTotal(Options(), condemned_from=10)

    report = stricter.read(SHA256, with_counts(malicious=9, undetected=50))

    assert report is not None
    assert report.verdict is Verdict.SUSPICIOUS


def test_who_distributes_a_file_does_not_outweigh_an_engine() -> None:
    answer = sample("virustotal", "file-known")
    answer["data"]["attributes"]["last_analysis_stats"]["malicious"] = 1

    assert read(SHA256, reply(answer)).verdict is Verdict.SUSPICIOUS


@pytest.mark.parametrize("indicator", [IPV4, Indicator(Kind.IPV6, "2a00::1"), DOMAIN, URL])
@pytest.mark.parametrize(
    ("malicious", "verdict"),
    [(2, Verdict.UNKNOWN), (3, Verdict.SUSPICIOUS), (90, Verdict.SUSPICIOUS)],
)
def test_engines_alone_never_condemn_an_address(
    indicator: Indicator, malicious: int, verdict: Verdict
) -> None:
    report = read(indicator, with_counts(malicious=malicious, harmless=3))

    assert report.verdict is verdict


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (Kind.IPV4, "1.1.1.1"),
        (Kind.DOMAIN, "google.com"),
        (Kind.URL, "https://www.google.com/"),
        (Kind.IPV4, "10.0.0.1"),
    ],
)
def test_what_everybody_meets_is_not_suspicious_for_a_few_engines(kind: Kind, value: str) -> None:
    assert read(Indicator(kind, value), with_counts(malicious=4, harmless=80)).verdict is Verdict.UNKNOWN


def test_a_report_without_anything_in_it_is_a_report() -> None:
    report = read(IPV4, reply({"data": {"attributes": {}}}))

    assert report == Report()


def test_the_same_file_under_a_hash_in_capitals_is_the_same() -> None:
    answer = reply({"data": {"attributes": {"sha256": SHA256.value.upper()}}})

    assert read(SHA256, answer).verdict is Verdict.UNKNOWN


def test_an_attacker_cannot_make_an_answer_unreadable_by_the_name_of_a_file() -> None:
    answer = sample("virustotal", "file-malicious")
    answer["data"]["attributes"]["names"] = ["half \ud83d\u202e\0a character", "x" * 100_000, None, ["y"]]

    report = read(SHA256, reply(answer))

    assert report.verdict is Verdict.MALICIOUS
    assert dict(report.facts)["names"].startswith("half \u202e a character, xxx")


# What is no answer.


def test_a_file_that_it_never_saw() -> None:
    assert service.read(SHA256, reply(sample("virustotal", "not-found-404"), 404)) is None


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (reply(sample("virustotal", "quota-429"), 429), Outcome.QUOTA),
        (reply(sample("virustotal", "too-many-429"), 429), Outcome.QUOTA),
        (raw(HTML, 429, "text/html"), Outcome.QUOTA),
        (reply(sample("virustotal", "wrong-credentials-401"), 401), Outcome.AUTH),
        (reply(sample("virustotal", "forbidden-403"), 403), Outcome.AUTH),
        (reply(sample("virustotal", "transient-503"), 503), Outcome.UNAVAILABLE),
        (raw(HTML, 500, "text/html"), Outcome.UNAVAILABLE),
        (raw(b"", 204), Outcome.UNAVAILABLE),
        (reply(sample("virustotal", "invalid-400"), 400), Outcome.BAD_ANSWER),
        (raw(b"", 302), Outcome.BAD_ANSWER),
        (raw(HTML, 404, "text/html"), Outcome.BAD_ANSWER),
        (reply({"message": "no such page"}, 404), Outcome.BAD_ANSWER),
        (reply(sample("virustotal", "file-malicious"), 404), Outcome.BAD_ANSWER),
        (raw(HTML, 200, "text/html"), Outcome.BAD_ANSWER),
        (raw(b""), Outcome.BAD_ANSWER),
        (raw(b'{"data": {"attri'), Outcome.BAD_ANSWER),
        (raw(b"[" * 100_000), Outcome.BAD_ANSWER),
        (raw(b"\xff\xfe\x00"), Outcome.BAD_ANSWER),
        (reply([]), Outcome.BAD_ANSWER),
        (reply({}), Outcome.BAD_ANSWER),
        (reply({"data": []}), Outcome.BAD_ANSWER),
        (reply({"data": {"attributes": None}}), Outcome.BAD_ANSWER),
        (reply({"data": {"attributes": {"sha256": "3f" * 32}}}), Outcome.BAD_ANSWER),
    ],
)
def test_an_error_is_not_absence(answer: Reply, outcome: Outcome) -> None:
    assert failure(service, SHA256, answer)[0] is outcome


def test_it_may_say_when_to_ask_again() -> None:
    answer = Reply(429, {"retry-after": "37"}, HTML)

    assert failure(service, SHA256, answer) == (Outcome.QUOTA, 37.0)


# What must always hold.


@pytest.mark.parametrize("case", ABOUT)
@given(data=st.data())
def test_no_answer_breaks_it_or_makes_a_report_that_cannot_be_kept(case: str, data: st.DataObject) -> None:
    survives(service, ABOUT[case], data.draw(mutilated(sample("virustotal", case))))


@given(JSON, st.sampled_from([200, 404]))
def test_nothing_else_breaks_it_either(answer: object, status: int) -> None:
    survives(service, SHA256, answer, status)
    survives(service, IPV4, {"data": {"attributes": answer}}, status)


@given(hostile.storable)
def test_no_link_is_taken_from_an_answer(link: str) -> None:
    answer = sample("virustotal", "url")
    answer["data"]["links"] = {"self": link}
    answer["data"]["attributes"]["sha256"] = link

    assert read(URL, reply(answer)).link is None


@pytest.mark.parametrize(
    ("name", "kind", "verdict", "score"),
    [
        ("virustotal-file", Kind.SHA256, Verdict.MALICIOUS, "47/65"),
        ("virustotal-ipv4", Kind.IPV4, Verdict.SUSPICIOUS, "4/93"),
        ("virustotal-domain", Kind.DOMAIN, Verdict.SUSPICIOUS, "6/93"),
        ("virustotal-url", Kind.URL, Verdict.SUSPICIOUS, "11/93"),
        ("virustotal-ip-benign-1.1.1.1", Kind.IPV4, Verdict.UNKNOWN, None),
        ("virustotal-domain-benign-google", Kind.DOMAIN, Verdict.UNKNOWN, None),
    ],
)
def test_real_answers_are_read(name: str, kind: Kind, verdict: Verdict, score: str | None) -> None:
    content = published(f"{name}.json")
    answer = content if "data" in content else {"data": content}
    attributes = answer["data"]["attributes"]
    value = attributes["url"] if kind is Kind.URL else answer["data"]["id"]

    report = read(Indicator(kind, value), reply(answer))

    assert report.verdict is verdict
    assert score in (None, report.score)
