"""Kaspersky's two portals as pure functions: how they are asked, and what their zones come to."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.assertions import Assertion
from bot.findings import Outcome, Report
from bot.indicators import Indicator, Kind
from bot.providers.opentip import OpenTip, Portal, service
from bot.providers.options import Options
from bot.providers.remote import Reply, Service
from bot.secret import Secret
from bot.sharing import World, may_release
from bot.tlp import Label, Pap
from bot.verdicts import Verdict
from tests.providers.replies import JSON, failure, mutilated, published, reply, sample, survives
from tests.strategies import NOW

SHA256 = Indicator(Kind.SHA256, "2f" * 32)
IPV4 = Indicator(Kind.IPV4, "192.0.2.7")
DOMAIN = Indicator(Kind.DOMAIN, "c2.example.org")
URL = Indicator(Kind.URL, "http://c2.example.org/a?b=c&d")
ABOUT = {
    "hash-red": SHA256,
    "hash-green": SHA256,
    "ip-orange": IPV4,
    "domain-red": DOMAIN,
    "url-red": URL,
    "portal-ip-red": IPV4,
}
HTML = b"<html><body>Please verify that you are human</body></html>"
WORLD = World(
    host="host",
    now=NOW,
    in_force=frozenset({"kaspersky", "trendmicro"}),
    community=frozenset({"trendmicro"}),
    names={"host": "Host", "kaspersky": "Kaspersky", "trendmicro": "Trend Micro"},
)

open_tip = OpenTip(Options(key=Secret("canary-key")))
portal = Portal(Options(key=Secret("canary-key")))
both = pytest.mark.parametrize("asked", [open_tip, portal], ids=["opentip", "portal"])


def read(answer: Reply, indicator: Indicator = SHA256, by: Service = open_tip) -> Report:
    report = by.read(indicator, answer)
    assert report is not None
    return report


def raw(body: bytes, status: int = 200, content_type: str = "application/json") -> Reply:
    return Reply(status, {"content-type": content_type}, body)


# How they are asked.


@pytest.mark.parametrize(
    ("indicator", "place"),
    [
        (Indicator(Kind.MD5, "0f" * 16), "hash"),
        (Indicator(Kind.SHA1, "1f" * 20), "hash"),
        (SHA256, "hash"),
        (IPV4, "ip"),
        (DOMAIN, "domain"),
        (URL, "url"),
    ],
)
def test_opentip_is_asked_by_parameter(indicator: Indicator, place: str) -> None:
    request = open_tip.request(indicator)

    assert (request.method, request.path) == ("GET", f"api/v1/search/{place}")
    assert request.query == {"request": indicator.value}
    assert request.headers == {"x-api-key": "canary-key"}


def test_the_portal_is_asked_by_path() -> None:
    request = portal.request(URL)

    assert (request.method, request.path) == ("GET", "api/url/http%3A%2F%2Fc2.example.org%2Fa%3Fb%3Dc%26d")
    assert request.query["sections"].startswith("LicenseInfo,Zone,FileGeneralInfo,")
    assert request.headers == {"Authorization": "Bearer canary-key"}


@both
def test_a_question_does_not_show_the_key(asked: Service) -> None:
    assert "canary" not in repr(asked.request(SHA256))


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (None, OpenTip),
        ("https://opentip.kaspersky.com", OpenTip),
        ("https://tip.kaspersky.com", Portal),
        ("https://TIP.kaspersky.com/", Portal),
        ("http://127.0.0.1:8080", OpenTip),
        ("https://example.org/tip.kaspersky.com", OpenTip),
    ],
)
def test_the_address_chooses_the_portal(url: str | None, expected: type[Service]) -> None:
    assert isinstance(service(Options(url=url)), expected)


# Who learns of a question.


def claim(label: Label, source: str = "trendmicro", pap: Pap | None = None) -> Assertion:
    return Assertion(indicator=SHA256, source=source, label=label, pap=pap)


@pytest.mark.parametrize(
    ("asked", "about", "may"),
    [
        (open_tip, claim(Label.CLEAR), True),
        (open_tip, claim(Label.GREEN, "kaspersky"), False),
        (open_tip, claim(Label.CLEAR, pap=Pap.AMBER), False),
        (portal, claim(Label.CLEAR, pap=Pap.AMBER), True),
        (portal, claim(Label.GREEN, "kaspersky"), True),
        (portal, claim(Label.GREEN), False),  # Kaspersky does not receive what Trend Micro shared
        (portal, claim(Label.AMBER, "kaspersky"), False),
    ],
)
def test_kaspersky_learns_only_of_what_it_may_know(asked: Service, about: Assertion, may: bool) -> None:
    assert may_release(about, asked.spec.audience, WORLD).release is may


# What the zones come to.


@pytest.mark.parametrize(
    ("zone", "verdict", "score"),
    [
        ("Red", Verdict.MALICIOUS, "Zone Red"),
        ("Orange", Verdict.SUSPICIOUS, "Zone Orange"),
        ("Yellow", Verdict.UNWANTED, "Zone Yellow"),
        ("Green", Verdict.BENIGN, "Zone Green"),
        ("Grey", Verdict.UNKNOWN, "Zone Grey"),
        ("Gray", Verdict.UNKNOWN, "Zone Gray"),
        ("GRAY", Verdict.UNKNOWN, "Zone Gray"),
        (" red ", Verdict.MALICIOUS, "Zone Red"),
    ],
)
@both
def test_zones(asked: Service, zone: str, verdict: Verdict, score: str) -> None:
    report = read(reply({"Zone": zone}), by=asked)

    assert (report.verdict, report.score) == (verdict, score)


def test_a_file_in_the_red_zone() -> None:
    report = read(reply(sample("opentip", "hash-red")))

    assert report == Report(
        verdict=Verdict.MALICIOUS,
        score="Zone Red",
        family="Trojan.Win32.Invented",  # not the adware in it
        first_seen=datetime(2024, 2, 14, 10, 12, tzinfo=UTC),  # comes without seconds
        last_seen=datetime(2026, 10, 30, 21, 5, 59, tzinfo=UTC),
        link=f"https://opentip.kaspersky.com/{SHA256.value}/",
        facts=(
            ("status", "Malware"),
            ("detections", "Trojan.Win32.Invented, Backdoor.Win32.Invented, not-a-virus:AdWare.Invented"),
            ("type", "PE"),
            ("size", "123456 bytes"),
            ("packer", "Invented Packer"),
            ("seen", "about 1000 times"),
        ),
    )


def test_a_file_in_the_green_zone() -> None:
    report = read(reply(sample("opentip", "hash-green")))

    assert (report.verdict, report.family) == (Verdict.BENIGN, None)
    assert dict(report.facts)["signer"] == "Example Software Ltd"


def test_adware_is_unwanted() -> None:
    report = read(reply(sample("opentip", "hash-yellow")))

    assert (report.verdict, report.family) == (Verdict.UNWANTED, "not-a-virus:AdWare.Invented")


def test_a_file_that_nobody_judged() -> None:
    report = read(reply(sample("opentip", "hash-grey")))

    assert (report.verdict, report.facts) == (Verdict.UNKNOWN, (("status", "NotCategorized"),))


def test_an_address() -> None:
    report = read(reply(sample("opentip", "ip-orange")), IPV4)

    assert (report.verdict, report.link) == (Verdict.SUSPICIOUS, None)
    assert report.facts == (
        ("status", "known"),
        ("categories", "botnet cnc, spam"),
        ("country", "ZZ"),
        ("seen", "about 1000 times"),
    )


@pytest.mark.parametrize(
    ("name", "indicator", "category"),
    [("domain-red", DOMAIN, "phishing"), ("url-red", URL, "malware")],
)
def test_domains_and_urls_have_no_link(name: str, indicator: Indicator, category: str) -> None:
    report = read(reply(sample("opentip", name)), indicator)

    assert (report.verdict, report.link) == (Verdict.MALICIOUS, None)
    assert dict(report.facts)["categories"] == category


def test_the_portal_says_more() -> None:
    report = read(reply(sample("opentip", "portal-ip-red")), IPV4, by=portal)

    assert report.verdict is Verdict.MALICIOUS
    assert {"threat score": "75", "APT reports": "yes"}.items() <= dict(report.facts).items()
    assert portal.spec.label is Label.AMBER


# What is no answer.


@both
def test_nothing_known(asked: Service) -> None:
    assert asked.read(SHA256, raw(b"", 404)) is None
    assert asked.read(SHA256, reply({"message": "no data"}, 404)) is None


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (raw(b"", 403), Outcome.QUOTA),  # yes, and not AUTH
        (raw(b"", 429), Outcome.QUOTA),
        (raw(b"", 401), Outcome.AUTH),
        (raw(b"", 400), Outcome.BAD_ANSWER),
        (raw(b"", 414), Outcome.BAD_ANSWER),
        (raw(b"", 302), Outcome.BAD_ANSWER),
        (raw(b"", 204), Outcome.UNAVAILABLE),
        (raw(HTML, 500, "text/html"), Outcome.UNAVAILABLE),
        (reply({}, 503), Outcome.UNAVAILABLE),
        (raw(HTML, 404, "text/html; charset=utf-8"), Outcome.BAD_ANSWER),
        (raw(HTML, 200, "text/html"), Outcome.BAD_ANSWER),
        (raw(b'{"Zone": "Re'), Outcome.BAD_ANSWER),
        (raw(b"[" * 100_000), Outcome.BAD_ANSWER),
        (reply([]), Outcome.BAD_ANSWER),
        (reply({}), Outcome.BAD_ANSWER),
        (reply({"Zone": None}), Outcome.BAD_ANSWER),
        (reply({"Zone": 7}), Outcome.BAD_ANSWER),
        (reply({"Zone": "Ultraviolet"}), Outcome.BAD_ANSWER),
    ],
)
@both
def test_an_error_is_not_absence(asked: Service, answer: Reply, outcome: Outcome) -> None:
    assert failure(asked, SHA256, answer)[0] is outcome


def test_the_portal_says_when_the_licence_is_used_up() -> None:
    assert failure(portal, IPV4, reply(sample("opentip", "portal-used-up")))[0] is Outcome.QUOTA


@pytest.mark.parametrize("used", [999, None, "many", []])
def test_a_licence_with_something_left_does_not_explain_a_missing_zone(used: object) -> None:
    answer = sample("opentip", "portal-used-up")
    answer["LicenseInfo"]["DayRequests"] = used

    assert failure(portal, IPV4, reply(answer))[0] is Outcome.BAD_ANSWER


# What must always hold.


@both
@pytest.mark.parametrize("case", ABOUT)
@given(data=st.data())
def test_no_answer_breaks_it_or_makes_a_report_that_cannot_be_kept(
    asked: Service, case: str, data: st.DataObject
) -> None:
    survives(asked, ABOUT[case], data.draw(mutilated(sample("opentip", case))))


@given(JSON, st.sampled_from([200, 404]), st.sampled_from([open_tip, portal]))
def test_nothing_else_breaks_it_either(answer: object, status: int, asked: Service) -> None:
    survives(asked, SHA256, answer, status)
    survives(asked, IPV4, {"Zone": "Red", "IpGeneralInfo": answer, "DetectionsInfo": answer}, status)


@pytest.mark.parametrize(
    ("name", "indicator", "verdict"),
    [
        ("hash-red", SHA256, Verdict.MALICIOUS),
        ("hash-green", SHA256, Verdict.BENIGN),
        ("hash-grey", SHA256, Verdict.UNKNOWN),
        ("ip-orange", IPV4, Verdict.SUSPICIOUS),
        ("domain-red", DOMAIN, Verdict.MALICIOUS),
    ],
)
def test_documented_answers_are_read(name: str, indicator: Indicator, verdict: Verdict) -> None:
    report = read(reply(published(f"opentip-{name}.SYNTHETIC.json")), indicator)

    assert report.verdict is verdict
