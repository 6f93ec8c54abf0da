"""Judge what is wrong with an extracted value by its shape alone, with other means than the extractor's."""

import re
import unicodedata
from enum import StrEnum

import idna

from bot.indicators import Indicator, Kind


class Fault(StrEnum):
    """Why a value is structurally wrong, whatever the report meant."""

    FILE_NAME = "file name taken as domain"
    FRAGMENT = "fragment of a longer token"
    GARBLED = "value that is not in the text"
    VERSION = "version number taken as address"


_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_BRACKETED = re.compile(r"\s?[\[({<]\s?(://|[.:/@]|dot|at)\s?[\])}>]\s?")
_SIGNS = {"dot": ".", "at": "@"}
_HALF = re.compile(r"\[(?=[.:])|(?<=\.)\]|\\(?=[._@/])")
_SCHEME = re.compile(r"h[tx*_]{2}p(?=s?:)")
_ANY_SCHEME = re.compile(r"\A[a-z][a-z0-9+.-]*://")
_FILE_NAME = re.compile(r"\.(?:zip|mov|py|sh|pl|rs|md|so|ps|pm|java|docs?|cab|bat|app|exe|dll|com\.\w{3})\Z")
_VERSION = re.compile(r"(?:\b(?:v|ver|version|firmware|build|release|section)[\s.:=]*|[a-z]/)\Z")


def readable(text: str) -> str:
    """A text in lower case without invisible characters and defanging, to look values up in."""
    text = _INVISIBLE.sub("", unicodedata.normalize("NFKC", text)).lower().replace("&amp;", "&")
    text = _BRACKETED.sub(lambda found: _SIGNS.get(found[1], found[1]), text)
    return _SCHEME.sub("http", _HALF.sub("", text)).replace("\u3002", ".")


def fault(indicator: Indicator, original: str, text: str) -> Fault | None:
    """What is wrong with an indicator found in a text (as written, and as `readable`); None if nothing."""
    value = _as_written(indicator, text)
    if value is None:
        return Fault.GARBLED
    places = [found.span() for found in re.finditer(re.escape(value), text)]
    if all(_is_inside_token(indicator.kind, text, *place) for place in places):
        return Fault.FRAGMENT
    if value not in original.lower():
        return None  # somebody defanged it: an address on purpose
    if indicator.kind is Kind.IPV4 and all(_VERSION.search(text[max(0, at - 20) : at]) for at, _ in places):
        return Fault.VERSION
    if indicator.kind is Kind.DOMAIN and all(_is_file(value, text, at) for at, _ in places):
        return Fault.FILE_NAME
    return None


def _as_written(indicator: Indicator, text: str) -> str | None:
    """The spelling of a value that stands in the text; None if none of its spellings does."""
    value = _ANY_SCHEME.sub("", indicator.value.lower())
    return next((spelling for spelling in _spellings(indicator.kind, value) if spelling in text), None)


def _spellings(kind: Kind, value: str) -> list[str]:
    spellings = [value]
    if "xn--" in value:
        host, slash, path = value.partition("/")
        spellings.append(idna.decode(host) + slash + path)
    if kind is Kind.URL:
        host, _, path = value.partition("/")
        spellings += [f"{host}{port}/{path}" for port in (":80", ":443", ":21")]
        spellings.append(value.replace("/?", "?", 1))
    if kind is Kind.CVE:
        spellings += [value.replace("-", "\u2010"), value.replace("-", "_"), value.replace("-", " ", 1)]
    if kind is Kind.IPV6:
        spellings.append(value.partition("::")[0])
    return spellings


def _is_inside_token(kind: Kind, text: str, start: int, end: int) -> bool:
    before, after = text[max(0, start - 1) : start], text[end : end + 2]
    if kind in (Kind.DOMAIN, Kind.IPV4, Kind.EMAIL):
        joined = re.match(r"[\w-]|\.\w", after)
        return before.isalnum() or before == "-" or (joined is not None and after[0] != "-")
    return before.isalnum() or (kind is not Kind.URL and kind is not Kind.IPV6 and after[:1].isalnum())


def _is_file(value: str, text: str, at: int) -> bool:
    in_path = text[max(0, at - 1) : at] in ("\\", "/") and text[max(0, at - 2) : at] not in ("//", "\\\\")
    return in_path or (_FILE_NAME.search(value) is not None and not text.startswith("://", max(0, at - 3)))
