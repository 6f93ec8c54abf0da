"""What a page of Trend's list says is read with care, and leads nowhere but to the next page."""

import hashlib
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given

from bot.findings import Outcome, Report
from bot.indicators import Indicator, Kind, canonical
from bot.providers.remote import Reply
from bot.providers.spec import NoAnswerError
from bot.providers.suspicious_objects import PATH, Listed, Page, add, read_page, report, verdict
from bot.providers.trend import BASE_URL
from bot.verdicts import Verdict
from tests.providers.replies import (
    FAULTS,
    HOSTILE,
    JSON,
    assert_bounded,
    mutilated,
    published,
    reply,
    sample,
)

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
SHA256 = Indicator(Kind.SHA256, hashlib.sha256(b"invented sample").hexdigest())
SHA1 = Indicator(Kind.SHA1, hashlib.sha1(b"invented sample", usedforsecurity=False).hexdigest())
PAGE, LAST = sample("trend", "page"), sample("trend", "last-page")


def page(answer: Any, base_url: str = BASE_URL) -> Page:
    return read_page(reply(answer), base_url)


def joined(*pages: Page) -> dict[Indicator, Listed]:
    objects: dict[Indicator, Listed] = {}
    for each in pages:
        add(each, objects)
    return objects


def refused(answer: Any, base_url: str = BASE_URL) -> Outcome:
    with pytest.raises(NoAnswerError) as caught:
        page(answer, base_url)
    return caught.value.outcome


def item(**fields: object) -> dict[str, object]:
    return {"type": "ip", "ip": "192.0.2.1", "riskLevel": "high", "inExceptionList": False, **fields}


def listed(**fields: object) -> Listed:
    ((_, one),) = page({"items": [item(**fields)]}).objects
    return one


def test_every_kind_of_object_is_read_in_canonical_form_and_the_rest_is_counted() -> None:
    first, last = page(PAGE), page(LAST)

    assert [each for each, _ in (*first.objects, *last.objects)] == [
        SHA256,
        SHA1,
        Indicator(Kind.IPV4, "192.0.2.11"),
        Indicator(Kind.IPV6, "2001:db8::11"),
        Indicator(Kind.DOMAIN, "c2.example.org"),
        Indicator(Kind.URL, "http://c2.example.org/gate.php"),
        Indicator(Kind.DOMAIN, "old.example.org"),
        Indicator(Kind.EMAIL, "billing@example.org"),
    ]
    assert (first.skipped, last.skipped) == (1, 0)  # *.wild.example.org


def test_a_report_says_what_the_entry_says() -> None:
    objects = joined(page(PAGE), page(LAST))

    assert report(objects[SHA256], NOW, "2026-06-01 11:30 UTC") == Report(
        verdict=Verdict.MALICIOUS,
        score="risk high",
        facts=(
            ("list of", "2026-06-01 11:30 UTC"),
            ("expires", "2027-05-10 00:00 UTC"),
            ("action", "log"),
            ("changed", "2026-04-09 17:57 UTC"),
            ("note", "Invented for a test"),
        ),
    )
    over = report(objects[Indicator(Kind.DOMAIN, "old.example.org")], NOW, "now")
    assert (over.verdict, over.facts[1]) == (Verdict.UNKNOWN, ("expired", "2026-05-10 00:00 UTC"))
    excepted = report(objects[Indicator(Kind.DOMAIN, "c2.example.org")], NOW, "now")
    assert (excepted.verdict, excepted.facts[2]) == (Verdict.BENIGN, ("exception list", "yes"))


@pytest.mark.parametrize(
    ("fields", "comes_to"),
    [
        ({"riskLevel": "high"}, Verdict.MALICIOUS),
        ({"riskLevel": "HIGH"}, Verdict.MALICIOUS),
        ({"riskLevel": "medium"}, Verdict.SUSPICIOUS),
        ({"riskLevel": "low"}, Verdict.SUSPICIOUS),
        ({"riskLevel": "noRisk"}, Verdict.UNKNOWN),
        ({"riskLevel": None}, Verdict.UNKNOWN),
        ({"riskLevel": "high", "inExceptionList": True}, Verdict.BENIGN),
        ({"expiredDateTime": "2026-06-01T12:00:00Z"}, Verdict.UNKNOWN),
        ({"expiredDateTime": "2026-06-01T12:00:01Z"}, Verdict.MALICIOUS),
        ({"expiredDateTime": "2026-06-01T12:00:00Z", "inExceptionList": True}, Verdict.UNKNOWN),
        ({"expiredDateTime": None}, Verdict.MALICIOUS),
    ],
)
def test_risk_exception_and_expiry_give_the_verdict(fields: dict[str, object], comes_to: Verdict) -> None:
    assert verdict(listed(**fields), NOW) is comes_to


@pytest.mark.parametrize(
    "wrong",
    [
        item(type="fileMd5", fileMd5="0" * 32),
        item(type="fileSha256", fileSha256="0" * 40),
        item(type="fileSha256"),
        item(type=["ip"]),
        item(ip=None),
        item(ip="192.0.2.0/24"),
        item(ip="192.0.2.256"),
        item(inExceptionList="false"),
        item(inExceptionList=None),
        item(expiredDateTime="soon"),
        item(expiredDateTime=1),
        item(type="domain", domain="*.example.org"),
        item(type="url", url="http://"),
        {},
        None,
        "192.0.2.1",
    ],
)
def test_an_entry_that_is_half_understood_is_skipped_and_counted(wrong: object) -> None:
    read = page({"items": [wrong, item(ip="192.0.2.2")]})

    assert [each.value for each, _ in read.objects] == ["192.0.2.2"]
    assert read.skipped == 1


def test_of_an_object_listed_twice_the_entry_changed_last_counts() -> None:
    older = item(riskLevel="high", lastModifiedDateTime="2026-01-01T00:00:00Z")
    newer = item(riskLevel="low", lastModifiedDateTime="2026-02-01T00:00:00Z")
    undated = item(riskLevel="medium")

    for order in ([older, newer, undated], [undated, newer, older], [newer, undated, older]):
        (one,) = joined(*(page({"items": [each]}) for each in order)).values()
        assert one.risk == "low"


def test_the_next_page_is_asked_for_with_every_parameter_of_the_link() -> None:
    assert page(PAGE).following == (
        "top=200&skipToken=YWJj%2Bdef%3D&orderBy=lastModifiedDateTime%20desc"  # as it stands
    )
    assert page(LAST).following is None


@pytest.mark.parametrize("link", [None, ""])
def test_no_link_ends_the_list(link: object) -> None:
    assert page({"items": [], "nextLink": link}).following is None


@pytest.mark.parametrize(
    ("base_url", "link"),
    [
        (BASE_URL, f"{BASE_URL}:443{PATH}?skipToken=2"),
        (BASE_URL, f"HTTPS://API.XDR.TRENDMICRO.COM{PATH}?skipToken=2"),
        ("http://127.0.0.1:8080", f"http://127.0.0.1:8080{PATH}?skipToken=2"),
        ("http://127.0.0.1:8080/vision/", f"http://127.0.0.1:8080/vision{PATH}?skipToken=2"),
    ],
)
def test_a_link_to_the_same_place_is_followed(base_url: str, link: str) -> None:
    assert page({"items": [], "nextLink": link}, base_url).following == "skipToken=2"


@pytest.mark.parametrize(
    "link",
    [
        f"https://evil.example{PATH}?skipToken=2",
        f"https://api.xdr.trendmicro.com.evil.example{PATH}?skipToken=2",
        f"https://api.xdr.trendmicro.com@evil.example{PATH}?skipToken=2",
        f"https://evil@api.xdr.trendmicro.com{PATH}?skipToken=2",
        f"http://api.xdr.trendmicro.com{PATH}?skipToken=2",
        f"https://api.xdr.trendmicro.com:8443{PATH}?skipToken=2",
        f"https://api.xdr.trendmicro.com:x{PATH}?skipToken=2",
        f"https://api.eu.xdr.trendmicro.com{PATH}?skipToken=2",
        f"{BASE_URL}/v3.0/threatintel/feeds?skipToken=2",
        f"{BASE_URL}{PATH}/../../iam/apiKeys?skipToken=2",
        f"{BASE_URL}{PATH}?skipToken=2#fragment",
        f"{BASE_URL}{PATH}?skip Token=2",
        f"{BASE_URL}{PATH}?skipToken=2\r\nX-Other: 1",
        f"{BASE_URL}{PATH}?skipToken=\u0662",
        f"{BASE_URL}{PATH}",
        f"{PATH}?skipToken=2",
        f"//evil.example{PATH}?skipToken=2",
        "https://[::1",
        f"{BASE_URL}{PATH}?skipToken={'2' * 5000}",
        7,
        ["https://api.xdr.trendmicro.com"],
    ],
)
def test_a_link_to_anywhere_else_is_no_answer(link: object) -> None:
    assert refused({"items": [], "nextLink": link}) is Outcome.BAD_ANSWER


@pytest.mark.parametrize(("got", "fails"), FAULTS.values(), ids=FAULTS)
def test_what_is_no_page_is_a_failure_and_not_an_empty_list(
    got: Reply, fails: tuple[Outcome, float | None]
) -> None:
    with pytest.raises(NoAnswerError) as caught:
        read_page(got, BASE_URL)

    assert (caught.value.outcome, caught.value.again_in) == fails


@pytest.mark.parametrize("answer", [{"items": None}, {"items": {}}, {"items": "x"}, {"error": {}}])
def test_an_answer_without_items_is_a_failure(answer: object) -> None:
    assert refused(answer) is Outcome.BAD_ANSWER


def test_hostile_texts_stay_short_and_sendable() -> None:
    one = listed(description=HOSTILE, scanAction=HOSTILE, riskLevel=HOSTILE, lastModifiedDateTime=HOSTILE)

    assert_bounded(report(one, NOW, "now"))


@given(answer=mutilated(PAGE))
def test_a_mutilated_page_is_read_or_refused(answer: dict[str, Any]) -> None:
    _read_or_refuse(answer)


@given(answer=JSON)
def test_anything_else_is_read_or_refused(answer: Any) -> None:
    _read_or_refuse({"items": [answer]})


def _read_or_refuse(answer: dict[str, Any]) -> None:
    try:
        read = page(answer)
    except NoAnswerError:
        return  # and no other error
    assert len(read.objects) + read.skipped == len(answer["items"])
    for indicator, one in read.objects:
        assert canonical(indicator.kind, indicator.value) == indicator
        assert_bounded(report(one, NOW, "now"))


def test_the_published_shape_is_read() -> None:
    read = page(published("trend-suspiciousobjects.SHAPE.json"))

    assert [each.kind for each, _ in read.objects] == [Kind.SHA256, Kind.IPV4]
    assert (read.skipped, read.following) == (0, "skipToken=abc")
