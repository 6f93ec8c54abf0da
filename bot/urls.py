"""URLs: one canonical form, in which the host is the one a browser would really open."""

import ipaddress
import re

import can_ada

from bot.domains import ascii_domain

MAX_LENGTH = 8192  # characters; longer ones are data, not addresses

_PARTS = re.compile(
    r"(?:(?P<scheme>[a-z][a-z0-9+.-]{0,31})://)?(?P<authority>[^/\\?#]*)(?P<path>[^?#]*)(?P<rest>.*)",
    re.ASCII | re.IGNORECASE | re.DOTALL,
)
_HOST_PORT = re.compile(r"(?P<host>\[[^\]]*\]|[^:\[\]]+)(?::(?P<port>[0-9]{0,10}))?")
_DEFANGED_SCHEME = re.compile(r"h[^t]..?s?|fxps?", re.IGNORECASE)
_ZONED = re.compile(r"\[[0-9a-f:.]{2,45}(?:%[a-z0-9._~-]{1,40})?\]", re.ASCII)
_PLAIN = re.compile(r"[a-z0-9_](?:[a-z0-9._-]{0,251}[a-z0-9_])?", re.ASCII)
_UNSAFE = re.compile("[\x00-\x1f\x7f\u2028\u2029\ud800-\udfff]")


def canonical_url(text: str) -> str | None:
    """The canonical form of a URL, with or without a scheme; None if it is not a URL.

    Host in lower case and punycode (https://url.spec.whatwg.org/#host-parsing, so `0x7f.1` becomes an
    address), a lone `/` as path dropped; the port stays as written, the path keeps its case and its escapes.
    Zone ids and ports above 65535, which WHATWG refuses, are kept as written.
    """
    parts = _PARTS.fullmatch(text)
    if parts is None or len(text) > MAX_LENGTH or _UNSAFE.search(text):
        return None
    scheme = (parts["scheme"] or "").lower()
    authority = _authority(parts["authority"], scheme)
    if authority is None or _DEFANGED_SCHEME.fullmatch(scheme):
        return None
    path, rest = parts["path"].replace("\\", "/"), parts["rest"]
    if path == "/" and not rest:
        path = ""
    if not path and rest:
        path = "/"
    return f"{scheme}://{authority}{path}{rest}".removeprefix("://").replace(" ", "%20")


def canonical_host(text: str) -> str | None:
    """The host as a browser reads it: lower-case punycode, an address from any notation; None if unusable."""
    if _ZONED.fullmatch(text.lower()) and "%" in text:
        return text.lower()
    try:
        host: str = can_ada.parse(f"http://{text}/").hostname
    except (ValueError, UnicodeError):
        host = text.lower()
    host = host.removesuffix(".")
    return host if _PLAIN.fullmatch(host) or _ZONED.fullmatch(host) else None


def is_address(host: str) -> bool:
    """Whether a canonical host is an IP address rather than a name."""
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True


def _authority(text: str, scheme: str) -> str | None:
    """Credentials, host and port in canonical form; without a scheme the host must be a real one."""
    credentials, at, host_port = text.rpartition("@")
    found = _HOST_PORT.fullmatch(host_port)
    host = canonical_host(found["host"]) if found else None
    if found is None or host is None or " " in credentials:
        return None
    if not scheme and not (is_address(host) or ascii_domain(host)):
        return None
    port = (found["port"] or "").lstrip("0")
    return f"{credentials}{at}{host}{':' if port else ''}{port}"
