"""Strings that try to break out of a message: markup, links, hidden characters, sizes."""

from datetime import UTC, datetime

from hypothesis import strategies as st

from bot.indicators import Indicator, Kind
from bot.sharing import Shown
from bot.tlp import Label

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
