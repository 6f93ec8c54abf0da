"""What only looks like an address: file names, code, version numbers, and hashes that are no file's."""

import re

from bot.domains import top_level

# Real top-level domains that are better known as endings of file names or as attributes in code.
_FILE_ENDING = re.compile("zip|mov|py|sh|pl|rs|md|so|ps|pm|lib|java|docs?|cab|bat|name|family", re.IGNORECASE)
_HOST_LIKE = re.compile(
    r"www\..+|.+\.(?:com?|net|org|gov|edu|ac|mil|info)\.\w+", re.IGNORECASE
)  # www.a.pl, a.com.pl
_MAC_BUNDLE = re.compile(r"[A-Z][\w-]*\.app")  # Terminal.app
# Top-level domains of one company, or of nobody yet, that are everyday words of code and registry keys.
_CODE_WORD = re.compile(
    "abc|android|apple|aws|azure|bing|call|chrome|data|google|intel|java|map|microsoft|next|office|open"
    "|oracle|read|save|seek|select|shell|show|skype|target|windows|xbox|youtube",
    re.IGNORECASE,
)
_PRODUCT = re.compile(r"(?:asp|vb|ado|ml|paint)\.net|(?:socket|system)\.io", re.IGNORECASE)
_PACKAGE = re.compile(r"(?:com|org|net|io|android|androidx|java|javax|kotlin|sun)\.[a-z0-9_.-]+", re.ASCII)
_SCRIPT = re.compile(r"(?:document|window|this|self|navigator|location|console)\.", re.IGNORECASE)
_GENERIC = frozenset({"com", "net", "org", "info"})
_ADDRESS_IN_BRACKETS = re.compile(r"\([0-9]{1,3}\W[0-9]")
_LIST_NEIGHBOUR = re.compile(r"(?:www\.)?[\w-]{1,63}(?:\.[\w-]{1,63}){0,5}\.([a-z]{2,20})")

_VERSION_BEFORE = re.compile(
    r"\b(?:v|ver|vers|versions?|firmware|fw|builds?|releases?|rev|revision|section|chapter|patch|hotfix|sdk"
    r"|fortios|junos|ios|chrome|firefox|edge|java|python)"
    r"(?:\W{1,3}(?:prior to|before|up to|through|earlier than|from|is|was|to|than|number|and))?\Z",
    re.IGNORECASE,
)
_BETWEEN = " \t\"'(:=."  # what may stand between that word and the numbers
_SEEN_BEFORE = 48  # characters of context that a version word may stand in

_NO_FILE_HASH = re.compile(
    r"(?:\bja3s?n?|\bja4\w?|\bjarm|\bhassh\w*|\bimp-?hash|\brich\w*|\bvhash|\btlsh|\bssdeep|\bauthenti-?hash|\buuid|\bguid)"
    r"(?: ?(?:hash|digest|fingerprint|md5))?[\s\"'`:=|(\[*]{0,6}\Z",
    re.IGNORECASE,
)


def is_file_or_code(text: str, start: int, end: int) -> bool:
    """Whether a dotted name that nobody defanged is more likely a file or a piece of code than a domain.

    It ends in a real top-level domain. What stands beside it counts: a path, a call, a list of domains.
    """
    name = text[start:end]
    if _is_in_path_or_call(text, start, end, name):
        return True
    last = name[name.rindex(".") + 1 :]
    if last.isascii() and last.isalpha() and not last.islower() and not name.isupper():
        return True  # System.IO, end of line.Next
    if _FILE_ENDING.fullmatch(last):
        return not (_HOST_LIKE.fullmatch(name) or _is_in_list_of_domains(text, start, end))
    if _CODE_WORD.fullmatch(last) or _PRODUCT.fullmatch(name):
        return True
    if _MAC_BUNDLE.fullmatch(name) or _SCRIPT.match(name):
        return True
    return name.count(".") >= 2 and last not in _GENERIC and _PACKAGE.fullmatch(name) is not None


def _is_in_path_or_call(text: str, start: int, end: int, name: str) -> bool:
    """Behind a slash only `//host` and its backslashed twin are addresses; before a bracket few are."""
    before, after = text[start - 1 : start], text[end : end + 1]
    if before in ("\\", "/"):
        return text[max(0, start - 2) : start] != before * 2 or text[max(0, start - 3)].isalnum()
    if before in ("$", "%") or text[max(0, start - 2) : start] == "\\@":
        return True  # http://evil.example\@good.example opens evil.example
    is_called = after == "(" and not _ADDRESS_IN_BRACKETS.match(text, end)
    return is_called and name.rpartition(".")[2].lower() not in _GENERIC


def _is_in_list_of_domains(text: str, start: int, end: int) -> bool:
    """Whether the name has its line for itself, and a domain beyond doubt has the line before or after."""
    if text[start - 1 : start] not in ("", "\n") or text[end : end + 1] not in ("", "\n", "\r"):
        return False
    above = text[max(0, start - _SEEN_BEFORE) : start].rstrip().rpartition("\n")[2]
    below = text[end : end + _SEEN_BEFORE].lstrip().partition("\n")[0].rstrip()
    return any(_is_plain_domain(line) for line in (above, below))


def _is_plain_domain(line: str) -> bool:
    found = _LIST_NEIGHBOUR.fullmatch(line)
    return found is not None and found[1] in top_level() and not _FILE_ENDING.fullmatch(found[1])


def is_version(text: str, start: int) -> bool:
    """Whether the four numbers at `start` are a version: a word before says so, or a product and a slash."""
    if start and text[start - 1] in "/\\":
        return start > 1 and text[start - 2].isalnum()
    before = text[max(0, start - _SEEN_BEFORE) : start].rstrip(_BETWEEN)
    return before[-1:].isalpha() and _VERSION_BEFORE.search(before) is not None


def is_no_file_hash(text: str, start: int) -> bool:
    """Whether the digits at `start` are labelled as the fingerprint of something else than a file."""
    return _NO_FILE_HASH.search(text[max(0, start - _SEEN_BEFORE) : start]) is not None
