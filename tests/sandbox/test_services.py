"""The fake services: as strict as the real ones, and as troublesome."""

import base64
import json
from typing import Any

import aiohttp
import pytest

from bot.sandbox.services import Fakes, VirusTotal
from bot.sandbox.services.knowledge import (
    DISPUTED_SHA1,
    LISTED_DOMAIN,
    LISTED_IP,
    LISTED_URL,
    MALICIOUS,
    MALICIOUS_MD5,
    UNHEARD_OF,
)
from tests.sandbox.asking import SERVICES, TREND, asking, bazaar, fox, good_question, haus, key_of
from tests.sandbox.parts import Clock

Body = dict[str, Any]
URL_ID = base64.urlsafe_b64encode(LISTED_URL.encode()).decode().rstrip("=")
NO_RESULT = {"query_status": "no_result", "data": "Your search did not yield any results"}


# --- what they know --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("service", "question", "path_to", "expected"),
    [
        ("virustotal", {"path": f"/api/v3/files/{MALICIOUS}"}, ("data", "id"), MALICIOUS),
        ("virustotal", {"path": f"/api/v3/files/{MALICIOUS_MD5}"}, ("data", "type"), "file"),
        ("virustotal", {"path": f"/api/v3/ip_addresses/{LISTED_IP}"}, ("data", "type"), "ip_address"),
        ("virustotal", {"path": f"/api/v3/domains/{LISTED_DOMAIN}"}, ("data", "id"), LISTED_DOMAIN),
        ("virustotal", {"path": f"/api/v3/urls/{URL_ID}"}, ("data", "type"), "url"),
        ("opentip", {"path": f"/api/v1/search/hash?request={MALICIOUS_MD5}"}, ("Zone",), "Red"),
        ("opentip", {"path": f"/api/v1/search/ip?request={LISTED_IP}"}, ("Zone",), "Orange"),
        ("hashlookup", {"path": f"/lookup/sha1/{DISPUTED_SHA1}"}, ("hashlookup:trust",), 80),
        ("malwarebazaar", bazaar(query="get_info", hash=MALICIOUS_MD5), ("data", 0, "file_type"), "js"),
        ("threatfox", fox(query="search_hash", hash=MALICIOUS_MD5), ("data", 0, "ioc"), f"{LISTED_IP}:443"),
        ("threatfox", fox(query="search_ioc", search_term=LISTED_DOMAIN), ("data", 0, "id"), "43"),
        ("urlhaus", haus("payload", md5_hash=MALICIOUS_MD5), ("sha256_hash",), MALICIOUS),
        ("urlhaus", haus("url", url=LISTED_URL), ("url_status",), "offline"),
        ("urlhaus", haus("host", host="files.harborwatch.example"), ("url_count",), "1"),
        ("trend", {"path": f"{TREND}?top=200"}, ("items", 0, "fileSha256"), MALICIOUS.upper()),
    ],
)  # fmt: skip
async def test_a_right_question_is_answered(
    fakes: Fakes,
    client: aiohttp.ClientSession,
    service: str,
    question: Body,
    path_to: tuple[str | int, ...],
    expected: object,
) -> None:
    async with asking(client, fakes, service, **question) as response:
        found = await response.json()

    for step in path_to:
        found = found[step]
    assert (response.status, found, fakes.mistakes) == (200, expected, [])


@pytest.mark.parametrize(
    ("service", "question", "status", "body"),
    [
        ("virustotal", {"path": f"/api/v3/files/{UNHEARD_OF}"}, 404, "NotFoundError"),
        ("opentip", {"path": f"/api/v1/search/hash?request={UNHEARD_OF}"}, 404, ""),
        ("hashlookup", {"path": f"/lookup/sha256/{UNHEARD_OF}"}, 404, "Non existing SHA-256"),
        ("malwarebazaar", bazaar(query="get_info", hash=UNHEARD_OF), 200, "hash_not_found"),
        ("threatfox", fox(query="search_hash", hash=UNHEARD_OF), 200, json.dumps(NO_RESULT)),
        ("threatfox", fox(query="search_ioc", search_term="absent.example"), 200, "no_result"),
        ("urlhaus", haus("payload", sha256_hash=UNHEARD_OF), 200, "no_results"),
    ],
)
async def test_what_a_service_does_not_know_is_no_mistake(
    fakes: Fakes, client: aiohttp.ClientSession, service: str, question: Body, status: int, body: str
) -> None:
    async with asking(client, fakes, service, **question) as response:
        said = await response.text()

    assert (response.status, fakes.mistakes) == (status, [])
    assert body in said


async def test_a_search_finds_what_only_contains_the_term(
    fakes: Fakes, client: aiohttp.ClientSession
) -> None:
    async with asking(client, fakes, "threatfox", **fox(query="search_ioc", search_term="13.66")) as response:
        assert (await response.json())["data"][0]["ioc"] == f"{LISTED_IP}:443"
    exact = fox(query="search_ioc", search_term="13.66", exact_match=True)
    async with asking(client, fakes, "threatfox", **exact) as response:
        assert await response.json() == NO_RESULT


async def test_the_list_comes_in_pages(fakes: Fakes, client: aiohttp.ClientSession) -> None:
    template = fakes.trend.records[LISTED_IP]
    fakes.trend.records = {str(n): {**template, "ip": f"192.0.2.{n}"} for n in range(120)}
    seen, path = [], f"{TREND}?top=50"
    while path:
        async with asking(client, fakes, "trend", path) as response:
            body = await response.json()
        seen += [item["ip"] for item in body["items"]]
        path = body.get("nextLink", "").removeprefix(fakes.trend.url)

    assert seen == [f"192.0.2.{n}" for n in range(120)]
    assert [call.value for call in fakes.trend.calls] == ["0", "50", "100"]


async def test_the_portal_tells_the_sections_asked_for(fakes: Fakes, client: aiohttp.ClientSession) -> None:
    bearer = {"Authorization": f"Bearer {fakes.opentip.key}"}
    path = f"/api/hash/{MALICIOUS}?sections=LicenseInfo,Zone"
    async with asking(client, fakes, "opentip", path, headers=bearer) as response:
        body = await response.json()

    assert body.keys() == {"LicenseInfo", "Zone"}
    assert body["LicenseInfo"]["DayQuota"] == 1000
    assert fakes.mistakes == []


# --- what they refuse ------------------------------------------------------------------------------


WRONG = [
    ("virustotal", {"path": f"/api/v3/files/{MALICIOUS}", "method": "POST"}, 405, "POST, not GET"),
    ("virustotal", {"path": f"/api/v2/files/{MALICIOUS}"}, 404, "an unknown path"),
    ("virustotal", {"path": f"/api/v3/files/{MALICIOUS}/comments"}, 404, "an unknown path"),
    ("virustotal", {"path": "/api/v3/files/not-a-hash"}, 404, "a file that is no hash"),
    ("virustotal", {"path": "/api/v3/urls/%25%25"}, 400, "a URL that is not named by its identifier"),
    ("virustotal", {"path": f"/api/v3/files/{MALICIOUS}?cursor=x"}, 400, "unknown parameters"),
    ("opentip", {"path": "/api/v1/search/file?request=x"}, 404, "an unknown path"),
    ("opentip", {"path": "/api/v1/search/hash"}, 400, "no request, or several"),
    ("opentip", {"path": "/api/v1/search/hash?request=zz"}, 400, "not a hash"),
    ("opentip", {"path": f"/api/v1/search/hash?request={MALICIOUS}&private=1"}, 400, "unknown parameters"),
    ("opentip", {"path": f"/api/v1/search/url?request=http://a.example/{'a' * 2000}"}, 414, "too long"),
    ("opentip", {"path": f"/api/hash/{MALICIOUS}?sections=Zone"}, 401, "no right Authorization"),
    ("hashlookup", {"path": f"/lookup/sha512/{MALICIOUS}"}, 404, "an unknown path"),
    ("hashlookup", {"path": f"/lookup/sha256/{MALICIOUS_MD5}"}, 400, "not a sha256"),
    ("hashlookup", {"path": f"/lookup/sha256/{MALICIOUS}", "method": "POST"}, 405, "POST, not GET"),
    ("malwarebazaar", {"path": "/api/v1/"}, 200, "GET, not POST"),
    ("malwarebazaar", bazaar(query="get_info"), 200, "no hash"),
    ("malwarebazaar", bazaar(query="get_info", hash="zz"), 200, "not a hash"),
    ("malwarebazaar", bazaar(query="upload", hash=MALICIOUS), 200, "another query"),
    ("malwarebazaar", bazaar(query="get_info", hash=MALICIOUS, more="1"), 200, "unknown or repeated"),
    ("malwarebazaar", fox(query="get_info", hash=MALICIOUS), 200, "a body that is no application/x-www"),
    ("threatfox", bazaar(query="search_hash", hash=MALICIOUS), 200, "a body that is no application/json"),
    ("threatfox", fox(query="get_iocs"), 200, "not JSON with a known query"),
    ("threatfox", fox(query="search_hash", hash=DISPUTED_SHA1), 200, "not an MD5 or SHA-256"),
    ("threatfox", fox(query="search_ioc", search_term="x", days=7), 200, "unknown fields"),
    ("urlhaus", haus("payload", sha1_hash=DISPUTED_SHA1), 200, "unknown or repeated"),
    ("urlhaus", haus("payload", sha256_hash=MALICIOUS_MD5), 200, "not a sha256_hash"),
    ("urlhaus", haus("url", url="no url"), 200, "not a url"),
    ("urlhaus", haus("urls", url=LISTED_URL), 404, "an unknown path"),
    ("trend", {"path": f"{TREND}?top=10"}, 400, "a page of another length"),
    ("trend", {"path": f"{TREND}?sha256={MALICIOUS}"}, 400, "unknown parameters"),
    ("trend", {"path": TREND, "method": "POST"}, 405, "POST, not GET"),
]


@pytest.mark.parametrize(("service", "question", "status", "words"), WRONG)
async def test_a_wrong_question_is_refused_and_noted(
    fakes: Fakes, client: aiohttp.ClientSession, service: str, question: Body, status: int, words: str
) -> None:
    async with asking(client, fakes, service, **question) as response:
        said = await response.text()

    assert response.status == status
    [mistake] = fakes.mistakes
    assert words in mistake
    assert MALICIOUS not in said


@pytest.mark.parametrize("service", [each for each in SERVICES if each != "hashlookup"])
async def test_a_wrong_key_is_refused(fakes: Fakes, client: aiohttp.ClientSession, service: str) -> None:
    header = str(fakes[service].key_header)
    for headers in ({}, {header: "wrong"}, {header: f"{fakes[service].key_scheme}wrong"}):
        async with asking(client, fakes, service, **good_question(service), headers=headers) as response:
            assert response.status in (401, 403)
    assert len(fakes.mistakes) == 3


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("extra", [{"X-Forwarded-For": "192.0.2.1"}, {"Cookie": "a=b"}])
async def test_headers_that_tell_more_than_the_question_are_refused(
    fakes: Fakes, client: aiohttp.ClientSession, service: str, extra: dict[str, str]
) -> None:
    headers = {**key_of(fakes, service), **extra}
    async with asking(client, fakes, service, **good_question(service), headers=headers) as response:
        assert response.status == 400
    assert "unexpected headers" in fakes.mistakes[0]


async def test_a_key_in_the_address_is_noted(fakes: Fakes, client: aiohttp.ClientSession) -> None:
    path = f"/api/v3/files/{MALICIOUS}?apikey={fakes.virustotal.key}"
    async with asking(client, fakes, "virustotal", path) as response:
        assert response.status == 401
    assert fakes.mistakes == ["virustotal: the key stands in the address"]


async def test_more_questions_than_allowed_are_refused_for_a_minute(client: aiohttp.ClientSession) -> None:
    clock = Clock()
    fakes = Fakes(virustotal=VirusTotal(per_minute=2, timer=lambda: clock().timestamp()))
    fakes.virustotal.retry_after = 30
    await fakes.virustotal.start()
    try:
        statuses, path = [], f"/api/v3/files/{UNHEARD_OF}"
        for seconds in (0, 1, 58, 1.5):
            clock.move(seconds)
            async with asking(client, fakes, "virustotal", path) as response:
                statuses.append((response.status, response.headers.get("Retry-After")))
    finally:
        await fakes.stop()

    assert statuses == [(404, None), (404, None), (429, "30"), (404, None)]
    assert fakes.mistakes == ["virustotal: asked more than 2 times a minute"]


async def test_calls_tell_what_was_asked_but_hold_no_key(fakes: Fakes, client: aiohttp.ClientSession) -> None:
    told: list[int] = []
    fakes.watch(lambda: told.append(1))
    async with asking(client, fakes, "malwarebazaar", **good_question("malwarebazaar")):
        pass

    [call] = fakes.malwarebazaar.calls
    assert (call.method, call.path, call.value) == ("POST", "/api/v1/", MALICIOUS)
    assert "auth-key" in call.headers
    assert fakes.malwarebazaar.key not in repr(call)
    assert told == [1]
