"""Find the indicators in a text that people or reports wrote: one linear scan, then strict checks."""

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from bot.domains import ascii_domain, top_level
from bot.errors import InputError, UsageError
from bot.filenames import is_file_or_code, is_no_file_hash, is_version
from bot.indicators import HASH_BY_LENGTH, Indicator, Kind, canonical
from bot.refang import DEFANGED_DOT, live_scheme, readable
from bot.urls import is_address

LIMIT_BYTES = 1_000_000


class Found(NamedTuple):
    """An indicator and where it first stands: `start` is an offset in the text as it was given."""

    indicator: Indicator
    start: int


def extract(text: str) -> list[Found]:
    """The indicators in a text, each once, in the order of first positions. Raises UsageError over 1 MB."""
    _refuse_if_too_large(text)
    source = readable(text)
    first: dict[Indicator, int] = {}
    for indicator, start in _scan(source.text):
        first.setdefault(indicator, start)
    return [Found(indicator, source.origin(start)) for indicator, start in first.items()]


def host_of(url: Indicator) -> Indicator | None:
    """The domain or address a URL leads to; None if that is nothing to look up."""
    behind_scheme = url.value.partition("://")[2] or url.value
    return _host_of(re.split("[/?#]", behind_scheme, maxsplit=1)[0])


def _refuse_if_too_large(text: str) -> None:
    if len(text) > LIMIT_BYTES or len(text.encode("utf-8", "surrogatepass")) > LIMIT_BYTES:
        raise UsageError("This text is over 1 MB; split it into smaller parts.")


_Spotted = tuple[Indicator, int]

# Every run is possessive, and starts only where the look-behinds say that no run is under way: each character
# is read a fixed number of times, whatever the text.
_DOT = f"[.{DEFANGED_DOT}]"
_NAME = rf"[\w-]++(?:{_DOT}[\w-]++)++"
_IN_URL = rf"\w!#$%&'()*+,./:;=?@\[\]{{}}~{DEFANGED_DOT}-"
_SCAN = re.compile(
    rf"""(?<![^\W_])(?:
      (?P<url>  (?:(?P<scheme>[a-zA-Z][\w*+-]{{1,15}}+:/{{2,3}})){{1,4}}+(?=[\w\[])[{_IN_URL}]++)
    | (?P<email>(?<![\w.+%{DEFANGED_DOT}-])[\w.+%{DEFANGED_DOT}-]{{1,80}}+@(?:{_NAME}))
    | (?P<host> (?<![\w-])(?<!\w{_DOT}){_NAME})
                (?P<port>:[0-9]{{1,5}}+(?![\w.]))?+ (?P<path>/[{_IN_URL}]*+|\?\w++=[{_IN_URL}]*+)?+
    | (?P<hash> [0-9a-fA-F]{{32,128}}+(?![^\W_]))
    | (?P<ipv6> (?<!:)(?:[0-9a-fA-F]{{0,4}}+:){{2,7}}
                (?:[0-9]{{1,3}}(?:{_DOT}[0-9]{{1,3}}){{3}}|[0-9a-fA-F]{{0,4}}+)(?![\w:]))
                (?:/(?P<bits>[0-9]{{1,3}})(?![\w.]))?+
    | (?P<cve>  [cC][vV][eE][-_\u2013 ][0-9]{{4}}[-_\u2013][0-9]{{4,7}}+(?!\w))
    | (?P<btc>  (?:[13][1-9A-HJ-NP-Za-km-z]{{25,34}}+|bc1[ac-hj-np-z02-9]{{11,71}}+)(?![^\W_]))
    )""",
    re.VERBOSE,
)

_NOTHING: tuple[_Spotted, ...] = ()
_IPV4 = re.compile(rf"[0-9]{{1,3}}(?:{_DOT}[0-9]{{1,3}}){{3}}")
_RANGE = re.compile(f"{_IPV4.pattern}-{_IPV4.pattern}")
_ADDRESS_ONLY = re.compile(rf"({_IPV4.pattern})[.,;:)\]}}']*+")
_LONG_HEX = re.compile(r"(?<![^\W_])[0-9a-fA-F]{32,128}+(?![^\W_])")
_HASH_IN_PATH = re.compile(r"(?<=/)[0-9a-fA-F]{32,128}+(?=[/.]|\Z)")
_PREFIX_LENGTH = re.compile(r"/([0-9]{1,2})(?![\w/?=&%~-]|\.\w)")
_NEXT_URL = re.compile(r"(?<![,;])[,;]++[a-zA-Z][\w*+-]{1,15}://")
_NEXT_CELL = re.compile(r"[^?,]*+(,)(?=[a-zA-Z])")  # a line of a CSV file; commas in queries are left alone
_WEBDAV = re.compile(r"([^/@]{1,253})@(?:ssl|[0-9]{1,5})(?:@[0-9]{1,5})?(?:/|\Z)", re.IGNORECASE)
_TRAILING = ".,;:!?'\"*&\\"
_BRACKETS = {")": "(", "]": "[", "}": "{"}
_KNOWN_SCHEME = re.compile(
    r"https?|s?ftps?|tcp|udp|tls|ssl|wss?|ssh|telnet|rdp|vnc|smb|ldaps?|rmi|ircs?|git|svn|file|dns|doh"
    r"|socks[45]?|stratum\+(?:tcp|ssl)|rts?p|rtmp|mqtt|mongodb|redis|mysql|quic|h2|icmp"
)


def _scan(text: str) -> Iterator[_Spotted]:
    for found in _SCAN.finditer(text):
        yield from _READERS[found.lastgroup or ""](found)


def _read_hash(found: re.Match[str]) -> tuple[_Spotted, ...]:
    return _hash_at(found.string, found.start(), found.end())


def _hash_at(text: str, start: int, end: int) -> tuple[_Spotted, ...]:
    kind = HASH_BY_LENGTH.get(end - start)
    if kind is None:
        return _NOTHING
    value = text[start:end].lower()
    is_filler = value.count(value[0]) == len(value)
    if is_filler or (kind is Kind.MD5 and is_no_file_hash(text, start)):
        return _NOTHING
    return ((Indicator(kind, value), start),)


def _read_host(found: re.Match[str]) -> tuple[_Spotted, ...]:
    """A dotted name or address, with what follows it: a port, a path, a prefix length."""
    text, start = found.string, found.start()
    written = found["host"]
    name = written.lstrip("-")
    start += len(written) - len(name)
    if not found["port"] and not found["path"]:
        name = name.rstrip("-")
    if name[0] == "_" and name[-1] == "_":  # emphasis in Markdown
        start += len(name) - len(name.lstrip("_"))
        name = name.strip("_")
    if _IPV4.fullmatch(name):
        return _address(found, name, start)
    if _RANGE.fullmatch(name):
        return _range(name, start)
    last = name[max(name.rfind("."), name.rfind(DEFANGED_DOT)) + 1 :].lower()
    if last not in top_level() and (last.isascii() or not last.isalpha()):
        return _hash_within(text, start, start + len(name))
    return _name(found, name, start)


def _range(name: str, start: int) -> tuple[_Spotted, ...]:
    """192.0.2.1-192.0.2.9"""
    first, dash, last = name.partition("-")
    ends = (_checked(Kind.IPV4, first), start), (_checked(Kind.IPV4, last), start + len(first + dash))
    return tuple((address, at) for address, at in ends if address)


def _hash_within(text: str, start: int, end: int) -> tuple[_Spotted, ...]:
    """sample_d41d8cd98f00b204e9800998ecf8427e.bin"""
    found = _LONG_HEX.search(text, start, end) if end - start > 32 else None
    return _hash_at(text, found.start(), found.end()) if found else _NOTHING


def _name(found: re.Match[str], name: str, start: int) -> tuple[_Spotted, ...]:
    text, path = found.string, found["path"] or ""
    domain = ascii_domain(name.replace(DEFANGED_DOT, "."))
    if domain is None:
        return _NOTHING
    if DEFANGED_DOT not in name and is_file_or_code(text, start, start + len(name)):
        return _hash_within(text, start, start + len(name))
    spotted = (Indicator(Kind.DOMAIN, domain), start)
    if len(path) < 2:
        return (spotted,)
    return _with_path(found, spotted)


def _with_path(found: re.Match[str], host: _Spotted) -> tuple[_Spotted, ...]:
    """A URL without a scheme; or two indicators that a slash keeps apart: `evil.example/192.0.2.1`."""
    text, start, begin = found.string, host[1], found.start("path")
    second = _ADDRESS_ONLY.fullmatch(text, begin + 1, found.end())
    if second and (address := _checked(Kind.IPV4, second[1])):
        return (host, (address, begin + 1))
    end = _url_end(text, start, begin, found.end())
    url = _checked(Kind.URL, text[start:end])
    return ((url, start), *_hashes_in_path(text, begin, end)) if url else (host,)


def _address(found: re.Match[str], name: str, start: int) -> tuple[_Spotted, ...]:
    text, path = found.string, found["path"] or ""
    address = _checked(Kind.IPV4, name)
    is_on_purpose = DEFANGED_DOT in name or found["port"]
    if address is None or (not is_on_purpose and is_version(text, start)):
        return _NOTHING
    spotted = (address, start)
    if len(path) < 2:
        return (spotted,)
    prefix = None if found["port"] else _PREFIX_LENGTH.match(text, found.start("path"))
    network = _checked(Kind.CIDR, f"{address.value}/{prefix[1]}") if prefix else None
    if network:
        return ((network, start),) if network.value.startswith(f"{address.value}/") else (spotted,)
    return _with_path(found, spotted)


def _read_url(found: re.Match[str]) -> tuple[_Spotted, ...]:
    text, start = found.string, found.start()
    begin = found.end("scheme")
    end = _url_end(text, start, begin, found.end())
    scheme = live_scheme(found["scheme"].rstrip("/").removesuffix(":"))
    known = _KNOWN_SCHEME.fullmatch(scheme)
    share = _WEBDAV.match(text, begin, end) if scheme == "file" else None
    if share:
        host = _host_of(share[1].replace(DEFANGED_DOT, "."))
        return ((host, begin),) if host else _NOTHING
    url = _checked(Kind.URL, f"{scheme if known else 'http'}://{text[begin:end]}")
    if url is None:
        return _NOTHING
    rest = url.value[url.value.index("://") + 3 :]
    authority, slash, _ = rest.partition("/")
    host = _host_of(authority)
    if host is None:
        return _NOTHING
    if not known:
        url = Indicator(Kind.URL, rest)
    within = _hashes_in_path(text, begin, end) if slash else ((host, begin),)
    return ((url, start), *within)


def _hashes_in_path(text: str, begin: int, end: int) -> Iterator[_Spotted]:
    """A sample's page or its download: .../file/<sha256>/detection."""
    for found in _HASH_IN_PATH.finditer(text, begin, end) if end - begin > 32 else ():
        yield from _hash_at(text, found.start(), found.end())


def _host_of(authority: str) -> Indicator | None:
    host = authority.rpartition("@")[2]
    host = host[: host.find("]") + 1] if host.startswith("[") else host.partition(":")[0]
    if is_address(host):
        return _checked(Kind.IPV6, host[1:-1]) if host.startswith("[") else _checked(Kind.IPV4, host)
    return _checked(Kind.DOMAIN, host)


def _url_end(text: str, start: int, begin: int, end: int) -> int:
    """Where a URL that starts at `start` really ends: before what the sentence around it added.

    `begin` is where its path may begin; the run of URL characters goes to `end`.
    """
    before = text[start - 1 : start]
    following = _NEXT_URL.search(text, begin, end)
    if following:
        end = following.start()
    cell = _NEXT_CELL.match(text, begin, end)
    if cell:
        end = cell.start(1)
    if before == "'":
        end = _up_to(text, "'", begin, end)
    end = _balanced(text, begin, end)
    trailing = _TRAILING + (before if before and before in "*_~+`" else "")
    while end > begin and text[end - 1] in trailing:
        end -= 1
    return end


def _up_to(text: str, mark: str, begin: int, end: int) -> int:
    at = text.find(mark, begin, end)
    return end if at < 0 else at


def _balanced(text: str, begin: int, end: int) -> int:
    """Up to the first bracket that closes what was opened before the URL, or that opens a link's text."""
    open_brackets: list[str] = []
    for bracket in _BRACKET.finditer(text, begin, end):
        sign = bracket[0]
        if sign in "({[":
            opens_link_text = (
                sign == "[" and bracket.start() > begin and not _INDEX.match(text, bracket.start())
            )
            if opens_link_text:  # https://...[as AsciiDoc writes it]
                return bracket.start()
            open_brackets.append(sign)
        elif not open_brackets or open_brackets.pop() != _BRACKETS[sign]:
            return bracket.start()
    return end


_BRACKET = re.compile(r"[()\[\]{}]")
_INDEX = re.compile(r"\[\w{0,40}\](?:=|%|\[)")


def _read_email(found: re.Match[str]) -> tuple[_Spotted, ...]:
    local, _, host = found["email"].replace(DEFANGED_DOT, ".").rpartition("@")
    kept = local.lstrip("-.%+_") or local
    start = found.start() + len(local) - len(kept)
    email = _checked(Kind.EMAIL, f"{kept.rstrip('.')}@{host.rstrip('-_')}")
    if email:
        return ((email, start),)
    behind = _checked(Kind.IPV4, host)
    return ((behind, found.end() - len(host)),) if behind else _NOTHING


def _read_ipv6(found: re.Match[str]) -> tuple[_Spotted, ...]:
    written = found["ipv6"]
    address = _checked(Kind.IPV6, written)
    is_code = written.count(":") < 5 and not any(map(str.isdigit, written))  # Dead::Beef
    if address is None or is_code:
        return _NOTHING
    network = _checked(Kind.CIDR, f"{address.value}/{found['bits']}") if found["bits"] else None
    return ((network or address, found.start()),)


def _read_cve(found: re.Match[str]) -> tuple[_Spotted, ...]:
    number = re.sub(r"[_\u2013 ]", "-", found["cve"])
    cve = _checked(Kind.CVE, number)
    return ((cve, found.start()),) if cve else _NOTHING


def _read_btc(found: re.Match[str]) -> tuple[_Spotted, ...]:
    address = _checked(Kind.BTC, found["btc"])
    return ((address, found.start()),) if address else _NOTHING


def _checked(kind: Kind, text: str) -> Indicator | None:
    try:
        return canonical(kind, text.replace(DEFANGED_DOT, "."))
    except InputError:
        return None


_READERS: dict[str, Callable[[re.Match[str]], tuple[_Spotted, ...]]] = {
    "url": _read_url,
    "email": _read_email,
    "host": _read_host,
    "port": _read_host,
    "path": _read_host,
    "hash": _read_hash,
    "ipv6": _read_ipv6,
    "bits": _read_ipv6,
    "cve": _read_cve,
    "btc": _read_btc,
}
