"""How tests ask the fake services."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from bot.sandbox.services import Fakes
from bot.sandbox.services.knowledge import DISPUTED, MALICIOUS

TREND = "/v3.0/threatintel/suspiciousObjects"
SERVICES = ("virustotal", "opentip", "hashlookup", "malwarebazaar", "threatfox", "urlhaus", "trend")


def key_of(fakes: Fakes, service: str) -> dict[str, str]:
    """The header that this service wants."""
    fake = fakes[service]
    return {fake.key_header: f"{fake.key_scheme}{fake.key}"} if fake.key_header else {}


@asynccontextmanager
async def asking(
    client: aiohttp.ClientSession, fakes: Fakes, service: str, path: str, method: str = "GET", **more: Any
) -> AsyncIterator[aiohttp.ClientResponse]:
    """One question with the right key, unless other headers are given."""
    headers = more.pop("headers", None)
    sent = key_of(fakes, service) if headers is None else headers
    url = fakes[service].url + path
    async with client.request(method, url, headers=sent, allow_redirects=False, **more) as response:
        yield response


def good_question(service: str) -> dict[str, Any]:
    """A question about MALICIOUS that is right in every detail."""
    questions: dict[str, dict[str, Any]] = {
        "virustotal": {"path": f"/api/v3/files/{MALICIOUS}"},
        "opentip": {"path": "/api/v1/search/hash", "params": {"request": MALICIOUS}},
        "hashlookup": {"path": f"/lookup/sha256/{DISPUTED}"},
        "malwarebazaar": bazaar(query="get_info", hash=MALICIOUS),
        "threatfox": fox(query="search_hash", hash=MALICIOUS),
        "urlhaus": haus("payload", sha256_hash=MALICIOUS),
        "trend": {"path": TREND},
    }
    return questions[service]


def bazaar(**fields: str) -> dict[str, Any]:
    return {"path": "/api/v1/", "method": "POST", "data": fields}


def fox(**fields: Any) -> dict[str, Any]:
    return {"path": "/api/v1/", "method": "POST", "json": fields}


def haus(what: str, **fields: str) -> dict[str, Any]:
    return {"path": f"/v1/{what}/", "method": "POST", "data": fields}
