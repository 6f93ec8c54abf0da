"""Strings that try to break out of a message: markup, links, hidden characters, sizes."""

from datetime import UTC, datetime
from typing import Any

from hypothesis import strategies as st

from bot.findings import Finding, Outcome, Report
from bot.indicators import Indicator, Kind
from bot.sharing import Shown
from bot.tlp import Label
from bot.verdicts import Verdict

PIECES = (
    "<!channel>",
    "<!date^1^{date}|x>",
    "<@U0ANNA>",
    "<http://evil.example|safe>",
    "http://evil.example/a?b=c&d",
    "hXXp://evil.com",
    "evil.com",
    "www.evil.com",
    "user@evil.com",
    "mailto:user@evil.com",
    "mailto:",
    "invoice.zip",
    "ｅｖｉｌ．ｃｏｍ",
    "evil。com",
    "пример.рф",
    "xn--e1afmkfd.xn--p1ai",
    "198.51.100.7:8080/x",
    "http://[2001:db8::1]/",
    "ev\u200bil.co\u200dm",
    "evil.c\u00adom",
    "\u202egnp.exe",
    "\u2066TLP:CLEAR\u2069",
    "TLP:CLEAR",
    "\0",
    "\x1b[31m",
    "\n",
    "\r\n\t",
    "\u2028",
    "\ud800",
    "```",
    "`*_~>",
    "&amp;lt;",
    "🔴",
    "שלום",
    "a" * 500,
    "e\u0301" * 30,
    "\u0301" * 60,
    "\u3164",
    ".",
    "/",
    ":",
    "@",
    " ",
)

texts = st.lists(st.sampled_from(PIECES) | st.text(max_size=8), max_size=10).map("".join)
storable = texts.map(lambda text: text.encode("utf-8", "ignore").decode().replace("\0", ""))
times = st.none() | st.datetimes(timezones=st.just(UTC), min_value=datetime(1900, 1, 1))  # noqa: DTZ001  hypothesis adds the zone
indicators = st.builds(Indicator, st.sampled_from(Kind), texts)

shown = st.builds(
    Shown,
    indicator=indicators,
    label=st.sampled_from(Label),
    source=texts,
    source_name=texts,
    first_seen=times,
    last_seen=times,
    confidence=st.none() | st.integers(0, 100),
    family=st.none() | texts,
    tags=st.lists(texts, max_size=3).map(tuple),
    context=st.none() | texts,
    to_ids=st.booleans(),
    revoked=st.booleans(),
    file=st.none() | st.integers(1, 2),
)

_PAGES = (
    f"https://www.virustotal.com/gui/file/{'0f' * 32}",
    f"https://opentip.kaspersky.com/{'0f' * 16}/",
    f"https://bazaar.abuse.ch/sample/{'0f' * 32}/",
    "https://threatfox.abuse.ch/ioc/12345/",
    "https://www.virustotal.com/gui/domain/evil.com",
    "https://urlhaus.abuse.ch/url/198.51.100.7/",
    "javascript:alert(1)",
)
reports = st.builds(
    Report,
    verdict=st.sampled_from(Verdict),
    score=st.none() | texts,
    family=st.none() | texts,
    first_seen=times,
    last_seen=times,
    link=st.none() | st.sampled_from(_PAGES) | texts,
    facts=st.lists(st.tuples(texts, texts), max_size=4).map(tuple),
)


def _finding(outcome: Outcome, report: Report, is_stale: bool, **fields: Any) -> Finding:
    has_report = outcome is Outcome.FOUND or (outcome.is_error and is_stale)
    return Finding(outcome=outcome, report=report if has_report else None, **fields)


findings = st.builds(
    _finding,
    indicator=indicators,
    provider=st.sampled_from(("virustotal", "opentip", "trend")),
    title=texts | st.sampled_from(("VirusTotal", "OpenTIP")),
    outcome=st.sampled_from(Outcome),
    label=st.sampled_from(Label),
    report=reports,
    is_stale=st.booleans(),
    fetched_at=times,
    again_at=times,
    reason=texts,
)
